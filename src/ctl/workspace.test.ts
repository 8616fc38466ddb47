/** What commands change becomes operations that merge with what others do, and wait where they must. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../ovsdb/index.ts";
import { database, map, set, string, strong, table } from "../ovsdb/index.ts";
import { SeededRandom } from "../std/index.ts";
import { operationsOf } from "./operations.ts";
import { SnapshotRow } from "./snapshot.ts";
import { Workspace } from "./workspace.ts";

const schema = database("Sample", "1.0.0", {
  Switch: table({ isRoot: true, columns: { name: string(), ports: set(strong("Port")), tags: set(string()), options: map(string(), string()) } }),
  Port: table({ columns: { name: string() } }),
});
const uuid = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

function workspace() {
  const rows = new Map([
    [uuid(1), new SnapshotRow(uuid(1), { name: "s", ports: ["uuid", uuid(2)], tags: ["set", ["a", "b"]], options: ["map", [["k", "v"], ["x", "y"]]] })],
  ]);
  const ports = new Map([[uuid(2), new SnapshotRow(uuid(2), { name: "p" })]]);
  const snapshot = new Map([
    ["Switch", { columns: new Set(["name", "ports", "tags", "options"]), rows }],
    ["Port", { columns: new Set(["name"]), rows: ports }],
  ]);
  return new Workspace(schema, snapshot, new SeededRandom(1));
}

type Work = ReturnType<typeof workspace>;

function check(what: string, work: (db: Work) => void, expected: readonly Json[]): void {
  test(`workspace: ${what}`, () => {
    const db = workspace();
    work(db);
    assert.deepEqual(operationsOf(db as unknown as Workspace).operations, expected);
  });
}

const first = (db: Work) => db.rows("Switch")[0] ?? assert.fail("no row");
const where = (n: number): Json => [["_uuid", "==", ["uuid", uuid(n)]]];

check("nothing changed, nothing said", (db) => db.update(first(db), { name: "s", tags: ["b", "a"] }), []);
check("a check alone is not sent", (db) => db.verify(first(db), "name"), []);
check("an assignment overwrites", (db) => db.update(first(db), { tags: ["c"] }), [{ op: "update", table: "Switch", where: where(1), row: { tags: "c" } }]);
check("adding and removing merge", (db) => {
  db.add(first(db), "tags", "c");
  db.remove(first(db), "tags", "a");
}, [{ op: "mutate", table: "Switch", where: where(1), mutations: [["tags", "delete", "a"], ["tags", "insert", "c"]] }]);
check("entries of a map merge", (db) => db.put(first(db), "options", { k: "w", x: undefined }), [
  { op: "mutate", table: "Switch", where: where(1), mutations: [["options", "delete", ["set", ["k", "x"]]], ["options", "insert", ["map", [["k", "w"]]]]] },
]);
check("what is added and taken back is nothing", (db) => {
  db.add(first(db), "tags", "z");
  db.remove(first(db), "tags", "z");
}, []);
check("a new row is named where it is referred to", (db) => {
  const port = db.insert("Port", { name: "new" }, uuid(9));
  db.add(first(db), "ports", port._uuid);
}, [
  { op: "insert", table: "Port", "uuid-name": "row00000000_0000_4000_8000_000000000009", row: { name: "new" } },
  { op: "mutate", table: "Switch", where: where(1), mutations: [["ports", "insert", ["named-uuid", "row00000000_0000_4000_8000_000000000009"]]] },
]);
check("rows that nothing refers to go by themselves, roots are deleted", (db) => {
  for (const port of db.rows("Port")) db.delete(port);
  db.delete(first(db));
}, [{ op: "delete", table: "Switch", where: where(1) }]);
check("verified columns are waited for", (db) => {
  db.verify(first(db), "name");
  db.update(first(db), { name: "t" });
}, [
  { op: "wait", table: "Switch", timeout: 0, where: where(1), columns: ["name"], until: "==", rows: [{ name: "s" }] },
  { op: "update", table: "Switch", where: where(1), row: { name: "t" } },
]);

test("workspace: later commands see what earlier ones did", () => {
  const db = workspace();
  const port = db.insert("Port", { name: "q" });
  db.add(first(db), "ports", port._uuid);
  assert.deepEqual(db.those("Port", first(db).ports).map((p) => p.name).sort(), ["p", "q"]);
  db.delete(port);
  assert.deepEqual(db.rows("Port").map((p) => p.name), ["p"]);
  assert.equal(db.row("Port", port._uuid), undefined);
});
