import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Json, isJsonObject, JsonSyntaxError, parseJson } from "../json/json.ts";
import { monitorRequestsFromJson } from "../server/monitor-request.ts";
import { Monitors } from "../server/monitors.ts";
import { applyRecord, snapshotRecord, transactionRecord } from "../file/log-record.ts";
import { execute } from "./operations.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import { schemaFromJson } from "../schema/schema-json.ts";
import { Store } from "./store.ts";
import type { StoredRow } from "./stored-table.ts";
import { type Operation, operation, operationJson, schemaJson, sorted, type TableName, tables, uuidOf, type Value } from "../../../test/random-transactions.ts";

const parsed = schemaFromJson(schemaJson);
assert.ok(!(parsed instanceof OvsdbError));
const schema = parsed;

let counter = 0;
const makeUuid = (): string => `ffffffff-0000-0000-0000-${String(counter++).padStart(12, "0")}`;
/** The same database, kept without any cleverness: rows of plain values, everything checked from scratch after each transaction. */
type Row = Map<string, Value>;
type Model = Map<TableName, Map<string, Row>>;
const defaults: { readonly [T in TableName]: () => Row } = {
  R: () => new Map<string, Value>([["name", ""], ["n", 0], ["kids", []], ["likes", []], ["tags", new Map()]]),
  K: () => new Map<string, Value>([["label", ""], ["next", []]]),
  W: () => new Map<string, Value>([["target", ["00000000-0000-0000-0000-000000000000"]], ["e", 0]]),
};

/** The model after the transaction, or undefined if it must fail. */
function naively(before: Model, operations: readonly Operation[]): Model | undefined {
  const model: Model = new Map([...before].map(([t, rows]) => [t, new Map([...rows].map(([u, row]) => [u, new Map(row)]))]));
  const rows = (t: TableName): Map<string, Row> => model.get(t) ?? assert.fail();
  const goneFromBefore = new Set<string>();
  for (const o of operations) {
    const table = "table" in o ? o.table : "R";
    const uuid = uuidOf(table, o.row);
    const row = rows(table).get(uuid);
    if (o.op === "insert") {
      if (row !== undefined || goneFromBefore.has(uuid)) return undefined;
      rows(table).set(uuid, new Map([...defaults[table](), ...Object.entries(o.columns)]));
    } else if (row === undefined) continue;
    else if (o.op === "delete") {
      rows(table).delete(uuid);
      if (before.get(table)?.has(uuid) === true) goneFromBefore.add(uuid);
    } else if (o.op === "add") {
      const n = Number(row.get("n")) + o.by;
      if (n > 9) return undefined;
      row.set("n", n);
    } else if (o.op === "update") {
      for (const [c, v] of Object.entries(o.columns)) row.set(c, v);
    } else if (o.op === "mutate") {
      const old = row.get(o.column) as readonly string[];
      const now = o.mutator === "insert" ? sorted([...old, ...o.set]) : old.filter((u) => !o.set.includes(u));
      if (o.column === "likes" && now.length > 2) return undefined;
      row.set(o.column, now);
    }
  }
  const strong = (): [string, string][] => [
    ...[...rows("R")].flatMap(([u, r]) => (r.get("kids") as string[]).map((k): [string, string] => [u, k])),
    ...[...rows("K")].flatMap(([u, r]) => (r.get("next") as string[]).map((k): [string, string] => [u, k])).filter(([u, k]) => u !== k),
  ];
  if (strong().some(([, k]) => !rows("K").has(k))) return undefined;
  for (let again = true; again; ) {
    const kept = new Set(strong().map(([, k]) => k));
    again = false;
    for (const u of [...rows("K").keys()]) if (!kept.has(u)) again = rows("K").delete(u);
  }
  if (rows("R").size > 4) return undefined;
  for (const r of rows("R").values()) r.set("likes", (r.get("likes") as string[]).filter((k) => rows("K").has(k)));
  for (const w of rows("W").values()) {
    const left = (w.get("target") as string[]).filter((u) => rows("R").has(u));
    if (left.length === 0) return undefined;
    w.set("target", left);
  }
  const names = [...rows("R").values()].map((r) => r.get("name"));
  return new Set(names).size === names.length ? model : undefined;
}

function contentOf(store: Store, ephemeral = true): unknown {
  return [...store.tables].map(([name, table]) => [
    name,
    [...table.rows.values()].sort((a, b) => (a.uuid < b.uuid ? -1 : 1)).map((row) => [row.uuid, table.columns.map((c) => {
      if (c.ephemeral && !ephemeral) return 0;
      const { keys, values } = c.of(row);
      return values !== undefined ? keys.map((k, i) => [k, values[i]]) : c.type.max === 1 && c.type.min === 1 ? keys[0] : [...keys];
    })]),
  ]);
}

