/** Things that come from outside the databases and wait for their time: a collection that rules can run over. */
import type { Collection, CollectionWatcher } from "../engine/index.ts";

export class Pending<T> implements Collection<T> {
  readonly name: string;
  readonly #items = new Set<T>();
  readonly #watchers = new Set<CollectionWatcher<T>>();

  constructor(name: string) {
    this.name = name;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.values();
  }

  get size(): number {
    return this.#items.size;
  }

  has(item: T): boolean {
    return this.#items.has(item);
  }

  add(item: T): void {
    this.#items.add(item);
    for (const watcher of this.#watchers) watcher.added(item);
  }

  remove(item: T): void {
    if (!this.#items.delete(item)) return;
    for (const watcher of this.#watchers) watcher.removed(item);
  }

  watch(watcher: CollectionWatcher<T>): () => void {
    for (const item of this.#items) watcher.added(item);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
