/**
 * A transaction in the making: the rows as the server has them, and what the commands of one invocation have changed so far.
 * Commands read what earlier ones wrote. `operations` says all of it to the server at once, with the checks that keep it
 * from overwriting what others have written meanwhile.
 */
import type { Random } from "../host/index.ts";
import {
  type Atom, type ColumnSchema, type ColumnsOf, compareAtoms, type Database, type DatabaseSchema, type Datum, datumOfValue, type RowOf, type RowRef,
  type TableName, type Uuid, valueFromWriter, valueOfDatum,
} from "../ovsdb/index.ts";
import { assert, present } from "../std/index.ts";
import { asItIs, ColumnIndex, type Derivation } from "./column-index.ts";
import { defaultDatum, type Snapshot, type SnapshotRow } from "./snapshot.ts";

/** How a changed column is written: as a whole, or as what was added and removed, which merges with what others do. */
export type WriteMode = "assign" | "merge";

export interface Change {
  readonly datum: Datum;
  readonly mode: WriteMode;
}

/** A row under work. Columns are getters, made per table. */
export class WorkRow implements RowRef {
  readonly _table: string;
  readonly _uuid: Uuid;
  /** As the server has it; undefined for a row that this transaction inserts. */
  readonly stored: SnapshotRow | undefined;
  /** The row keeps the UUID that it was given, instead of one of the server's choice. */
  readonly persistent: boolean;
  readonly changes = new Map<string, Change>();
  /** Columns that must not have changed by the time the transaction is carried out. */
  readonly verified = new Set<string>();
  deleted = false;

  constructor(table: string, uuid: string, stored: SnapshotRow | undefined, persistent = false) {
    this._table = table;
    this._uuid = uuid as Uuid;
    this.stored = stored;
    this.persistent = persistent;
  }
}

type RowClass = new (...args: ConstructorParameters<typeof WorkRow>) => WorkRow;

export class Workspace<D extends Database = Database> {
  readonly schema: DatabaseSchema;
  readonly #snapshot: Snapshot;
  readonly #random: Random;
  readonly #classes = new Map<string, RowClass>();
  readonly #rows = new Map<string, WorkRow>();
  readonly #inserted = new Set<WorkRow>();
  /** By table and column. */
  readonly #indexes = new Map<string, Map<Derivation, ColumnIndex>>();

  constructor(schema: D, snapshot: Snapshot, random: Random) {
    this.schema = schema;
    this.#snapshot = snapshot;
    this.#random = random;
  }

  /** All rows, by name where they have one, else by UUID: C's order is that of its hash tables. */
  rows<N extends TableName<D>>(table: N): readonly RowOf<D, N>[] {
    return this.anyRows(table) as unknown[] as RowOf<D, N>[];
  }

  anyRows(table: string): readonly WorkRow[] {
    const stored = this.#stored(table).rows;
    const rows: WorkRow[] = [];
    for (const row of stored.values()) {
      const work = this.#work(table, row);
      if (!work.deleted) rows.push(work);
    }
    for (const row of this.#inserted) if (row._table === table && !row.deleted) rows.push(row);
    const nameColumn = this.#nameColumn(table);
    const nameOf = (row: WorkRow): Atom => (nameColumn === undefined ? "" : this.datum(row, nameColumn).keys[0] ?? "");
    const keyed = rows.map((row) => ({ row, name: nameOf(row) }));
    return keyed.sort((a, b) => compareAtoms(a.name, b.name) || compareAtoms(a.row._uuid, b.row._uuid)).map(({ row }) => row);
  }

  #nameColumn(table: string): string | undefined {
    const { columns } = this.#stored(table);
    return ["name", "logical_port", "target"].find((c) => columns.has(c) && this.schema.tables[table]?.columns[c] !== undefined);
  }

  /** The rows that hold `value` in `column`: as its only value, one of its values, or a key; or what `derive` makes of one of those. */
  rowsHolding<N extends TableName<D>>(table: N, column: keyof ColumnsOf<D, N> & string, value: Atom, derive = asItIs): readonly RowOf<D, N>[] {
    return this.anyRowsHolding(table, column, value, derive) as unknown[] as RowOf<D, N>[];
  }

