/**
 * A transaction as a client builds it: operations of RFC 7047, section 5.2, from typed columns. Updates of one row are
 * gathered into one operation; columns that hold the value already are left out; what a row inserted here is called by is a
 * made-up UUID, sent as <named-uuid>.
 */
import { sameValue } from "../../engine/index.ts";
import { assert } from "../../std/index.ts";
import type { Atom, Datum } from "../value/datum.ts";
import { type ColumnValue, valueFromWriter, valueOfDatum, valueToJson } from "../value/column-value.ts";
import { isJsonArray, isJsonObject, type Json, type JsonObject, member } from "../json/json.ts";
import type { CommitResult } from "./replica.ts";
import type { RowRef } from "../schema/row.ts";
import type { RpcAnswer } from "./rpc-link.ts";
import type { AtomKind, ColumnType, DatabaseSchema } from "../schema/schema.ts";
import type { Uuid } from "../schema/typed-schema.ts";

/** What a transaction needs of its replica. */
export interface TransactionHome {
  readonly schema: DatabaseSchema;
  readonly lockName: string | undefined;
  readonly hasLock: boolean;
  newUuid(): Uuid;
  hasColumn(table: string, column: string): boolean;
  /** The value in the replica; undefined also if there is no such row. */
  current(row: RowRef, column: string): ColumnValue;
  exists(row: RowRef): boolean;
  transact(operations: readonly Json[], done: (answer: RpcAnswer) => void): void;
}

interface RowWrite {
  readonly kind: "write";
  readonly row: RowRef;
  /** Undefined for a row that exists. */
  readonly inserted: "named" | "fixed" | undefined;
  readonly columns: Map<string, ColumnValue>;
}

type Step = RowWrite | { readonly kind: "plain"; readonly operation: () => JsonObject };

const nameOf = (uuid: string): string => `row${uuid.replaceAll("-", "_")}`;
/** Columns are given by name, without their types: Transaction<D> is the typed door to this. */
export type GivenColumns = { readonly [column: string]: unknown };

export class ClientTransaction {
  readonly #home: TransactionHome;
  #steps: Step[] = [];
  readonly #writes = new Map<string, RowWrite>();
  readonly #named = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #waits: (() => JsonObject)[] = [];
  readonly #comments: string[] = [];
  #increment: { readonly row: RowRef; readonly column: string } | undefined;
  #mustHoldLock = false;
  #isDone = false;

  constructor(home: TransactionHome) {
    this.#home = home;
  }

  get isEmpty(): boolean {
    return this.#increment === undefined && this.#steps.every((step) => step.kind === "write" && step.inserted === undefined && step.columns.size === 0);
  }

  insert(table: string, columns: GivenColumns, options: { readonly uuid?: Uuid } = {}): Uuid {
    const uuid = options.uuid ?? this.#home.newUuid();
    const write: RowWrite = { kind: "write", row: { _table: table, _uuid: uuid }, inserted: options.uuid === undefined ? "named" : "fixed", columns: new Map() };
    if (write.inserted === "named") this.#named.add(uuid);
    this.#writes.set(uuid, write);
    this.#steps.push(write);
    // A new row's column is empty as it is.
    for (const column in columns) if (columns[column] !== undefined) this.#put(write, column, this.#fromWriter(table, column, columns[column]));
    return uuid;
  }

  update(row: RowRef, columns: GivenColumns): void {
    let write = this.#writes.get(row._uuid);
    for (const column in columns) {
      const value = this.#fromWriter(row._table, column, columns[column]);
      // Most of what is looked at again is as it should be, and leaves nothing behind.
      if (write === undefined && this.#isAlready(row, column, value)) continue;
      write ??= this.#writeOf(row);
      this.#put(write, column, value);
    }
  }

  #isAlready(row: RowRef, column: string, value: ColumnValue): boolean {
    return !this.#home.hasColumn(row._table, column) || sameValue(this.#home.current(row, column), value);
  }

  setDatum(row: RowRef, column: string, datum: Datum): void {
    this.#put(this.#writeOf(row), column, valueOfDatum(datum, this.#typeOf(row._table, column)));
  }

