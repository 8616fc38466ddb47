/** Rows as `select` and `wait` look at them: in some of their columns, as text. */
import { datumText } from "../value/datum-json.ts";
import { compareDatums } from "../value/datum-sets.ts";
import type { Json } from "../json/json.ts";
import { type OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { StoredColumn, StoredRow, StoredTable } from "./stored-table.ts";

/** All columns when none are named. */
export function columnSet(table: StoredTable, json: readonly Json[] | undefined): readonly StoredColumn[] | OvsdbError {
  if (json === undefined) return table.allColumns;
  const columns: StoredColumn[] = [];
  for (const name of json) {
    const column = typeof name === "string" ? table.column(name) : undefined;
    if (typeof name === "string" && column === undefined) return syntaxError(json, `${name} is not a valid column name`);
    if (column === undefined || columns.includes(column)) return syntaxError(json, "array of distinct column names expected");
    columns.push(column);
  }
  return columns;
}

/** Tells rows apart by these columns. */
export const rowText = (row: StoredRow, columns: readonly StoredColumn[]): string =>
  columns.map((column) => datumText(column.of(row), column.type)).join(",");

const rowObjectText = (row: StoredRow, columns: readonly StoredColumn[]): string =>
  `{${columns.map((column) => `"${column.name}":${datumText(column.of(row), column.type)}`).join(",")}}`;

/** Rows that look alike in the chosen columns count once. */
export function distinctRows(rows: readonly StoredRow[], columns: readonly StoredColumn[]): Map<string, StoredRow> {
  const texts = new Map<string, StoredRow>();
  for (const row of rows) {
    const text = rowObjectText(row, columns);
    if (!texts.has(text)) texts.set(text, row);
  }
  return texts;
}

export function compareRows(a: StoredRow, b: StoredRow, columns: readonly StoredColumn[]): number {
  for (const column of columns) {
    const order = compareDatums(column.of(a), column.of(b));
    if (order !== 0) return order;
  }
  return 0;
}
