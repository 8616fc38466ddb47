/** Transactions as records of the database file: what changed, row by row; updates of sets and maps as differences. */
import type { Datum } from "../value/datum.ts";
import { datumFromJson, datumText } from "../value/datum-json.ts";
import { applyDiff, diffDatums, isComposite, isDefaultDatum } from "../value/datum-sets.ts";
import { isUuid } from "../value/datum-text.ts";
import { isInteger } from "../json/json-members.ts";
import { isJsonObject, type Json, type JsonObject } from "../json/json.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { Store } from "../store/store.ts";
import { StoreTransaction } from "../store/store-transaction.ts";
import type { RowChange, StoredTable } from "../store/stored-table.ts";

/** The record of a checked transaction; undefined if nothing that is kept on disk changed. */
export function transactionRecord(changes: Iterable<RowChange>, comments: readonly string[], wallMs: number): string | undefined {
  const tables = new Map<string, string[]>();
  for (const change of changes) {
    const text = rowText(change);
    if (text === undefined) continue;
    const entry = `"${change.row.uuid}":${text}`;
    const rows = tables.get(change.row.table.name);
    if (rows === undefined) tables.set(change.row.table.name, [entry]);
    else rows.push(entry);
  }
  return tables.size === 0 ? undefined : record(tables, comments, wallMs);
}

function record(tables: Map<string, string[]>, comments: readonly string[], wallMs: number): string {
  const parts = [...tables].map(([table, rows]) => `"${table}":{${rows.join(",")}}`);
  if (comments.length > 0) parts.push(`"_comment":${JSON.stringify(comments.join("\n"))}`);
  parts.push('"_is_diff":true', `"_date":${Math.floor(wallMs)}`);
  return `{${parts.join(",")}}`;
}

function rowText({ row, old, now, changed }: RowChange): string | undefined {
  if (now === undefined) return "null";
  const parts: string[] = [];
  for (const column of row.table.columns) {
    if (column.ephemeral) continue;
    const datum = column.in(now);
    if (old === undefined) {
      if (!isDefaultDatum(datum, column.type)) parts.push(`"${column.name}":${datumText(datum, column.type)}`);
    } else if (changed.includes(column.index)) {
      parts.push(`"${column.name}":${datumText(diffDatums(column.in(old), datum, column.type), column.type)}`);
    }
  }
  return old !== undefined && parts.length === 0 ? undefined : `{${parts.join(",")}}`;
}

/** The record that makes an empty store what this one is. */
export function snapshotRecord(store: Store, comment: string | undefined, wallMs: number): string {
  const tables = new Map<string, string[]>();
  for (const table of store.tables.values()) {
    const rows = [...table.rows.values()].map((row) => {
      const kept = table.columns.filter((column) => !column.ephemeral && !isDefaultDatum(column.of(row), column.type));
      return `"${row.uuid}":{${kept.map((column) => `"${column.name}":${datumText(column.of(row), column.type)}`).join(",")}}`;
    });
    if (rows.length > 0) tables.set(table.name, rows);
  }
  return record(tables, comment === undefined ? [] : [comment], wallMs);
}

/** Replays a record. `converting` passes over tables and columns that the schema does not have. */
export function applyRecord(store: Store, json: JsonObject, converting = false): OvsdbError | undefined {
  const transaction = new StoreTransaction(store);
  const bad = readTables(transaction, json, converting) ?? transaction.check();
  if (bad !== undefined) transaction.undo();
  else transaction.commit();
  return bad;
}

function readTables(transaction: StoreTransaction, json: JsonObject, converting: boolean): OvsdbError | undefined {
  const isDiff = json["_is_diff"] === true;
  for (const [name, rows] of Object.entries(json)) {
    const table = transaction.store.tables.get(name);
    if (table === undefined) {
      const known = name === "_comment" || (name === "_date" && isInteger(rows)) || (name === "_is_diff" && typeof rows === "boolean");
      if (known || converting) continue;
      return syntaxError(json, `No table named ${name}.`, "unknown table");
    }
    if (!isJsonObject(rows)) return syntaxError(rows, "object expected");
    for (const [uuid, row] of Object.entries(rows)) {
      if (!isUuid(uuid)) return syntaxError(rows, `"${uuid}" is not a valid UUID`);
      const bad = readRow(transaction, table, uuid.toLowerCase(), row ?? null, isDiff, converting);
      if (bad !== undefined) return bad;
    }
  }
  return undefined;
}

function readRow(
  transaction: StoreTransaction, table: StoredTable, uuid: string, json: Json, isDiff: boolean, converting: boolean,
): OvsdbError | undefined {
  const row = table.rows.get(uuid);
  if (json === null) {
    if (row === undefined) return syntaxError(undefined, `transaction deletes row ${uuid} that does not exist`);
    transaction.delete(row);
    return undefined;
  }
  if (!isJsonObject(json)) return syntaxError(json, "row must be JSON object");
  const fields: Datum[] = [...(row?.fields ?? table.defaults)];
  for (const name of Object.keys(json)) {
    const column = table.column(name);
    if (column === undefined || column.index < 0) {
      if (converting) continue;
      return syntaxError(json, `No column ${name} in table ${table.name}.`, "unknown column");
    }
    const asDiff = isDiff && row !== undefined && isComposite(column.type);
    // A difference may hold more elements than the type allows.
    const type = asDiff ? { ...column.type, min: 0, max: Number.POSITIVE_INFINITY } : column.type;
    const datum = datumFromJson(json[name] ?? null, type);
    if (datum instanceof OvsdbError) return datum;
    fields[column.index] = asDiff ? applyDiff(column.in(fields), datum, type) : datum;
  }
  if (row === undefined) transaction.insert(table, uuid, fields);
  else transaction.update(row, fields);
  return undefined;
}
