/** `ovsdb-tool show-log`: the records of a database file, for people. */
import type { Disk } from "../host/index.ts";
import {
  type DatabaseSchema, datumFromJson, isJsonObject, type Json, type JsonObject, LogReader, member, OvsdbError, printDatum, printJsonSorted, schemaFromJson,
} from "../ovsdb/index.ts";
import { fatal } from "./fatal.ts";

/** `verbosity` 1 adds the rows that changed, 2 their columns. */
export function showLog(disk: Disk, path: string, verbosity: number, out: (text: string) => void): void {
  const reader = new LogReader(disk.read(path), path);
  const names = new Map<string, string>();
  let schema: DatabaseSchema | undefined;
  for (let i = 0; ; i++) {
    const record = reader.next();
    if (record === undefined) return;
    if (record instanceof OvsdbError) return fatal(String(record));
    out(`record ${i}:`);
    if (schema === undefined) {
      const parsed = schemaFromJson(record);
      if (parsed instanceof OvsdbError) return fatal(String(parsed));
      schema = parsed;
      out(` "${schema.name}" schema, version="${schema.version}", cksum="${schema.cksum ?? ""}"\n\n`);
    } else out(`${describeRecord(record, schema, names, verbosity)}\n`);
  }
}

function describeRecord(record: JsonObject, schema: DatabaseSchema, names: Map<string, string>, verbosity: number): string {
  const date = member(record, "_date");
  const comment = member(record, "_comment");
  let text = "";
  if (typeof date === "number") {
    // Long ago, dates were written in seconds.
    const ms = date < 2 ** 31 - 1 ? date * 1000 : date;
    text += ` ${new Date(ms).toISOString().replace("T", " ").replace("Z", "")}`;
  }
  if (typeof comment === "string") text += ` "${comment}"`;
  if (verbosity > 0) {
    const tables = Object.entries(record).filter(([name, rows]) => !name.startsWith("_") && isJsonObject(rows));
    const isDiff = member(record, "_is_diff") === true;
    text += tables.length > 0 ? "\n" : "";
    for (const [table, rows] of tables) {
      for (const [uuid, columns] of Object.entries(isJsonObject(rows) ? rows : {})) {
        text += describeRow({ schema, table, uuid, columns: columns ?? null, isDiff, verbosity }, names);
      }
    }
  }
  return text;
}

interface Row {
  readonly schema: DatabaseSchema;
  readonly table: string;
  readonly uuid: string;
  readonly columns: Json;
  readonly isDiff: boolean;
  readonly verbosity: number;
}

function describeRow({ schema, table, uuid, columns, isDiff, verbosity }: Row, names: Map<string, string>): string {
  const short = uuid.slice(0, 8);
  const oldName = names.get(uuid);
  const nameJson = isJsonObject(columns) ? member(columns, "name") : undefined;
  const newName = nameJson === undefined ? undefined : printJsonSorted(nameJson);
  let text = `  table ${table}`;
  if (oldName !== undefined) text += ` row ${oldName} (${short})${isDiff ? " diff" : ""}:\n`;
  else text += newName === undefined ? ` insert row ${short}:\n` : ` insert row ${newName} (${short}):\n`;
  if (!isJsonObject(columns)) {
    names.delete(uuid);
    return columns === null ? `${text}    delete row\n` : text;
  }
  if (verbosity > 1) for (const [column, value] of Object.entries(columns)) text += `    ${column}=${describeValue(schema, table, column, value ?? null)}\n`;
  if (newName !== undefined) names.set(uuid, newName);
  else if (oldName === undefined) names.set(uuid, short);
  return text;
}

function describeValue(schema: DatabaseSchema, table: string, column: string, value: Json): string {
  const type = schema.tables[table]?.columns[column]?.type;
  const datum = type === undefined ? undefined : datumFromJson(value, type);
  return type === undefined || datum === undefined || datum instanceof OvsdbError ? printJsonSorted(value) : printDatum(datum, type);
}
