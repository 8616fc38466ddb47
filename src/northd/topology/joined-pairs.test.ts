import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Collection, CollectionWatcher } from "../../engine/index.ts";
import { type Direct, type GroupMember, type GroupUse, JoinedPairs } from "./joined-pairs.ts";

class Facts<T> implements Collection<T> {
  readonly name = "facts";
  readonly #items = new Map<string, T>();
  readonly #watchers = new Set<CollectionWatcher<T>>();
  [Symbol.iterator] = (): Iterator<T> => this.#items.values();
  get size() {
    return this.#items.size;
  }
  watch(watcher: CollectionWatcher<T>) {
    for (const item of this) watcher.added(item);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
  /** There if it was not, gone if it was. */
  toggle(key: string, item: T): void {
    const before = this.#items.get(key);
    if (before === undefined) this.#items.set(key, item);
    else this.#items.delete(key);
    for (const watcher of this.#watchers) before === undefined ? watcher.added(item) : watcher.removed(before);
  }
}

test("pairs are those of whoever has the item, in whatever way and order it came to that", () => {
  const name = fc.integer({ min: 0, max: 3 });
  const step = fc.tuple(fc.constantFrom("direct", "use", "member"), name, name);
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const direct = new Facts<Direct<string, string>>();
    const uses = new Facts<GroupUse<string, string>>();
    const members = new Facts<GroupMember<string, string>>();
    const pairs = new JoinedPairs("pairs", { direct, uses, members }, (owner, item) => `${owner} ${item}`);
    const seen = new Set<string>();
    pairs.watch({ added: (pair) => assert.ok(!seen.has(pair) && seen.add(pair)), removed: (pair) => assert.ok(seen.delete(pair)) });
    for (const [kind, a, b] of steps) {
      const key = `${a} ${b}`;
      if (kind === "direct") direct.toggle(key, { owner: `o${a}`, item: `i${b}` });
      else if (kind === "use") uses.toggle(key, { owner: `o${a}`, group: `g${b}` });
      else members.toggle(key, { group: `g${a}`, item: `i${b}` });
    }
    const expected = new Set([...direct].map(({ owner, item }) => `${owner} ${item}`));
    for (const { owner, group } of uses) for (const member of members) if (member.group === group) expected.add(`${owner} ${member.item}`);
    assert.deepEqual([...seen].sort(), [...expected].sort());
    assert.deepEqual([...pairs].sort(), [...expected].sort());
    assert.equal(pairs.size, expected.size);
  }));
});
