/** A collection seen through a function: one object for each item of another collection, for as long as the item is there. */
import { type Collection, type CollectionWatcher, Signal } from "../../engine/index.ts";

export class MappedCollection<A, B> implements Collection<B> {
  readonly name: string;
  readonly #items = new Map<A, B>();
  readonly #watchers = new Set<CollectionWatcher<B>>();
  readonly #membership: Signal;

  constructor(name: string, source: Collection<A>, make: (item: A) => B) {
    this.name = name;
    this.#membership = new Signal(() => name);
    source.watch({
      added: (item) => {
        const made = make(item);
        this.#items.set(item, made);
        this.#membership.change();
        for (const watcher of this.#watchers) watcher.added(made);
      },
      removed: (item) => {
        const made = this.#items.get(item);
        if (made === undefined) return;
        this.#items.delete(item);
        this.#membership.change();
        for (const watcher of this.#watchers) watcher.removed(made);
      },
    });
  }

  /** Not tracked: the object is there as long as the item is, and reading the item is what is to be tracked. */
  of(item: A): B | undefined {
    return this.#items.get(item);
  }

  [Symbol.iterator](): Iterator<B> {
    this.#membership.read();
    return this.#items.values();
  }

  get size(): number {
    this.#membership.read();
    return this.#items.size;
  }

  watch(watcher: CollectionWatcher<B>): () => void {
    for (const item of this.#items.values()) watcher.added(item);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