function contentOfModel(model: Model): unknown {
  return tables.map((t) => [
    t,
    [...(model.get(t) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([uuid, row]) => [uuid, [...row.values()].map((v) => (v instanceof Map ? [...v].sort(([a], [b]) => (a < b ? -1 : 1)) : v))]),
  ]);
}

/** What a client makes of what it is told: rows by table and UUID, in the form of <table-updates2>. */
class Mirror {
  readonly rows = new Map<string, Map<string, Map<string, string>>>();
  isCongested = false;
  notify(_method: string, params: string): void {
    const json = parseJson(params) as Json[];
    this.apply(json[1] ?? null);
  }
  apply(updates: Json): void {
    for (const [table, rows] of Object.entries(isJsonObject(updates) ? updates : {})) {
      const known = this.rows.get(table) ?? new Map<string, Map<string, string>>();
      this.rows.set(table, known);
      for (const [uuid, change] of Object.entries(isJsonObject(rows) ? rows : {})) {
        const { insert, initial, modify, delete: gone } = change as { [kind: string]: Json | undefined };
        if (gone === null) assert.ok(known.delete(uuid), `${uuid} deleted though unknown`);
        else if (modify !== undefined) {
          assert.ok(known.has(uuid));
          assert.ok(Object.keys(modify as object).length > 0);
        } else {
          assert.ok(!known.has(uuid), `${uuid} inserted though known`);
          known.set(uuid, new Map(Object.entries((insert ?? initial ?? {}) as object).map(([c, v]) => [c, JSON.stringify(v)])));
        }
      }
    }
  }
}

const fresh = (): Store => new Store(schema, makeUuid);
const conditional = { R: [{ columns: ["name", "n"], where: [["n", ">", 4], ["name", "==", "x"]] }], K: [{ where: [["label", "==", "x"]] }] };

test("a transaction does what a naive database would do; the log replays to the same; monitors see what their condition says", () => {
  fc.assert(
    fc.property(fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { maxLength: 12 }), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), (transactions, lag) => {
      const store = fresh();
      const replayed = fresh();
      const monitors = new Monitors(makeUuid);
      const requests = monitorRequestsFromJson(store, conditional, true);
      assert.ok(!(requests instanceof OvsdbError));
      const mirror = new Mirror();
      const { monitor } = monitors.add(mirror, null, 2, requests);
      let model: Model = new Map(tables.map((t) => [t, new Map()]));
      for (const [i, operations] of transactions.entries()) {
        const before = contentOf(store);
        const expected = naively(model, operations);
        const options = { readOnly: false, elapsedMs: 0, mayWait: false, ownsLock: () => false };
        const done = execute(store, ["D", ...operations.map(operationJson)], options);
        const bad = done.kind === "done" ? done.transaction.check() : new OvsdbError("failed");
        assert.equal(bad === undefined, expected !== undefined, `${String(bad)} ${JSON.stringify(done)}`);
        if (bad !== undefined || done.kind !== "done" || expected === undefined) {
          if (done.kind === "done") done.transaction.undo();
          assert.deepEqual(contentOf(store), before);
          continue;
        }
        const record = transactionRecord(done.transaction.changes, [], 0);
        done.transaction.commit();
        monitors.collect(done.transaction.changes);
        mirror.isCongested = lag[i % 3] ?? false;
        monitors.flush();
        if (!mirror.isCongested) monitors.resume(monitor);
        model = expected;
        assert.deepEqual(contentOf(store), contentOfModel(model));
        if (record !== undefined) {
          const json = parseJson(record);
          assert.ok(!(json instanceof JsonSyntaxError) && isJsonObject(json));
          assert.equal(applyRecord(replayed, json), undefined);
        }
        assert.deepEqual(contentOf(replayed, false), contentOf(store, false));
      }
      monitors.flush();
      monitors.resume(monitor);
      const seen = [...(mirror.rows.get("R")?.keys() ?? [])].sort();
      const visible = [...(model.get("R") ?? [])].filter(([, r]) => Number(r.get("n")) > 4 || r.get("name") === "x").map(([u]) => u).sort();
      assert.deepEqual(seen, visible);
      const compact = parseJson(snapshotRecord(store, undefined, 0));
      const again = fresh();
      assert.ok(!(compact instanceof JsonSyntaxError) && isJsonObject(compact));
      assert.equal(applyRecord(again, compact), undefined);
      assert.deepEqual(contentOf(again, false), contentOf(store, false));
      assertReferrers(store);
    }),
    { numRuns: 400 },
  );
});

/** The counts and lists that make transactions cheap say what a count from scratch says. */
function assertReferrers(store: Store): void {
  const r = store.tables.get("R");
  const k = store.tables.get("K");
  assert.ok(r !== undefined && k !== undefined);
  const holders = (rows: Iterable<StoredRow>, column: string, uuid: string): string[] =>
    [...rows].filter((row) => row.uuid !== uuid && row.table.column(column)?.of(row).keys.includes(uuid)).map((row) => row.uuid).sort();
  for (const kid of k.rows.values()) {
    assert.equal(kid.strongReferences, holders(r.rows.values(), "kids", kid.uuid).length + holders(k.rows.values(), "next", kid.uuid).length);
    assert.deepEqual([...(kid.weakReferrers?.keys() ?? [])].map((row: StoredRow) => row.uuid).sort(), holders(r.rows.values(), "likes", kid.uuid));
  }
  for (const row of r.rows.values()) {
    for (const index of r.indexes) assert.deepEqual(index.at(index.key(row.fields)), [row]);
  }
}
