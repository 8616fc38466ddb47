/** `ovsdb-client monitor`, `monitor-cond` and `monitor-cond-since`: what changes, as tables, until the connection ends. */
import {
  type Cell, type ColumnType, datumFromJson, type DatabaseSchema, isJsonArray, isJsonObject, isUuid, type Json, JsonSyntaxError, member,
  type OutputTable, OvsdbError, parseJson, type TableSchema,
} from "../ovsdb/index.ts";
import { type UnixctlCommand, UnixctlError } from "../daemon/index.ts";
import { type Call, fetchSchema } from "./client-call.ts";
import type { ClientConnection } from "./client-connection.ts";
import { Fatal, fatal } from "./fatal.ts";
import { parseTransaction } from "./ovsdb-tool.ts";

export type MonitorMethod = "monitor" | "monitor_cond" | "monitor_cond_since";

interface MonitorWish {
  readonly method: MonitorMethod;
  /** A table, or ALL. */
  readonly table: string;
  /** Each a list of columns and of `!initial`, `!insert`, `!delete`, `!modify`. */
  readonly columns: readonly string[];
  readonly condition: Json | undefined;
  readonly lastId: string;
}

interface Monitored {
  readonly table: string;
  readonly schema: TableSchema;
  readonly columns: readonly string[];
}

const versionType: ColumnType = { key: { kind: "uuid" }, min: 1, max: 1 };

/** Never resolves: rejects when the connection ends or the database goes. `started` is called when the first reply has been shown. */
async function monitor(
  { connection, changeAware }: Call, schema: DatabaseSchema, wish: MonitorWish, show: (tables: readonly OutputTable[], head: string) => void,
  started: () => void,
): Promise<never> {
  const names = wish.table === "ALL" ? Object.keys(schema.tables).sort() : [wish.table];
  if (wish.table === "ALL" && wish.condition !== undefined) fatal("ALL tables are not allowed with condition");
  const monitored: Monitored[] = [];
  const requests: { [table: string]: Json } = {};
  for (const name of names) {
    const tableSchema = Object.hasOwn(schema.tables, name) ? schema.tables[name] : undefined;
    if (tableSchema === undefined) return fatal(`${connection.name}: ${schema.name} does not have a table named "${name}"`);
    const { columns, json } = requestsFor(connection.name, schema.name, name, tableSchema, wish);
    monitored.push({ table: name, schema: tableSchema, columns });
    requests[name] = json;
  }
  const several = names.length > 1;
  const tables = (updates: Json, initial: boolean): OutputTable[] =>
    monitored.flatMap((m) => {
      const update = isJsonObject(updates) ? member(updates, m.table) : undefined;
      return update === undefined ? [] : [wish.method === "monitor" ? printUpdate(m, update, several, initial) : printUpdate2(m, update, several)];
    });
  if (changeAware !== false) await connection.call("set_db_change_aware", [true]);
  connection.onNotification(({ method, params }) => {
    const [id, second = null, third = null] = params;
    if (method === "monitor_canceled") connection.fail(new Fatal(`${connection.name}: ${schema.name} database was removed`));
    if (id !== null) return;
    if (method === "update3") show(tables(third, false), `last_id: ${String(second)}\n`);
    else if (method === "update" || method === "update2") show(tables(second, false), "");
  });
  const params: Json[] = [schema.name, null, requests, ...(wish.method === "monitor_cond_since" ? [wish.lastId] : [])];
  const reply = await connection.call(wish.method, params);
  if (wish.method !== "monitor_cond_since") show(tables(reply, true), "");
  else {
    const [found, lastId, updates = null] = isJsonArray(reply) ? reply : fatal("<result> is not array");
    show(tables(updates, true), `found: ${String(found)}, last_id: ${String(lastId)}\n`);
  }
  started();
  return connection.ended;
}

function requestsFor(server: string, database: string, name: string, schema: TableSchema, wish: MonitorWish): { columns: string[]; json: Json } {
  const all: string[] = [];
  const json = (wish.columns.length > 0 ? wish.columns : [""]).map((list, i): Json => {
    const tokens = list.split(",").filter((token) => token !== "");
    const kinds = ["initial", "insert", "delete", "modify"];
    const without = tokens.filter((token) => kinds.includes(token.slice(1)) && token.startsWith("!"));
    const named = tokens.filter((token) => !without.includes(token));
    for (const column of named) {
      if (!Object.hasOwn(schema.columns, column) && column !== "_uuid" && column !== "_version") {
        fatal(`${server}: table "${name}" in ${database} does not have a column named "${column}"`);
      }
    }
    const columns = named.length > 0 ? named : [...Object.keys(schema.columns).sort(), "_version"];
    for (const column of columns) {
      if (all.includes(column)) fatal(`${server}: column "${column}" mentioned multiple times`);
      all.push(column);
    }
    const select = Object.fromEntries(kinds.map((kind) => [kind, !without.includes(`!${kind}`)]));
    return {
      columns,
      ...(without.length > 0 ? { select } : {}),
      ...(wish.condition !== undefined && i === 0 ? { where: wish.condition } : {}),
    };
  });
  return { columns: all, json };
}

