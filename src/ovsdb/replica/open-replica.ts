/** Makes a replica: wires the session with the server, the tables and the writers together. See replica.ts for the door. */
import { Cell, sameValue, untracked } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import { assert } from "../../std/index.ts";
import { ClientTransaction, type TransactionHome } from "./client-transaction.ts";
import { datumOfValue, ProtocolFault } from "../value/column-value.ts";
import type { Atom, Datum } from "../value/datum.ts";
import { datumToJson } from "../value/datum-json.ts";
import { isJsonObject, type Json, type JsonObject, member, printJson } from "../json/json.ts";
import { presumedSchema, type ServedSchema } from "./served-schema.ts";
import { type SessionEvents, ReplicaSession, type UpdateFormat } from "./replica-session.ts";
import { ReplicaTableStore } from "./replica-table.ts";
import type { Condition, Replica, ReplicaStatus } from "./replica.ts";
import { reconnectDefaults } from "./reconnect.ts";
import type { ColumnName, RowRef, TableName } from "../schema/row.ts";
import { parseRemotes } from "./rpc-link.ts";
import { unconstrained } from "../value/datum-json.ts";
import type { DatabaseSchema } from "../schema/schema.ts";
import type { Database, Uuid } from "../schema/typed-schema.ts";

/** What is copied of one table. */
export interface TableMonitor<D extends Database, N extends TableName<D>> {
  /** Default: all. */
  readonly columns?: readonly ColumnName<D, N>[];
  /** Default: every row. */
  readonly condition?: readonly Condition[];
}

export interface ReplicaOptions<D extends Database> {
  /** Which tables are copied; all of them by default. `true` for a whole table. */
  readonly monitor?: { readonly [N in TableName<D>]?: true | TableMonitor<D, N> };
  /** Asks for this lock on every connection. */
  readonly lock?: string;
  /** Connects only to the leader of a cluster (the default, as for daemons that write). */
  readonly leaderOnly?: boolean;
  /** Milliseconds; 0: never. Default: 5000, but never for unix sockets alone, of which the end is seen at once. */
  readonly probeIntervalMs?: number;
  /** The first and the longest pause between attempts to connect; default 1000 and 8000. */
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Called once for each batch of updates, when all rows are in place; also when the status changes. Flush the engine here. */
  changed?(): void;
}

/** Throws an Error with code EINVAL if `remote` is no list of active targets. */
export function openReplica<D extends Database>(host: Host, schema: D, remote: string, options: ReplicaOptions<D> = {}): Replica<D> {
  const { monitor, ...rest } = options;
  const replica: unknown = new LiveReplica(host, schema, remote, { ...rest, monitor: monitor === undefined ? undefined : new Map(Object.entries(monitor)) });
  // The tables' rows have exactly the getters that the schema's columns ask for: the one place where types meet names.
  return replica as Replica<D>;
}

/** The options without their types: names of tables and columns have been checked by then. */
interface UntypedOptions extends Omit<ReplicaOptions<Database>, "monitor"> {
  readonly monitor: ReadonlyMap<string, unknown> | undefined;
}
type UntypedMonitor = true | { readonly columns?: readonly string[]; readonly condition?: readonly Condition[] };

interface Monitored {
  readonly columns: readonly string[];
  condition: readonly Condition[];
  /** As the server knows it, printed. */
  requested: string;
}

const targetsOf = (remote: string) => {
  const targets = parseRemotes(remote);
  if (targets === undefined) throw Object.assign(new Error(`${remote}: bad remote: expected unix:FILE or tcp:HOST:PORT`), { code: "EINVAL" });
  return targets;
};

/** Who asks for less gets this, as in OVN. */
const shortestProbeMs = 1000;

const defaultProbe = (targets: ReturnType<typeof targetsOf>): number =>
  targets.every(({ target }) => target.kind === "unix") ? 0 : reconnectDefaults.probeIntervalMs;

class LiveReplica implements SessionEvents, TransactionHome {
  readonly schema: DatabaseSchema;
  readonly tables: { readonly [table: string]: ReplicaTableStore };
  readonly synced: Promise<void>;
  readonly #host: Host;
  readonly #session: ReplicaSession;
  readonly #monitored = new Map<string, Monitored>();
  readonly #status = new Cell<ReplicaStatus>("replica status", { isConnected: false, isSynced: false, hasLock: false, isLockContended: false, areConditionsInForce: false });
  readonly #changed: () => void;
  #served: ServedSchema;
  #remote: string;
  #isChangePending = false;
  #isClosed = false;
  #settleSynced: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };

