/** <row> of RFC 7047, section 5.1: what an operation says of a row; columns that it does not name have their defaults. */
import { checkAtom } from "../value/constraints.ts";
import type { Datum } from "../value/datum.ts";
import { datumFromJson, type NamedUuids } from "../value/datum-json.ts";
import { isJsonObject, type Json } from "../json/json.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { BaseType } from "../schema/schema.ts";
import type { Fields, StoredColumn, StoredTable } from "./stored-table.ts";

export interface ParsedRow {
  readonly fields: Fields;
  /** Those that the row names. */
  readonly columns: readonly StoredColumn[];
}

export function rowFromJson(table: StoredTable, json: Json, named?: NamedUuids): ParsedRow | OvsdbError {
  if (!isJsonObject(json)) return syntaxError(json, "row must be JSON object");
  const fields = [...table.defaults];
  const columns: StoredColumn[] = [];
  for (const name of Object.keys(json)) {
    const column = table.column(name);
    if (column === undefined) return syntaxError(json, `No column ${name} in table ${table.name}.`, "unknown column");
    const datum = datumFromJson(json[name] ?? null, column.type, named);
    if (datum instanceof OvsdbError) return datum;
    if (column.index >= 0) fields[column.index] = datum;
    columns.push(column);
  }
  return { fields, columns };
}

/** A default need not satisfy the column's constraints; a row that keeps it must. */
export function checkDefaults(table: StoredTable, fields: Fields): OvsdbError | undefined {
  for (const column of table.columns) {
    const { type } = column;
    const datum = column.in(fields);
    if (datum !== column.defaultValue || datum.keys.length !== 1) continue;
    const bad = checkDatum(datum, type.key, type.value);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function checkDatum(datum: Datum, key: BaseType, value: BaseType | undefined): OvsdbError | undefined {
  for (const atom of datum.keys) {
    const bad = checkAtom(atom, key);
    if (bad !== undefined) return bad;
  }
  for (const atom of value === undefined ? [] : datum.values ?? []) {
    const bad = value === undefined ? undefined : checkAtom(atom, value);
    if (bad !== undefined) return bad;
  }
  return undefined;
}
