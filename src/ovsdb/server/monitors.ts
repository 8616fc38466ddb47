/**
 * The monitors of one database. Clients with equal requests share a view, whose updates are printed once. A client that does
 * not read as fast as the database changes gets its changes merged until it does, so that it costs no more memory than
 * the rows that changed.
 */
import { type Json, printJson } from "../json/json.ts";
import type { MonitoredTable } from "./monitor-request.ts";
import { ChangeSet, conditionChangeText, initialText, type MonitorVersion, type SeenChange, updateText } from "./monitor-view.ts";
import { TransactionHistory, zeroTransactionId } from "./transaction-history.ts";
import type { RowChange, StoredTable } from "../store/stored-table.ts";

/** Whoever is told. */
export interface MonitorListener {
  /** It has so much unread that more should wait. */
  readonly isCongested: boolean;
  notify(method: string, params: string): void;
}

class View {
  readonly version: MonitorVersion;
  readonly tables: readonly MonitoredTable[];
  readonly key: string;
  readonly monitors = new Set<Monitor>();
  changes = new ChangeSet();

  constructor(version: MonitorVersion, tables: readonly MonitoredTable[], key: string) {
    this.version = version;
    this.tables = tables;
    this.key = key;
  }
}

/** One monitor of one client. */
export class Monitor {
  readonly listener: MonitorListener;
  readonly version: MonitorVersion;
  id: Json;
  view: View;
  /** What it has not been told because it was congested. */
  late: ChangeSet | undefined;

  constructor(listener: MonitorListener, id: Json, view: View) {
    this.listener = listener;
    this.id = id;
    this.version = view.version;
    this.view = view;
  }
}

const methods = { 1: "update", 2: "update2", 3: "update3" } as const;

export class Monitors {
  readonly #views = new Map<string, View>();
  readonly #byTable = new Map<StoredTable, Set<View>>();
  #dirty = new Set<View>();
  readonly #history: TransactionHistory;

  constructor(makeUuid: () => string) {
    this.#history = new TransactionHistory(makeUuid);
  }

  /** Takes note of a committed transaction. */
  collect(changes: Iterable<RowChange>): void {
    const seen: SeenChange[] = [];
    for (const { row, old, now, changed, oldVersion } of changes) {
      if (old !== undefined && now !== undefined && changed.length === 0) continue;
      const change = { row, old, now, oldVersion };
      seen.push(change);
      for (const view of this.#byTable.get(row.table) ?? []) {
        view.changes.add(change);
        this.#dirty.add(view);
      }
    }
    this.#history.add(seen);
  }

  /** Tells everybody what has been collected. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const view of dirty) {
      const { changes } = view;
      view.changes = new ChangeSet();
      let text: string | undefined;
      let printed = false;
      for (const monitor of view.monitors) {
        const { isCongested } = monitor.listener;
        if (monitor.late !== undefined || isCongested) {
          monitor.late ??= new ChangeSet();
          monitor.late.addAll(changes);
          if (!isCongested) this.resume(monitor);
          continue;
        }
        if (!printed) text = updateText(view.version, view.tables, changes);
        printed = true;
        if (text !== undefined) this.#notify(monitor, text);
      }
    }
  }

  /** The client has caught up. */
  resume(monitor: Monitor): void {
    const { late, view } = monitor;
    monitor.late = undefined;
    const text = late === undefined ? undefined : updateText(view.version, view.tables, late);
    if (text !== undefined) this.#notify(monitor, text);
  }

  #notify(monitor: Monitor, text: string): void {
    const id = printJson(monitor.id);
    const params = monitor.version === 3 ? `[${id},"${this.#history.lastId}",${text}]` : `[${id},${text}]`;
    monitor.listener.notify(methods[monitor.version], params);
  }

  /** The new monitor and the result to reply, as text in pieces. */
  add(
    listener: MonitorListener, id: Json, version: MonitorVersion, tables: readonly MonitoredTable[], lastId = zeroTransactionId,
  ): { monitor: Monitor; result: readonly string[] } {
    // What was collected before is part of what the newcomer gets at once.
    this.flush();
    const view = this.#view(version, tables);
    const monitor = new Monitor(listener, id, view);
    view.monitors.add(monitor);
    if (version !== 3) return { monitor, result: initialText(version, tables) };
    const missed = this.#history.since(lastId);
    const text = missed === undefined ? initialText(version, tables) : [updateText(version, tables, missed) ?? "{}"];
    return { monitor, result: [`[${missed !== undefined},"${this.#history.lastId}",`, ...text, "]"] };
  }

  changeConditions(monitor: Monitor, id: Json, tables: readonly MonitoredTable[]): void {
    this.flush();
    this.resume(monitor);
    const before = monitor.view.tables;
    monitor.id = id;
    this.#leave(monitor);
    monitor.view = this.#view(monitor.version, tables);
    monitor.view.monitors.add(monitor);
    const text = conditionChangeText(before, tables);
    if (text !== undefined) this.#notify(monitor, text);
  }

  remove(monitor: Monitor): void {
    this.#leave(monitor);
  }

  #leave(monitor: Monitor): void {
    const { view } = monitor;
    view.monitors.delete(monitor);
    if (view.monitors.size > 0) return;
    this.#views.delete(view.key);
    this.#dirty.delete(view);
    for (const { table } of view.tables) this.#byTable.get(table)?.delete(view);
  }

  #view(version: MonitorVersion, tables: readonly MonitoredTable[]): View {
    const key = viewKey(version, tables);
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const view = new View(version, tables, key);
    this.#views.set(key, view);
    for (const { table } of tables) {
      const views = this.#byTable.get(table);
      if (views === undefined) this.#byTable.set(table, new Set([view]));
      else views.add(view);
    }
    return view;
  }
}

function viewKey(version: MonitorVersion, tables: readonly MonitoredTable[]): string {
  const parts = tables.map(({ table, columns, where }): Json => {
    const chosen = columns.map(({ column, select }): Json => [column.name, select.initial, select.insert, select.delete, select.modify]);
    return [table.name, chosen, where];
  });
  return printJson([version, parts]);
}
