/** Projections in the small: what a comparison puts into a transaction. Stories with servers are in test/ovsdb-client.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { database, map, set, string, strong, table } from "../schema/typed-schema.ts";
import { wishRelation } from "./projection.ts";
import { entries, wished } from "./wish.ts";

const sample = database("Sample", "1.0.0", {
  Switch: table({ isRoot: true, columns: { name: string(), ports: set(strong("Port")), options: map(string(), string()) } }),
  Port: table({ columns: { name: string() } }),
});

test("wishes are one fact exactly when they say the same", () => {
  const Wanted = wishRelation(sample, "Switch");
  const keyOf = (columns: Parameters<typeof Wanted.keyOf>[0]["columns"], more: object = {}) => Wanted.keyOf({ key: "k", columns, ...more });
  assert.equal(keyOf({ options: { a: "b" } }), keyOf({ options: { a: "b" } }));
  const all = [
    keyOf({}), keyOf({ name: "" }), keyOf({ name: "a" }), keyOf({ name: "a}" }), keyOf({ options: {} }), keyOf({ options: { a: "b" } }), keyOf({ options: { a: "b", c: "" } }),
    keyOf({ options: entries({ a: "b" }) }), keyOf({ options: entries<string>({ a: undefined }) }), keyOf({ ports: [] }), keyOf({ ports: [wished("Port", "p")] }),
    keyOf({ ports: [wished("Port", "q")] }), keyOf({}, { initial: { name: "a" } }), keyOf({}, { parent: wished("Switch", "s") }), Wanted.keyOf({ key: "l", columns: {} }),
  ];
  assert.equal(new Set(all).size, all.length, all.join("\n"));
});
