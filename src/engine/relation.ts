/**
 * Relations: what rules yield. A fact stands as long as some rule instance yields it, however many do.
 *
 *     export const Wanted = relation("Wanted", (w: Wanted) => `${w.table} ${w.name}`);
 *     ...
 *     yield Wanted({ table: "Chassis", name: "gw1" });
 */
import { ChangeSource, Signal } from "./cell.ts";
import type { Collection, CollectionWatcher } from "./collection.ts";
import { forEachReader, isObserved } from "./tracking.ts";

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
  readonly reads: readonly { describe(): string }[];
}

interface Entry<F> {
  readonly fact: F;
  /** Nearly every fact has one. */
  supporters: Supporter | Set<Supporter>;
}

/**
 * Whether one fact stands, for those who have asked. A fact may lose its last supporter and find another before anybody looks, when
 * rules hand it from one instance to the next: so readers are asked to look again, and run only if the answer is another one.
 */
class KnownFact extends ChangeSource {
  readonly #name: string;
  readonly #stands: () => boolean;
  readonly #forget: () => void;
  #stood: boolean;

  constructor(name: string, stands: () => boolean, forget: () => void) {
    super();
    this.#name = name;
    this.#stands = stands;
    this.#forget = forget;
    this.#stood = stands();
  }

  lookAgain(): void {
    forEachReader(this, (reader) => reader.mark("perhaps"));
  }

  refresh(): void {
    const stands = this.#stands();
    if (stands === this.#stood) return;
    this.#stood = stands;
    this.change();
  }

  describe(): string {
    return this.#name;
  }

  unread(): void {
    this.#forget();
  }
}

/** The facts of one relation in one engine. */
export class RelationStore<F> implements Collection<F> {
  readonly name: string;
  readonly #entries = new Map<string, Entry<F>>();
  readonly #watchers = new Set<CollectionWatcher<F>>();
  readonly #membership: Signal;
  /** Whether a fact stands; lives as long as somebody depends on the answer. */
  readonly #byKey = new Map<string, KnownFact>();

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
    let known = this.#byKey.get(key);
    if (known === undefined && isObserved()) {
      known = new KnownFact(`${this.name} ${key}`, () => this.#entries.has(key), () => this.#byKey.delete(key));
      this.#byKey.set(key, known);
    }
    known?.refresh();
    known?.read();
    return this.#entries.get(key)?.fact;
  }

  watch(watcher: CollectionWatcher<F>): () => void {
    for (const entry of this.#entries.values()) watcher.added(entry.fact);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  supportersOf(key: string): Iterable<Supporter> {
    const supporters = this.#entries.get(key)?.supporters;
    return supporters === undefined ? [] : supporters instanceof Set ? supporters : [supporters];
  }

  support(key: string, fact: F, by: Supporter): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      if (entry.supporters instanceof Set) entry.supporters.add(by);
      else if (entry.supporters !== by) entry.supporters = new Set([entry.supporters, by]);
      return;
    }
    this.#entries.set(key, { fact, supporters: by });
    this.#announce(key);
    for (const watcher of this.#watchers) watcher.added(fact);
  }

  withdraw(key: string, by: Supporter): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (entry.supporters instanceof Set) {
      entry.supporters.delete(by);
      if (entry.supporters.size > 0) return;
    } else if (entry.supporters !== by) return;
    this.#entries.delete(key);
    this.#announce(key);
    for (const watcher of this.#watchers) watcher.removed(entry.fact);
  }

  #announce(key: string): void {
    this.#membership.change();
    this.#byKey.get(key)?.lookAgain();
  }
}
