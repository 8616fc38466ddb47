/**
 * A ctl program's connection to its database: finds out what the server has, fetches the tables that commands read, keeps
 * them current, and carries out transactions. Smaller than a replica: it lives for one invocation, or for as long as
 * whoever passes it around likes.
 */
import type { Host } from "../host/index.ts";
import { formatTarget, parseActiveTarget } from "../host/index.ts";
import { describeError } from "../daemon/index.ts";
import {
  type Database, isJsonArray, isJsonObject, type Json, type JsonObject, type JsonRpcMessage, JsonRpcSession, member, OvsdbError, printJsonSorted,
} from "../ovsdb/index.ts";
import { type Snapshot, SnapshotRow, type SnapshotTable } from "./snapshot.ts";

/** The database cannot be reached, or no longer; `reason` as strerror says it. */
export class ConnectionFailure extends Error {
  override name = "ConnectionFailure";
}

/** What the server answered to a request, if it is an error. */
export class ServerError extends Error {
  override name = "ServerError";
}

interface Waiting {
  resolve(result: Json): void;
  reject(error: Error): void;
}

export interface ConnectOptions {
  /** Of a cluster, only the leader will do. */
  readonly leaderOnly: boolean;
}

/** Tries the remotes (`tcp:...,unix:...`) in turn. Rejects with ConnectionFailure, which tells of the last one. */
export async function connectDatabase(host: Host, remotes: string, database: Database, options: ConnectOptions): Promise<DatabaseClient> {
  let failure = new ConnectionFailure("Address family not supported by protocol");
  for (const remote of remotes.split(",").map((r) => r.trim()).filter((r) => r !== "")) {
    try {
      return await connectOne(host, remote, database, options);
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function connectOne(host: Host, remote: string, database: Database, options: ConnectOptions): Promise<DatabaseClient> {
  const target = parseActiveTarget(remote);
  if (target === undefined) throw new ConnectionFailure("Address family not supported by protocol");
  let session: JsonRpcSession;
  try {
    session = new JsonRpcSession(await host.streams.connect(target), host.log);
  } catch (error) {
    throw new ConnectionFailure(describeError(error));
  }
  const client = new DatabaseClient(session, database);
  try {
    await client.open(options);
  } catch (error) {
    client.close();
    if (error instanceof ServerError) throw new ConnectionFailure(`${formatTarget(target)}: ${error.message}`);
    throw error;
  }
  return client;
}

export class DatabaseClient {
  readonly #session: JsonRpcSession;
  readonly #database: Database;
  readonly #waiting = new Map<number, Waiting>();
  readonly #tables = new Map<string, SnapshotTable>();
  readonly #monitors = new Map<string, string>();
  #serverTables: JsonObject = {};
  #nextId = 0;
  #changes = 0;
  #changeWaiters: Waiting[] = [];
  #failure: ConnectionFailure | undefined;

  constructor(session: JsonRpcSession, database: Database) {
    this.#session = session;
    this.#database = database;
    session.attach({
      message: (message) => this.#receive(message),
      closed: (error) => this.#lose(new ConnectionFailure(error === undefined ? "End of file" : describeError(error))),
    });
  }

  async open({ leaderOnly }: ConnectOptions): Promise<void> {
    const name = this.#database.name;
    const schema = this.#request("get_schema", [name]);
    if (leaderOnly) await this.#checkLeader();
    const tables = member(asObject(await schema), "tables");
    this.#serverTables = asObject(tables);
  }

  /** An old server has no `_Server` database; one that stands alone is always its own leader. */
  async #checkLeader(): Promise<void> {
    const select = { op: "select", table: "Database", where: [["name", "==", this.#database.name]], columns: ["model", "leader", "connected"] };
    let reply: Json;
    try {
      reply = await this.#request("transact", ["_Server", select]);
    } catch (error) {
      if (error instanceof ServerError) return;
      throw error;
    }
    const rows = member(asObject(isJsonArray(reply) ? reply[0] : undefined), "rows");
    const row = asObject(isJsonArray(rows) ? rows[0] : undefined);
    if (row["model"] === "clustered" && row["leader"] !== true) throw new ConnectionFailure("database connection is not to the cluster leader");
  }

  /** Whether the server's schema has the table. */
  hasTable(table: string): boolean {
    return member(this.#serverTables, table) !== undefined;
  }

  /** Counts changes of the fetched tables. */
  get changes(): number {
    return this.#changes;
  }

  get isClosed(): boolean {
    return this.#failure !== undefined || this.#session.isClosed;
  }

  get snapshot(): Snapshot {
    return this.#tables;
  }

  /** Makes sure that the snapshot has these columns (undefined: all) of these tables. */
  async fetch(wanted: ReadonlyMap<string, ReadonlySet<string> | undefined>): Promise<void> {
    const requests: JsonObject = Object.fromEntries([...wanted].flatMap(([table, columns]) => {
      const known = this.#serverColumns(table);
      const have = this.#tables.get(table)?.columns;
      const want = columns === undefined ? known : known.filter((c) => columns.has(c));
      if (have !== undefined && (columns === undefined ? Object.keys(this.#database.tables[table]?.columns ?? {}) : [...columns]).every((c) => have.has(c))) return [];
      return [[table, [...new Set([...(have ?? []), ...want])].filter((c) => known.includes(c))] as const];
    }).map(([table, columns]) => [table, { columns }]));
    const names = Object.keys(requests);
    if (names.length === 0) return;
    await this.#monitor(requests, names, wanted);
  }

  #serverColumns(table: string): readonly string[] {
    const columns = member(asObject(member(this.#serverTables, table)), "columns");
    const ours = this.#database.tables[table]?.columns ?? {};
    return Object.keys(asObject(columns)).filter((c) => c in ours);
  }

  /** Until the reply is there, what was known of the tables stays in place: other invocations may be reading it. */
  async #monitor(requests: JsonObject, names: readonly string[], wanted: ReadonlyMap<string, ReadonlySet<string> | undefined>): Promise<void> {
    const id = `ctl${this.#nextId}`;
    const install = (contents: Json): void => {
      for (const name of names) {
        const ours = Object.keys(this.#database.tables[name]?.columns ?? {});
        const columns = new Set([...(this.#tables.get(name)?.columns ?? []), ...(wanted.get(name) ?? ours)]);
        this.#tables.set(name, { columns, rows: new Map() });
        // Updates of an earlier, narrower monitor of the same table count no more.
        this.#monitors.set(name, id);
      }
      this.#update(id, contents);
    };
    const present = Object.fromEntries(Object.entries(requests).filter(([name]) => this.hasTable(name)));
    if (Object.keys(present).length === 0) install({});
    // Installed while the reply is handled, since updates may come right behind it.
    else await this.#request("monitor", [this.#database.name, id, present], install);
  }

  /** The results of the operations. Rejects with ServerError if the request itself is refused. */
  async transact(operations: readonly JsonObject[]): Promise<readonly Json[]> {
    const results = await this.#request("transact", [this.#database.name, ...operations]);
    return isJsonArray(results) ? results : [];
  }

  /** Resolves when a fetched table has changed since `changes` had this value. */
  changeAfter(changes: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#changes > changes) return Promise.resolve();
    return new Promise((resolve, reject) => void this.#changeWaiters.push({ resolve: () => resolve(), reject }));
  }

  close(): void {
    this.#session.close();
  }

  #request(method: string, params: readonly Json[], replied?: (result: Json) => void): Promise<Json> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const settle = (result: Json): void => {
        replied?.(result);
        resolve(result);
      };
      this.#waiting.set(id, { resolve: settle, reject });
      this.#session.send({ kind: "request", method, params, id });
    });
  }

  #receive(message: JsonRpcMessage): void {
    if (message.kind === "request") {
      if (message.method === "echo") this.#session.send({ kind: "reply", id: message.id, result: message.params });
      return;
    }
    if (message.kind === "notification") {
      const [id, updates] = message.params;
      if (message.method === "update" && typeof id === "string" && updates !== undefined) this.#update(id, updates);
      return;
    }
    const waiting = this.#waiting.get(Number(message.id));
    this.#waiting.delete(Number(message.id));
    if (message.kind === "reply") waiting?.resolve(message.result);
    else waiting?.reject(new ServerError(errorText(message.error)));
  }

  #update(id: string, updates: Json): void {
    for (const [table, rows] of Object.entries(asObject(updates))) {
      const ours = this.#tables.get(table)?.rows;
      if (ours === undefined || this.#monitors.get(table) !== id) continue;
      for (const [uuid, update] of Object.entries(asObject(rows))) {
        const columns = member(asObject(update), "new");
        if (isJsonObject(columns)) ours.set(uuid, new SnapshotRow(uuid, columns));
        else ours.delete(uuid);
      }
    }
    this.#changes++;
    const waiters = this.#changeWaiters;
    this.#changeWaiters = [];
    for (const waiter of waiters) waiter.resolve(null);
  }

  #lose(failure: ConnectionFailure): void {
    this.#failure = failure;
    for (const { reject } of [...this.#waiting.values(), ...this.#changeWaiters]) reject(failure);
    this.#waiting.clear();
    this.#changeWaiters = [];
  }
}

const asObject = (json: Json | undefined): JsonObject => (isJsonObject(json) ? json : {});

const errorText = (json: Json): string => (isJsonObject(json) && typeof json["error"] === "string" ? new OvsdbError(json["error"], typeof json["details"] === "string" ? json["details"] : undefined).toString() : printJsonSorted(json));
