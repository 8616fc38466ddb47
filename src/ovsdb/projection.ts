/**
 * Projections: the incremental writers. A projection keeps rows of one table equal to the facts of a relation ("wishes"),
 * whatever others do to those rows. Only keys of which something changed are compared.
 *
 *     const projector = openProjector(engine, replica);
 *     projector.project("Datapath_Binding", { relation: WantedDatapath, identify: (row) => row.external_ids.get("name") });
 *     projector.project("Logical_Flow", { relation: WantedFlow, identify: flowKeyOf });
 *     ...
 *     engine.flush();
 *     projector.commit();
 */
import type { Relation } from "../engine/index.ts";
import type { CommitResult, Transaction } from "./replica.ts";
import type { RowOf, TableName, WishColumnsOf } from "./row.ts";
import type { Database, Uuid } from "./typed-schema.ts";

/**
 * One row as it should be. The relation's key must cover the columns too (two facts of one key are one fact), unless `key`
 * already says all of them: `wishes()` makes a relation that takes care of it. Where several wishes of one key stand, one of
 * them is taken, always the same.
 */
export interface Wish<D extends Database, N extends TableName<D>> {
  readonly key: string;
  /** Columns not mentioned are left alone. */
  readonly columns: WishColumnsOf<D, N>;
  /** Columns given to a new row alone, and left alone afterwards. */
  readonly initial?: WishColumnsOf<D, N>;
  /** The UUID a new row gets. */
  readonly uuid?: Uuid<N>;
}

export interface ProjectionOptions<D extends Database, N extends TableName<D>, F extends Wish<D, N>> {
  readonly relation: Relation<F>;
  /**
   * The key of a row that this projection owns; undefined for rows that are none of its business. Reads are tracked. Of
   * several rows with one key all but one are deleted.
   */
  identify(row: RowOf<D, N>): string | undefined;
  /**
   * "rows" (the default): rows are inserted and deleted. "columns": rows are other people's; only their columns are set, once
   * there is one; of several rows with one key each is set.
   */
  readonly owns?: "rows" | "columns";
  /** With `owns: "columns"`: what the columns become on rows with a key that nobody wishes for. */
  readonly otherwise?: WishColumnsOf<D, N>;
}

export interface Projector<D extends Database> {
  project<N extends TableName<D>, F extends Wish<D, N>>(table: N, options: ProjectionOptions<D, N, F>): void;
  /** Operations of the daemon's own, added to every transaction; they alone also make one. Add nothing if nothing is to change. */
  also(operations: (transaction: Transaction<D>) => void): void;
  /**
   * Writes the differences, in one transaction, unless there are none, one is in flight, the replica is not in sync or does
   * not hold its lock. To be called when the engine has come to rest; calls itself again when a commit comes back.
   */
  commit(): void;
  /** Nothing to write and nothing in flight: the database is as wished. */
  readonly isSettled: boolean;
  /** The row kept for `key`, if it exists. Tracked. */
  row<N extends TableName<D>>(table: N, key: string): RowOf<D, N> | undefined;
  /** Compares everything again: for `recompute` commands. */
  compareAll(): void;
  close(): void;
}

export interface ProjectorOptions {
  /** What each transaction says in the server's log. */
  readonly comment?: string;
  /** Told of the end of each commit; also when nothing was to be written. */
  committed?(result: CommitResult): void;
}
