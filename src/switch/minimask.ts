/**
 * A match in the flow key's terms: the words it looks at, with their masks and values, in the order of words.
 * Two matches that look at the same bits share one `Minimask` object within a classifier.
 */
import type { Match } from "../openflow/index.ts";
import { type FlowKey, keyWords, placeOf, spread, stageEnds, W } from "./flow-key.ts";

export interface Minimask {
  /** Ascending word numbers, and the mask of each. */
  readonly words: Uint16Array;
  readonly masks: Uint32Array;
  /** For each stage the index in `words` at which it ends. */
  readonly stageEnd: readonly number[];
  /** Equal for equal masks. */
  readonly text: string;
}

export interface Minimatch {
  readonly mask: Minimask;
  readonly values: Uint32Array;
}

/** Undefined, with the field's name, if the match demands a field that the switch does not have. */
export function minimatchOf(match: Match): { readonly kind: "match"; readonly match: Minimatch } | { readonly kind: "unknown"; readonly field: string } {
  const masks = new Uint32Array(keyWords);
  const values = new Uint32Array(keyWords);
  for (const { field, value, mask } of match.terms) {
    const place = placeOf(field.name);
    if (place === undefined || (field.isVariable && BigInt(mask) >> 32n !== 0n && mask !== field.full)) return { kind: "unknown", field: field.name };
    spread(place, mask, (word, bits) => {
      masks[word] = (masks[word] ?? 0) | bits;
    });
    spread(place, value, (word, bits) => {
      values[word] = (values[word] ?? 0) | bits;
    });
    // A demanded tunnel option must be there, not merely be zero for lack of one.
    if (field.isVariable) {
      const bit = 1 << (place.word - W.tunMetadata);
      masks[W.tunMetadataPresent] = (masks[W.tunMetadataPresent] ?? 0) | bit;
      values[W.tunMetadataPresent] = (values[W.tunMetadataPresent] ?? 0) | bit;
    }
  }
  return { kind: "match", match: { mask: minimask(masks), values: pick(values, masks) } };
}

function pick(from: Uint32Array, masks: Uint32Array): Uint32Array {
  const out: number[] = [];
  for (let w = 0; w < keyWords; w++) if (masks[w] !== 0) out.push(from[w] ?? 0);
  return Uint32Array.from(out);
}

/** The non-zero words of a full-size mask. */
export function minimask(full: FlowKey): Minimask {
  const words: number[] = [];
  const masks: number[] = [];
  const stageEnd: number[] = [];
  let stage = 0;
  for (let w = 0; w < keyWords; w++) {
    while (w >= (stageEnds[stage] ?? keyWords)) {
      stageEnd.push(words.length);
      stage++;
    }
    const mask = full[w] ?? 0;
    if (mask === 0) continue;
    words.push(w);
    masks.push(mask);
  }
  while (stageEnd.length < stageEnds.length) stageEnd.push(words.length);
  let text = "";
  for (let i = 0; i < words.length; i++) text += `${words[i]}:${(masks[i] ?? 0).toString(36)},`;
  return { words: Uint16Array.from(words), masks: Uint32Array.from(masks), stageEnd, text };
}

/** One step of a hash over words (murmur3's mixing). */
export function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** Spreads the last word's bits. */
export function finish(hash: number): number {
  let h = hash;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  return h;
}

/** Whether everything that `narrow` matches is also matched by `wide`. */
export function covers(wide: Minimatch, narrow: Minimatch): boolean {
  const { words, masks } = wide.mask;
  let j = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    while (j < narrow.mask.words.length && (narrow.mask.words[j] ?? 0) < word) j++;
    if (narrow.mask.words[j] !== word) return false;
    const mask = masks[i] ?? 0;
    if ((((narrow.mask.masks[j] ?? 0) & mask) ^ mask) !== 0) return false;
    if ((((narrow.values[j] ?? 0) ^ (wide.values[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

/** Whether some packet is matched by both. */
export function overlaps(a: Minimatch, b: Minimatch): boolean {
  let j = 0;
  for (let i = 0; i < a.mask.words.length; i++) {
    const word = a.mask.words[i] ?? 0;
    while (j < b.mask.words.length && (b.mask.words[j] ?? 0) < word) j++;
    if (b.mask.words[j] !== word) continue;
    if ((((a.values[i] ?? 0) ^ (b.values[j] ?? 0)) & (a.mask.masks[i] ?? 0) & (b.mask.masks[j] ?? 0)) !== 0) return false;
  }
  return true;
}