function rowCells({ schema, columns }: Monitored, uuid: string, action: string, row: Json): Cell[] {
  const cells: Cell[] = [{ text: uuid }, { text: action }];
  for (const column of columns) {
    const json = isJsonObject(row) ? member(row, column) : undefined;
    const type = schema.columns[column]?.type ?? versionType;
    const datum = json === undefined ? undefined : datumFromJson(json, type);
    if (json === undefined || datum === undefined) cells.push({ text: "" });
    else cells.push(datum instanceof OvsdbError ? { json } : { datum, type });
  }
  return cells;
}

function asTable(m: Monitored, rows: Cell[][], several: boolean): OutputTable {
  return { ...(several ? { caption: m.table } : {}), headings: ["row", "action", ...m.columns], rows };
}

function printUpdate(m: Monitored, update: Json, several: boolean, initial: boolean): OutputTable {
  const rows: Cell[][] = [];
  for (const [uuid, change] of Object.entries(isJsonObject(update) ? update : {})) {
    const old = isJsonObject(change) ? member(change, "old") : undefined;
    const now = isJsonObject(change) ? member(change, "new") : undefined;
    if (initial && now !== undefined) rows.push(rowCells(m, uuid, "initial", now));
    else if (old === undefined) rows.push(rowCells(m, uuid, "insert", now ?? null));
    else if (now === undefined) rows.push(rowCells(m, uuid, "delete", old));
    else rows.push(rowCells(m, uuid, "old", old), rowCells(m, "", "new", now));
  }
  return asTable(m, rows, several);
}

function printUpdate2(m: Monitored, update: Json, several: boolean): OutputTable {
  const rows: Cell[][] = [];
  for (const [uuid, change] of Object.entries(isJsonObject(update) ? update : {})) {
    for (const [action, row] of Object.entries(isJsonObject(change) ? change : {})) rows.push(rowCells(m, uuid, action, row ?? null));
  }
  return asTable(m, rows, several);
}

export async function runMonitor(call: Call, method: MonitorMethod): Promise<void> {
  const args = [...call.args];
  const lastId = method === "monitor_cond_since" && isUuid(args[0] ?? "") ? args.shift() : undefined;
  const condition = method === "monitor" ? undefined : parseTransaction(args.shift() ?? "");
  const [table, ...columns] = args;
  if (table === undefined) return fatal("missing table name");
  const stay = await call.stay({ commands: monitorCommands(call.connection) });
  const schema = await fetchSchema(call);
  const wish = { method, table, columns, condition, lastId: lastId ?? "00000000-0000-0000-0000-000000000000" };
  const show = (tables: readonly OutputTable[], head: string): void => {
    call.process.out(head);
    const timestamp = new Date(call.host.clock.wall()).toISOString().replace("T", " ").replace("Z", "");
    call.show(call.timestamps ? tables.map((t) => ({ ...t, timestamp })) : tables);
  };
  try {
    await Promise.race([monitor(call, schema, wish, show, () => stay.ready()), stay.asked]);
  } finally {
    stay.leave();
  }
}

/** What a monitor in the background can be asked: to leave the server's messages unread for a while, and other conditions. */
function monitorCommands(connection: ClientConnection): readonly UnixctlCommand[] {
  let isBlocked = false;
  const block = (wanted: boolean, already: string) => (): string => {
    if (isBlocked === wanted) return already;
    isBlocked = wanted;
    connection.pause(wanted);
    return "";
  };
  const changeCondition = ([table = "", text = ""]: readonly string[]): string => {
    const where = parseJson(text);
    if (where instanceof JsonSyntaxError) throw new UnixctlError(where.message);
    connection.call("monitor_cond_change", [null, null, { [table]: [{ where }] }]).catch(() => undefined);
    return "condition changed";
  };
  return [
    { name: "ovsdb-client/block", usage: "", minArgs: 0, maxArgs: 0, run: block(true, "already blocking") },
    { name: "ovsdb-client/unblock", usage: "", minArgs: 0, maxArgs: 0, run: block(false, "already unblocked") },
    { name: "ovsdb-client/cond_change", usage: "TABLE COND", minArgs: 2, maxArgs: 2, run: changeCondition },
  ];
}
