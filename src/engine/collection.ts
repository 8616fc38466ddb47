/** Things that come and go: rows of a table, facts of a relation, keys of an index. */

export interface CollectionWatcher<T> {
  added(item: T): void;
  removed(item: T): void;
}

export interface Collection<T> {
  readonly name: string;
  /** Iterating is a tracked read of the membership: the reader runs again whenever an item comes or goes. */
  [Symbol.iterator](): Iterator<T>;
  /** A tracked read of the membership. */
  readonly size: number;
  /** Tells `watcher` of every item there is, then of each that comes or goes. Returns how to stop. Not tracked. */
  watch(watcher: CollectionWatcher<T>): () => void;
}
