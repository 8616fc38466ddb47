/**
 * Relations: what rules yield. A fact stands as long as some rule instance yields it, however many do.
 *
 *     export const Wanted = relation("Wanted", (w: Wanted) => `${w.table} ${w.name}`);
 *     ...
 *     yield Wanted({ table: "Chassis", name: "gw1" });
 */
import { Signal } from "./cell.ts";
import type { Collection, CollectionWatcher } from "./collection.ts";

/** A kind of fact: calling it makes a yield for a rule. Two facts with equal keys are the same fact. */
export interface Relation<F> extends RelationName {
  (fact: F): Yield;
  readonly keyOf: (fact: F) => string;
}

export interface RelationName {
  readonly relationName: string;
}

/** A fact on its way from a rule into its relation. */
export interface Yield {
  readonly relation: RelationName;
  readonly key: string;
  readonly fact: unknown;
}

/** `keyOf` must tell apart whatever differs in meaning: of two facts with one key, the first is kept. */
export function relation<F>(relationName: string, keyOf: (fact: F) => string): Relation<F> {
  const make = (fact: F): Yield => ({ relation: self, key: keyOf(fact), fact });
  const self: Relation<F> = Object.assign(make, { relationName, keyOf });
  return self;
}

/** Whoever yields a fact: a rule instance, as far as a store cares. */
export interface Supporter {
  readonly ruleName: string;
  readonly item: string;
  readonly reads: readonly { readonly source: { describe(): string } }[];
}

interface Entry<F> {
  readonly fact: F;
  readonly supporters: Set<Supporter>;
}

/** The facts of one relation in one engine. */
export class RelationStore<F> implements Collection<F> {
  readonly name: string;
  readonly #entries = new Map<string, Entry<F>>();
  readonly #watchers = new Set<CollectionWatcher<F>>();
  readonly #membership: Signal;
  readonly #byKey = new Map<string, Signal>();

  constructor(name: string) {
    this.name = name;
    this.#membership = new Signal(() => `facts of ${name}`);
  }

  *[Symbol.iterator](): Iterator<F> {
    this.#membership.read();
    for (const entry of this.#entries.values()) yield entry.fact;
  }

  get size(): number {
    this.#membership.read();
    return this.#entries.size;
  }

  /** The fact with this key, if it stands: a tracked read of that one fact. */
  get(key: string): F | undefined {
    let signal = this.#byKey.get(key);
    if (signal === undefined) {
      signal = new Signal(() => `${this.name} ${key}`);
      this.#byKey.set(key, signal);
    }
    signal.read();
    if (signal.readers.size === 0) this.#byKey.delete(key);
    return this.#entries.get(key)?.fact;
  }

  watch(watcher: CollectionWatcher<F>): () => void {
    for (const entry of this.#entries.values()) watcher.added(entry.fact);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  supportersOf(key: string): ReadonlySet<Supporter> {
    return this.#entries.get(key)?.supporters ?? new Set();
  }

  support(key: string, fact: F, by: Supporter): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.supporters.add(by);
      return;
    }
    this.#entries.set(key, { fact, supporters: new Set([by]) });
    this.#announce(key);
    for (const watcher of this.#watchers) watcher.added(fact);
  }

  withdraw(key: string, by: Supporter): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.supporters.delete(by);
    if (entry.supporters.size > 0) return;
    this.#entries.delete(key);
    this.#announce(key);
    for (const watcher of this.#watchers) watcher.removed(entry.fact);
  }

  #announce(key: string): void {
    this.#membership.change();
    const signal = this.#byKey.get(key);
    if (signal === undefined) return;
    if (signal.readers.size === 0) this.#byKey.delete(key);
    else signal.change();
  }
}