  anyRowsHolding(table: string, column: string, value: Atom, derive = asItIs): readonly WorkRow[] {
    return [...this.#index(table, column, derive).holding(value)].flatMap((uuid) => this.anyRow(table, uuid) ?? []);
  }

  #index(table: string, column: string, derive: Derivation): ColumnIndex {
    const name = `${table} ${column}`;
    const indexes = this.#indexes.get(name) ?? new Map<Derivation, ColumnIndex>();
    this.#indexes.set(name, indexes);
    const index = indexes.get(derive) ?? this.#makeIndex(table, column, derive);
    indexes.set(derive, index);
    return index;
  }

  #makeIndex(table: string, column: string, derive: Derivation): ColumnIndex {
    const index = new ColumnIndex(derive);
    const schema = this.column(table, column);
    const { columns, rows } = this.#stored(table);
    assert(columns.has(column), `${table}.${column} was not fetched: name it in the command's reads`);
    for (const row of rows.values()) {
      const work = this.#rows.get(row.uuid);
      index.add(row.uuid, work === undefined ? row.keys(column, schema) : this.datum(work, column).keys);
    }
    for (const row of this.#inserted) if (row._table === table) index.add(row._uuid, this.datum(row, column).keys);
    return index;
  }

  row<N extends TableName<D>>(table: N, uuid: string | undefined): RowOf<D, N> | undefined {
    return uuid === undefined ? undefined : (this.anyRow(table, uuid) as RowOf<D, N> | undefined);
  }

  anyRow(table: string, uuid: string): WorkRow | undefined {
    const stored = this.#stored(table).rows.get(uuid);
    const row = stored === undefined ? this.#rows.get(uuid) : this.#work(table, stored);
    return row === undefined || row.deleted || row._table !== table ? undefined : row;
  }

  /** The rows that a reference column points to, without those that are not there. */
  those<N extends TableName<D>>(table: N, uuids: Iterable<string>): readonly RowOf<D, N>[] {
    return [...uuids].flatMap((uuid) => this.row(table, uuid) ?? []);
  }

  /** The only row of a table that has at most one. */
  first<N extends TableName<D>>(table: N): RowOf<D, N> | undefined {
    return this.rows(table)[0];
  }

