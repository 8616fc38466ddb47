/**
 * Random transactions on a small database that has everything: strong and weak references, a table of non-roots, an index,
 * a limit of rows, bounds, sets and maps. Rows have UUIDs out of a small supply, so that transactions meet.
 */
import fc from "fast-check";
import type { Json } from "../src/ovsdb/index.ts";

const ref = (refTable: string, refType: string) => ({ type: "uuid", refTable, refType });
/** R and W are roots, K is not. */
export const schemaJson: Json = {
  name: "D",
  tables: {
    R: {
      isRoot: true, maxRows: 4, indexes: [["name"]],
      columns: {
        name: { type: "string" }, n: { type: { key: { type: "integer", maxInteger: 9 } } },
        kids: { type: { key: ref("K", "strong"), min: 0, max: "unlimited" } },
        likes: { type: { key: ref("K", "weak"), min: 0, max: 2 } },
        tags: { type: { key: "string", value: "integer", min: 0, max: 2 } },
      },
    },
    K: { columns: { label: { type: "string" }, next: { type: { key: ref("K", "strong"), min: 0, max: 1 } } } },
    W: { isRoot: true, columns: { target: { type: { key: ref("R", "weak"), min: 1, max: 2 } }, e: { type: "integer", ephemeral: true } } },
  },
};
export const tables = ["R", "K", "W"] as const;
export type TableName = (typeof tables)[number];
export const uuidOf = (table: TableName, i: number): string => `${table === "R" ? "a" : table === "K" ? "b" : "c"}0000000-0000-0000-0000-00000000000${i}`;

export type Value = string | number | readonly string[] | ReadonlyMap<string, number>;
export type Operation =
  | { readonly op: "insert" | "update"; readonly table: TableName; readonly row: number; readonly columns: { readonly [column: string]: Value } }
  | { readonly op: "delete"; readonly table: TableName; readonly row: number }
  | { readonly op: "mutate"; readonly row: number; readonly column: "kids" | "likes"; readonly mutator: "insert" | "delete"; readonly set: readonly string[] }
  | { readonly op: "add"; readonly row: number; readonly by: number };

export const sorted = (items: readonly string[]): string[] => [...new Set(items)].sort();
const some = (table: TableName, maxLength: number) => fc.uniqueArray(fc.nat(4), { maxLength }).map((is) => sorted(is.map((i) => uuidOf(table, i))));
const columnsOf: { readonly [T in TableName]: fc.Arbitrary<{ [column: string]: Value }> } = {
  R: fc.record({
    name: fc.constantFrom("", "x", "y"), n: fc.nat(9), kids: some("K", 3), likes: some("K", 2),
    tags: fc.dictionary(fc.constantFrom("p", "q"), fc.nat(2)).map((d) => new Map(Object.entries(d))),
  }, { requiredKeys: [] }),
  K: fc.record({ label: fc.constantFrom("", "x"), next: some("K", 1) }, { requiredKeys: [] }),
  W: fc.record({ target: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 2 }).map((is) => sorted(is.map((i) => uuidOf("R", i)))), e: fc.nat(3) }, { requiredKeys: [] }),
};
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  ...tables.map((table) => fc.record({ op: fc.constantFrom("insert" as const, "update" as const), table: fc.constant(table), row: fc.nat(4), columns: columnsOf[table] })),
  fc.record({ op: fc.constant("delete" as const), table: fc.constantFrom(...tables), row: fc.nat(4) }),
  fc.record({
    op: fc.constant("mutate" as const), row: fc.nat(4), column: fc.constantFrom("kids" as const, "likes" as const),
    mutator: fc.constantFrom("insert" as const, "delete" as const), set: some("K", 2),
  }),
  fc.record({ op: fc.constant("add" as const), row: fc.nat(4), by: fc.integer({ min: -3, max: 6 }) }),
);

const valueJson = (value: Value): Json => {
  if (typeof value === "string" || typeof value === "number") return value;
  if (value instanceof Map) return ["map", [...value].map(([k, v]): Json => [k, v])];
  return ["set", [...(value as readonly string[])].map((u): Json => ["uuid", u])];
};
const rowJson = (columns: { readonly [column: string]: Value }): Json => Object.fromEntries(Object.entries(columns).map(([c, v]) => [c, valueJson(v)]));

export function operationJson(o: Operation): Json {
  const table = "table" in o ? o.table : "R";
  const where: Json = [["_uuid", "==", ["uuid", uuidOf(table, o.row)]]];
  switch (o.op) {
    case "insert":
      return { op: "insert", table, uuid: uuidOf(table, o.row), row: rowJson(o.columns) };
    case "update":
      return { op: "update", table, where, row: rowJson(o.columns) };
    case "delete":
      return { op: "delete", table, where };
    case "mutate":
      return { op: "mutate", table, where, mutations: [[o.column, o.mutator, valueJson(o.set)]] };
    case "add":
      return { op: "mutate", table, where, mutations: [["n", "+=", o.by]] };
  }
}
