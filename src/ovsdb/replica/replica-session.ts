/**
 * The conversation of one replica with its server, from the handshake to the stream of updates: RFC 7047, section 4.1, and
 * ovsdb-server(7) for monitor_cond, monitor_cond_since and the _Server database.
 *
 *     set_db_change_aware, monitor _Server, get_schema      asked at once
 *     monitor_cond_since | monitor_cond | monitor           whichever the server knows
 *     update3 | update2 | update, locked, stolen            until the connection ends; then all over again
 *
 * It keeps what must outlive a connection: the last transaction seen, and which conditions the server has taken over.
 */
import type { Host } from "../../host/index.ts";
import { ProtocolFault } from "../value/column-value.ts";
import { isJsonArray, isJsonObject, type Json, type JsonObject, member, printJson } from "../json/json.ts";
import { type RpcAnswer, RpcLink } from "./rpc-link.ts";
import type { ReconnectLimits } from "./reconnect.ts";
import { type ServedSchema, servedSchemaFromJson } from "./served-schema.ts";
import type { ActiveTarget } from "../../host/index.ts";

export type UpdateFormat = "update" | "update2";

/** What the session asks of the replica and tells it. Methods that take JSON may throw a ProtocolFault. */
export interface SessionEvents {
  /** The server's schema: which columns there are to monitor. */
  schemaArrived(schema: ServedSchema): void;
  /** `<monitor-cond-requests>`; `conditions` says whether `where` is understood. */
  monitorRequests(conditions: boolean): JsonObject;
  /** The `where` of each table whose condition has changed since it was last called or requested. */
  changedConditions(): JsonObject | undefined;
  contents(tables: Json, format: UpdateFormat): void;
  updates(tables: Json, format: UpdateFormat): void;
  statusChanged(): void;
}

const noTransaction = "00000000-0000-0000-0000-000000000000";
const serverMonitor: Json = ["isthmus", "_Server"];
/** More than this on its way to a server that does not read: new transactions are refused. In bytes. */
const maxBacklogSize = 64 * 1024 * 1024;

type MonitorMethod = "monitor_cond_since" | "monitor_cond" | "monitor";

export class ReplicaSession {
  readonly #host: Host;
  readonly #database: string;
  readonly #events: SessionEvents;
  readonly #link: RpcLink;
  readonly #leaderOnly: boolean;
  readonly #monitorId: Json;
  #lastTransaction = noTransaction;
  #isMonitoring = false;
  #hasStarted = false;
  #isSynced = false;
  #hasSchema = false;
  /** Undefined: the server has no _Server database, or has not answered yet. */
  #serverRow: JsonObject | undefined;
  #serverRowUuid = "";
  #isServerKnown = false;
  #isChangingConditions = false;
  #lockName: string | undefined;
  #hasLock = false;
  #isContended = false;

