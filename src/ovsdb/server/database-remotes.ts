/**
 * Remotes that a database names (ovsdb-server(1), `--remote=db:DB,TABLE,COLUMN`): the column holds targets, or refers to
 * rows that describe one connection each, into which the server writes back how it fares.
 */
import type { Log } from "../../host/index.ts";
import type { Datum } from "../value/datum.ts";
import { equalDatums } from "../value/datum-sets.ts";
import type { ServedDatabase } from "./served-database.ts";
import type { RemoteOptions, RemoteStatus } from "./server-remote.ts";
import type { StoredColumn, StoredRow, StoredTable } from "../store/stored-table.ts";

export interface DatabaseColumn {
  readonly database: ServedDatabase;
  readonly table: StoredTable;
  readonly column: StoredColumn;
}

/** The column that `db:DB,TABLE,COLUMN` names, or what is wrong with it. */
export function parseDatabaseColumn(text: string, databases: ReadonlyMap<string, ServedDatabase>): DatabaseColumn | string {
  const [databaseName, tableName, columnName] = text.replace(/^db:/, "").split(",").filter((token) => token !== "");
  if (databaseName === undefined || tableName === undefined || columnName === undefined) return `"${text}": invalid syntax`;
  const database = databases.get(databaseName);
  if (database === undefined) return `"${text}": no database named ${databaseName}`;
  const table = database.store.tables.get(tableName);
  if (table === undefined) return `"${text}": no table named ${tableName}`;
  const column = table.column(columnName);
  return column === undefined ? `"${text}": table "${tableName}" has no column "${columnName}"` : { database, table, column };
}

export const defaultOptions: RemoteOptions = { readOnly: false, probeIntervalMs: undefined, maxBackoffMs: undefined, role: undefined };

/** The targets that the column names now, with their options. */
export function databaseRemotes({ table, column }: DatabaseColumn, log: Log): Map<string, RemoteOptions> {
  const remotes = new Map<string, RemoteOptions>();
  for (const row of table.rows.values()) {
    if (column.type.key.kind === "string" && column.type.value === undefined) {
      for (const target of column.of(row).keys) addRemote(remotes, String(target), defaultOptions, log);
    }
    for (const described of describedConnections(row, column)) {
      const target = first(described, "target");
      if (typeof target !== "string") log.info(`Table \`${described.table.name}' has missing or invalid \`target' column`);
      else addRemote(remotes, target, optionsOf(described), log);
    }
  }
  return remotes;
}

function addRemote(remotes: Map<string, RemoteOptions>, target: string, options: RemoteOptions, log: Log): void {
  if (target.startsWith("pfd:")) log.warn(`pfd: remotes can only be specified on the command line; ignoring "${target}" from database`);
  else if (!remotes.has(target)) remotes.set(target, options);
}

function describedConnections(row: StoredRow, column: StoredColumn): readonly StoredRow[] {
  const target = column.type.value === undefined ? column.keyTable : undefined;
  if (target === undefined) return [];
  return column.of(row).keys.flatMap((uuid) => target.rows.get(String(uuid)) ?? []);
}

const first = (row: StoredRow, column: string): Datum["keys"][number] | undefined => row.table.column(column)?.of(row).keys[0];

function optionsOf(row: StoredRow): RemoteOptions {
  const number = (column: string): number | undefined => {
    const value = first(row, column);
    return typeof value === "number" ? value : undefined;
  };
  const role = first(row, "role");
  return {
    readOnly: first(row, "read_only") === true,
    probeIntervalMs: number("inactivity_probe"),
    maxBackoffMs: number("max_backoff"),
    role: typeof role === "string" && role !== "" ? role : undefined,
  };
}

/** Writes what has changed into `is_connected` and `status` of the rows that describe connections. */
export function writeStatus(place: DatabaseColumn, statusOf: (target: string) => RemoteStatus | undefined, log: Log): void {
  const updates: { row: StoredRow; fields: Datum[] }[] = [];
  for (const row of place.table.rows.values()) {
    for (const described of describedConnections(row, place.column)) {
      const status = statusOf(String(first(described, "target")));
      const fields = status === undefined ? undefined : statusFields(described, status);
      if (fields !== undefined) updates.push({ row: described, fields });
    }
  }
  if (updates.length === 0) return;
  const bad = place.database.apply((transaction) => {
    for (const { row, fields } of updates) transaction.update(row, fields);
  });
  if (bad !== undefined) log.err(`Failed to update ${place.database.name}: ${bad}`);
}

function statusFields(row: StoredRow, { isConnected, status }: RemoteStatus): Datum[] | undefined {
  const fields = [...row.fields];
  let changed = false;
  const put = (name: string, datum: Datum): void => {
    const column = row.table.column(name);
    if (column === undefined || equalDatums(column.of(row), datum)) return;
    fields[column.index] = datum;
    changed = true;
  };
  put("is_connected", { keys: [isConnected] });
  const entries = [...status].sort(([a], [b]) => (a < b ? -1 : 1));
  put("status", { keys: entries.map(([key]) => key), values: entries.map(([, value]) => value) });
  return changed ? fields : undefined;
}
