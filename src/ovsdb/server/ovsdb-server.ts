/**
 * The database server (ovsdb-server(1)): databases from files, remotes from options and from the databases themselves, and
 * the database `_Server` that tells of it all. Several may live in one process: nothing is shared between them.
 */
import type { Host } from "../../host/index.ts";
import { convertStore } from "../store/convert-store.ts";
import { DatabaseFile } from "../file/database-file.ts";
import {
  type DatabaseColumn, databaseRemotes, defaultOptions, parseDatabaseColumn, writeStatus,
} from "./database-remotes.ts";
import type { Datum } from "../value/datum.ts";
import type { Json } from "../json/json.ts";
import { Locks } from "./locks.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import { schemaFromJson } from "../schema/schema-json.ts";
import { ServedDatabase } from "./served-database.ts";
import { type RemoteOptions, ServerRemote } from "./server-remote.ts";
import { serverDatabase } from "./server-schema.ts";
import type { ServerSession, SessionSurroundings } from "./server-session.ts";
import { Store } from "../store/store.ts";

export interface OvsdbServerOptions {
  /** Paths of database files. */
  readonly files: readonly string[];
  /** `punix:F`, `ptcp:P[:H]`, `unix:F`, `tcp:H:P`, `db:DB,TABLE,COLUMN` */
  readonly remotes: readonly string[];
  /** Refuses every change that clients ask for. */
  readonly readOnly?: boolean;
}

/** Status columns are refreshed so often while connections come and go. */
const statusIntervalMs = 2500;

export class OvsdbServer implements SessionSurroundings {
  readonly #host: Host;
  readonly #isReadOnly: boolean;
  readonly databases = new Map<string, ServedDatabase>();
  readonly locks = new Locks();
  readonly serverId: string;
  allowsConditions = true;
  readonly #configured = new Set<string>();
  readonly #remotes = new Map<string, ServerRemote>();
  #dirty = new Set<ServedDatabase>();
  #statusTimer: { cancel(): void } | undefined;
  #isStopped = false;

  constructor(host: Host, { readOnly = false }: { readonly readOnly?: boolean }) {
    this.#host = host;
    this.#isReadOnly = readOnly;
    this.serverId = host.random.uuid();
    const own = new Store(serverDatabase, () => host.random.uuid());
    this.#serve(new ServedDatabase(own, undefined, this));
  }

  get clock(): Host["clock"] {
    return this.#host.clock;
  }
  get log(): Host["log"] {
    return this.#host.log.module("ovsdb_server");
  }
  makeUuid(): string {
    return this.#host.random.uuid();
  }

