import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AppendFile, type Disk, makeLog } from "../../host/index.ts";
import { DatabaseFile, readStore } from "./database-file.ts";
import type { Json } from "../json/json.ts";
import { LogReader } from "./log-format.ts";
import { transactionRecord } from "./log-record.ts";
import { compactDatabaseFile, transactDatabaseFile } from "./offline.ts";
import { execute } from "../store/operations.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import { schemaFromJson } from "../schema/schema-json.ts";

class MemoryDisk implements Disk {
  readonly files = new Map<string, Buffer>();
  /** Appends beyond this size fail half-way, as on a full disk. */
  capacity = Number.POSITIVE_INFINITY;
  exists = (path: string) => this.files.has(path);
  read = (path: string) => this.files.get(path) ?? assert.fail(path);
  readText = (path: string) => this.read(path).toString();
  replace = (path: string, content: Uint8Array | string) => void this.files.set(path, Buffer.from(content as Uint8Array));
  remove = (path: string) => void this.files.delete(path);
  makeFolder = () => {};
  isFolder = () => false;
  write = (path: string, content: Uint8Array | string) => this.replace(path, content);
  list = () => [];
  openAppend(path: string): AppendFile {
    const disk = this;
    return {
      get size() {
        return disk.read(path).length;
      },
      append(content) {
        const whole = Buffer.concat([disk.read(path), Buffer.from(content as Uint8Array)]);
        disk.files.set(path, whole.subarray(0, Math.max(disk.read(path).length, Math.min(whole.length, disk.capacity))));
        if (whole.length > disk.capacity) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      },
      sync() {},
      truncate: (size) => void disk.files.set(path, disk.read(path).subarray(0, size)),
      close() {},
    };
  }
}

const schema = schemaFromJson({ name: "D", version: "1.0.0", tables: { T: { isRoot: true, columns: { name: { type: "string" }, set: { type: { key: "integer", min: 0, max: "unlimited" } } } } } });
assert.ok(!(schema instanceof OvsdbError));
const good = schema;
let counter = 0;
const makeUuid = (): string => `00000000-0000-0000-0000-${String(counter++).padStart(12, "0")}`;
const quiet = (lines: string[]) => makeLog(({ text }) => lines.push(text));
const options = { readOnly: false, elapsedMs: 0, mayWait: false, ownsLock: () => false };

function write(file: DatabaseFile, operations: readonly Json[]): OvsdbError | undefined {
  const done = execute(file.store, ["D", ...operations], options);
  assert.equal(done.kind, "done", JSON.stringify(done));
  if (done.kind !== "done") return undefined;
  assert.equal(done.transaction.check(), undefined);
  const bad = file.append(transactionRecord(done.transaction.changes, ["why"], 1000) ?? assert.fail());
  if (bad === undefined) done.transaction.commit();
  else done.transaction.undo();
  return bad;
}

const names = (file: DatabaseFile): string[] =>
  [...(file.store.tables.get("T")?.rows.values() ?? [])].map((row) => String(row.table.column("name")?.of(row).keys[0])).sort();

function open(disk: Disk, lines: string[] = []): DatabaseFile {
  const file = DatabaseFile.open(disk, quiet(lines), "db", makeUuid);
  assert.ok(!(file instanceof OvsdbError), String(file));
  return file;
}

const insert = (name: string): Json => ({ op: "insert", table: "T", row: { name, set: ["set", [1, 2]] } });

function sampleFile(): { disk: MemoryDisk; ends: number[] } {
  const disk = new MemoryDisk();
  assert.equal(DatabaseFile.create(disk, "db", good), undefined);
  assert.match(String(DatabaseFile.create(disk, "db", good)), /create failed \(File exists\)/);
  const file = open(disk);
  const ends = [disk.read("db").length];
  for (const name of ["a", "b", "ü"]) {
    assert.equal(write(file, [insert(name)]), undefined);
    ends.push(disk.read("db").length);
  }
  return { disk, ends };
}

