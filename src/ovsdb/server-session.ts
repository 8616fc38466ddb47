/** One client of the server: its requests, its monitors, its locks (RFC 7047, section 4; ovsdb-server(7) for the extensions). */
import type { Clock, Log, Timer } from "../host/index.ts";
import { isJsonArray, type Json, printJson } from "./json.ts";
import type { JsonRpcMessage, JsonRpcSession } from "./json-rpc.ts";
import { isId } from "./json-members.ts";
import type { LockHolder, Locks } from "./locks.ts";
import { conditionChangesFromJson, monitorRequestsFromJson } from "./monitor-request.ts";
import type { MonitorVersion } from "./monitor-view.ts";
import type { Monitor, MonitorListener } from "./monitors.ts";
import { OvsdbError, syntaxError } from "./ovsdb-error.ts";
import type { ServedDatabase } from "./served-database.ts";
import { isUuid } from "./datum-text.ts";

/** What sessions of one server share. */
export interface SessionSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly serverId: string;
  readonly databases: ReadonlyMap<string, ServedDatabase>;
  readonly locks: Locks;
  /** While monitor_cond is disabled, clients fall back to monitor. */
  readonly allowsConditions: boolean;
  convert(database: ServedDatabase, schema: Json, by: ServerSession): OvsdbError | undefined;
}

export interface SessionOptions {
  readonly readOnly: boolean;
  /** 0: no probes. */
  readonly probeIntervalMs: number;
}

/** Monitor updates are held back above this, until the client has read what it has. */
const congestedSize = 256 * 1024;
/** Nothing more is read from a client that leaves so many replies unread. */
const pausedSize = 4 * 1024 * 1024;
/** Waiting transactions of one client. */
const maxWaiting = 10_000;

interface SessionMonitor {
  readonly database: ServedDatabase;
  readonly monitor: Monitor;
}

export class ServerSession implements MonitorListener, LockHolder {
  readonly rpc: JsonRpcSession;
  readonly #around: SessionSurroundings;
  #options: SessionOptions;
  readonly #monitors = new Map<string, SessionMonitor>();
  readonly #locks = new Set<string>();
  readonly #waiting = new Map<string, () => boolean>();
  #isChangeAware = false;
  #paused = false;
  #probe: Timer | undefined;
  #heardSize = 0;
  #owedSize = 0;
  #probed = false;
  readonly closed: Promise<void>;

  constructor(rpc: JsonRpcSession, around: SessionSurroundings, options: SessionOptions, onClosed: (error: Error | undefined) => void) {
    this.rpc = rpc;
    this.#around = around;
    this.#options = options;
    let resolve = (): void => {};
    this.closed = new Promise((done) => {
      resolve = done;
    });
    rpc.attach({
      message: (message) => this.#receive(message),
      drained: () => this.#catchUp(),
      closed: (error) => {
        this.#end();
        onClosed(error);
        resolve();
      },
    });
    this.#watch();
  }

  get isChangeAware(): boolean {
    return this.#isChangeAware;
  }
  get options(): SessionOptions {
    return this.#options;
  }
  get isCongested(): boolean {
    return this.rpc.backlogSize > congestedSize;
  }

