/**
 * What the clients see that asked for the same tables, columns and conditions: the changes since they were last told are
 * collected once and printed once for all of them.
 *
 * A change counts by what the client sees of it: a row that begins to satisfy the condition is inserted, one that no longer
 * does is deleted (ovsdb-server(7), "Monitor Cond").
 */
import { datumText } from "../value/datum-json.ts";
import { diffDatums, equalDatums, isDefaultDatum } from "../value/datum-sets.ts";
import type { ChangeKind, MonitoredTable } from "./monitor-request.ts";
import type { Fields, StoredRow, StoredTable } from "../store/stored-table.ts";

/** update, update2 or update3, and with them monitor, monitor_cond and monitor_cond_since. */
export type MonitorVersion = 1 | 2 | 3;

/** One row, from what the client last knew of it to now. */
export interface SeenChange {
  readonly row: StoredRow;
  readonly old: Fields | undefined;
  readonly now: Fields | undefined;
  /** `_version` before, where somebody had asked for it. */
  readonly oldVersion: string | undefined;
}

/** Changes that belong together, by row. Merged, they lead from the first old state to the last new one. */
export class ChangeSet {
  readonly #tables = new Map<StoredTable, Map<string, SeenChange>>();

  add(change: SeenChange): void {
    const { table, uuid } = change.row;
    let rows = this.#tables.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#tables.set(table, rows);
    }
    const before = rows.get(uuid);
    if (before === undefined) rows.set(uuid, change);
    else if (before.old === undefined && change.now === undefined) rows.delete(uuid);
    else rows.set(uuid, { ...change, old: before.old, oldVersion: before.oldVersion });
  }

  addAll(other: ChangeSet): void {
    for (const [, rows] of other.tables) for (const change of rows.values()) this.add(change);
  }

  get tables(): Iterable<[StoredTable, ReadonlyMap<string, SeenChange>]> {
    return this.#tables;
  }

  of(table: StoredTable): ReadonlyMap<string, SeenChange> {
    return this.#tables.get(table) ?? new Map();
  }

  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }
}

/** What of a change the client sees; undefined if nothing. */
function kindOf({ filter }: MonitoredTable, { row, old, now }: SeenChange): ChangeKind | undefined {
  const before = old !== undefined && filter.matches(row, old);
  const after = now !== undefined && filter.matches(row, now);
  if (before) return after ? "modify" : "delete";
  return after ? "insert" : undefined;
}

/** <table-updates> or <table-updates2>; undefined if there is nothing to tell. */
export function updateText(version: MonitorVersion, tables: readonly MonitoredTable[], changes: ChangeSet): string | undefined {
  const parts: string[] = [];
  for (const monitored of tables) {
    const rows: string[] = [];
    for (const change of changes.of(monitored.table).values()) {
      const kind = kindOf(monitored, change);
      const text = kind === undefined ? undefined : rowText(version, monitored, kind, change);
      if (text !== undefined) rows.push(`"${change.row.uuid}":${text}`);
    }
    if (rows.length > 0) parts.push(`"${monitored.table.name}":{${rows.join(",")}}`);
  }
  return parts.length === 0 ? undefined : `{${parts.join(",")}}`;
}

const pieceSize = 1024 * 1024;

/** All rows, as the reply to a new monitor tells them: in pieces, as a large database makes a text longer than a string can be. */
export function initialText(version: MonitorVersion, tables: readonly MonitoredTable[]): string[] {
  const pieces: string[] = [];
  let text = "{";
  let firstTable = true;
  for (const monitored of tables) {
    if (!monitored.select.initial) continue;
    let firstRow = true;
    for (const row of monitored.table.rows.values()) {
      if (!monitored.filter.matches(row)) continue;
      const rowJson = rowText(version, monitored, "initial", { row, old: undefined, now: row.fields, oldVersion: undefined });
      if (rowJson === undefined) continue;
      if (firstRow) text += `${firstTable ? "" : ","}"${monitored.table.name}":{`;
      text += `${firstRow ? "" : ","}"${row.uuid}":${rowJson}`;
      firstRow = false;
      if (text.length > pieceSize) {
        pieces.push(text);
        text = "";
      }
    }
    if (firstRow) continue;
    text += "}";
    firstTable = false;
  }
  pieces.push(`${text}}`);
  return pieces;
}