test("wherever the file is cut, what is whole counts, and the next record takes the place of the rest", () => {
  const { disk, ends } = sampleFile();
  const whole = disk.read("db");
  for (let size = ends[0] ?? 0; size <= whole.length; size++) {
    const torn = new MemoryDisk();
    torn.replace("db", whole.subarray(0, size));
    const lines: string[] = [];
    const file = open(torn, lines);
    const survivors = ["a", "b", "ü"].slice(0, ends.filter((end) => end <= size).length - 1);
    assert.deepEqual(names(file), survivors);
    assert.equal(lines.length > 0, !ends.includes(size), `${size}: ${lines.join()}`);
    assert.equal(write(file, [insert("z")]), undefined);
    assert.deepEqual(names(open(torn)), [...survivors, "z"].sort());
  }
  for (let size = 0; size < (ends[0] ?? 0); size++) {
    const torn = new MemoryDisk();
    torn.replace("db", whole.subarray(0, size));
    assert.ok(DatabaseFile.open(torn, quiet([]), "db", makeUuid) instanceof OvsdbError);
  }
});

test("whatever the file holds, opening it gives the records before the damage or an error", () => {
  const { disk, ends } = sampleFile();
  const whole = disk.read("db");
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 20 }), (at, junk) => {
      const damaged = new MemoryDisk();
      damaged.replace("db", Buffer.concat([whole.subarray(0, at), junk, whole.subarray(at + junk.length)]));
      const file = DatabaseFile.open(damaged, quiet([]), "db", makeUuid);
      if (file instanceof OvsdbError) return;
      const before = ends.filter((end) => end <= at).length - 1;
      assert.ok(names(file).length >= before);
    }),
  );
});

test("a write that fails leaves neither the row nor half a record", () => {
  const { disk } = sampleFile();
  const file = open(disk);
  disk.capacity = disk.read("db").length + 50;
  assert.match(String(write(file, [insert("lost")])), /write failed \(No space left on device\)/);
  disk.capacity = Number.POSITIVE_INFINITY;
  assert.deepEqual(names(file), ["a", "b", "ü"]);
  assert.equal(write(file, [insert("kept")]), undefined);
  assert.deepEqual(names(open(disk)), ["a", "b", "kept", "ü"]);
});

test("compaction keeps the rows; conversion keeps what the new schema has", () => {
  const { disk } = sampleFile();
  const file = open(disk);
  for (let i = 0; i < 50; i++) write(file, [{ op: "update", table: "T", where: [["name", "==", "a"]], row: { set: ["set", [i]] } }]);
  const before = disk.read("db").length;
  assert.equal(file.compact(file.store, "smaller", 0), undefined);
  assert.ok(disk.read("db").length < before / 3);
  assert.equal(write(file, [insert("later")]), undefined);
  assert.deepEqual(names(open(disk)), ["a", "b", "later", "ü"]);
  const narrower = schemaFromJson({ name: "D", version: "2.0.0", tables: { T: { isRoot: true, columns: { name: { type: "string" } } } } });
  assert.ok(!(narrower instanceof OvsdbError));
  assert.equal(compactDatabaseFile(disk, quiet([]), "db", "db", { schema: narrower, comment: "new", wallMs: 0, makeUuid }), undefined);
  assert.deepEqual(names(open(disk)), ["a", "b", "later", "ü"]);
});

test("what is no standalone database is named as what it is", () => {
  const check = (content: string, expected: RegExp): void => {
    const disk = new MemoryDisk();
    disk.replace("db", content);
    assert.match(String(DatabaseFile.open(disk, quiet([]), "db", makeUuid)), expected);
  };
  check("OVSDB CLUSTER 5 0123456789012345678901234567890123456789\n{}   ", /clustered databases are not supported/);
  check("hello\n", /parse error at offset 0 in header line "hello"/);
  check("", /unexpected end of file/);
});

test("transactions without a server", () => {
  const { disk } = sampleFile();
  const run = (params: Json, readOnly = false): Json | OvsdbError => transactDatabaseFile(disk, quiet([]), "db", params, { readOnly, wallMs: 0, makeUuid });
  assert.deepEqual(run(["D", { op: "delete", table: "T", where: [["name", "==", "a"]] }]), [{ count: 1 }]);
  assert.deepEqual(run(["D", { op: "select", table: "T", where: [["name", "==", "b"]], columns: ["set"] }], true), [{ rows: [{ set: ["set", [1, 2]] }] }]);
  assert.deepEqual(names(open(disk)), ["b", "ü"]);
  const store = readStore(new LogReader(disk.read("db"), "db"), "db", quiet([]), makeUuid);
  assert.ok(!(store instanceof OvsdbError));
});
