import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLog } from "../host/index.ts";
import { ZoneAssignment, type ZoneUser } from "./zone-assignment.ts";

const user = (name: string, requested?: number): ZoneUser => ({ name, requested, limit: undefined });

test("the lowest free zone, kept while its user stays", () => {
  const zones = new ZoneAssignment(silentLog);
  const [a, b] = [user("a"), user("b")];
  zones.added(a);
  zones.added(b);
  zones.settle();
  assert.deepEqual([zones.zoneOf("a"), zones.zoneOf("b")], [1, 2]);
  assert.deepEqual(zones.takeFlushes(), [1, 2]);
  zones.removed(a);
  zones.dropUnused();
  zones.added(user("c"));
  zones.settle();
  assert.deepEqual([zones.zoneOf("a"), zones.zoneOf("c"), zones.zoneOf("b")], [0, 1, 2]);
});

test("once everything has been seen, a zone is free as soon as its user is gone, and its connections are forgotten", () => {
  const zones = new ZoneAssignment(silentLog);
  const a = user("a");
  zones.added(a);
  zones.settle();
  zones.dropUnused();
  zones.takeFlushes();
  zones.removed(a);
  zones.settle();
  assert.deepEqual([zones.zoneOf("a"), zones.takeFlushes()], [0, [1]]);
});

test("what an earlier controller assigned holds, and is not flushed", () => {
  const zones = new ZoneAssignment(silentLog);
  zones.restore([["b", 1], ["gone", 5]]);
  zones.added(user("a"));
  zones.added(user("b"));
  zones.settle();
  assert.deepEqual([zones.zoneOf("a"), zones.zoneOf("b"), zones.zoneOf("gone")], [2, 1, 5]);
  assert.deepEqual(zones.takeFlushes(), [2]);
  zones.dropUnused();
  assert.equal(zones.zoneOf("gone"), 0);
});

test("who asks for a certain zone gets it, and its holder another", () => {
  const zones = new ZoneAssignment(silentLog);
  zones.added(user("a"));
  zones.settle();
  zones.added(user("r_snat", 1));
  zones.settle();
  assert.equal(zones.zoneOf("r_snat"), 1);
  assert.ok(zones.zoneOf("a") > 1);
});

test("no zone is anybody's twice, and none is 0", () => {
  const step = fc.record({ name: fc.constantFrom("a", "b", "c", "d"), requested: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }), comes: fc.boolean() });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const zones = new ZoneAssignment(silentLog);
    const users = new Map<string, ZoneUser>();
    for (const { name, requested, comes } of steps) {
      const before = users.get(name);
      if (before !== undefined) zones.removed(before);
      users.delete(name);
      if (comes) {
        users.set(name, user(name, requested));
        zones.added(users.get(name) ?? assert.fail());
      }
      zones.settle();
      zones.dropUnused();
      const held = [...users.keys()].map((n) => zones.zoneOf(n));
      assert.ok(held.every((zone) => zone > 0), held.join());
      assert.equal(new Set(held).size, held.length, held.join());
    }
  }));
});

test("a zone recorded under a user's former name is its own, with its connections", () => {
  const zones = new ZoneAssignment(silentLog);
  zones.restore([["0f3c_snat", 7], ["a", 1]]);
  zones.added({ ...user("lr0_snat"), formerly: "0f3c_snat" });
  zones.settle();
  zones.dropUnused();
  assert.deepEqual([zones.zoneOf("lr0_snat"), zones.zoneOf("0f3c_snat"), zones.zoneOf("a")], [7, 0, 0]);
  assert.deepEqual(zones.takeFlushes(), [1]);
});

test("zone 0 is shared by all who ask for it, remembered, and never emptied", () => {
  const zones = new ZoneAssignment(silentLog);
  const [a, b] = [user("a"), user("b", 0)];
  zones.added(a);
  zones.added(b);
  zones.settle();
  zones.dropUnused();
  assert.deepEqual(zones.takeFlushes(), [1]);
  zones.removed(a);
  zones.added(user("a", 0));
  zones.settle();
  assert.deepEqual([zones.recordOf("a"), zones.recordOf("b"), zones.recordOf("c")], [0, 0, undefined]);
  assert.deepEqual(zones.takeFlushes(), []);
  zones.removed(b);
  zones.added(user("b"));
  zones.settle();
  assert.deepEqual([zones.list(), zones.takeFlushes()], ["b 1\na 0\n", [1]]);
  const next = new ZoneAssignment(silentLog);
  next.restore([["a", 0], ["b", 1]]);
  next.added(user("a", 0));
  next.added(user("b"));
  next.settle();
  next.dropUnused();
  assert.deepEqual([next.list(), next.takeFlushes()], ["a 0\nb 1\n", []]);
});
