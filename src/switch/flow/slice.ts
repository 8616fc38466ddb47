/** Reading and copying runs of bits of a flow key, in chunks that stay within a word on both sides. */
import type { FlowKey } from "./flow-key.ts";
import type { Slice } from "../walk/program.ts";

/** Calls `chunk` with each part: a word, where in it the part begins, and how many bits it has; from the lowest bit up. */
export function eachChunk(slice: Slice, chunk: (word: number, shift: number, bits: number, done: number) => void): void {
  for (let done = 0; done < slice.bits; ) {
    const at = slice.shift + slice.bit + done;
    const bits = Math.min(slice.bits - done, 32 - (at & 31));
    chunk(slice.lastWord - (at >>> 5), at & 31, bits, done);
    done += bits;
  }
}

export const lowBits = (bits: number): number => (bits >= 32 ? 0xffffffff : (1 << bits) - 1) >>> 0;

/** The slice's value; the low 32 bits if it is wider. */
export function readSlice32(key: FlowKey, slice: Slice): number {
  let value = 0;
  eachChunk(slice, (word, shift, bits, done) => {
    if (done < 32) value |= (((key[word] ?? 0) >>> shift) & lowBits(bits)) << done;
  });
  return value >>> 0;
}

/** The slice's value as words, the lowest first. */
export function readSlice(key: FlowKey, slice: Slice): number[] {
  const words: number[] = [];
  for (let bit = 0; bit < slice.bits; bit += 32) {
    words.push(readSlice32(key, { ...slice, bit: slice.bit + bit, bits: Math.min(32, slice.bits - bit) }));
  }
  return words;
}

/** For each part of `slice`: its word, the bits of the word, and these bits of `value` (words, the lowest first) in place. */
export function eachWrite(slice: Slice, value: readonly number[], write: (word: number, mask: number, bits: number) => void): void {
  eachChunk(slice, (word, shift, bits, done) => {
    let part = 0;
    for (let i = 0; i < bits; ) {
      const from = done + i;
      const take = Math.min(bits - i, 32 - (from & 31));
      part |= (((value[from >>> 5] ?? 0) >>> (from & 31)) & lowBits(take)) << i;
      i += take;
    }
    write(word, (lowBits(bits) << shift) >>> 0, ((part & lowBits(bits)) << shift) >>> 0);
  });
}
