/**
 * Several projections of one replica, written together. One transaction is in flight at a time; what changes meanwhile waits
 * for the next. A transaction that fails leaves its keys to be looked at again: at once when something new arrives, otherwise
 * after a pause, so that neither a lost connection nor a wish that the server refuses makes a busy loop.
 */
import { type Engine, type RelationStore, untracked } from "../../engine/index.ts";
import type { Host, Timer } from "../../host/index.ts";
import type { ClientTransaction } from "./client-transaction.ts";
import { type Parents, ProjectedTable, type Resolve, type UntypedOptions } from "./projected-table.ts";
import type { ProjectionOptions, Projector, ProjectorOptions, Wish } from "./projection.ts";
import type { ReplicaRow } from "./replica-row.ts";
import type { CommitResult, Replica, ReplicaTable, Transaction } from "./replica.ts";
import type { UntypedWish } from "./standing-wishes.ts";
import type { RowOf, TableName } from "../schema/row.ts";
import type { Database } from "../schema/typed-schema.ts";

const firstPauseMs = 100;
const longestPauseMs = 8000;

export function openProjector<D extends Database>(host: Host, engine: Engine, replica: Replica<D>, options: ProjectorOptions = {}): Projector<D> {
  return new LiveProjector(host, engine, replica, options);
}

class LiveProjector<D extends Database> implements Projector<D> {
  readonly #host: Host;
  readonly #engine: Engine;
  readonly #replica: Replica<D>;
  readonly #options: ProjectorOptions;
  readonly #tables: ProjectedTable[] = [];
  readonly #byName = new Map<string, ProjectedTable[]>();
  readonly #extras: ((transaction: Transaction<D>) => void)[] = [];
  #isInFlight = false;
  #isClosed = false;
  #pauseMs = 0;
  #retry: Timer | undefined;
  #hasNews = false;

  constructor(host: Host, engine: Engine, replica: Replica<D>, options: ProjectorOptions) {
    this.#host = host;
    this.#engine = engine;
    this.#replica = replica;
    this.#options = options;
  }

  project<N extends TableName<D>, F extends Wish<D, N>>(table: N, options: ProjectionOptions<D, N, F>): void {
    const { relation, ...rest } = options;
    // Behind the door columns go by name: the relation's facts and the table's rows are of the types the door asked for.
    const rows: unknown = this.#replica.tables[table];
    const facts: unknown = this.#engine.facts(relation);
    const keyOf: unknown = relation.keyOf;
    const untyped: unknown = rest;
    const projected = new ProjectedTable(
      table, this.#engine, rows as ReplicaTable<ReplicaRow>, facts as RelationStore<UntypedWish>,
      keyOf as (wish: UntypedWish) => string, untyped as UntypedOptions, () => {
        this.#hasNews = true;
      }, this.#parents(table, options.parent),
    );
    this.#tables.push(projected);
    const named = this.#byName.get(table) ?? [];
    this.#byName.set(table, [...named, projected]);
  }

  #parents(table: string, where: { readonly table: TableName<D>; readonly column: string } | undefined): Parents | undefined {
    if (where === undefined) return undefined;
    const { column } = where;
    const rows: unknown = this.#replica.tables[where.table];
    const holders = this.#engine.index(`holders of ${table}`, rows as ReplicaTable<ReplicaRow>, (row) => {
      // The door allows any column of the table; that it is a set of references is for the projection's author to see to.
      const held = row._read(row._shape.positions.get(column) ?? -1);
      return held instanceof Set ? (held as ReadonlySet<string>) : [];
    });
    return { table: where.table, column, of: (child) => holders.get(child) };
  }

  also(operations: (transaction: Transaction<D>) => void): void {
    this.#extras.push(operations);
  }

  commit(): void {
    if (this.#isInFlight || this.#isClosed) return;
    if (this.#retry !== undefined && !this.#hasNews) return;
    const { isConnected, hasLock, areConditionsInForce } = untracked(() => this.#replica.status);
    if (!isConnected || !hasLock || !areConditionsInForce || this.#options.mayWrite?.() === false) return;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#hasNews = false;
    const typed = this.#replica.transaction();
    const transaction: unknown = typed;
    untracked(() => this.#compare(transaction as ClientTransaction));
    untracked(() => this.#extras.forEach((add) => add(typed)));
    if (typed.isEmpty) {
      for (const table of this.#tables) table.finish(true);
      return;
    }
    typed.assertLock();
    if (this.#options.comment !== undefined) typed.comment(this.#options.comment);
    this.#isInFlight = true;
    void typed.commit().then((result) => this.#finished(result));
  }

  #compare(transaction: ClientTransaction): void {
    const resolve: Resolve = (wished, dependent) => {
      const tables = this.#byName.get(wished.table) ?? [];
      const target = tables.find((table) => table.ownsRows && table.has(wished.key)) ?? tables[0];
      // Known to the target even if it exists already: should it go, whoever refers to it is looked at again.
      target?.dependOn(wished.key, dependent);
      const uuid = target?.uuidOf(wished.key, transaction, resolve);
      if (uuid === undefined) target?.awaited.add(wished.key);
      return uuid;
    };
    const work = this.#tables.map((table) => [table, table.begin()] as const);
    for (const [table, keys] of work) for (const key of keys) table.compare(key, transaction, resolve);
  }

  #finished(result: CommitResult): void {
    this.#isInFlight = false;
    const isDone = result.kind === "committed" || result.kind === "unchanged";
    for (const table of this.#tables) table.finish(isDone);
    if (this.#isClosed) return;
    if (isDone) this.#pauseMs = 0;
    else this.#retryLater(result);
    this.#options.committed?.(result);
    if (isDone) this.commit();
  }

  #retryLater(result: CommitResult): void {
    if (result.kind === "error") {
      this.#host.log.module("ovsdb_idl").warn(`transaction error: ${result.error}${result.details === undefined ? "" : `: ${result.details}`}`);
    }
    // What others did that made it fail comes as news, and is answered at once; an error of ours must not be repeated at speed.
    this.#pauseMs = result.kind === "error" ? Math.min(Math.max(firstPauseMs, this.#pauseMs * 2), longestPauseMs) : firstPauseMs;
    this.#retry = this.#host.clock.after(this.#pauseMs, () => {
      this.#retry = undefined;
      this.commit();
    });
  }

  get isSettled(): boolean {
    return !this.#isInFlight && this.#tables.every((table) => !table.isDirty);
  }

  row<N extends TableName<D>>(table: N, key: string): RowOf<D, N> | undefined {
    const found: unknown = this.#byName.get(table)?.find((projected) => projected.ownsRows)?.row(key);
    return found as RowOf<D, N> | undefined;
  }

  compareAll(): void {
    for (const table of this.#tables) table.touchAll();
    this.commit();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    for (const table of this.#tables) table.stop();
  }
}
