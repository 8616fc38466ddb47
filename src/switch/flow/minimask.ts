/**
 * A match in the flow key's terms: the words it looks at, with their masks and values, in the order of words.
 * Two matches that look at the same bits share one `Minimask` object within a classifier.
 */
import type { Match, Term } from "../../openflow/index.ts";
import { type FlowKey, keyWords, type Place, placeOf, spread, stageEnds, W } from "./flow-key.ts";

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

/** What matches with the same fields and masks have in common: the mask, and where the words of each term's value go. */
interface Shape {
  readonly mask: Minimask;
  /** For each term the indices in `values` of its words, most significant first. */
  readonly slots: readonly (readonly number[])[];
  /** Index in `values` and bits for what is demanded beside the terms: that a tunnel option is there. */
  readonly present: readonly [number, number] | undefined;
}

const maxShapes = 10_000;

/** The shapes that were met, so that flows of one shape share a mask. One for each bridge; bounded. */
export class MatchShapes {
  readonly #byText = new Map<string, Shape>();

  /** The match in words; or the name of a field that the switch does not have. */
  minimatch(match: Match): Minimatch | string {
    const { terms } = match;
    let text = "";
    for (const { field, mask } of terms) text += mask === field.full ? `${field.id},` : `${field.id}/${mask.toString(36)},`;
    let shape = this.#byText.get(text);
    if (shape === undefined) {
      const made = shapeOf(match);
      if (typeof made === "string") return made;
      shape = made;
      if (this.#byText.size >= maxShapes) this.#byText.clear();
      this.#byText.set(text, shape);
    }
    const values = new Uint32Array(shape.mask.words.length);
    for (let t = 0; t < terms.length; t++) {
      const { field, value } = terms[t] as Term;
      const slots = shape.slots[t] as readonly number[];
      const place = placeOf(field) as Place;
      let part = 0;
      spread(place, value, (_word, bits) => {
        const slot = slots[part++] as number;
        // A slot of -1: that word of the field is not looked at.
        if (slot >= 0) values[slot] = (values[slot] as number) | bits;
      });
    }
    if (shape.present !== undefined) values[shape.present[0]] = shape.present[1];
    return { mask: shape.mask, values };
  }
}

function shapeOf(match: Match): Shape | string {
  const full = new Uint32Array(keyWords);
  let present = 0;
  for (const { field, mask } of match.terms) {
    const place = placeOf(field);
    if (place === undefined || (field.isVariable && BigInt(mask) >> 32n !== 0n && mask !== field.full)) return field.name;
    spread(place, mask, (word, bits) => {
      full[word] = (full[word] ?? 0) | bits;
    });
    // A demanded tunnel option must be there, not merely be zero for lack of one.
    if (field.isVariable) present |= 1 << (place.word - W.tunMetadata);
  }
  full[W.tunMetadataPresent] = present;
  const mask = minimask(full);
  const indexOf = (word: number): number => mask.words.indexOf(word);
  const slots = match.terms.map(({ field }) => {
    const found: number[] = [];
    const place = placeOf(field);
    if (place !== undefined) spread(place, 0, (word) => found.push(indexOf(word)));
    return found;
  });
  return { mask, slots, present: present === 0 ? undefined : [indexOf(W.tunMetadataPresent), present] };
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
