/**
 * The classifier of one flow table: tuple-space search (OVS's lib/classifier.h tells the theory).
 *
 * Rules that look at the same bits share a subtable, a hash table keyed by those bits. A lookup asks the subtables in the
 * order of their highest priority and stops as soon as none can hold anything better. What it looked at, it adds to the
 * caller's wildcards: a subtable is asked stage by stage, and one that fails at an early stage adds only the words up to
 * there. Adding, finding and removing a rule cost O(1); only a new mask, or the last rule of a mask, re-sorts the subtables.
 *
 * Conjunctive matches (ovs-actions(7), `conjunction`): a rule with such actions matches only together with rules of its
 * conjunction's other clauses; then the lookup goes on for the rule that matches `conj_id`.
 */
import { type FlowKey, W } from "./flow-key.ts";
import { finish, type Minimask, type Minimatch, mix } from "./minimask.ts";
import type { Wildcards } from "./wildcards.ts";

export interface Conjunction {
  readonly id: number;
  readonly clause: number;
  readonly clauses: number;
}

/** What a classifier holds. */
export interface Classified {
  readonly match: Minimatch;
  readonly priority: number;
  /** Not empty: the rule is one clause of these. */
  readonly conjunctions: readonly Conjunction[];
}

/** Rules equal in mask and value, the highest priority first. */
interface Bucket<R> {
  readonly values: Uint32Array;
  rules: R[];
  next: Bucket<R> | undefined;
}

class Subtable<R extends Classified> {
  readonly mask: Minimask;
  readonly buckets = new Map<number, Bucket<R>>();
  /** For each stage but the last that has words of its own: how many values have this hash so far. */
  readonly stages: readonly { readonly end: number; readonly hashes: Map<number, number> }[];
  readonly #priorities = new Map<number, number>();
  maxPriority = -1;
  count = 0;

  constructor(mask: Minimask) {
    this.mask = mask;
    const ends = [...new Set(mask.stageEnd)].filter((end) => end > 0 && end < mask.words.length);
    this.stages = ends.map((end) => ({ end, hashes: new Map() }));
  }

  insert(rule: R): void {
    const hash = this.#count(rule, 1);
    let bucket = this.#bucket(hash, rule.match.values);
    if (bucket === undefined) {
      bucket = { values: rule.match.values, rules: [], next: this.buckets.get(hash) };
      this.buckets.set(hash, bucket);
    }
    let at = 0;
    while (at < bucket.rules.length && (bucket.rules[at]?.priority ?? 0) > rule.priority) at++;
    bucket.rules.splice(at, 0, rule);
  }

  find(values: Uint32Array, priority: number): R | undefined {
    return this.#bucket(hashValues(values), values)?.rules.find((r) => r.priority === priority);
  }

  remove(rule: R): boolean {
    const hash = hashValues(rule.match.values);
    const bucket = this.#bucket(hash, rule.match.values);
    const at = bucket?.rules.indexOf(rule) ?? -1;
    if (bucket === undefined || at < 0) return false;
    bucket.rules.splice(at, 1);
    if (bucket.rules.length === 0) this.#unlink(hash, bucket);
    this.#count(rule, -1);
    return true;
  }

  /** The rules whose value the key has; undefined if none. Adds what it looked at to `wildcards`. */
  lookup(key: FlowKey, wildcards: Wildcards | undefined): readonly R[] | undefined {
    const { words, masks } = this.mask;
    let hash = 0;
    let i = 0;
    for (let s = 0; s < this.stages.length; s++) {
      const stage = this.stages[s];
      if (stage === undefined) break;
      for (; i < stage.end; i++) hash = mix(hash, (key[words[i] as number] as number) & (masks[i] as number));
      if (!stage.hashes.has(hash)) {
        if (wildcards !== undefined) this.#unwildcard(wildcards, i);
        return undefined;
      }
    }
    for (; i < words.length; i++) hash = mix(hash, (key[words[i] as number] as number) & (masks[i] as number));
    if (wildcards !== undefined) this.#unwildcard(wildcards, i);
    for (let bucket = this.buckets.get(finish(hash)); bucket !== undefined; bucket = bucket.next) {
      if (hasValues(key, words, masks, bucket.values)) return bucket.rules;
    }
    return undefined;
  }

  #unwildcard(wildcards: Wildcards, count: number): void {
    const { words, masks } = this.mask;
    for (let i = 0; i < count; i++) wildcards.look(words[i] as number, masks[i] as number);
  }

  #bucket(hash: number, values: Uint32Array): Bucket<R> | undefined {
    let bucket = this.buckets.get(hash);
    while (bucket !== undefined && !sameWords(bucket.values, values)) bucket = bucket.next;
    return bucket;
  }

  #unlink(hash: number, bucket: Bucket<R>): void {
    const first = this.buckets.get(hash);
    if (first === bucket) {
      if (bucket.next === undefined) this.buckets.delete(hash);
      else this.buckets.set(hash, bucket.next);
      return;
    }
    for (let b = first; b !== undefined; b = b.next) if (b.next === bucket) b.next = bucket.next;
  }

  /** Counts the rule in or out: its priority and its hash at each stage. Returns its full hash. */
  #count(rule: R, by: 1 | -1): number {
    this.count += by;
    const left = (this.#priorities.get(rule.priority) ?? 0) + by;
    if (left > 0) this.#priorities.set(rule.priority, left);
    else this.#priorities.delete(rule.priority);
    if (by > 0) this.maxPriority = Math.max(this.maxPriority, rule.priority);
    else if (left === 0 && rule.priority === this.maxPriority) this.maxPriority = Math.max(-1, ...this.#priorities.keys());
    let hash = 0;
    let i = 0;
    for (const { end, hashes } of this.stages) {
      for (; i < end; i++) hash = mix(hash, rule.match.values[i] ?? 0);
      const count = (hashes.get(hash) ?? 0) + by;
      if (count > 0) hashes.set(hash, count);
      else hashes.delete(hash);
    }
    return hashValues(rule.match.values);
  }
}

