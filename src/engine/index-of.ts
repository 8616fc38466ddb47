/** Indexes: the items of a collection by a computed key, kept current item by item; each bucket is a source of its own. */
import { ChangeSource, Signal } from "./cell.ts";
import type { Collection, CollectionWatcher } from "./collection.ts";
import { Computation, isObserved } from "./tracking.ts";

export interface Index<K, T> {
  /** The items with this key, in order of arrival: a tracked read of that bucket alone. */
  get(key: K): ReadonlySet<T>;
  /** The first of them. */
  first(key: K): T | undefined;
  /** The keys that have items, as a collection that rules can run over. */
  readonly keys: Collection<K>;
}

class Bucket<K, T> extends ChangeSource {
  readonly items = new Set<T>();
  readonly #name: string;
  readonly #key: K;
  readonly #forget: (bucket: Bucket<K, T>, key: K) => void;
  constructor(name: string, key: K, forget: (bucket: Bucket<K, T>, key: K) => void) {
    super();
    this.#name = name;
    this.#key = key;
    this.#forget = forget;
  }
  describe(): string {
    return `${this.#name} ${String(this.#key)}`;
  }
  unread(): void {
    if (this.items.size === 0) this.#forget(this, this.#key);
  }
}

class IndexEntry<K, T> extends Computation {
  keys: readonly K[] = [];
  readonly item: T;
  readonly #keysOf: (item: T) => Iterable<K>;
  readonly #queue: (entry: IndexEntry<K, T>) => void;
  constructor(item: T, keysOf: (item: T) => Iterable<K>, queue: (entry: IndexEntry<K, T>) => void) {
    super();
    this.item = item;
    this.#keysOf = keysOf;
    this.#queue = queue;
  }
  protected override onStale(): void {
    this.#queue(this);
  }
  /** Computes the keys anew; returns those it had before. */
  compute(): readonly K[] {
    const before = this.keys;
    this.observe();
    return before;
  }
  protected override evaluate(): void {
    const keys = [...this.#keysOf(this.item)];
    this.keys = keys.length < 2 ? keys : [...new Set(keys)];
  }
}

const nothing: ReadonlySet<never> = new Set();

/** Those of `keys` that are not among `others`. An item may have thousands, and one more or less is no reason to compare each with each. */
function missingFrom<K>(others: readonly K[], keys: readonly K[]): readonly K[] {
  if (others.length === 0) return keys;
  if (others.length * keys.length <= 64) return keys.filter((key) => !others.includes(key));
  const known = new Set(others);
  return keys.filter((key) => !known.has(key));
}

export class MaintainedIndex<K, T> implements Index<K, T> {
  readonly #name: string;
  readonly #keysOf: (item: T) => Iterable<K>;
  readonly #entries = new Map<T, IndexEntry<K, T>>();
  readonly #buckets = new Map<K, Bucket<K, T>>();
  readonly #stale = new Set<IndexEntry<K, T>>();
  readonly #keyWatchers = new Set<CollectionWatcher<K>>();
  readonly #keyMembership: Signal;
  readonly #onStale: (index: { settle(): void }) => void;
  readonly keys: Collection<K>;

  /** `onStale` is told when an item's key must be computed again; `settle` then does so. */
  constructor(name: string, source: Collection<T>, keysOf: (item: T) => Iterable<K>, onStale: (index: { settle(): void }) => void) {
    this.#name = name;
    this.#keysOf = keysOf;
    this.#onStale = onStale;
    this.#keyMembership = new Signal(() => `keys of ${name}`);
    this.keys = this.#keyCollection();
    source.watch({ added: (item) => this.#add(item), removed: (item) => this.#remove(item) });
  }

  get(key: K): ReadonlySet<T> {
    const bucket = this.#buckets.get(key) ?? (isObserved() ? this.#newBucket(key) : undefined);
    bucket?.read();
    return bucket?.items ?? nothing;
  }

  #newBucket(key: K): Bucket<K, T> {
    const bucket = new Bucket<K, T>(this.#name, key, this.#forget);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** An empty bucket stays for as long as somebody waits for it to fill. */
  readonly #forget = (bucket: Bucket<K, T>, key: K): void => {
    if (this.#buckets.get(key) === bucket) this.#buckets.delete(key);
  };

  first(key: K): T | undefined {
    for (const item of this.get(key)) return item;
    return undefined;
  }

  settle(): void {
    for (const entry of this.#stale) {
      this.#stale.delete(entry);
      if (entry.mustRun()) this.#place(entry);
    }
  }

  #add(item: T): void {
    const entry = new IndexEntry<K, T>(item, this.#keysOf, this.#enqueue);
    this.#entries.set(item, entry);
    this.#place(entry);
  }

  #remove(item: T): void {
    const entry = this.#entries.get(item);
    if (entry === undefined) return;
    this.#entries.delete(item);
    this.#stale.delete(entry);
    entry.detach();
    for (const key of entry.keys) this.#leave(key, item);
  }

  #place(entry: IndexEntry<K, T>): void {
    const before = entry.compute();
    for (const key of missingFrom(entry.keys, before)) this.#leave(key, entry.item);
    for (const key of missingFrom(before, entry.keys)) this.#enter(key, entry.item);
  }

  readonly #enqueue = (entry: IndexEntry<K, T>): void => {
    this.#stale.add(entry);
    this.#onStale(this);
  };

  #enter(key: K, item: T): void {
    const bucket = this.#buckets.get(key) ?? this.#newBucket(key);
    const isNew = bucket.items.size === 0;
    bucket.items.add(item);
    bucket.change();
    if (isNew) {
      this.#keyMembership.change();
      for (const watcher of this.#keyWatchers) watcher.added(key);
    }
  }

  #leave(key: K, item: T): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined || !bucket.items.delete(item)) return;
    bucket.change();
    if (bucket.items.size > 0) return;
    if (!bucket.isRead) this.#buckets.delete(key);
    this.#keyMembership.change();
    for (const watcher of this.#keyWatchers) watcher.removed(key);
  }

  #keyCollection(): Collection<K> {
    const buckets = this.#buckets;
    const membership = this.#keyMembership;
    const watchers = this.#keyWatchers;
    function* occupied(): Iterator<K> {
      for (const [key, bucket] of buckets) if (bucket.items.size > 0) yield key;
    }
    return {
      name: `keys of ${this.#name}`,
      [Symbol.iterator]: () => {
        membership.read();
        return occupied();
      },
      get size() {
        membership.read();
        let count = 0;
        for (const bucket of buckets.values()) if (bucket.items.size > 0) count++;
        return count;
      },
      watch(watcher) {
        const now = occupied();
        for (let next = now.next(); next.done !== true; next = now.next()) watcher.added(next.value);
        watchers.add(watcher);
        return () => watchers.delete(watcher);
      },
    };
  }
}