  mutate(row: RowRef, column: string, mutator: string, value: unknown): void {
    const type = this.#typeOf(row._table, column);
    // Keys alone may be deleted from a map; arithmetic takes one number.
    const operand: ColumnType =
      mutator === "insert" || (mutator === "delete" && value instanceof Map)
        ? { ...type, min: 0, max: Number.POSITIVE_INFINITY }
        : { key: type.key, min: mutator === "delete" ? 0 : 1, max: mutator === "delete" ? Number.POSITIVE_INFINITY : 1 };
    const given = valueFromWriter(value, operand);
    if (given instanceof Set || given instanceof Map ? given.size === 0 : false) return;
    if (!this.#home.hasColumn(row._table, column)) return;
    this.#plain(() => ({
      op: "mutate", table: row._table, where: this.#where(row), mutations: [[column, mutator, valueToJson(given, operand, this.#atomToJson)]],
    }));
  }

  delete(row: RowRef): void {
    const write = this.#writes.get(row._uuid);
    if (write !== undefined) {
      this.#steps = this.#steps.filter((step) => step !== write);
      this.#writes.delete(row._uuid);
    }
    if (write?.inserted !== undefined || this.#deleted.has(row._uuid)) return;
    this.#deleted.add(row._uuid);
    this.#plain(() => ({ op: "delete", table: row._table, where: this.#where(row) }));
  }

  verify(row: RowRef, columns: readonly string[]): void {
    const values = columns.filter((c) => this.#home.hasColumn(row._table, c)).map((c): [string, Json] => [
      c, valueToJson(this.#home.current(row, c), this.#typeOf(row._table, c), this.#atomToJson),
    ]);
    const exists = this.#home.exists(row);
    this.#waits.push(() => ({
      op: "wait", table: row._table, timeout: 0, where: this.#where(row), columns: values.map(([c]) => c), until: "==",
      rows: exists ? [Object.fromEntries(values)] : [],
    }));
  }

  increment(row: RowRef, column: string): void {
    assert(this.#increment === undefined, "a second increment in one transaction");
    this.#increment = { row, column };
  }

  comment(text: string): void {
    this.#comments.push(text);
  }

  assertLock(): void {
    this.#mustHoldLock = true;
  }

  /** The operations as they go to the server, in order. */
  operations(): { readonly operations: JsonObject[]; readonly inserts: ReadonlyMap<number, Uuid>; readonly select: number } {
    const operations: JsonObject[] = [];
    const inserts = new Map<number, Uuid>();
    if (this.#mustHoldLock && this.#home.lockName !== undefined) operations.push({ op: "assert", lock: this.#home.lockName });
    for (const wait of this.#waits) operations.push(wait());
    for (const step of this.#steps) {
      if (step.kind === "plain") operations.push(step.operation());
      else if (step.inserted !== undefined || step.columns.size > 0) {
        if (step.inserted !== undefined) inserts.set(operations.length, step.row._uuid);
        operations.push(this.#writeOperation(step));
      }
    }
    let select = -1;
    if (this.#increment !== undefined) {
      const { row, column } = this.#increment;
      operations.push({ op: "mutate", table: row._table, where: this.#where(row), mutations: [[column, "+=", 1]] });
      select = operations.push({ op: "select", table: row._table, where: this.#where(row), columns: [column] }) - 1;
    }
    if (this.#comments.length > 0) operations.push({ op: "comment", comment: this.#comments.join("\n") });
    return { operations, inserts, select };
  }

  commit(): Promise<CommitResult> {
    assert(!this.#isDone, "a transaction is committed once");
    this.#isDone = true;
    if (this.isEmpty) return Promise.resolve({ kind: "unchanged" });
    if (this.#mustHoldLock && !this.#home.hasLock) return Promise.resolve({ kind: "notLocked" });
    const { operations, inserts, select } = this.operations();
    return new Promise((resolve) => {
      this.#home.transact(operations, (answer) => resolve(resultOf(answer, operations.length, inserts, select, this.#increment?.column)));
    });
  }

  #plain(operation: () => JsonObject): void {
    this.#steps.push({ kind: "plain", operation });
  }

  #writeOf(row: RowRef): RowWrite {
    let write = this.#writes.get(row._uuid);
    if (write === undefined) {
      write = { kind: "write", row, inserted: undefined, columns: new Map() };
      this.#writes.set(row._uuid, write);
      this.#steps.push(write);
    }
    return write;
  }

  #put(write: RowWrite, column: string, value: ColumnValue): void {
    const { row, inserted, columns } = write;
    // A server with an older schema keeps no such column: what is said about it is lost, as with the C programs.
    if (!this.#home.hasColumn(row._table, column)) return;
    if (inserted === undefined && sameValue(this.#home.current(row, column), value)) columns.delete(column);
    else columns.set(column, value);
  }

  #typeOf(table: string, column: string): ColumnType {
    const type = this.#home.schema.tables[table]?.columns[column]?.type;
    assert(type !== undefined, `no column ${table}.${column}`);
    return type;
  }

  #fromWriter(table: string, column: string, given: unknown): ColumnValue {
    return valueFromWriter(given, this.#typeOf(table, column));
  }

  #writeOperation({ row, inserted, columns }: RowWrite): JsonObject {
    const values: { [column: string]: Json } = {};
    for (const [name, value] of columns) values[name] = valueToJson(value, this.#typeOf(row._table, name), this.#atomToJson);
    if (inserted === undefined) return { op: "update", table: row._table, where: this.#where(row), row: values };
    const name = inserted === "named" ? { "uuid-name": nameOf(row._uuid) } : { uuid: row._uuid };
    return { op: "insert", table: row._table, row: values, ...name };
  }

  #where(row: RowRef): Json {
    return [["_uuid", "==", this.#atomToJson(row._uuid, "uuid")]];
  }

  readonly #atomToJson = (atom: Atom, kind: AtomKind): Json => {
    if (kind !== "uuid" || typeof atom !== "string") return atom;
    return this.#named.has(atom) ? ["named-uuid", nameOf(atom)] : ["uuid", atom];
  };
}

function resultOf(
  answer: RpcAnswer, count: number, inserts: ReadonlyMap<number, Uuid>, select: number, column: string | undefined,
): CommitResult {
  if (answer.kind === "lost") return { kind: "tryAgain" };
  if (answer.kind === "error") return failureOf(answer.error);
  const results = isJsonArray(answer.result) ? answer.result : [];
  for (const result of results) if (isJsonObject(result) && member(result, "error") !== undefined) return failureOf(result);
  if (results.length < count) return { kind: "error", error: "protocol error", details: "reply has too few results" };
  const uuids = new Map<string, Uuid>();
  for (const [i, made] of inserts) {
    const result = results[i];
    const uuid = isJsonObject(result ?? null) && isJsonObject(result) ? member(result, "uuid") : undefined;
    if (isJsonArray(uuid) && typeof uuid[1] === "string") uuids.set(made, uuid[1] as Uuid);
  }
  const selected = select < 0 ? undefined : results[select];
  const rows = isJsonObject(selected) ? member(selected, "rows") : undefined;
  const row = isJsonArray(rows) ? rows[0] : undefined;
  const value = isJsonObject(row) && column !== undefined ? member(row, column) : undefined;
  return {
    kind: "committed",
    uuidOf: <N extends string>(inserted: Uuid<N>): Uuid<N> => (uuids.get(inserted) ?? inserted) as Uuid<N>,
    increment: typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : undefined,
  };
}

function failureOf(json: Json): CommitResult {
  const error = isJsonObject(json) ? member(json, "error") : json;
  const details = isJsonObject(json) ? member(json, "details") : undefined;
  // "timed out": a wait found something else than was verified. "unknown database", "not leader": the server, not we.
  if (error === "timed out" || error === "unknown database" || error === "cluster error") return { kind: "tryAgain" };
  if (error === "not owner") return { kind: "notLocked" };
  return { kind: "error", error: String(error), details: typeof details === "string" ? details : undefined };
}