  /** Names of locks, by what has become of them. */
  get locks(): { readonly held: readonly string[]; readonly waiting: readonly string[] } {
    const held = [...this.#locks].filter((name) => this.#around.locks.isOwner(name, this));
    return { held, waiting: [...this.#locks].filter((name) => !held.includes(name)) };
  }

  setOptions(options: SessionOptions): void {
    this.#options = options;
    this.#probed = false;
    this.#watch();
  }

  /** Ends it as if the network had; the client will come again. */
  disconnect(): void {
    this.rpc.close();
  }

  notify(method: string, params: string): void {
    this.rpc.sendNotificationText(method, params);
  }
  locked(name: string): void {
    this.notify("locked", printJson([name]));
  }
  stolen(name: string): void {
    this.notify("stolen", printJson([name]));
  }

  /** The database is about to go or to become another: its monitors end. */
  dropMonitorsOf(database: ServedDatabase): void {
    for (const [key, { database: of, monitor }] of this.#monitors) {
      if (of !== database) continue;
      database.monitors.remove(monitor);
      this.#monitors.delete(key);
      if (this.#isChangeAware) this.notify("monitor_canceled", printJson([monitor.id]));
    }
  }

  #end(): void {
    this.#probe?.cancel();
    for (const { database, monitor } of this.#monitors.values()) database.monitors.remove(monitor);
    this.#monitors.clear();
    for (const name of this.#locks) this.#around.locks.unlock(name, this);
    this.#locks.clear();
    for (const cancel of [...this.#waiting.values()]) cancel();
    this.#waiting.clear();
  }

  #catchUp(): void {
    for (const { database, monitor } of this.#monitors.values()) if (monitor.late !== undefined) database.monitors.resume(monitor);
    if (this.#paused && this.rpc.backlogSize < pausedSize) {
      this.#paused = false;
      this.rpc.pause(false);
    }
  }

  /** After a silent interval an echo is asked for; after another one the client counts as dead. */
  #watch(): void {
    this.#probe?.cancel();
    const { probeIntervalMs } = this.#options;
    if (probeIntervalMs <= 0) return;
    this.#heardSize = this.rpc.receivedSize;
    this.#owedSize = this.rpc.backlogSize;
    this.#probe = this.#around.clock.after(probeIntervalMs, () => {
      // A client that still reads what it was sent is alive.
      const isAlive = this.rpc.receivedSize !== this.#heardSize || this.rpc.backlogSize < this.#owedSize;
      if (this.#probed && !isAlive) {
        const seconds = probeIntervalMs / 1000;
        this.#around.log.module("reconnect").err(`${this.rpc.name}: no response to inactivity probe after ${seconds} seconds, disconnecting`);
        this.disconnect();
        return;
      }
      this.#probed = !isAlive;
      // Before the probe is sent: that it is on its way must not count as the client's doing.
      this.#watch();
      if (this.#probed) this.rpc.send({ kind: "request", method: "echo", params: [], id: "echo" });
    });
  }

  #receive(message: JsonRpcMessage): void {
    if (message.kind === "request") this.#request(message.method, message.params, message.id);
    else if (message.kind === "notification" && message.method === "cancel") this.#cancel(message.params);
    else if (message.kind === "notification") this.#unexpected(message.kind);
    else if (printJson(message.id) !== '"echo"') this.#unexpected(message.kind);
    if (!this.#paused && this.rpc.backlogSize > pausedSize) {
      this.#paused = true;
      this.rpc.pause(true);
    }
  }

  #unexpected(kind: string): void {
    this.#around.log.module("ovsdb_jsonrpc_server").warn(`${this.rpc.name}: received unexpected ${kind} message`);
    this.disconnect();
  }

  #request(method: string, params: readonly Json[], id: Json): void {
    switch (method) {
      case "transact":
        return this.#transact(params, id);
      case "monitor":
        return this.#monitor(method, 1, params, id);
      case "monitor_cond":
        return this.#around.allowsConditions ? this.#monitor(method, 2, params, id) : this.#refuse(id, "unknown method");
      case "monitor_cond_since":
        return this.#around.allowsConditions ? this.#monitor(method, 3, params, id) : this.#refuse(id, "unknown method");
      case "monitor_cond_change":
        return this.#changeConditions(params, id);
      case "monitor_cancel":
        return this.#cancelMonitor(params, id);
      case "get_schema": {
        const database = this.#database(method, params);
        if (database instanceof OvsdbError) this.#refuse(id, database);
        else this.rpc.sendReplyText(id, database.schemaText);
        return;
      }
      case "list_dbs":
        return this.#reply(id, [...this.#around.databases.keys()]);
      case "get_server_id":
        return this.#reply(id, this.#around.serverId);
      case "lock":
      case "steal":
        return this.#lock(method, params, id);
      case "unlock":
        return this.#unlock(params, id);
      case "set_db_change_aware":
        return this.#setChangeAware(params, id);
      case "echo":
        return this.#reply(id, params);
      case "convert":
        return this.#convert(params, id);
      default:
        return this.#refuse(id, "unknown method");
    }
  }

  #reply(id: Json, result: Json): void {
    this.rpc.send({ kind: "reply", id, result });
  }
  #refuse(id: Json, error: OvsdbError | string): void {
    this.rpc.send({ kind: "error", id, error: typeof error === "string" ? error : error.toJson() });
  }