/** Rows that a change of condition brings into view or takes out of it. */
export function conditionChangeText(before: readonly MonitoredTable[], after: readonly MonitoredTable[]): string | undefined {
  const parts: string[] = [];
  for (const [i, now] of after.entries()) {
    const old = before[i];
    if (old === undefined || old.filter === now.filter) continue;
    const rows: string[] = [];
    for (const row of affectedRows(old, now)) {
      const was = old.filter.matches(row);
      if (was === now.filter.matches(row)) continue;
      const change = { row, old: row.fields, now: row.fields, oldVersion: undefined };
      const text = rowText(2, now, was ? "delete" : "insert", change);
      if (text !== undefined) rows.push(`"${row.uuid}":${text}`);
    }
    if (rows.length > 0) parts.push(`"${now.table.name}":{${rows.join(",")}}`);
  }
  return parts.length === 0 ? undefined : `{${parts.join(",")}}`;
}

/** Rows of which the two may differ: all, unless both name nothing but rows. */
function* affectedRows(old: MonitoredTable, now: MonitoredTable): Iterable<StoredRow> {
  const { rows } = now.table;
  const [before, after] = [old.filter.uuids, now.filter.uuids];
  if (before === undefined || after === undefined) {
    yield* rows.values();
    return;
  }
  for (const uuid of new Set([...before, ...after])) {
    const row = rows.get(String(uuid));
    if (row !== undefined) yield row;
  }
}

function rowText(version: MonitorVersion, monitored: MonitoredTable, kind: ChangeKind, change: SeenChange): string | undefined {
  if (!monitored.select[kind]) return undefined;
  if (kind === "modify" && !monitored.columns.some(({ column }) => differs(column.index, change))) return undefined;
  return version === 1 ? rowUpdate(monitored, kind, change) : rowUpdate2(monitored, kind, change);
}

function differs(index: number, { old, now }: SeenChange): boolean {
  // `_version` changes with every modification.
  if (index < 0) return true;
  const [before, after] = [old?.[index], now?.[index]];
  return before !== after && (before === undefined || after === undefined || !equalDatums(before, after));
}

/** <row-update> of RFC 7047, section 4.1.6. */
function rowUpdate(monitored: MonitoredTable, kind: ChangeKind, change: SeenChange): string {
  const oldParts: string[] = [];
  const newParts: string[] = [];
  for (const { column, select } of monitored.columns) {
    if (!select[kind]) continue;
    const text = (fields: Fields): string => `"${column.name}":${datumText(column.index < 0 ? column.of(change.row) : column.in(fields), column.type)}`;
    if (change.old !== undefined && (kind === "delete" || (kind === "modify" && differs(column.index, change)))) {
      // A version that nobody has seen is as good as any other.
      const oldVersion = (): string => change.oldVersion ?? (kind === "delete" ? change.row.version : change.row.table.makeUuid());
      oldParts.push(column.index < 0 ? `"${column.name}":["uuid","${oldVersion()}"]` : text(change.old));
    }
    if (change.now !== undefined && kind !== "delete") newParts.push(text(change.now));
  }
  const parts: string[] = [];
  if (kind === "delete" || kind === "modify") parts.push(`"old":{${oldParts.join(",")}}`);
  if (kind !== "delete") parts.push(`"new":{${newParts.join(",")}}`);
  return `{${parts.join(",")}}`;
}

/** <row-update2>: defaults are left out, and what changed comes as a difference. */
function rowUpdate2(monitored: MonitoredTable, kind: ChangeKind, change: SeenChange): string {
  const { row, old, now } = change;
  if (kind === "delete" || now === undefined) return '{"delete":null}';
  let text = "";
  for (const { column, select } of monitored.columns) {
    if (!select[kind]) continue;
    let datum = column.index < 0 ? column.of(row) : column.in(now);
    if (kind === "modify") {
      if (!differs(column.index, change)) continue;
      if (column.index >= 0 && old !== undefined) datum = diffDatums(column.in(old), datum, column.type);
    } else if (isDefaultDatum(datum, column.type)) continue;
    text += `${text === "" ? "" : ","}"${column.name}":${datumText(datum, column.type)}`;
  }
  return `{"${kind}":{${text}}}`;
}
