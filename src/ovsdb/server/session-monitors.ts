/** The monitors of one client, by the identifiers that it gave them. */
import { isUuid } from "../value/datum-text.ts";
import { type Json, printJson } from "../json/json.ts";
import { conditionChangesFromJson, monitorRequestsFromJson } from "./monitor-request.ts";
import type { MonitorVersion } from "./monitor-view.ts";
import type { Monitor, MonitorListener } from "./monitors.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { ServedDatabase } from "./served-database.ts";

interface SessionMonitor {
  readonly database: ServedDatabase;
  readonly monitor: Monitor;
}

export class SessionMonitors {
  readonly #listener: MonitorListener;
  readonly #monitors = new Map<string, SessionMonitor>();

  constructor(listener: MonitorListener) {
    this.#listener = listener;
  }

  /** The reply to monitor, monitor_cond and monitor_cond_since, as text in pieces. */
  add(database: ServedDatabase, version: MonitorVersion, params: readonly Json[]): readonly string[] | OvsdbError {
    const [, id = null, requests = null, lastId] = params;
    if ((version === 2 && params.length !== 3) || (version === 3 && params.length !== 4)) return syntaxError(params, "invalid parameters");
    const key = printJson(id);
    if (this.#monitors.has(key)) return syntaxError(id, "duplicate monitor ID");
    const tables = monitorRequestsFromJson(database.store, requests, version > 1);
    if (tables instanceof OvsdbError) return tables;
    if (version === 3 && typeof lastId !== "string") return syntaxError(lastId, "last-txn-id must be string");
    const since = version === 3 && typeof lastId === "string" ? lastId : undefined;
    if (since !== undefined && !isUuid(since)) return syntaxError(since, "last-txn-id must be UUID format.");
    const { monitor, result } = database.monitors.add(this.#listener, id, version, tables, since);
    this.#monitors.set(key, { database, monitor });
    return result;
  }

  changeConditions(params: readonly Json[]): OvsdbError | undefined {
    const [oldId = null, newId = null, changes = null] = params;
    if (params.length !== 3) return syntaxError(params, "invalid parameters");
    const known = this.#monitors.get(printJson(oldId));
    if (known === undefined) return syntaxError(oldId, "unknown monitor session");
    const newKey = printJson(newId);
    if (newKey !== printJson(oldId) && this.#monitors.has(newKey)) return syntaxError(newId, "duplicate monitor ID");
    const { database, monitor } = known;
    const tables = conditionChangesFromJson(database.store, monitor.view.tables, changes);
    if (tables instanceof OvsdbError) return tables;
    this.#monitors.delete(printJson(oldId));
    this.#monitors.set(newKey, known);
    if (monitor.version === 1) monitor.id = newId;
    else database.monitors.changeConditions(monitor, newId, tables);
    return undefined;
  }

  cancel(params: readonly Json[]): string | undefined {
    if (params.length !== 1) return "invalid parameters";
    const key = printJson(params[0] ?? null);
    const known = this.#monitors.get(key);
    if (known === undefined) return "unknown monitor";
    known.database.monitors.remove(known.monitor);
    this.#monitors.delete(key);
    return undefined;
  }

  /** Ends those of a database; returns what the client calls them. */
  dropOf(database: ServedDatabase): readonly Json[] {
    const dropped: Json[] = [];
    for (const [key, { database: of, monitor }] of this.#monitors) {
      if (of !== database) continue;
      database.monitors.remove(monitor);
      this.#monitors.delete(key);
      dropped.push(monitor.id);
    }
    return dropped;
  }

  /** The client has read everything: it is told what was held back. */
  catchUp(): void {
    for (const { database, monitor } of this.#monitors.values()) if (monitor.late !== undefined) database.monitors.resume(monitor);
  }

  end(): void {
    for (const { database, monitor } of this.#monitors.values()) database.monitors.remove(monitor);
    this.#monitors.clear();
  }
}
