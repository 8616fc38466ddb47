import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnsOf, RowOf, WishColumnsOf } from "./row.ts";
import {
  boolean, database, ephemeral, immutable, integer, map, optional, real, set, string, strong, table, type Uuid, weak,
} from "./typed-schema.ts";
import { entries, wished } from "../replica/wish.ts";

const sample = database("Sample", "1.2.3", {
  Switch: table({
    isRoot: true,
    indexes: [["name"]],
    columns: {
      name: string(),
      ports: set(strong("Port")),
      options: map(string(), string()),
      lead: optional(weak("Port")),
      mode: optional(string({ enum: ["a", "b"] })),
      key: immutable(integer({ min: 1, max: 4095 })),
      up: ephemeral(boolean()),
      levels: set(integer({ enum: [1, 2] }), { min: 1, max: 3 }),
      load: real(),
      by_port: map(string(), strong("Port")),
    },
  }),
  Port: table({ columns: { name: string({ maxLength: 15 }) } }),
}, "1 2");

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => {};

test("the types of rows follow from the schema", () => {
  type Switch = RowOf<typeof sample, "Switch">;
  holds<Equal<Switch["name"], string>>();
  holds<Equal<Switch["_uuid"], Uuid<"Switch">>>();
  holds<Equal<Switch["ports"], ReadonlySet<Uuid<"Port">>>>();
  holds<Equal<Switch["options"], ReadonlyMap<string, string>>>();
  holds<Equal<Switch["lead"], Uuid<"Port"> | undefined>>();
  holds<Equal<Switch["mode"], "a" | "b" | undefined>>();
  holds<Equal<Switch["key"], number>>();
  holds<Equal<Switch["levels"], ReadonlySet<1 | 2>>>();
  const columns: ColumnsOf<typeof sample, "Switch"> = { name: "x", options: { a: "b" }, mode: undefined, levels: [1], ports: new Set<Uuid<"Port">>() };
  const wishes: WishColumnsOf<typeof sample, "Switch"> = {
    ports: [wished("Port", "p1")], options: entries({ a: "b", c: undefined }), lead: wished("Port", "p2"), by_port: new Map([["x", wished("Port", "p1")]]),
  };
  // @ts-expect-error another table's reference
  const wrong: WishColumnsOf<typeof sample, "Switch"> = { lead: wished("Switch", "p2") };
  assert.ok(columns.name === "x" && wishes !== wrong);
});

test("the constant is a plain schema", () => {
  const { columns, indexes, isRoot, maxRows } = sample.tables.Switch;
  assert.deepEqual([indexes, isRoot, maxRows, sample.cksum], [[["name"]], true, Infinity, "1 2"]);
  assert.deepEqual(columns.lead, { type: { key: { kind: "uuid", refTable: "Port", refType: "weak" }, min: 0, max: 1 }, ephemeral: false, mutable: true });
  assert.deepEqual(columns.levels.type, { key: { kind: "integer", enum: [1, 2] }, min: 1, max: 3 });
  assert.deepEqual([columns.key.mutable, columns.up.ephemeral], [false, true]);
  assert.throws(() => database("Bad", "1.0.0", { A: table({ columns: { b: strong("B") } }) }), /Bad: A.b refers to no table: B/);
});
