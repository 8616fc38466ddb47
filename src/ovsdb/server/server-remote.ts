/**
 * A remote of the server: a place where it listens for clients (`punix:`, `ptcp:`), or a peer that it dials itself (`tcp:`,
 * `unix:`), again and again. Each connection becomes a session.
 */
import {
  type ActiveTarget, type Host, type Listener, type Log, parseActiveTarget, parsePassiveTarget, type PassiveTarget, type Stream, type Timer,
} from "../../host/index.ts";
import { JsonRpcSession } from "../json/json-rpc.ts";
import { ServerSession, type SessionSurroundings } from "./server-session.ts";
import { errorText } from "../system-error.ts";

export interface RemoteOptions {
  readonly readOnly: boolean;
  /** Undefined: 5 s for TCP, none for local sockets. */
  readonly probeIntervalMs: number | undefined;
  readonly maxBackoffMs: number | undefined;
  /** Of role-based access control, which is not enforced yet. */
  readonly role: string | undefined;
}

export interface RemoteStatus {
  readonly isConnected: boolean;
  readonly status: ReadonlyMap<string, string>;
}

const retryMs = 1000;
const defaultMaxBackoffMs = 8000;
/** Clients of one remote; more are turned away, since each costs memory before it has said a word. */
const maxSessions = 10_000;
/** Of one request. */
const maxMessageSize = 256 * 1024 * 1024;

export class ServerRemote {
  readonly name: string;
  readonly sessions = new Set<ServerSession>();
  readonly #host: Host;
  readonly #log: Log;
  readonly #around: SessionSurroundings;
  readonly #statusChanged: () => void;
  #options: RemoteOptions;
  #listener: Listener | undefined;
  #retry: Timer | undefined;
  #backoffMs = retryMs;
  #lastError: string | undefined;
  #connectedAt: number | undefined;
  #disconnectedAt: number | undefined;
  #isClosed = false;
  /** The first attempt has been made. */
  readonly started: Promise<void>;

  constructor(name: string, options: RemoteOptions, host: Host, around: SessionSurroundings, statusChanged: () => void) {
    this.name = name;
    this.#options = options;
    this.#host = host;
    this.#log = host.log.module("ovsdb_jsonrpc_server");
    this.#around = around;
    this.#statusChanged = statusChanged;
    if (options.role !== undefined) {
      this.#log.warn(`${name}: role-based access control is not supported: clients are not restricted to role "${options.role}"`);
    }
    this.started = this.#start();
  }

  get boundPort(): number | undefined {
    return this.#listener?.port;
  }

  /** True if the options could be taken over; else the remote must be made anew. */
  setOptions(options: RemoteOptions): void {
    const same = options.readOnly === this.#options.readOnly && options.probeIntervalMs === this.#options.probeIntervalMs;
    this.#options = options;
    if (!same) for (const session of this.sessions) session.setOptions(this.#sessionOptions());
  }

  #sessionOptions(): { readOnly: boolean; probeIntervalMs: number } {
    const { readOnly, probeIntervalMs } = this.#options;
    return { readOnly, probeIntervalMs: probeIntervalMs ?? (this.name.includes("unix:") ? 0 : 5000) };
  }

  async #start(): Promise<void> {
    const passive = parsePassiveTarget(this.name);
    if (passive !== undefined) return this.#listen(passive);
    const active = parseActiveTarget(this.name);
    if (active !== undefined) return this.#dial(active);
    this.#log.err(`${this.name}: listen failed: Address family not supported by protocol`);
  }

  async #listen(target: PassiveTarget): Promise<void> {
    try {
      const listener = await this.#host.streams.listen(target, (stream) => this.#accept(stream));
      if (this.#isClosed) return listener.close();
      this.#listener = listener;
      this.#lastError = undefined;
      if (target.kind === "ptcp" && target.port === 0) {
        this.#host.log.module("socket_util").info(`${this.name.slice("ptcp:".length)}: listening on port ${listener.port}`);
      }
    } catch (error) {
      this.#lastError = errorText(error);
      this.#log.err(`${this.name}: listen failed: ${this.#lastError}`);
      const hopeless = error instanceof Error && "code" in error && error.code === "EPROTONOSUPPORT";
      if (!this.#isClosed && !hopeless) this.#retry = this.#host.clock.after(retryMs, () => void this.#listen(target));
    }
    this.#statusChanged();
  }

  async #dial(target: ActiveTarget): Promise<void> {
    const log = this.#host.log.module("reconnect");
    try {
      const stream = await this.#host.streams.connect(target);
      if (this.#isClosed) return stream.close();
      log.info(`${this.name}: connected`);
      this.#lastError = undefined;
      this.#accept(stream);
    } catch (error) {
      this.#lastError = errorText(error);
      log.info(`${this.name}: connection attempt failed (${this.#lastError})`);
      this.#dialLater(target);
    }
    this.#statusChanged();
  }

  #dialLater(target: ActiveTarget): void {
    if (this.#isClosed) return;
    this.#retry = this.#host.clock.after(this.#backoffMs, () => void this.#dial(target));
    this.#backoffMs = Math.min(2 * this.#backoffMs, this.#options.maxBackoffMs ?? defaultMaxBackoffMs);
  }

  #accept(stream: Stream): void {
    if (this.#isClosed || this.sessions.size >= maxSessions) {
      if (!this.#isClosed) this.#log.warn(`${stream.name}: more than ${maxSessions} sessions, disconnecting`);
      stream.close();
      return;
    }
    const rpc = new JsonRpcSession(stream, this.#host.log, { maxMessageSize });
    const session = new ServerSession(rpc, this.#around, this.#sessionOptions(), (error) => {
      this.sessions.delete(session);
      this.#disconnectedAt = this.#host.clock.now();
      if (error !== undefined) this.#lastError = errorText(error);
      const active = parseActiveTarget(this.name);
      if (active !== undefined) {
        this.#backoffMs = retryMs;
        this.#dialLater(active);
      }
      this.#statusChanged();
    });
    this.#connectedAt = this.#host.clock.now();
    this.sessions.add(session);
    this.#statusChanged();
  }

  /** What the status columns of a Connection or Manager row tell. */
  get status(): RemoteStatus {
    const status = new Map<string, string>();
    const isConnected = this.sessions.size > 0;
    status.set("state", isConnected ? "ACTIVE" : this.#listener !== undefined ? "LISTENING" : "BACKOFF");
    const secondsSince = (at: number): string => String(Math.floor((this.#host.clock.now() - at) / 1000));
    if (this.#connectedAt !== undefined) status.set("sec_since_connect", secondsSince(this.#connectedAt));
    if (this.#disconnectedAt !== undefined) status.set("sec_since_disconnect", secondsSince(this.#disconnectedAt));
    if (this.#lastError !== undefined) status.set("last_error", this.#lastError);
    const locks = [...this.sessions].map((session) => session.locks);
    for (const [key, names] of [["locks_held", locks.flatMap((l) => l.held)], ["locks_waiting", locks.flatMap((l) => l.waiting)]] as const) {
      if (names.length > 0) status.set(key, names.sort().join(" "));
    }
    if (this.sessions.size > 1) status.set("n_connections", String(this.sessions.size));
    if (this.boundPort !== undefined) status.set("bound_port", String(this.boundPort));
    return { isConnected, status };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#listener?.close();
    const open = [...this.sessions];
    for (const session of open) session.disconnect();
    await Promise.all(open.map((session) => session.closed));
  }
}
