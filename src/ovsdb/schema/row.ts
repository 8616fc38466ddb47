/** The types of rows, as they follow from a typed schema. What stands behind them is in replica-row.ts. */
import type { Column, Database, Uuid } from "./typed-schema.ts";

export type TableName<D extends Database> = keyof D["tables"] & string;
export type ColumnName<D extends Database, N extends TableName<D>> = keyof D["tables"][N]["columns"] & string;

type ReadOf<C> = C extends Column<infer R, infer _W, infer _P> ? R : never;
type WriteOf<C> = C extends Column<infer _R, infer W, infer _P> ? W : never;
type WishOf<C> = C extends Column<infer _R, infer _W, infer P> ? P : never;

/** Enough to say which row is meant: rows have it, and so has `{ _table, _uuid }` of a row inserted in the same transaction. */
export interface RowRef<N extends string = string> {
  readonly _table: N;
  readonly _uuid: Uuid<N>;
}

/**
 * A row of a replica: one object for as long as the row exists, also across reconnections. Its columns are getters; reading
 * one under observation is a tracked read of that column of that row. `String(row)` names it: `Logical_Switch_Port p1`.
 */
export type RowOf<D extends Database, N extends TableName<D>> = RowRef<N> & {
  readonly [C in ColumnName<D, N>]: ReadOf<D["tables"][N]["columns"][C]>;
};

/** What an insert or update may say: a set as an iterable, maps as Map or object. An absent optional value is undefined. */
export type ColumnsOf<D extends Database, N extends TableName<D>> = {
  readonly [C in ColumnName<D, N>]?: WriteOf<D["tables"][N]["columns"][C]>;
};

/** What a wish may say: as ColumnsOf, and references to rows that are themselves only wished for. */
export type WishColumnsOf<D extends Database, N extends TableName<D>> = {
  readonly [C in ColumnName<D, N>]?: WishOf<D["tables"][N]["columns"][C]>;
};
