/** `ovsdb-client dump` and `backup`: the whole of a database, as tables for people or as a database file. */
import {
  compareDatums, type ColumnType, type Datum, type DatabaseSchema, isJsonArray, isJsonObject, type Json, type JsonObject, member, type OutputTable,
  OvsdbError, printJson, printJsonSorted, recordBytes, schemaToJson, unconstrainedDatumFromJson,
} from "../ovsdb/index.ts";
import type { ClientConnection } from "./client-connection.ts";
import { fatal } from "./fatal.ts";

const uuidType: ColumnType = { key: { kind: "uuid" }, min: 1, max: 1 };

/** The rows of each of these tables, in these columns. */
async function select(
  connection: ClientConnection, database: string, tables: readonly (readonly [table: string, columns: readonly string[]])[],
): Promise<readonly (readonly JsonObject[])[]> {
  const operations = tables.map(([table, columns]): Json => ({ op: "select", table, where: [], columns }));
  const results = await connection.call("transact", [database, ...operations]);
  if (!isJsonArray(results) || results.length !== tables.length) {
    return fatal(`reply is not array of ${tables.length} elements: ${printJsonSorted(results)}`);
  }
  return results.map((result, i) => {
    const rows = isJsonObject(result) ? member(result, "rows") : undefined;
    if (!isJsonArray(rows)) return fatal(`${tables[i]?.[0]} table reply is not an object with a "rows" member array: ${printJsonSorted(result)}`);
    return rows.filter(isJsonObject);
  });
}

export async function dumpTables(
  connection: ClientConnection, schema: DatabaseSchema, table: string | undefined, columns: readonly string[],
): Promise<readonly OutputTable[]> {
  if (table !== undefined && !Object.hasOwn(schema.tables, table)) return fatal(`No table "${table}" found.`);
  const names = table === undefined ? Object.keys(schema.tables).sort() : [table];
  for (const column of columns) {
    if (column !== "_uuid" && schema.tables[table ?? ""]?.columns[column] === undefined) fatal(`Table "${table}" has no column ${column}.`);
  }
  const chosen = names.map((name) => {
    const wanted = columns.length > 0 ? [...columns] : ["_uuid", ...Object.keys(schema.tables[name]?.columns ?? {})];
    return [name, wanted.sort()] as const;
  });
  const rows = await select(connection, schema.name, chosen);
  return chosen.map(([name, wanted], i) => {
    const types = wanted.map((column) => schema.tables[name]?.columns[column]?.type ?? uuidType);
    const data = (rows[i] ?? []).map((row) => types.map((type, x) => read(row, wanted[x] ?? "", type, name)));
    const order = rowOrder(types);
    data.sort((a, b) => compareRows(a, b, order));
    return {
      caption: `${name} table`,
      headings: wanted,
      rows: data.map((row) => row.map((datum, x) => ({ datum, type: types[x] ?? uuidType }))),
    };
  });
}

function read(row: JsonObject, column: string, type: ColumnType, table: string): Datum {
  const json = member(row, column);
  if (json === undefined) return fatal(`row in table ${table} response lacks ${column} column`);
  const datum = unconstrainedDatumFromJson(json, type);
  return datum instanceof OvsdbError ? fatal(String(datum)) : datum;
}

/** Which columns decide first: UUIDs only between rows that are otherwise the same, since they are chance and two dumps should compare. */
function rowOrder(types: readonly ColumnType[]): readonly number[] {
  const places = [...types.keys()];
  const isUuid = (x: number): boolean => types[x]?.key.kind === "uuid";
  return [...places.filter((x) => !isUuid(x)), ...places.filter(isUuid)];
}

function compareRows(a: readonly Datum[], b: readonly Datum[], order: readonly number[]): number {
  for (const x of order) {
    const [one, other] = [a[x], b[x]];
    const compared = one === undefined || other === undefined ? 0 : compareDatums(one, other);
    if (compared !== 0) return compared;
  }
  return 0;
}

/** The two records of a database file: the schema, and one transaction that makes all rows. */
export async function backup(connection: ClientConnection, schema: DatabaseSchema, wallMs: number): Promise<Uint8Array> {
  const chosen = Object.entries(schema.tables).map(([name, { columns }]) => {
    const kept = Object.entries(columns).filter(([, column]) => !column.ephemeral).map(([column]) => column);
    return [name, ["_uuid", ...kept]] as const;
  });
  const results = await select(connection, schema.name, chosen);
  const record: { [name: string]: Json } = {};
  for (const [i, [name]] of chosen.entries()) {
    const rows = (results[i] ?? []).map(({ _uuid, ...row }): [string, Json] => {
      const uuid = isJsonArray(_uuid) ? _uuid[1] : undefined;
      return [typeof uuid === "string" ? uuid : fatal(`${name} table reply row lacks _uuid member`), row];
    });
    if (rows.length > 0) record[name] = Object.fromEntries(rows);
  }
  Object.assign(record, { _comment: 'produced by "ovsdb-client backup"', _is_diff: true, _date: Math.floor(wallMs) });
  return Buffer.concat([recordBytes(printJson(schemaToJson(schema))), recordBytes(printJson(record))]);
}
