/** What a workspace holds, as the operations of one transaction (RFC 7047, section 5.2). */
import { type Atom, type AtomKind, type ColumnType, type Datum, type Json, type JsonObject } from "../ovsdb/index.ts";
import { sameDatum, subtract } from "./datum-sets.ts";
import type { Change, WorkRow, Workspace } from "./workspace.ts";

export interface Operations {
  readonly operations: readonly JsonObject[];
  /** Where in the results the UUID of an inserted row will be. */
  readonly inserts: ReadonlyMap<string, number>;
}

/** Waits first, so that nothing happens when another client was faster; then deletions, insertions and changes. */
export function operationsOf(workspace: Workspace): Operations {
  const rows = [...workspace.touched];
  const maker = new OperationMaker(workspace, rows);
  const live = rows.filter((r) => !r.deleted);
  const operations = [
    ...rows.filter((r) => r.stored !== undefined).flatMap((r) => maker.wait(r)),
    // Rows of other tables go when nothing refers to them any more.
    ...rows.filter((r) => r.deleted && r.stored !== undefined && workspace.schema.tables[r._table]?.isRoot === true).map((r) => maker.delete(r)),
  ];
  const inserts = new Map<string, number>();
  for (const row of live.filter((r) => r.stored === undefined)) {
    inserts.set(row._uuid, operations.length);
    operations.push(maker.insert(row));
  }
  operations.push(...live.filter((r) => r.stored !== undefined).flatMap((r) => maker.change(r)));
  // A transaction that only checks changes nothing, and need not be sent.
  return operations.every((o) => o["op"] === "wait") ? { operations: [], inserts } : { operations, inserts };
}

class OperationMaker {
  readonly #workspace: Workspace;
  readonly #named = new Set<string>();

  constructor(workspace: Workspace, rows: readonly WorkRow[]) {
    this.#workspace = workspace;
    for (const row of rows) if (row.stored === undefined && !row.persistent) this.#named.add(row._uuid);
  }

  wait(row: WorkRow): readonly JsonObject[] {
    const columns = [...row.verified];
    if (columns.length === 0) return [];
    const expected = Object.fromEntries(columns.map((c) => [c, this.#json(row, c, this.#workspace.storedDatum(row, c))]));
    return [{ op: "wait", table: row._table, timeout: 0, where: where(row), columns, until: "==", rows: [expected] }];
  }

  delete(row: WorkRow): JsonObject {
    return { op: "delete", table: row._table, where: where(row) };
  }

  insert(row: WorkRow): JsonObject {
    const identity: JsonObject = row.persistent ? { uuid: row._uuid } : { "uuid-name": nameOf(row._uuid) };
    const changed = [...row.changes].filter(([c, { datum }]) => !sameDatum(datum, this.#workspace.storedDatum(row, c)));
    return { op: "insert", table: row._table, ...identity, row: this.#columns(row, changed) };
  }

  change(row: WorkRow): readonly JsonObject[] {
    const changed = [...row.changes].filter(([c, { datum }]) => !sameDatum(datum, this.#workspace.storedDatum(row, c)));
    const merged = changed.filter(([c, change]) => this.#merges(row, c, change));
    const assigned = changed.filter(([c, change]) => !this.#merges(row, c, change));
    const operations: JsonObject[] = [];
    if (assigned.length > 0) operations.push({ op: "update", table: row._table, where: where(row), row: this.#columns(row, assigned) });
    if (merged.length > 0) {
      const mutations = merged.flatMap(([c, { datum }]) => this.#mutations(row, c, datum));
      operations.push({ op: "mutate", table: row._table, where: where(row), mutations });
    }
    return operations;
  }

  /** Of a column with a least or greatest number of values, parts cannot be added and removed one after the other. */
  #merges(row: WorkRow, column: string, { mode }: Change): boolean {
    const { type } = this.#workspace.column(row._table, column);
    return mode === "merge" && type.min === 0 && type.max > 1;
  }

  #mutations(row: WorkRow, column: string, datum: Datum): readonly Json[] {
    const { type } = this.#workspace.column(row._table, column);
    const old = this.#workspace.storedDatum(row, column);
    const gone = subtract(old, datum);
    const come = subtract(datum, old);
    const keyType: ColumnType = { key: type.key, min: 0, max: Number.POSITIVE_INFINITY };
    return [
      ...(gone.keys.length > 0 ? [[column, "delete", this.#toJson({ keys: gone.keys }, keyType)]] : []),
      ...(come.keys.length > 0 ? [[column, "insert", this.#toJson(come, type)]] : []),
    ];
  }

  #columns(row: WorkRow, changes: readonly (readonly [string, Change])[]): JsonObject {
    return Object.fromEntries(changes.map(([column, { datum }]) => [column, this.#json(row, column, datum)]));
  }

  #json(row: WorkRow, column: string, datum: Datum): Json {
    return this.#toJson(datum, this.#workspace.column(row._table, column).type);
  }

  #toJson({ keys, values }: Datum, type: ColumnType): Json {
    const { value } = type;
    if (value !== undefined) return ["map", keys.map((key, i) => [this.#atom(key, type.key.kind), this.#atom(values?.[i] ?? 0, value.kind)])];
    const items = keys.map((key) => this.#atom(key, type.key.kind));
    return items.length === 1 ? items[0] ?? null : ["set", items];
  }

  #atom(atom: Atom, kind: AtomKind): Json {
    if (kind !== "uuid" || typeof atom !== "string") return atom;
    return this.#named.has(atom) ? ["named-uuid", nameOf(atom)] : ["uuid", atom];
  }
}

const nameOf = (uuid: string): string => `row${uuid.replaceAll("-", "_")}`;
const where = (row: WorkRow): Json => [["_uuid", "==", ["uuid", row._uuid]]];
