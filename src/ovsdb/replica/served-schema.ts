/**
 * What a client needs of its server's schema (RFC 7047, section 4.1.2): which tables and columns there are, and how much a
 * column holds. It is read from the JSON when asked: to read all of it strictly would be a good part of a client's start.
 * Nothing is concluded from name, version and checksum: a schema may be edited and keep all three.
 */
import { isJsonObject, type Json, member } from "../json/json.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import { typeFromJson } from "../schema/schema-json.ts";
import type { DatabaseSchema } from "../schema/schema.ts";

export interface ServedSchema {
  /** Without a column: whether the table is there. */
  hasColumn(table: string, column?: string): boolean;
  /** 0: there is no such column. */
  maxMembers(table: string, column: string): number;
}

/** Undefined if the JSON has not even the shape of a schema. */
export function servedSchemaFromJson(json: Json): ServedSchema | undefined {
  const tables = isJsonObject(json) ? member(json, "tables") : undefined;
  if (!isJsonObject(tables)) return undefined;
  if (!Object.values(tables).every((table) => isJsonObject(table) && isJsonObject(table["columns"]))) return undefined;
  const columnsOf = (name: string): Json | undefined => {
    const table = member(tables, name);
    return isJsonObject(table) ? table["columns"] : undefined;
  };
  return {
    hasColumn: (table, column) => {
      const columns = columnsOf(table);
      return isJsonObject(columns) && (column === undefined || Object.hasOwn(columns, column));
    },
    maxMembers: (table, name) => {
      const columns = columnsOf(table);
      const column = isJsonObject(columns) ? member(columns, name) : undefined;
      const type = isJsonObject(column) ? typeFromJson(column["type"] ?? null) : undefined;
      return type === undefined || type instanceof OvsdbError ? 0 : type.max;
    },
  };
}

/** Before the first connection nothing is known to be missing. */
export const presumedSchema = ({ tables }: DatabaseSchema): ServedSchema => ({
  hasColumn: (table, column) => {
    const known = tables[table];
    return known !== undefined && (column === undefined || Object.hasOwn(known.columns, column));
  },
  maxMembers: (table, column) => {
    const columns = tables[table]?.columns;
    return columns !== undefined && Object.hasOwn(columns, column) ? (columns[column]?.type.max ?? 0) : 0;
  },
});