  /** Databases and remotes after the names that the operator gave them. */
  get databaseNames(): readonly string[] {
    return [...this.databases.keys()].sort();
  }
  get remoteNames(): readonly string[] {
    return [...this.#configured].sort();
  }

  addFile(path: string): OvsdbError | undefined {
    if ([...this.databases.values()].some((database) => database.file?.path === path)) {
      return new OvsdbError("ovsdb error", `${path}: already open`);
    }
    const file = DatabaseFile.open(this.#host.disk, this.log, path, () => this.makeUuid());
    if (file instanceof OvsdbError) return file;
    const { name } = file.store;
    if (name.startsWith("_")) return new OvsdbError("ovsdb error", `${name}: names beginning with "_" are reserved`);
    if (this.databases.has(name)) return new OvsdbError("ovsdb error", `${name}: duplicate database name`);
    this.#serve(new ServedDatabase(file.store, file, this));
    this.#reconfigure();
    return undefined;
  }

  #serve(database: ServedDatabase): void {
    this.databases.set(database.name, database);
    this.#tellServed();
    this.#disconnectUnaware();
  }

  removeDatabase(name: string): boolean {
    const database = this.databases.get(name);
    if (database === undefined) return false;
    this.log.info(`removing ${name} database by user request`);
    for (const session of this.#sessions()) session.dropMonitorsOf(database);
    database.close();
    this.databases.delete(name);
    this.#tellServed();
    this.#disconnectUnaware();
    this.#reconfigure();
    return true;
  }

  *#sessions(): Iterable<ServerSession> {
    for (const remote of this.#remotes.values()) yield* remote.sessions;
  }

  /** Clients that cannot be told that the set of databases has changed must find out by connecting again. */
  #disconnectUnaware(): void {
    for (const session of [...this.#sessions()]) if (!session.isChangeAware) session.disconnect();
  }

  disconnectAll(): void {
    for (const session of [...this.#sessions()]) session.disconnect();
  }

  /** Brings the rows of `_Server` in line with the databases. */
  #tellServed(): void {
    const own = this.databases.get(serverDatabase.name);
    const table = own?.store.tables.get("Database");
    if (own === undefined || table === undefined) return;
    own.apply((transaction) => {
      const told = new Map([...table.rows.values()].map((row) => [String(table.column("name")?.of(row).keys[0]), row]));
      for (const [name, row] of told) if (!this.databases.has(name)) transaction.delete(row);
      for (const [name, database] of this.databases) {
        const values: { readonly [column: string]: Datum } = {
          name: { keys: [name] },
          model: { keys: ["standalone"] },
          connected: { keys: [true] },
          leader: { keys: [true] },
          schema: { keys: [database.schemaText] },
        };
        const row = told.get(name);
        const fields = table.columns.map((column) => values[column.name] ?? column.defaultValue);
        if (row === undefined) transaction.insert(table, this.makeUuid(), fields);
        else transaction.update(row, fields);
      }
    });
  }

  convert(database: ServedDatabase, schemaJson: Json, by: ServerSession): OvsdbError | undefined {
    const schema = schemaFromJson(schemaJson);
    if (schema instanceof OvsdbError) return schema;
    if (schema.name !== database.name) {
      return syntaxError(schemaJson, `cannot convert ${database.name} database to a schema named ${schema.name}`);
    }
    const store = convertStore(database.store, schema);
    if (store instanceof OvsdbError) return store;
    database.flush();
    const bad = database.replaceStore(store, () => {
      for (const session of [...this.#sessions()]) {
        if (!session.isChangeAware && session !== by) session.disconnect();
        else session.dropMonitorsOf(database);
      }
    });
    if (bad !== undefined) return bad;
    this.#tellServed();
    // Whoever asked gets its reply first.
    this.#host.clock.after(0, () => this.#disconnectUnaware());
    this.#reconfigure();
    return undefined;
  }

  flushSoon(database: ServedDatabase): void {
    this.#dirty.add(database);
    if (this.#dirty.size === 1) this.#host.clock.after(0, () => this.#flush());
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const sources = this.#remoteSources();
    let remotesChanged = false;
    for (const database of dirty) {
      const changed = database.flush();
      remotesChanged ||= sources.some(
        (source) => source.database === database && (changed.has(source.table) || (source.column.keyTable !== undefined && changed.has(source.column.keyTable))),
      );
    }
    if (remotesChanged) this.#reconfigure();
  }

  /** Undefined, or why it cannot be. */
  addRemote(name: string): string | undefined {
    if (name.startsWith("db:")) {
      const place = parseDatabaseColumn(name, this.databases);
      if (typeof place === "string") return place;
    }
    this.#configured.add(name);
    this.#reconfigure();
    return undefined;
  }

  removeRemote(name: string): boolean {
    if (!this.#configured.delete(name)) return false;
    this.#reconfigure();
    return true;
  }

  #remoteSources(): readonly DatabaseColumn[] {
    const places: DatabaseColumn[] = [];
    for (const name of this.#configured) {
      const place = name.startsWith("db:") ? parseDatabaseColumn(name, this.databases) : undefined;
      if (place !== undefined && typeof place !== "string") places.push(place);
    }
    return places;
  }

  /** Makes the remotes that are open those that are wanted. */
  #reconfigure(): void {
    if (this.#isStopped) return;
    const wanted = new Map<string, RemoteOptions>();
    for (const name of this.#configured) if (!name.startsWith("db:")) wanted.set(name, defaultOptions);
    for (const source of this.#remoteSources()) {
      for (const [target, options] of databaseRemotes(source, this.log)) if (!wanted.has(target)) wanted.set(target, options);
    }
    for (const [name, remote] of this.#remotes) {
      if (wanted.has(name)) continue;
      this.#remotes.delete(name);
      void remote.close();
    }
    for (const [name, given] of wanted) {
      const options = this.#isReadOnly ? { ...given, readOnly: true } : given;
      const known = this.#remotes.get(name);
      if (known === undefined) this.#remotes.set(name, new ServerRemote(name, options, this.#host, this, () => this.#statusSoon()));
      else known.setOptions(options);
    }
    this.#statusSoon();
  }

  /** Rows that describe connections are told how these fare: soon after a change, and seldom otherwise. */
  #statusSoon(): void {
    if (this.#statusTimer !== undefined || this.#isStopped || this.#remoteSources().length === 0) return;
    this.#statusTimer = this.#host.clock.after(statusIntervalMs, () => {
      this.#statusTimer = undefined;
      this.writeStatus();
    });
  }

  writeStatus(): void {
    for (const source of this.#remoteSources()) writeStatus(source, (target) => this.#remotes.get(target)?.status, this.log);
  }

  /** Resolves when every remote that is wanted has been tried once. */
  async started(): Promise<void> {
    await Promise.all([...this.#remotes.values()].map((remote) => remote.started));
    this.writeStatus();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#statusTimer?.cancel();
    for (const database of this.databases.values()) database.flush();
    const remotes = [...this.#remotes.values()];
    this.#remotes.clear();
    await Promise.all(remotes.map((remote) => remote.close()));
    for (const database of this.databases.values()) database.close();
  }
}
