/** Bytes in network order, growing as needed, for one message of one version. */
import type { OfVersion } from "./version.ts";

/** How many bytes the Geneve option has that tun_metadata<index> stands for; undefined where none is mapped (NXT_TLV_TABLE_MOD). */
export type TlvSizes = (index: number) => number | undefined;

export class WireWriter {
  readonly version: OfVersion;
  readonly tlvSizes: TlvSizes | undefined;
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  constructor(version: OfVersion, tlvSizes?: TlvSizes) {
    this.version = version;
    this.tlvSizes = tlvSizes;
  }

  get size(): number {
    return this.#size;
  }

  /** What was written; a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  #room(size: number): number {
    const at = this.#size;
    this.#size += size;
    if (this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  u48(value: number): void {
    this.u16(Math.floor(value / 0x100000000));
    this.u32(value % 0x100000000);
  }

  u64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value);
  }

  /** `size` bytes of an unsigned integer, the most significant first; what does not fit is dropped. */
  integer(value: number | bigint, size: number): void {
    if (typeof value === "number") {
      if (size === 1) this.u8(value);
      else if (size === 2) this.u16(value);
      else if (size === 4) this.u32(value);
      else if (size === 6) this.u48(value);
      else this.integer(BigInt(value), size);
      return;
    }
    if (size === 8) return this.u64(value);
    if (size === 16) {
      this.u64(value >> 64n);
      return this.u64(BigInt.asUintN(64, value));
    }
    const at = this.#room(size);
    for (let i = size - 1, rest = value; i >= 0; i--, rest >>= 8n) this.#bytes[at + i] = Number(rest & 0xffn);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  zeros(size: number): void {
    const at = this.#room(size);
    this.#bytes.fill(0, at, at + size);
  }

  /** Zeros until what follows `start` is a multiple of `unit`. */
  pad(start: number, unit = 8): void {
    this.zeros((unit - ((this.#size - start) % unit)) % unit);
  }

  /** Latin text in a field of fixed size, cut so that a zero byte ends it. */
  text(value: string, size: number): void {
    const at = this.#room(size);
    this.#bytes.fill(0, at, at + size);
    this.#bytes.set(new TextEncoder().encode(value).subarray(0, size - 1), at);
  }

  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** Puts `bytes` in at `at`, moving what follows. */
  insert(at: number, bytes: Uint8Array): void {
    const end = this.#size;
    this.#room(bytes.length);
    this.#bytes.copyWithin(at + bytes.length, at, end);
    this.#bytes.set(bytes, at);
  }
}