  constructor(
    host: Host, database: string, targets: readonly { readonly text: string; readonly target: ActiveTarget }[], events: SessionEvents,
    options: { readonly leaderOnly: boolean; readonly lock: string | undefined; readonly limits: Partial<ReconnectLimits> },
  ) {
    this.#host = host;
    this.#database = database;
    this.#events = events;
    this.#leaderOnly = options.leaderOnly;
    this.#lockName = options.lock;
    this.#monitorId = ["monid", database];
    this.#link = new RpcLink(host, targets, {
      connected: () => this.#connected(),
      disconnected: () => this.#disconnected(),
      notified: (method, params) => this.#guard(() => this.#notified(method, params)),
    }, options.limits);
  }

  get link(): RpcLink {
    return this.#link;
  }
  get isConnected(): boolean {
    return this.#link.isConnected;
  }
  get isMonitoring(): boolean {
    return this.#isMonitoring;
  }
  get isSynced(): boolean {
    return this.#isSynced;
  }
  get hasLock(): boolean {
    return this.#lockName === undefined || this.#hasLock;
  }
  get isContended(): boolean {
    return this.#isContended;
  }
  get lockName(): string | undefined {
    return this.#lockName;
  }

  setLock(name: string | undefined): void {
    if (name === this.#lockName) return;
    // As soon as it has been asked for, whatever has come of that.
    if (this.#lockName !== undefined && this.#hasStarted) this.#link.request("unlock", [this.#lockName], () => undefined);
    this.#lockName = name;
    this.#hasLock = false;
    this.#isContended = false;
    if (this.#hasStarted) this.#requestLock();
    this.#events.statusChanged();
  }

  /** Undefined if the transaction cannot even be sent, or its fate cannot be known. */
  transact(operations: readonly Json[], done: (answer: RpcAnswer) => void): void {
    if (!this.#isMonitoring || this.#link.backlogSize > maxBacklogSize) done({ kind: "lost" });
    else this.#link.request("transact", [this.#database, ...operations], done);
  }

  conditionsChanged(): void {
    if (!this.#isMonitoring || this.#isChangingConditions) {
      // The contents no longer follow from the last transaction seen.
      if (!this.#isMonitoring) this.#lastTransaction = noTransaction;
      return;
    }
    const changes = this.#events.changedConditions();
    if (changes === undefined) return;
    this.#isChangingConditions = true;
    this.#link.request("monitor_cond_change", [this.#monitorId, this.#monitorId, changes], (answer) => {
      this.#isChangingConditions = false;
      if (answer.kind === "lost") this.#lastTransaction = noTransaction;
      else if (answer.kind === "error") this.#log().warn(`${this.#database}: monitor_cond_change failed: ${printJson(answer.error)}`);
      this.conditionsChanged();
      this.#events.statusChanged();
    });
  }

  get areConditionsInForce(): boolean {
    return this.#isMonitoring && !this.#isChangingConditions;
  }

  #log() {
    return this.#host.log.module("ovsdb_cs");
  }

  /** Ends the connection where the server says what makes no sense, and starts from an empty hand. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.#log().warn(`${this.#database}: ${error.message}; starting over`);
      this.#lastTransaction = noTransaction;
      this.#link.reconnect();
    }
  }

  #connected(): void {
    // Servers that do not know it cancel no monitors either.
    this.#link.request("set_db_change_aware", [true], () => undefined);
    const columns = ["name", "model", "connected", "leader"];
    const monitorServer: Json = { Database: [{ columns }] };
    this.#link.request("monitor_cond", ["_Server", serverMonitor, monitorServer], (answer) => {
      if (answer.kind === "lost") return;
      this.#isServerKnown = true;
      if (answer.kind === "result") this.#guard(() => this.#updateServer(answer.result));
      this.#proceed();
    });
    this.#link.request("get_schema", [this.#database], (answer) => {
      if (answer.kind === "error") {
        this.#log().info(`${this.#database}: server does not have this database: ${printJson(answer.error)}`);
        this.#link.reconnect();
      } else if (answer.kind === "result") this.#guard(() => this.#takeSchema(answer.result));
    });
    this.#events.statusChanged();
  }

  #takeSchema(json: Json): void {
    const schema = servedSchemaFromJson(json);
    if (schema === undefined) throw new ProtocolFault("malformed schema");
    this.#events.schemaArrived(schema);
    this.#hasSchema = true;
    this.#proceed();
  }

  #disconnected(): void {
    this.#isMonitoring = false;
    this.#hasStarted = false;
    this.#hasSchema = false;
    this.#serverRow = undefined;
    this.#isServerKnown = false;
    this.#hasLock = false;
    this.#isContended = false;
    this.#events.statusChanged();
  }

  /** Only rows of our own database matter; there is one. */
  #updateServer(tables: Json): void {
    const rows = isJsonObject(tables) ? member(tables, "Database") : undefined;
    if (!isJsonObject(rows)) return;
    for (const [uuid, update] of Object.entries(rows)) {
      if (!isJsonObject(update)) continue;
      const row = member(update, "initial") ?? member(update, "insert");
      if (isJsonObject(row) && row["name"] === this.#database) {
        this.#serverRow = row;
        this.#serverRowUuid = uuid;
      }
      const change = member(update, "modify");
      if (isJsonObject(change) && uuid === this.#serverRowUuid) this.#serverRow = { ...this.#serverRow, ...change };
    }
    if (this.#hasStarted && !this.#isUsable()) this.#link.reconnectSoon();
  }

  /** A cluster's member that has lost the others, or is not the leader where the leader is wanted, is of no use. */
  #isUsable(): boolean {
    const row = this.#serverRow;
    const model = row?.["model"];
    if (row === undefined || model === undefined || model === "standalone") return true;
    const complaint =
      row["connected"] !== true ? "disconnected from cluster" : model === "clustered" && this.#leaderOnly && row["leader"] !== true ? "not cluster leader" : undefined;
    if (complaint !== undefined) this.#log().info(`${this.#database}: clustered database server is ${complaint}; trying another server`);
    return complaint === undefined;
  }

  #proceed(): void {
    if (!this.#hasSchema || !this.#isServerKnown || this.#hasStarted) return;
    if (!this.#isUsable()) {
      this.#link.reconnect();
      return;
    }
    this.#hasStarted = true;
    this.#requestMonitor("monitor_cond_since");
    this.#requestLock();
  }

  #requestMonitor(method: MonitorMethod): void {
    // What is requested now is in force as soon as the answer comes.
    const requests = this.#events.monitorRequests(method !== "monitor");
    const since: Json[] = method === "monitor_cond_since" ? [this.#lastTransaction] : [];
    this.#link.request(method, [this.#database, this.#monitorId, requests, ...since], (answer) => {
      if (answer.kind === "lost") return;
      if (answer.kind === "error") this.#monitorFailed(method, answer.error);
      else this.#guard(() => this.#takeContents(method, answer.result));
    });
  }

  #monitorFailed(method: MonitorMethod, error: Json): void {
    const isUnknown = printJson(error).includes("unknown method");
    if (isUnknown && method !== "monitor") this.#requestMonitor(method === "monitor_cond_since" ? "monitor_cond" : "monitor");
    else {
      this.#log().warn(`${this.#database}: ${method} failed: ${printJson(error)}`);
      this.#link.reconnect();
    }
  }

  #takeContents(method: MonitorMethod, result: Json): void {
    this.#isMonitoring = true;
    this.#isSynced = true;
    if (method === "monitor_cond_since") {
      const [isFound, transaction, tables] = isJsonArray(result) ? result : [];
      if (typeof transaction !== "string" || tables === undefined) throw new ProtocolFault("malformed reply to monitor_cond_since");
      this.#lastTransaction = transaction;
      if (isFound === true) this.#events.updates(tables, "update2");
      else this.#events.contents(tables, "update2");
    } else {
      this.#lastTransaction = noTransaction;
      this.#events.contents(result, method === "monitor" ? "update" : "update2");
    }
    this.#events.statusChanged();
    this.conditionsChanged();
  }

  #notified(method: string, params: readonly Json[]): void {
    const [first, second, third] = params;
    switch (method) {
      case "update3":
        if (typeof second !== "string" || third === undefined) throw new ProtocolFault("malformed update3");
        this.#lastTransaction = second;
        this.#events.updates(third, "update2");
        return;
      case "update2":
        if (second === undefined) throw new ProtocolFault("malformed update2");
        if (printJson(first ?? null) === printJson(serverMonitor)) {
          this.#updateServer(second);
          this.#proceed();
        } else this.#events.updates(second, "update2");
        return;
      case "update":
        if (second === undefined) throw new ProtocolFault("malformed update");
        this.#events.updates(second, "update");
        return;
      case "locked":
      case "stolen":
        if (first === this.#lockName) this.#setLocked(method === "locked");
        return;
      case "monitor_canceled":
        // The database went or changed its schema: everything is to be asked again.
        this.#log().info(`${this.#database}: monitor was canceled by the server; reconnecting`);
        this.#lastTransaction = noTransaction;
        this.#link.reconnect();
        return;
    }
  }

  #requestLock(): void {
    const name = this.#lockName;
    if (name === undefined) return;
    this.#link.request("lock", [name], (answer) => {
      if (name !== this.#lockName || answer.kind === "lost") return;
      if (answer.kind === "error") this.#log().warn(`${this.#database}: lock ${name} failed: ${printJson(answer.error)}`);
      else this.#setLocked(isJsonObject(answer.result) && answer.result["locked"] === true);
    });
  }

  #setLocked(locked: boolean): void {
    this.#hasLock = locked;
    this.#isContended = !locked;
    this.#events.statusChanged();
  }
}