export class Classifier<R extends Classified> {
  readonly #subtables = new Map<string, Subtable<R>>();
  /** The same, the highest priority first. */
  #sorted: Subtable<R>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  insert(rule: R): void {
    let subtable = this.#subtables.get(rule.match.mask.text);
    const before = subtable?.maxPriority;
    if (subtable === undefined) {
      subtable = new Subtable(rule.match.mask);
      this.#subtables.set(rule.match.mask.text, subtable);
      this.#sorted.push(subtable);
    }
    subtable.insert(rule);
    this.#size++;
    if (subtable.maxPriority !== before) this.#sort();
  }

  /** The rule of exactly this match and priority. */
  find(match: Minimatch, priority: number): R | undefined {
    return this.#subtables.get(match.mask.text)?.find(match.values, priority);
  }

  remove(rule: R): boolean {
    const subtable = this.#subtables.get(rule.match.mask.text);
    if (subtable === undefined) return false;
    const before = subtable.maxPriority;
    if (!subtable.remove(rule)) return false;
    this.#size--;
    if (subtable.count === 0) {
      this.#subtables.delete(rule.match.mask.text);
      this.#sorted = this.#sorted.filter((s) => s !== subtable);
    } else if (subtable.maxPriority !== before) this.#sort();
    return true;
  }

  /** The best rule for `key`. What was looked at is added to `wildcards`. */
  lookup(key: FlowKey, wildcards: Wildcards | undefined): R | undefined {
    let hard: R | undefined;
    let hardPriority = -1;
    let soft: R[] | undefined;
    const sorted = this.#sorted;
    for (let s = 0; s < sorted.length; s++) {
      const subtable = sorted[s] as Subtable<R>;
      if (subtable.maxPriority <= hardPriority) break;
      const rules = subtable.lookup(key, wildcards);
      if (rules === undefined) continue;
      for (let i = 0; i < rules.length; i++) {
        const rule = rules[i] as R;
        if (rule.priority <= hardPriority) break;
        if (rule.conjunctions.length === 0) {
          hard = rule;
          hardPriority = rule.priority;
          break;
        }
        soft ??= [];
        soft.push(rule);
      }
    }
    return soft === undefined ? hard : this.#conjoin(key, wildcards, hard, soft);
  }

  *[Symbol.iterator](): Iterator<R> {
    for (const subtable of this.#sorted) {
      for (const first of subtable.buckets.values()) {
        for (let bucket: Bucket<R> | undefined = first; bucket !== undefined; bucket = bucket.next) yield* bucket.rules;
      }
    }
  }

  /** From the highest priority down: the first conjunction all of whose clauses match and that has a rule for its id. */
  #conjoin(key: FlowKey, wildcards: Wildcards | undefined, hard: R | undefined, soft: readonly R[]): R | undefined {
    const candidates = soft.filter((r) => r.priority > (hard?.priority ?? -1)).sort((a, b) => b.priority - a.priority);
    for (let from = 0; from < candidates.length; ) {
      const priority = candidates[from]?.priority;
      let to = from;
      const seen = new Map<number, Set<number>>();
      for (; candidates[to]?.priority === priority && to < candidates.length; to++) {
        for (const { id, clause, clauses } of candidates[to]?.conjunctions ?? []) {
          let met = seen.get(id);
          if (met === undefined) seen.set(id, (met = new Set()));
          met.add(clause);
          if (met.size < clauses) continue;
          const found = this.#withConjId(key, wildcards, id);
          if (found !== undefined) return found;
        }
      }
      from = to;
    }
    return hard;
  }

  #withConjId(key: FlowKey, wildcards: Wildcards | undefined, id: number): R | undefined {
    const before = key[W.conjId] ?? 0;
    key[W.conjId] = id;
    let best: R | undefined;
    for (const subtable of this.#sorted) {
      if (subtable.maxPriority <= (best?.priority ?? -1)) break;
      const rule = subtable.lookup(key, wildcards)?.find((r) => r.conjunctions.length === 0);
      if (rule !== undefined && rule.priority > (best?.priority ?? -1)) best = rule;
    }
    key[W.conjId] = before;
    return best;
  }

  #sort(): void {
    this.#sorted.sort((a, b) => b.maxPriority - a.maxPriority);
  }
}

function hashValues(values: Uint32Array): number {
  let hash = 0;
  for (let i = 0; i < values.length; i++) hash = mix(hash, values[i] as number);
  return finish(hash);
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function hasValues(key: FlowKey, words: Uint16Array, masks: Uint32Array, values: Uint32Array): boolean {
  for (let i = 0; i < words.length; i++) {
    if ((((key[words[i] as number] as number) & (masks[i] as number)) >>> 0) !== values[i]) return false;
  }
  return true;
}
