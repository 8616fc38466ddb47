import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KeyAllocatorOptions, KeyAllocator, type KeyRequest } from "./key-allocator.ts";

interface Bench {
  readonly keys: KeyAllocator;
  readonly said: string[];
  ask(key: string, requested?: number, max?: number): KeyRequest;
}

function bench(options: Partial<KeyAllocatorOptions> = {}): Bench {
  const said: string[] = [];
  const keys = new KeyAllocator({
    what: "port tunnel ids", min: 1, policy: "lowest", existing: () => undefined, warn: (text) => void said.push(text),
    conflict: ({ key, requested }) => void said.push(`${key} wants ${requested}`), ...options,
  });
  return {
    keys, said,
    ask(key, requested = 0, max = 10) {
      const request = { scope: "ls0", key, requested, max };
      keys.added(request);
      return request;
    },
  };
}

test("what comes at first is served in the order of the keys, what comes later in the order it comes", () => {
  const { keys, ask } = bench();
  for (const key of ["b", "c", "a"]) ask(key);
  keys.settle();
  ask("z");
  ask("y");
  keys.settle();
  assert.deepEqual(["a", "b", "c", "z", "y"].map((key) => keys.get(key)), [1, 2, 3, 4, 5]);
});

test("a number that is asked for comes before one in the database, and that before a free one", () => {
  const { keys, ask } = bench({ existing: (_, key) => ({ a: 3, b: 1 })[key] });
  ask("a");
  ask("b");
  ask("c", 1);
  ask("d");
  keys.settle();
  assert.deepEqual(["a", "b", "c", "d"].map((key) => keys.get(key)), [3, 2, 1, 4]);
});

test("who merely has a number gives way to one that asks for it later", () => {
  const { keys, ask } = bench();
  ask("a");
  keys.settle();
  ask("b", 1);
  keys.settle();
  assert.deepEqual([keys.get("a"), keys.get("b")], [2, 1]);
});

test("of two that ask for one number the second gets another, and that is said", () => {
  const { keys, said, ask } = bench();
  ask("a", 5);
  ask("b", 5);
  keys.settle();
  assert.deepEqual([keys.get("a"), keys.get("b"), said], [5, 1, ["b wants 5"]]);
});

test("a request that changes without asking for a number keeps what it has", () => {
  const { keys, ask } = bench();
  ask("a");
  const before = ask("b");
  keys.settle();
  keys.removed(before);
  ask("b", 0, 20);
  keys.settle();
  assert.equal(keys.get("b"), 2);
});

test("a number that has gone is free, in policy \"next\" only when there are none above", () => {
  const { keys, ask } = bench({ policy: "next" });
  const first = ask("a", 0, 3);
  ask("b", 0, 3);
  keys.settle();
  keys.removed(first);
  ask("c", 0, 3);
  ask("d", 0, 3);
  keys.settle();
  assert.deepEqual([keys.get("a"), keys.get("b"), keys.get("c"), keys.get("d")], [undefined, 2, 3, 1]);
});

test("none left: that is said, and nobody loses one", () => {
  const { keys, said, ask } = bench();
  ask("a", 0, 2);
  ask("b", 0, 2);
  ask("c", 0, 2);
  keys.settle();
  assert.deepEqual([keys.get("a"), keys.get("b"), keys.get("c"), said], [1, 2, undefined, ["all port tunnel ids exhausted"]]);
});

test("whatever comes and goes, numbers are unique, in range, and kept", () => {
  const step = fc.record({ key: fc.constantFrom(..."abcdefgh"), requested: fc.integer({ min: 0, max: 6 }), isGone: fc.boolean(), settles: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom("lowest" as const, "next" as const), (steps, policy) => {
    const { keys, ask } = bench({ policy });
    const requests = new Map<string, KeyRequest>();
    let served = new Map<KeyRequest, number>();
    for (const { key, requested, isGone, settles } of steps) {
      const before = requests.get(key);
      if (before !== undefined) keys.removed(before);
      requests.delete(key);
      if (!isGone) requests.set(key, ask(key, requested));
      if (!settles) continue;
      keys.settle();
      const now = new Map([...requests.values()].map((request) => [request, keys.get(request.key) ?? 0]));
      assert.ok([...now.values()].every((n) => n >= 1 && n <= 10));
      assert.equal(new Set(now.values()).size, now.size);
      for (const [request, number] of now) {
        const had = served.get(request);
        // Only to one that asks for the number by name, or for another that it has waited for.
        if (had !== undefined && had !== number) assert.ok(request.requested === number || [...requests.values()].some((other) => other.requested === had));
      }
      served = now;
      assert.equal(keys.size, now.size);
    }
  }));
});

test("who has waited for a number gets it when it becomes free", () => {
  const { keys, ask } = bench();
  const first = ask("a", 5);
  ask("b", 5);
  const gone = ask("c", 5);
  keys.settle();
  assert.deepEqual(["a", "b", "c"].map((key) => keys.get(key)), [5, 1, 2]);
  keys.removed(first);
  keys.removed(gone);
  keys.settle();
  assert.deepEqual(["a", "b", "c"].map((key) => keys.get(key)), [undefined, 5, undefined]);
  ask("d", 1);
  keys.settle();
  assert.equal(keys.get("d"), 1);
});