  insert<N extends TableName<D>>(table: N, columns: ColumnsOf<D, N>, uuid?: string): RowOf<D, N> {
    const row: RowRef = this.insertAny(table, uuid ?? this.#random.uuid(), false);
    this.update(row as RowOf<D, N>, columns);
    return row as RowOf<D, N>;
  }

  insertAny(table: string, uuid: string, persistent: boolean): WorkRow {
    const row = new (this.#class(table))(table, uuid, undefined, persistent);
    this.#rows.set(uuid, row);
    this.#inserted.add(row);
    return row;
  }

  /** Gives columns new values; whatever they hold at that moment is lost. */
  update<N extends TableName<D>>(row: RowOf<D, N>, columns: ColumnsOf<D, N>): void {
    for (const [column, value] of Object.entries(columns)) {
      if (value === undefined && !(column in columns)) continue;
      this.write(this.work(row), column, datumOfValue(valueFromWriter(value, this.column(row._table, column).type)), "assign");
    }
  }

  /** Adds values to a set column. */
  add<N extends TableName<D>>(row: RowOf<D, N>, column: keyof ColumnsOf<D, N> & string, ...atoms: readonly Atom[]): void {
    const work = this.work(row);
    const old = this.datum(work, column).keys;
    const added = new Set(atoms);
    for (const key of old) added.delete(key);
    this.#set(work, column, { keys: merged(old, [...added].sort(compareAtoms)) }, "merge");
    for (const index of this.#indexesOf(work, column)) index.add(work._uuid, [...added]);
  }

  /** Takes values out of a set column. */
  remove<N extends TableName<D>>(row: RowOf<D, N>, column: keyof ColumnsOf<D, N> & string, ...atoms: readonly Atom[]): void {
    const work = this.work(row);
    this.write(work, column, { keys: this.datum(work, column).keys.filter((k) => !atoms.includes(k)) }, "merge");
  }

  /** Sets entries of a map column; undefined removes one. */
  put<N extends TableName<D>>(row: RowOf<D, N>, column: keyof ColumnsOf<D, N> & string, entries: { readonly [key: string]: string | undefined }): void {
    const work = this.work(row);
    const { keys, values = [] } = this.datum(work, column);
    const map = new Map(keys.map((key, i) => [key, values[i] ?? ""]));
    for (const [key, value] of Object.entries(entries)) {
      if (value === undefined) map.delete(key);
      else map.set(key, value);
    }
    this.write(work, column, datumOfValue(map), "merge");
  }

  delete(row: RowRef): void {
    const work = this.work(row);
    work.deleted = true;
    this.#inserted.delete(work);
  }

  /** The transaction fails, and is made anew, if another client changes the column before it is carried out. */
  verify(row: RowRef, ...columns: readonly string[]): void {
    const work = this.work(row);
    if (work.stored !== undefined) for (const column of columns) work.verified.add(column);
  }

  newUuid(): string {
    return this.#random.uuid();
  }

  column(table: string, column: string): ColumnSchema {
    return present(this.schema.tables[table]?.columns[column], `${table}.${column}`);
  }

  datum(row: WorkRow, column: string): Datum {
    const change = row.changes.get(column);
    if (change !== undefined) return change.datum;
    const schema = this.column(row._table, column);
    if (row.stored === undefined) return defaultDatum(schema);
    assert(this.#stored(row._table).columns.has(column), `${row._table}.${column} was not fetched: name it in the command's reads`);
    return row.stored.datum(column, schema);
  }

  /** What the server has in the column; the default for a new row. */
  storedDatum(row: WorkRow, column: string): Datum {
    const schema = this.column(row._table, column);
    return row.stored?.datum(column, schema) ?? defaultDatum(schema);
  }

  write(row: WorkRow, column: string, datum: Datum, mode: WriteMode): void {
    for (const index of this.#indexesOf(row, column)) {
      index.remove(row._uuid, this.datum(row, column).keys);
      index.add(row._uuid, datum.keys);
    }
    this.#set(row, column, datum, mode);
  }

  #indexesOf(row: WorkRow, column: string): Iterable<ColumnIndex> {
    return this.#indexes.get(`${row._table} ${column}`)?.values() ?? [];
  }

  #set(row: WorkRow, column: string, datum: Datum, mode: WriteMode): void {
    const before = row.changes.get(column);
    row.changes.set(column, { datum, mode: before?.mode === "assign" ? "assign" : mode });
  }

  work(row: RowRef): WorkRow {
    return row instanceof WorkRow ? row : present(this.anyRow(row._table, row._uuid), `row ${row._uuid} of ${row._table}`);
  }

  /** Every row that was touched, in the order of first touch. */
  get touched(): Iterable<WorkRow> {
    return this.#rows.values();
  }

  /** Whether the server has the column at all, as an older one may not. */
  isFetched(table: string, column: string): boolean {
    return this.#snapshot.get(table)?.columns.has(column) ?? false;
  }

  #stored(table: string): { readonly columns: ReadonlySet<string>; readonly rows: ReadonlyMap<string, SnapshotRow> } {
    return present(this.#snapshot.get(table), `table ${table} among the command's reads`);
  }

  #work(table: string, stored: SnapshotRow): WorkRow {
    let row = this.#rows.get(stored.uuid);
    if (row === undefined) {
      row = new (this.#class(table))(table, stored.uuid, stored);
      this.#rows.set(stored.uuid, row);
    }
    return row;
  }

  /** A class for the rows of one table, whose columns read as plain properties. */
  #class(table: string): RowClass {
    let rowClass = this.#classes.get(table);
    if (rowClass === undefined) {
      rowClass = class extends WorkRow {};
      const datum = (row: WorkRow, column: string): Datum => this.datum(row, column);
      for (const [column, { type, isExact }] of Object.entries(this.schema.tables[table]?.columns ?? {})) {
        Object.defineProperty(rowClass.prototype, column, {
          get(this: WorkRow): unknown {
            const value = valueOfDatum(datum(this, column), type);
            return typeof value === "bigint" && isExact !== true ? Number(value) : value;
          },
        });
      }
      this.#classes.set(table, rowClass);
    }
    return rowClass;
  }
}

/** Two sorted lists as one. */
function merged(all: readonly Atom[], more: readonly Atom[]): readonly Atom[] {
  const result = [...all];
  for (const atom of more) {
    let low = 0;
    for (let high = result.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (compareAtoms(result[middle] as Atom, atom) < 0) low = middle + 1;
      else high = middle;
    }
    result.splice(low, 0, atom);
  }
  return result;
}
