/**
 * Projections: the incremental writers. A projection keeps rows of one table equal to the facts of a relation ("wishes"),
 * whatever others do to those rows. Only keys of which something changed are compared.
 *
 *     const projector = openProjector(host, engine, replica);
 *     projector.project("Datapath_Binding", { relation: WantedDatapath, identify: (row) => row.external_ids.get("name") });
 *     projector.project("Logical_Flow", { relation: WantedFlow, identify: flowKeyOf });
 *     ...
 *     engine.flush();
 *     projector.commit();
 */
import { type Relation, relation } from "../../engine/index.ts";
import type { CommitResult, Transaction } from "./replica.ts";
import type { ColumnName, RowOf, TableName, WishColumnsOf } from "../schema/row.ts";
import type { Database, Uuid } from "../schema/typed-schema.ts";
import type { Wished } from "./wish.ts";

/**
 * One row as it should be. The relation's key must cover the columns too (two facts of one key are one fact), unless `key`
 * already says all of them: `wishRelation()` makes a relation that takes care of it. Where several wishes of one key stand, one of
 * them is taken, always the same.
 */
export interface Wish<D extends Database, N extends TableName<D>> {
  readonly key: string;
  /** Columns not mentioned are left alone. */
  readonly columns: WishColumnsOf<D, N>;
  /** Columns given to a new row alone, and left alone afterwards; as a function, asked for when the row is about to be made. */
  readonly initial?: WishColumnsOf<D, N> | (() => WishColumnsOf<D, N>);
  /** The UUID a new row gets. */
  readonly uuid?: Uuid<N>;
  /** With the option `parent`: the row that is to hold this one. It must exist before this one is made. */
  readonly parent?: Uuid | Wished<string>;
}

export interface ProjectionOptions<D extends Database, N extends TableName<D>, F extends Wish<D, N>> {
  readonly relation: Relation<F>;
  /**
   * The key of a row that this projection owns; undefined for rows that are none of its business. Of several rows with one
   * key all but one are deleted.
   */
  identify(row: RowOf<D, N>): string | undefined;
  /**
   * What `identify` looks at. "row" (the default): nothing that changes but the columns of the row itself; rows it refers to
   * may be looked at if what is read of them stays the same while they exist. "anything": reads are tracked, which costs
   * memory for each row.
   */
  readonly identityReads?: "row" | "anything";
  /**
   * "rows" (the default): rows are inserted and deleted. "columns": rows are other people's; only their columns are set, once
   * there is one; of several rows with one key each is set.
   */
  readonly owns?: "rows" | "columns";
  /**
   * For tables of non-root rows: which column of which table holds them, as `Logical_Switch.ports` holds Logical_Switch_Port.
   * Rows are added to that set and taken out of it; other members are left alone.
   */
  readonly parent?: { readonly [P in TableName<D>]: { readonly table: P; readonly column: ColumnName<D, P> } }[TableName<D>];
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
  /** The row kept for `key`, if it exists. A tracked read of that alone. */
  row<N extends TableName<D>>(table: N, key: string): RowOf<D, N> | undefined;
  /** Compares everything again: for `recompute` commands. */
  compareAll(): void;
  close(): void;
}

export interface ProjectorOptions {
  /** Asked before each transaction, also before one that is tried again: a daemon on standby or paused writes nothing. */
  mayWrite?(): boolean;
  /** What each transaction says in the server's log. */
  readonly comment?: string;
  /** Told of the end of each commit. What it brought is compared right after; `isSettled` says when nothing more is to be written. */
  committed?(result: CommitResult): void;
}

/** A relation of wishes for one table, told apart by all they say. */
export function wishRelation<D extends Database, N extends TableName<D>>(_schema: D, table: N, name: string = table): Relation<Wish<D, N>> {
  return relation(name, (wish) => {
    const pieces: string[] = [wish.key, "\n"];
    addContent(pieces, wish.columns);
    if (typeof wish.initial !== "function") addContent(pieces, wish.initial);
    pieces.push("\n", wish.uuid ?? "", "\n");
    addContent(pieces, wish.parent);
    return pieces.join("");
  });
}

/** In a form that tells all values apart. There are as many wishes as rows, so it is made of few pieces. */
function addContent(pieces: string[], value: unknown): void {
  if (typeof value === "string") pieces.push(String(value.length), "'", value);
  else if (value instanceof Map) {
    pieces.push("{");
    for (const [key, item] of value) {
      addContent(pieces, key);
      addContent(pieces, item);
    }
    pieces.push("}");
  } else if (typeof value === "object" && value !== null && Symbol.iterator in value && typeof value[Symbol.iterator] === "function") {
    pieces.push("[");
    for (const item of value as Iterable<unknown>) addContent(pieces, item);
    pieces.push("]");
  } else if (typeof value === "object" && value !== null) {
    pieces.push("{");
    for (const [key, item] of Object.entries(value)) {
      pieces.push(key, ":");
      addContent(pieces, item);
    }
    pieces.push("}");
  } else pieces.push(String(value), ",");
}
