/** Indexes: the items of a collection by a computed key, kept current item by item; each bucket is a source of its own. */
import { Signal } from "./cell.ts";
import type { Collection, CollectionWatcher } from "./collection.ts";
import { Computation } from "./tracking.ts";

export interface Index<K, T> {
  /** The items with this key, in order of arrival: a tracked read of that bucket alone. */
  get(key: K): ReadonlySet<T>;
  /** The first of them. */
  first(key: K): T | undefined;
  /** The keys that have items, as a collection that rules can run over. */
  readonly keys: Collection<K>;
}

class Bucket<T> {
  readonly items = new Set<T>();
  readonly signal: Signal;
  constructor(describe: () => string) {
    this.signal = new Signal(describe);
  }
}

class IndexEntry<K, T> extends Computation {
  keys: readonly K[] = [];
  readonly item: T;
  readonly #queue: (entry: IndexEntry<K, T>) => void;
  constructor(item: T, queue: (entry: IndexEntry<K, T>) => void) {
    super();
    this.item = item;
    this.#queue = queue;
  }
  protected override onStale(): void {
    this.#queue(this);
  }
  compute(keysOf: (item: T) => Iterable<K>): readonly K[] {
    return this.observe(() => [...new Set(keysOf(this.item))]);
  }
}

const nothing: ReadonlySet<never> = new Set();

export class MaintainedIndex<K, T> implements Index<K, T> {
  readonly #name: string;
  readonly #keysOf: (item: T) => Iterable<K>;
  readonly #entries = new Map<T, IndexEntry<K, T>>();
  readonly #buckets = new Map<K, Bucket<T>>();
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
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new Bucket(() => `${this.#name} ${String(key)}`);
      this.#buckets.set(key, bucket);
    }
    bucket.signal.read();
    if (bucket.items.size === 0) {
      if (bucket.signal.readers.size === 0) this.#buckets.delete(key);
      return nothing;
    }
    return bucket.items;
  }

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
    const entry = new IndexEntry<K, T>(item, (e) => {
      this.#stale.add(e);
      this.#onStale(this);
    });
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
    const keys = entry.compute(this.#keysOf);
    for (const key of entry.keys) if (!keys.includes(key)) this.#leave(key, entry.item);
    for (const key of keys) if (!entry.keys.includes(key)) this.#enter(key, entry.item);
    entry.keys = keys;
  }

  #enter(key: K, item: T): void {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new Bucket(() => `${this.#name} ${String(key)}`);
      this.#buckets.set(key, bucket);
    }
    const isNew = bucket.items.size === 0;
    bucket.items.add(item);
    bucket.signal.change();
    if (isNew) {
      this.#keyMembership.change();
      for (const watcher of this.#keyWatchers) watcher.added(key);
    }
  }

  #leave(key: K, item: T): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined || !bucket.items.delete(item)) return;
    bucket.signal.change();
    if (bucket.items.size > 0) return;
    if (bucket.signal.readers.size === 0) this.#buckets.delete(key);
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
