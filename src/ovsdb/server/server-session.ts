/** One client of the server: its requests, its monitors, its locks (RFC 7047, section 4; ovsdb-server(7) for the extensions). */
import type { Clock, Log } from "../../host/index.ts";
import { InactivityProbe } from "./inactivity-probe.ts";
import { isJsonArray, type Json, printJson } from "../json/json.ts";
import type { JsonRpcMessage, JsonRpcSession } from "../json/json-rpc.ts";
import { isId } from "../json/json-members.ts";
import type { LockHolder, Locks } from "./locks.ts";
import type { MonitorVersion } from "./monitor-view.ts";
import type { MonitorListener } from "./monitors.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { ServedDatabase } from "./served-database.ts";
import { SessionMonitors } from "./session-monitors.ts";

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

export class ServerSession implements MonitorListener, LockHolder {
  readonly rpc: JsonRpcSession;
  readonly #around: SessionSurroundings;
  #options: SessionOptions;
  readonly #monitors: SessionMonitors;
  readonly #locks = new Set<string>();
  readonly #waiting = new Map<string, () => boolean>();
  #isChangeAware = false;
  #paused = false;
  #held: JsonRpcMessage[] = [];
  readonly #probe: InactivityProbe;
  readonly closed: Promise<void>;

  constructor(rpc: JsonRpcSession, around: SessionSurroundings, options: SessionOptions, onClosed: (error: Error | undefined) => void) {
    this.rpc = rpc;
    this.#around = around;
    this.#options = options;
    this.#monitors = new SessionMonitors(this);
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
    this.#probe = new InactivityProbe(rpc, around.clock, around.log);
    this.#probe.start(options.probeIntervalMs);
  }

  get isChangeAware(): boolean {
    return this.#isChangeAware;
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
    this.#probe.start(options.probeIntervalMs);
  }

  /** Ends it as if the network had; the client will come again. */
  disconnect(): void {
    this.rpc.close();
  }

  notify = (method: string, params: string): void => this.rpc.sendNotificationText(method, params);
  locked = (name: string): void => this.notify("locked", printJson([name]));
  stolen = (name: string): void => this.notify("stolen", printJson([name]));

  /** The database is about to go or to become another: its monitors end. */
  dropMonitorsOf(database: ServedDatabase): void {
    for (const id of this.#monitors.dropOf(database)) if (this.#isChangeAware) this.notify("monitor_canceled", printJson([id]));
  }

  #end(): void {
    this.#probe.stop();
    this.#monitors.end();
    for (const name of this.#locks) this.#around.locks.unlock(name, this);
    this.#locks.clear();
    for (const cancel of [...this.#waiting.values()]) cancel();
    this.#waiting.clear();
  }

  #catchUp(): void {
    this.#monitors.catchUp();
    if (!this.#paused || this.rpc.backlogSize >= pausedSize) return;
    this.#paused = false;
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      this.#receive(next);
      if (this.#paused) return;
    }
    this.rpc.pause(false);
  }

  #receive(message: JsonRpcMessage): void {
    // What had arrived when reading stopped: no more than one read's worth.
    if (this.#paused) {
      this.#held.push(message);
      return;
    }
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
        return this.#answer(id, this.#monitors.changeConditions(params));
      case "monitor_cancel":
        return this.#answer(id, this.#monitors.cancel(params));
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

  #answer(id: Json, error: OvsdbError | string | undefined): void {
    if (error === undefined) this.#reply(id, {});
    else this.#refuse(id, error);
  }

  #monitor(method: string, version: MonitorVersion, params: readonly Json[], id: Json): void {
    const database = this.#database(method, params);
    const result = database instanceof OvsdbError ? database : this.#monitors.add(database, version, params);
    if (result instanceof OvsdbError) this.#refuse(id, result);
    else this.rpc.sendReplyText(id, ...result);
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