  #database(method: string, params: readonly Json[]): ServedDatabase | OvsdbError {
    const [name] = params;
    if (typeof name !== "string") return syntaxError(params, `${method} request params must begin with <db-name>`);
    const details = `${method} request specifies unknown database ${name}`;
    return this.#around.databases.get(name) ?? syntaxError(params, details, "unknown database");
  }

  #transact(params: readonly Json[], id: Json): void {
    const database = this.#database("transact", params);
    if (database instanceof OvsdbError) return this.#refuse(id, database);
    const key = printJson(id);
    let answered = false;
    const cancel = database.transact({
      params,
      readOnly: this.#options.readOnly,
      ownsLock: (name) => this.#locks.has(name) && this.#around.locks.isOwner(name, this),
      reply: (reply) => {
        answered = true;
        this.#waiting.delete(key);
        if (this.rpc.isClosed) return;
        if (reply.kind === "result") this.rpc.sendReplyText(id, reply.text);
        else this.rpc.send({ kind: "error", id, error: reply.error });
      },
    });
    if (answered) return;
    if (this.#waiting.size >= maxWaiting) {
      this.#around.log.module("ovsdb_jsonrpc_server").warn(`${this.rpc.name}: more than ${maxWaiting} transactions wait, disconnecting`);
      cancel();
      this.disconnect();
      return;
    }
    this.#waiting.set(key, cancel);
  }

  #cancel(params: readonly Json[]): void {
    const key = printJson(params[0] ?? null);
    const cancel = this.#waiting.get(key);
    if (params.length === 1 && cancel?.() === true) this.#waiting.delete(key);
  }

  #monitor(method: string, version: MonitorVersion, params: readonly Json[], id: Json): void {
    const database = this.#database(method, params);
    if (database instanceof OvsdbError) return this.#refuse(id, database);
    const [, monitorId = null, requests = null, lastId] = params;
    if ((version === 2 && params.length !== 3) || (version === 3 && params.length !== 4)) {
      return this.#refuse(id, syntaxError(params, "invalid parameters"));
    }
    const key = printJson(monitorId);
    if (this.#monitors.has(key)) return this.#refuse(id, syntaxError(monitorId, "duplicate monitor ID"));
    const tables = monitorRequestsFromJson(database.store, requests, version > 1);
    if (tables instanceof OvsdbError) return this.#refuse(id, tables);
    if (version === 3 && typeof lastId !== "string") return this.#refuse(id, syntaxError(lastId, "last-txn-id must be string"));
    if (typeof lastId === "string" && version === 3 && !isUuid(lastId)) {
      return this.#refuse(id, syntaxError(lastId, "last-txn-id must be UUID format."));
    }
    const { monitor, result } = database.monitors.add(this, monitorId, version, tables, typeof lastId === "string" ? lastId : undefined);
    this.#monitors.set(key, { database, monitor });
    this.rpc.sendReplyText(id, ...result);
  }

  #changeConditions(params: readonly Json[], id: Json): void {
    const [oldId = null, newId = null, changes = null] = params;
    if (params.length !== 3) return this.#refuse(id, syntaxError(params, "invalid parameters"));
    const known = this.#monitors.get(printJson(oldId));
    if (known === undefined) return this.#refuse(id, syntaxError(oldId, "unknown monitor session"));
    const newKey = printJson(newId);
    if (newKey !== printJson(oldId) && this.#monitors.has(newKey)) {
      return this.#refuse(id, syntaxError(newId, "duplicate monitor ID"));
    }
    const { database, monitor } = known;
    const tables = conditionChangesFromJson(database.store, monitor.view.tables, changes);
    if (tables instanceof OvsdbError) return this.#refuse(id, tables);
    this.#monitors.delete(printJson(oldId));
    this.#monitors.set(newKey, known);
    if (monitor.version === 1) monitor.id = newId;
    else database.monitors.changeConditions(monitor, newId, tables);
    this.#reply(id, {});
  }

  #cancelMonitor(params: readonly Json[], id: Json): void {
    if (params.length !== 1) return this.#refuse(id, "invalid parameters");
    const key = printJson(params[0] ?? null);
    const known = this.#monitors.get(key);
    if (known === undefined) return this.#refuse(id, "unknown monitor");
    known.database.monitors.remove(known.monitor);
    this.#monitors.delete(key);
    this.#reply(id, {});
  }

  #lockName(method: string, params: readonly Json[]): string | OvsdbError {
    const [name] = params;
    if (this.#options.readOnly) return new OvsdbError("lock error", "lock and unlock methods not allowed, DB server is read only.");
    if (params.length === 1 && typeof name === "string" && isId(name)) return name;
    return syntaxError(params, `${method} request params must be <id>`);
  }

  #lock(method: "lock" | "steal", params: readonly Json[], id: Json): void {
    const name = this.#lockName(method, params);
    if (name instanceof OvsdbError) return this.#refuseLock(id, name);
    if (this.#locks.has(name)) return this.#refuse(id, syntaxError(params, `must issue "unlock" before new "${method}"`));
    this.#locks.add(name);
    let locked = true;
    if (method === "lock") locked = this.#around.locks.lock(name, this);
    else this.#around.locks.steal(name, this);
    this.#reply(id, { locked });
  }

  #refuseLock(id: Json, error: OvsdbError): void {
    this.#refuse(id, error.tag === "lock error" ? error.details ?? error.tag : error);
  }

  #unlock(params: readonly Json[], id: Json): void {
    const name = this.#lockName("unlock", params);
    if (name instanceof OvsdbError) return this.#refuseLock(id, name);
    if (!this.#locks.delete(name)) {
      return this.#refuse(id, syntaxError(params, 'unlock: "unlock" without "lock" or "steal"'));
    }
    this.#around.locks.unlock(name, this);
    this.#reply(id, {});
  }

  #setChangeAware(params: readonly Json[], id: Json): void {
    const [aware] = params;
    if (params.length !== 1 || typeof aware !== "boolean") {
      return this.#refuse(id, syntaxError(params, "set_db_change_aware: invalid parameters"));
    }
    this.#isChangeAware = aware;
    this.#reply(id, {});
  }

  #convert(params: readonly Json[], id: Json): void {
    const database = this.#database("convert", params);
    if (database instanceof OvsdbError) return this.#refuse(id, database);
    if (!isJsonArray(params) || params.length !== 2) return this.#refuse(id, syntaxError(params, "array expected"));
    if (this.#options.readOnly) return this.#refuse(id, new OvsdbError("not allowed", "convert operation not allowed when database server is in read only mode"));
    const bad = this.#around.convert(database, params[1] ?? null, this);
    if (bad !== undefined) this.#refuse(id, bad);
    else this.#reply(id, {});
  }
}
