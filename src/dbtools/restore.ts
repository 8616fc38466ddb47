/** `ovsdb-client restore`: the transaction that makes a database what a backup says. */
import type { Log } from "../host/index.ts";
import {
  type ColumnType, type DatabaseSchema, type Datum, isDefaultDatum, isUuid, type Json, LogReader, OvsdbError, printJsonSorted, readStore, schemaToJson,
} from "../ovsdb/index.ts";
import { fatal } from "./fatal.ts";

export interface RestoreOptions {
  readonly log: Log;
  readonly force: boolean;
  makeUuid(): string;
}

export function restoreTransaction(content: string, online: DatabaseSchema, options: RestoreOptions): readonly Json[] {
  const store = readStore(new LogReader(Buffer.from(content, "utf8"), "/dev/stdin"), "/dev/stdin", options.log, options.makeUuid);
  if (store instanceof OvsdbError) return fatal(String(store));
  const { schema } = store;
  if (printJsonSorted(schemaToJson(schema)) !== printJsonSorted(schemaToJson(online))) {
    const difference =
      schema.version === online.version
        ? `backup schema and database schema are both version ${schema.version} but still differ`
        : `backup schema has version "${schema.version}" but database schema has version "${online.version}"`;
    if (!options.force) fatal(`${difference} (use --force to override differences, or "ovsdb-client convert" to change the schema)`);
    options.log.info(difference);
  }
  const operations: Json[] = [];
  for (const table of store.tables.values()) {
    operations.push({ op: "delete", table: table.name, where: [] });
    for (const stored of table.rows.values()) {
      const row: { [column: string]: Json } = {};
      for (const column of table.columns) {
        const datum = column.of(stored);
        if (!column.ephemeral && !isDefaultDatum(datum, column.type)) row[column.name] = withRowNames(datum, column.type);
      }
      operations.push({ op: "insert", table: table.name, "uuid-name": rowName(stored.uuid), row });
    }
  }
  return [schema.name, ...operations];
}

const rowName = (uuid: string): string => `row${uuid.replaceAll("-", "_")}`;

/** References name the rows of the same transaction, since these get UUIDs of their own. */
function withRowNames(datum: Datum, type: ColumnType): Json {
  const atom = (value: Datum["keys"][number], base: ColumnType["key"]): Json =>
    base.kind !== "uuid" ? value : base.refTable !== undefined && isUuid(String(value)) ? ["named-uuid", rowName(String(value))] : ["uuid", String(value)];
  const { value: valueBase } = type;
  if (valueBase !== undefined) return ["map", datum.keys.map((key, i): Json => [atom(key, type.key), atom(datum.values?.[i] ?? "", valueBase)])];
  const items = datum.keys.map((key) => atom(key, type.key));
  return items.length === 1 ? items[0] ?? null : ["set", items];
}
