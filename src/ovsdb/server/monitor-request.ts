/**
 * What a client asks to be told of: <monitor-requests> of RFC 7047, section 4.1.5, and of monitor_cond and
 * monitor_cond_since (ovsdb-server(7)), which add a condition to each table.
 */
import { conditionFromJson, RowFilter } from "../store/condition.ts";
import { isJsonArray, isJsonObject, type Json } from "../json/json.ts";
import { JsonMembers } from "../json/json-members.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { Store } from "../store/store.ts";
import { type StoredColumn, type StoredTable, uuidIndex } from "../store/stored-table.ts";

export interface Selection {
  readonly initial: boolean;
  readonly insert: boolean;
  readonly delete: boolean;
  readonly modify: boolean;
}

export type ChangeKind = keyof Selection;

export interface MonitoredColumn {
  readonly column: StoredColumn;
  readonly select: Selection;
}

export interface MonitoredTable {
  readonly table: StoredTable;
  readonly columns: readonly MonitoredColumn[];
  /** What at least one of the requests for the table wants. */
  readonly select: Selection;
  readonly filter: RowFilter;
  /** The condition as it came, which tells equal ones from different ones. */
  readonly where: readonly Json[];
}

const everything: Selection = { initial: true, insert: true, delete: true, modify: true };

export function monitorRequestsFromJson(store: Store, json: Json, conditional: boolean): readonly MonitoredTable[] | OvsdbError {
  if (!isJsonObject(json)) return syntaxError(json, "monitor-requests must be object");
  const tables: MonitoredTable[] = [];
  for (const [name, request] of Object.entries(json)) {
    const table = store.tables.get(name);
    if (table === undefined) return syntaxError(undefined, `no table named ${name}`);
    const monitored = tableFromJson(table, isJsonArray(request) ? request : [request ?? null], conditional);
    if (monitored instanceof OvsdbError) return monitored;
    tables.push(monitored);
  }
  return tables;
}

function tableFromJson(table: StoredTable, requests: readonly Json[], conditional: boolean): MonitoredTable | OvsdbError {
  const columns: MonitoredColumn[] = [];
  const where: Json[] = [];
  let unconditional = requests.length === 0;
  const select = { initial: false, insert: false, delete: false, modify: false };
  for (const request of requests) {
    const members = new JsonMembers(request, `table ${table.name}`);
    const clauses = conditional ? members.array("where", true) : undefined;
    const names = members.array("columns", true);
    const selectJson = members.object("select", true);
    const bad = members.finish();
    if (bad !== undefined) return bad;
    const chosen = selectJson === undefined ? everything : selectionFromJson(table, selectJson);
    if (chosen instanceof OvsdbError) return chosen;
    for (const kind of ["initial", "insert", "delete", "modify"] as const) select[kind] ||= chosen[kind];
    const wrong = addColumns(table, names, chosen, columns);
    if (wrong !== undefined) return wrong;
    if (clauses === undefined || clauses.length === 0) unconditional = true;
    else where.push(...clauses);
  }
  const condition = conditionFromJson(table, where);
  if (condition instanceof OvsdbError) return condition;
  return { table, columns, select, filter: new RowFilter(unconditional ? [] : condition), where: unconditional ? [] : where };
}

function selectionFromJson(table: StoredTable, json: Json): Selection | OvsdbError {
  const members = new JsonMembers(json, `table ${table.name} select`);
  const wants = (name: string): boolean => members.boolean(name, true) ?? true;
  const selection = { initial: wants("initial"), insert: wants("insert"), delete: wants("delete"), modify: wants("modify") };
  return members.finish() ?? selection;
}

function addColumns(
  table: StoredTable, names: readonly Json[] | undefined, select: Selection, columns: MonitoredColumn[],
): OvsdbError | undefined {
  const wanted: StoredColumn[] = [];
  if (names === undefined) wanted.push(...table.allColumns.filter((column) => column.index !== uuidIndex));
  for (const name of names ?? []) {
    if (typeof name !== "string") return syntaxError(names, "array of column names expected");
    const column = table.column(name);
    if (column === undefined) return syntaxError(names, `${name} is not a valid column name`);
    wanted.push(column);
  }
  for (const column of wanted) {
    if (columns.some((c) => c.column === column)) return syntaxError(names, `column ${column.name} mentioned more than once`);
    columns.push({ column, select });
  }
  return undefined;
}

/** The new conditions of monitor_cond_change, for the tables that it names. */
export function conditionChangesFromJson(
  store: Store, tables: readonly MonitoredTable[], json: Json,
): readonly MonitoredTable[] | OvsdbError {
  if (!isJsonObject(json)) return syntaxError(undefined, "monitor-cond-change-requests must be object");
  const changed = new Map<StoredTable, MonitoredTable>();
  for (const [name, requests] of Object.entries(json)) {
    const table = store.tables.get(name);
    if (table === undefined) return syntaxError(undefined, `no table named ${name}`);
    const monitored = tables.find((t) => t.table === table);
    if (monitored === undefined) return syntaxError(undefined, `no table named ${name} in monitor session`);
    if (!isJsonArray(requests)) return syntaxError(undefined, `table ${name} no monitor-cond-change JSON array`);
    for (const request of requests) {
      const members = new JsonMembers(request, `table ${name}`);
      const columns = members.any("columns", true);
      const where = members.array("where", true) ?? [];
      const bad = members.finish();
      if (bad !== undefined) return bad;
      if (columns !== undefined) return syntaxError(request, "changing columns is unsupported");
      const condition = conditionFromJson(table, where);
      if (condition instanceof OvsdbError) return condition;
      changed.set(table, { ...monitored, filter: new RowFilter(condition), where });
    }
  }
  return tables.map((t) => changed.get(t.table) ?? t);
}
