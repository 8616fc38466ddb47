import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConjunctionIds } from "./conjunction-ids.ts";

const uuid = (n: number): string => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;

test("the same flow on the same datapath keeps its numbers; released ones are given again", () => {
  const ids = new ConjunctionIds();
  const first = ids.start(uuid(7), uuid(1), 2);
  assert.equal(ids.start(uuid(7), uuid(1), 2), first);
  assert.notEqual(ids.start(uuid(7), uuid(2), 2), first);
  ids.release(uuid(7), uuid(1));
  assert.equal(new ConjunctionIds().start(uuid(7), uuid(1), 2), first);
});

test("no number is given twice, none is 0", () => {
  fc.assert(fc.property(fc.array(fc.record({ flow: fc.nat(5), datapath: fc.nat(3), count: fc.integer({ min: 1, max: 4 }), release: fc.boolean() })), (steps) => {
    const ids = new ConjunctionIds();
    const held = new Map<string, readonly number[]>();
    for (const { flow, datapath, count, release } of steps) {
      const key = `${flow} ${datapath}`;
      if (release) {
        ids.release(uuid(flow), uuid(datapath));
        held.delete(key);
        continue;
      }
      const start = ids.start(uuid(flow), uuid(datapath), count);
      held.set(key, Array.from({ length: count }, (_, i) => start + i));
    }
    const all = [...held.values()].flat();
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.every((id) => id > 0 && id <= 0xffffffff));
  }));
});
