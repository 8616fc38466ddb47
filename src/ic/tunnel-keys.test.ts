import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyPromises } from "./tunnel-keys.ts";

test("a key is promised to one owner, and kept until it is used or given up", () => {
  const promises = new KeyPromises();
  const used = new Set([1]);
  const ask = (owner: string, range = { min: 1, max: 3 }) => promises.promise("ts1", owner, range, (key) => used.has(key));
  assert.deepEqual([ask("a"), ask("b"), ask("c"), ask("a")], [2, 3, undefined, 2]);
  assert.equal(promises.promise("ts2", "d", { min: 1, max: 3 }, () => false), 1, "another switch has keys of its own");
  used.add(2);
  assert.equal(ask("a"), undefined, "another zone was faster, and nothing is left");
  promises.release("b");
  assert.deepEqual([ask("a"), ask("b", { min: 10, max: 11 }), ask("b", { min: 20, max: 21 })], [3, 10, 20]);
});
