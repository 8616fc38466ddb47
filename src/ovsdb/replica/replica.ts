/**
 * A replica: a live copy of (a part of) a database, as typed rows that the engine can watch, and the way to write to it.
 * This file is the door; `openReplica` is in open-replica.ts.
 */
import type { Collection } from "../../engine/index.ts";
import type { Atom, Datum } from "../value/datum.ts";
import type { ColumnName, ColumnsOf, RowOf, RowRef, TableName } from "../schema/row.ts";
import type { Database, Uuid } from "../schema/typed-schema.ts";

export interface ReplicaTable<Row> extends Collection<Row> {
  /** The row, if it exists: a tracked read of that one row's existence. */
  get(uuid: Uuid | undefined): Row | undefined;
  /** Told of the columns that changed, after the batch of updates is in place. Not tracked. Returns how to stop. */
  watchColumns(changed: (row: Row, columns: readonly string[]) => void): () => void;
}

export type ReplicaTables<D extends Database> = { readonly [N in TableName<D>]: ReplicaTable<RowOf<D, N>> };

/** `[column, function, value]` as RFC 7047, section 5.1, or a constant. A row is wanted if any condition of the table holds. */
export type Condition = boolean | readonly [column: string, function: string, value: Atom | Datum];

export interface ReplicaStatus {
  readonly isConnected: boolean;
  /** All that is monitored is here. Stays true while disconnected: the rows are then those last seen. */
  readonly isSynced: boolean;
  /** Holds the lock it asked for; true if it asked for none. */
  readonly hasLock: boolean;
  /** Another client holds the lock. */
  readonly isLockContended: boolean;
  /** The server has taken over the conditions last set, and what they bring has arrived. */
  readonly areConditionsInForce: boolean;
}

export interface Replica<D extends Database> {
  readonly schema: D;
  /** `tcp:..., unix:...`, as given. */
  readonly remote: string;
  readonly tables: ReplicaTables<D>;
  /** A tracked read. */
  readonly status: ReplicaStatus;
  /** Resolves when it is synced for the first time. Rejects if it is closed before. */
  readonly synced: Promise<void>;
  /** Whether the server's schema has it: an older server may lack tables and columns, which then read as empty. */
  hasColumn<N extends TableName<D>>(table: N, column?: ColumnName<D, N>): boolean;
  /** How many members the server's schema allows the column; an older server may allow fewer. 0: it has no such column. */
  maxMembers<N extends TableName<D>>(table: N, column: ColumnName<D, N>): number;
  /** As the database holds it; not tracked. */
  datum(row: RowRef, column: string): Datum;
  transaction(): Transaction<D>;
  /** Restricts which rows of the table are wanted; may be called at any time. `[]`: none, `[true]`: all. */
  setCondition<N extends TableName<D>>(table: N, condition: readonly Condition[]): void;
  /** Asks for a lock, or gives up the one it has or waits for (undefined). */
  setLock(name: string | undefined): void;
  /** Milliseconds of silence before the server is asked for a sign of life; 0: never; undefined: the default again. */
  setProbeInterval(intervalMs: number | undefined): void;
  setRemote(remote: string): void;
  /** Drops the connection; it is made again at once. */
  reconnect(): void;
  close(): void;
}

export type Mutator = "+=" | "-=" | "*=" | "/=" | "%=" | "insert" | "delete";

/** What became of a transaction. */
export type CommitResult =
  /** `uuidOf` gives the UUID in the database of what `insert` returned. `counts` are those of the operations, in order. */
  | { readonly kind: "committed"; uuidOf<N extends string>(inserted: Uuid<N>): Uuid<N>; readonly increment: number | undefined }
  /** There was nothing to do. */
  | { readonly kind: "unchanged" }
  /** Something it had verified was no longer so, or the connection went; the caller may build it anew when the replica has moved on. */
  | { readonly kind: "tryAgain" }
  | { readonly kind: "notLocked" }
  /** Anything else the server said: a constraint, a reference, a malformed operation. */
  | { readonly kind: "error"; readonly error: string; readonly details: string | undefined };

/** Operations to be carried out together or not at all. Nothing shows in the replica until the server has said so. */
export interface Transaction<D extends Database> {
  /** The UUID stands for the row in this transaction; `uuid` fixes the one it gets (servers from Open vSwitch 3.1 on). */
  insert<N extends TableName<D>>(table: N, columns: ColumnsOf<D, N>, options?: { readonly uuid?: Uuid<N> }): Uuid<N>;
  /** Columns that hold that value already are left out. */
  update<N extends TableName<D>>(row: RowRef<N>, columns: ColumnsOf<D, N>): void;
  mutate<N extends TableName<D>, C extends ColumnName<D, N>>(row: RowRef<N>, column: C, mutator: "insert", value: ColumnsOf<D, N>[C]): void;
  mutate<N extends TableName<D>>(row: RowRef<N>, column: ColumnName<D, N>, mutator: Mutator, value: number | Iterable<string | number | boolean>): void;
  delete(row: RowRef<TableName<D>>): void;
  /** The columns must be as the replica has them now, or the commit gives `tryAgain`. */
  verify<N extends TableName<D>>(row: RowRef<N>, columns: readonly ColumnName<D, N>[]): void;
  /** Adds one, on the server; the result tells the new value. At most once in a transaction. */
  increment<N extends TableName<D>>(row: RowRef<N>, column: ColumnName<D, N>): void;
  /** For the server's log. */
  comment(text: string): void;
  /** The commit gives `notLocked` unless this replica then holds its lock. */
  assertLock(): void;
  /** For programs that learn column names at run time. */
  setDatum(row: RowRef, column: string, datum: Datum): void;
  readonly isEmpty: boolean;
  commit(): Promise<CommitResult>;
}