  constructor(host: Host, schema: DatabaseSchema, remote: string, options: UntypedOptions) {
    this.#host = host;
    this.schema = schema;
    this.#served = presumedSchema(schema);
    this.#remote = remote;
    this.#changed = () => options.changed?.();
    this.tables = Object.fromEntries(Object.entries(schema.tables).map(([name, table]) => [name, new ReplicaTableStore(name, table)]));
    for (const name of Object.keys(schema.tables)) this.#monitor(name, options.monitor === undefined ? true : (options.monitor.get(name) as UntypedMonitor | undefined));
    this.synced = new Promise((resolve, reject) => {
      this.#settleSynced = { resolve, reject };
    });
    // Whoever does not wait for it is not to be killed by it.
    this.synced.catch(() => undefined);
    const { minBackoffMs = reconnectDefaults.minBackoffMs, maxBackoffMs = reconnectDefaults.maxBackoffMs } = options;
    const probeIntervalMs = options.probeIntervalMs ?? defaultProbe(targetsOf(remote));
    this.#session = new ReplicaSession(host, schema.name, targetsOf(remote), this, {
      leaderOnly: options.leaderOnly ?? true, lock: options.lock, limits: { minBackoffMs, maxBackoffMs, probeIntervalMs },
    });
    this.#session.link.start();
  }

  #monitor(name: string, wanted: UntypedMonitor | undefined): void {
    if (wanted === undefined) return;
    const all = Object.keys(this.schema.tables[name]?.columns ?? {});
    const columns = wanted === true ? all : (wanted.columns ?? all);
    this.#monitored.set(name, { columns, condition: wanted === true ? [true] : (wanted.condition ?? [true]), requested: "" });
  }

  get remote(): string {
    return this.#remote;
  }

  get status(): ReplicaStatus {
    return this.#status.get();
  }

  hasColumn(table: string, column?: string): boolean {
    return this.#served.hasColumn(table, column);
  }

  maxMembers(table: string, column: string): number {
    return this.#served.maxMembers(table, column);
  }

  current(row: RowRef, column: string) {
    const table = this.tables[row._table];
    const position = table?.shape.positions.get(column);
    return position === undefined ? undefined : table?.peek(row._uuid)?._peek(position);
  }

  exists(row: RowRef): boolean {
    return this.tables[row._table]?.peek(row._uuid) !== undefined;
  }

  datum(row: RowRef, column: string): Datum {
    return datumOfValue(this.current(row, column));
  }

  transaction(): ClientTransaction {
    return new ClientTransaction(this);
  }

  get lockName(): string | undefined {
    return this.#session.lockName;
  }

  get hasLock(): boolean {
    return this.#session.hasLock;
  }

  newUuid(): Uuid {
    return this.#host.random.uuid() as Uuid;
  }

  transact: TransactionHome["transact"] = (operations, done) => this.#session.transact(operations, done);

  setCondition(table: string, condition: readonly Condition[]): void {
    const monitored = this.#monitored.get(table);
    assert(monitored !== undefined, `${table} is not monitored`);
    if (sameValue(monitored.condition, condition)) return;
    monitored.condition = condition;
    this.#session.conditionsChanged();
    this.statusChanged();
  }

  setLock(name: string | undefined): void {
    this.#session.setLock(name);
  }

  setProbeInterval(intervalMs: number | undefined): void {
    const probeIntervalMs = intervalMs === undefined ? defaultProbe(targetsOf(this.#remote)) : intervalMs === 0 ? 0 : Math.max(intervalMs, shortestProbeMs);
    this.#session.link.setLimits({ probeIntervalMs });
  }

  setRemote(remote: string): void {
    if (remote === this.#remote) return;
    const targets = targetsOf(remote);
    this.#remote = remote;
    this.#session.link.setTargets(targets);
  }

  reconnect(): void {
    this.#session.link.reconnectSoon();
  }

  close(): void {
    this.#isClosed = true;
    this.#settleSynced.reject(Object.assign(new Error(`${this.#remote}: closed before it was in sync`), { code: "ECANCELED" }));
    this.#session.link.close();
  }

  schemaArrived(schema: ServedSchema): void {
    this.#served = schema;
    for (const [name, { columns }] of this.#monitored) {
      const missing = this.hasColumn(name) ? columns.filter((column) => !this.hasColumn(name, column)) : undefined;
      const log = this.#host.log.module("ovsdb_idl");
      if (missing === undefined) log.info(`${this.schema.name} database lacks ${name} table (database needs upgrade?)`);
      for (const column of missing ?? []) log.info(`${name} table in ${this.schema.name} database lacks ${column} column (database needs upgrade?)`);
    }
  }

  monitorRequests(conditions: boolean): JsonObject {
    const requests: { [table: string]: Json } = {};
    for (const [name, monitored] of this.#monitored) {
      if (!this.hasColumn(name)) continue;
      const columns = monitored.columns.filter((column) => this.hasColumn(name, column));
      const where = this.#where(name, monitored);
      monitored.requested = printJson(where);
      const isAll = monitored.requested === "[true]";
      requests[name] = [{ columns, ...(conditions && !isAll ? { where } : {}) }];
    }
    return requests;
  }

  changedConditions(): JsonObject | undefined {
    const changes: { [table: string]: Json } = {};
    for (const [name, monitored] of this.#monitored) {
      if (!this.hasColumn(name)) continue;
      const where = this.#where(name, monitored);
      const text = printJson(where);
      if (text === monitored.requested) continue;
      monitored.requested = text;
      changes[name] = [{ where }];
    }
    return Object.keys(changes).length === 0 ? undefined : changes;
  }

  #where(table: string, { condition }: Monitored): Json {
    if (condition.includes(true)) return [true];
    const clauses = condition.filter((c) => typeof c !== "boolean").filter(([column]) => column === "_uuid" || this.hasColumn(table, column));
    if (clauses.length === 0) return [false];
    return clauses.map(([column, operator, value]): Json => [column, operator, this.#conditionValue(table, column, value)]);
  }

  #conditionValue(table: string, column: string, value: Atom | Datum): Json {
    const type = this.schema.tables[table]?.columns[column]?.type ?? { key: { kind: "uuid" }, min: 1, max: 1 };
    return datumToJson(typeof value === "object" ? value : { keys: [value] }, unconstrained(type));
  }

  contents(tables: Json, format: UpdateFormat): void {
    const all = isJsonObject(tables) ? tables : {};
    for (const [name, store] of Object.entries(this.tables)) {
      if (!this.#monitored.has(name)) continue;
      store.replaceAll(member(all, name), (update) => {
        const row = format === "update" ? member(update, "new") : (member(update, "initial") ?? member(update, "insert"));
        return isJsonObject(row) ? row : undefined;
      });
    }
    this.#announce();
    this.#settleSynced.resolve();
  }

  updates(tables: Json, format: UpdateFormat): void {
    for (const [name, rows] of Object.entries(isJsonObject(tables) ? tables : {})) {
      const store = this.tables[name];
      if (store === undefined || !isJsonObject(rows)) continue;
      for (const [uuid, update] of Object.entries(rows)) if (isJsonObject(update)) applyUpdate(store, uuid, update, format);
    }
    this.#announce();
  }

  #announce(): void {
    for (const store of Object.values(this.tables)) store.announce();
    this.statusChanged();
    this.#notifyLater();
  }

  statusChanged(): void {
    const session = this.#session;
    const status: ReplicaStatus = {
      isConnected: session.isConnected, isSynced: session.isSynced, hasLock: session.hasLock && session.isMonitoring,
      isLockContended: session.isContended, areConditionsInForce: session.areConditionsInForce,
    };
    if (sameValue(untracked(() => this.#status.get()), status)) return;
    this.#status.set(status);
    this.#notifyLater();
  }

  /** Messages that arrive together are one batch. */
  #notifyLater(): void {
    if (this.#isChangePending) return;
    this.#isChangePending = true;
    queueMicrotask(() => {
      this.#isChangePending = false;
      if (!this.#isClosed) this.#changed();
    });
  }
}

function applyUpdate(store: ReplicaTableStore, uuid: string, update: JsonObject, format: UpdateFormat): void {
  const known = applyKnown(store, uuid, update, format);
  if (!known) throw new ProtocolFault(`update of ${store.name} row ${uuid}, which is not here`);
}

function applyKnown(store: ReplicaTableStore, uuid: string, update: JsonObject, format: UpdateFormat): boolean {
  if (format === "update") {
    const [before, after] = [member(update, "old"), member(update, "new")];
    if (!isJsonObject(after)) store.delete(uuid);
    else if (isJsonObject(before)) return store.update(uuid, after);
    else store.put(uuid, after);
    return true;
  }
  const whole = member(update, "initial") ?? member(update, "insert");
  const change = member(update, "modify");
  if (isJsonObject(whole)) store.put(uuid, whole);
  else if (isJsonObject(change)) return store.modify(uuid, change);
  else if (Object.hasOwn(update, "delete")) store.delete(uuid);
  return true;
}
