/**
 * Schemas as TypeScript constants, from which the types of rows follow.
 *
 *     export const northbound = database("OVN_Northbound", "7.19.0", {
 *       Logical_Switch: table({
 *         isRoot: true,
 *         columns: { name: string(), ports: set(strong("Logical_Switch_Port")), other_config: map(string(), string()) },
 *       }),
 *     });
 *
 * The constant is also a plain DatabaseSchema, so that everything that works on schemas works on it. Column types carry
 * three phantoms: what a reader gets, what a writer may give, and what a wish of a projection may say.
 */
import { assert } from "../../std/index.ts";
import type { BaseType, ColumnSchema, ColumnType, DatabaseSchema, TableSchema } from "./schema.ts";
import type { Counter } from "../value/counter.ts";
import type { Entries, Wished } from "../replica/wish.ts";

declare const tableOfUuid: unique symbol;
declare const readType: unique symbol;
declare const writeType: unique symbol;
declare const wishType: unique symbol;

/** A row's UUID, branded with its table, so that a port's is not taken for a switch's. A lower-case string at run time. */
export type Uuid<Table extends string = string> = string & { readonly [tableOfUuid]: Table };

/** A column: R is what readers get, W what writers give, P what wishes may say. */
export interface Column<R, W = R, P = W> extends ColumnSchema {
  readonly [readType]?: R;
  readonly [writeType]?: W;
  readonly [wishType]?: P;
}

/** A column of exactly one atom; also the element of sets, maps and optional columns. */
export interface Scalar<R, P = R> extends Column<R, R, P> {}

export interface Columns {
  readonly [column: string]: Column<unknown>;
}

export interface Table<C extends Columns = Columns> extends TableSchema {
  readonly columns: C;
}

export interface Tables {
  readonly [table: string]: Table;
}

export interface Database<T extends Tables = Tables> extends DatabaseSchema {
  readonly tables: T;
}

const scalar = (key: BaseType): ColumnSchema => ({ type: { key, min: 1, max: 1 }, ephemeral: false, mutable: true });

/** 64-bit in the database; read as a number, so exact within ±(2^53 - 1). */
export const integer = <const E extends number = number>(
  limits: { readonly min?: number; readonly max?: number; readonly enum?: readonly E[] } = {},
): Scalar<E> =>
  scalar({
    kind: "integer",
    ...(limits.min === undefined ? {} : { minInteger: limits.min }),
    ...(limits.max === undefined ? {} : { maxInteger: limits.max }),
    ...(limits.enum === undefined ? {} : { enum: limits.enum }),
  });

/** An integer that runs through all 64 bits and is only carried and compared. */
export const counter = (): Scalar<Counter> => ({ ...scalar({ kind: "integer" }), isExact: true });

export const real = (limits: { readonly min?: number; readonly max?: number } = {}): Scalar<number> =>
  scalar({
    kind: "real",
    ...(limits.min === undefined ? {} : { minReal: limits.min }),
    ...(limits.max === undefined ? {} : { maxReal: limits.max }),
  });

export const boolean = (): Scalar<boolean> => scalar({ kind: "boolean" });

/** Lengths count characters. With `enum`, the type is the union of its members. */
export const string = <const E extends string = string>(
  limits: { readonly enum?: readonly E[]; readonly minLength?: number; readonly maxLength?: number } = {},
): Scalar<E> =>
  scalar({
    kind: "string",
    ...(limits.enum === undefined ? {} : { enum: limits.enum }),
    ...(limits.minLength === undefined ? {} : { minLength: limits.minLength }),
    ...(limits.maxLength === undefined ? {} : { maxLength: limits.maxLength }),
  });

/** A UUID that refers to nothing the database knows of. */
export const uuid = (): Scalar<Uuid> => scalar({ kind: "uuid" });

/** A reference that keeps its target alive: the target cannot be deleted while it stands. */
export const strong = <N extends string>(refTable: N): Scalar<Uuid<N>, Uuid<N> | Wished<N>> =>
  scalar({ kind: "uuid", refTable, refType: "strong" });

/** A reference that goes when its target goes. */
export const weak = <N extends string>(refTable: N): Scalar<Uuid<N>, Uuid<N> | Wished<N>> =>
  scalar({ kind: "uuid", refTable, refType: "weak" });

const withType = (type: ColumnType): ColumnSchema => ({ type, ephemeral: false, mutable: true });

export const optional = <R, P>(element: Scalar<R, P>): Column<R | undefined, R | undefined, P | undefined> =>
  withType({ key: element.type.key, min: 0, max: 1 });

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export const set = <R, P>(element: Scalar<R, P>, { min = 0, max = Infinity }: Bounds = {}): Column<ReadonlySet<R>, Iterable<R>, Iterable<P>> =>
  withType({ key: element.type.key, min, max });

/** A map is written as a Map or, where its keys are strings, as an object. */
export type MapLike<K, V> = ReadonlyMap<K, V> | (K extends string ? { readonly [key in K]?: V } : never);

export const map = <K, V, PK, PV>(
  key: Scalar<K, PK>,
  value: Scalar<V, PV>,
  { min = 0, max = Infinity }: Bounds = {},
): Column<ReadonlyMap<K, V>, MapLike<K, V>, MapLike<PK, PV> | Entries<PK, PV>> =>
  withType({ key: key.type.key, value: value.type.key, min, max });

/** Not written to the log: lost when the server restarts. */
export const ephemeral = <R, W, P>(column: Column<R, W, P>): Column<R, W, P> => ({ ...column, ephemeral: true });

/** Set when the row is inserted, and never after. */
export const immutable = <R, W, P>(column: Column<R, W, P>): Column<R, W, P> => ({ ...column, mutable: false });

export function table<const C extends Columns>(definition: {
  readonly isRoot?: boolean;
  readonly maxRows?: number;
  readonly indexes?: readonly (readonly (keyof C & string)[])[];
  readonly columns: C;
}): Table<C> {
  const { isRoot = false, maxRows = Infinity, indexes = [], columns } = definition;
  return { isRoot, maxRows, indexes, columns };
}

/** `cksum` is that of the published file, whose bytes ours are not: see ovsdb-tool(1), schema-cksum. */
export function database<const T extends Tables>(name: string, version: string, tables: T, cksum?: string): Database<T> {
  for (const [tableName, { columns }] of Object.entries(tables)) {
    for (const [columnName, { type }] of Object.entries(columns)) {
      for (const { refTable } of [type.key, type.value ?? type.key]) {
        assert(refTable === undefined || refTable in tables, `${name}: ${tableName}.${columnName} refers to no table: ${refTable}`);
      }
    }
  }
  return { name, version, tables, ...(cksum === undefined ? {} : { cksum }) };
}
