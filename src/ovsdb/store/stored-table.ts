/**
 * Tables and rows as the server keeps them. A row has identity; its fields are values that are replaced, never changed, so
 * that what they were before a transaction can be kept by reference. Every row is found by UUID and by each unique index.
 *
 * `_uuid` and `_version` are columns for those who ask, but take no place among the fields.
 */
import { present } from "../../std/index.ts";
import type { Datum } from "../value/datum.ts";
import { datumText } from "../value/datum-json.ts";
import { defaultDatum } from "../value/datum-sets.ts";
import type { ColumnSchema, ColumnType, TableSchema } from "../schema/schema.ts";

export type Fields = readonly Datum[];

export class StoredColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly mutable: boolean;
  readonly ephemeral: boolean;
  /** Place among the fields; negative for `_uuid` and `_version`. */
  readonly index: number;
  readonly defaultValue: Datum;
  /** Set once all tables exist: the tables that keys and values refer to. */
  keyTable: StoredTable | undefined;
  valueTable: StoredTable | undefined;

  constructor(name: string, schema: ColumnSchema, index: number) {
    this.name = name;
    this.type = schema.type;
    this.mutable = schema.mutable;
    this.ephemeral = schema.ephemeral;
    this.index = index;
    this.defaultValue = defaultDatum(schema.type);
  }

  of(row: StoredRow): Datum {
    return this.index >= 0 ? this.in(row.fields) : { keys: [this.index === uuidIndex ? row.uuid : row.version] };
  }

  in(fields: Fields): Datum {
    return fields[this.index] ?? this.defaultValue;
  }
}

export const uuidIndex = -1;
const versionIndex = -2;
const uuidSchema: ColumnSchema = { type: { key: { kind: "uuid" }, min: 1, max: 1 }, ephemeral: false, mutable: false };

export class StoredRow {
  readonly table: StoredTable;
  readonly uuid: string;
  fields: Fields;
  /** What the transaction under way does to it. */
  change: RowChange | undefined;
  /** Strong references to it, from rows of the committed database. */
  strongReferences = 0;
  /** The rows that hold weak references to it, each with how many. */
  weakReferrers: Map<StoredRow, number> | undefined;
  #version: string | undefined;

  constructor(table: StoredTable, uuid: string, fields: Fields) {
    this.table = table;
    this.uuid = uuid;
    this.fields = fields;
  }

  /** Made when first asked for: few ever ask. */
  get version(): string {
    this.#version ??= this.table.makeUuid();
    return this.#version;
  }

  /** Keeps the indexes right. */
  replaceFields(fields: Fields): void {
    for (const index of this.table.indexes) index.move(this, fields);
    this.fields = fields;
  }

  /** The row has changed: returns the version that it had, if anybody knows it. */
  forgetVersion(): string | undefined {
    const old = this.#version;
    this.#version = undefined;
    return old;
  }
}

/** What a transaction did to one row. */
export class RowChange {
  readonly row: StoredRow;
  /** Absent for an inserted row. */
  readonly old: Fields | undefined;
  isDeleted = false;
  /** Strong references to the row as of this transaction. */
  references: number;
  /** The places of the fields that differ; known after `check`. */
  changed: readonly number[] = [];
  /** `_version` before the commit, if somebody had asked for it. */
  oldVersion: string | undefined;

  constructor(row: StoredRow, old: Fields | undefined) {
    this.row = row;
    this.old = old;
    this.references = row.strongReferences;
  }

  /** Absent for a deleted row. */
  get now(): Fields | undefined {
    return this.isDeleted ? undefined : this.row.fields;
  }
}

/** Rows by the text of their values in some columns. Within a transaction, several may share one for a while. */
export class UniqueIndex {
  readonly columns: readonly StoredColumn[];
  readonly #rows = new Map<string, StoredRow | StoredRow[]>();
  readonly #single: StoredColumn | undefined;

  constructor(columns: readonly StoredColumn[]) {
    this.columns = columns;
    const [first, ...others] = columns;
    const isScalarString = first?.type.key.kind === "string" && first.type.max === 1 && first.type.min === 1;
    this.#single = others.length === 0 && isScalarString ? first : undefined;
  }

  key(fields: Fields): string {
    if (this.#single !== undefined) return String(this.#single.in(fields).keys[0]);
    return this.columns.map((column) => datumText(column.in(fields), column.type)).join(",");
  }

  /** The key that a row with these values for the columns, in their order, would have. */
  keyOf(values: readonly Datum[]): string {
    if (this.#single !== undefined) return String(values[0]?.keys[0]);
    return this.columns.map((column, i) => datumText(values[i] ?? column.defaultValue, column.type)).join(",");
  }

  at(key: string): readonly StoredRow[] {
    const found = this.#rows.get(key);
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  }

  add(row: StoredRow, key: string): void {
    const found = this.#rows.get(key);
    this.#rows.set(key, found === undefined ? row : Array.isArray(found) ? [...found, row] : [found, row]);
  }

  move(row: StoredRow, fields: Fields): void {
    if (this.columns.every((column) => column.in(row.fields) === column.in(fields))) return;
    const [from, to] = [this.key(row.fields), this.key(fields)];
    if (from === to) return;
    this.remove(row, from);
    this.add(row, to);
  }

  remove(row: StoredRow, key: string): void {
    const rest = this.at(key).filter((other) => other !== row);
    const [only] = rest;
    if (only === undefined) this.#rows.delete(key);
    else this.#rows.set(key, rest.length === 1 ? only : rest);
  }
}

export class StoredTable {
  readonly name: string;
  readonly schema: TableSchema;
  readonly columns: readonly StoredColumn[];
  readonly strongColumns: readonly StoredColumn[];
  readonly weakColumns: readonly StoredColumn[];
  readonly indexes: readonly UniqueIndex[];
  readonly rows = new Map<string, StoredRow>();
  readonly defaults: Fields;
  readonly makeUuid: () => string;
  readonly #byName = new Map<string, StoredColumn>();

  constructor(name: string, schema: TableSchema, makeUuid: () => string) {
    this.name = name;
    this.schema = schema;
    this.makeUuid = makeUuid;
    this.columns = Object.entries(schema.columns).map(([column, columnSchema], i) => new StoredColumn(column, columnSchema, i));
    this.defaults = this.columns.map((column) => column.defaultValue);
    for (const column of this.columns) this.#byName.set(column.name, column);
    this.#byName.set("_uuid", new StoredColumn("_uuid", uuidSchema, uuidIndex));
    this.#byName.set("_version", new StoredColumn("_version", { ...uuidSchema, ephemeral: true }, versionIndex));
    const refers = (c: StoredColumn, kind: string): boolean => c.type.key.refType === kind || c.type.value?.refType === kind;
    this.strongColumns = this.columns.filter((column) => refers(column, "strong"));
    this.weakColumns = this.columns.filter((column) => refers(column, "weak"));
    this.indexes = schema.indexes.map((names) => new UniqueIndex(names.map((n) => present(this.column(n), n))));
  }

  column(name: string): StoredColumn | undefined {
    return this.#byName.get(name);
  }

  /** `_uuid` and `_version` too. */
  get allColumns(): readonly StoredColumn[] {
    return [present(this.column("_uuid")), present(this.column("_version")), ...this.columns];
  }
}
