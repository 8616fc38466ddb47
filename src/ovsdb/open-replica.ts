/** Makes a replica: wires the session with the server, the tables and the writers together. */
import type { Condition } from "./replica.ts";
import type { ColumnName, TableName } from "./row.ts";
import type { Database } from "./typed-schema.ts";

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
  /** Milliseconds; default 5000; 0: never. */
  readonly probeIntervalMs?: number;
  /** Called once for each batch of updates, when all rows are in place; also when the status changes. Flush the engine here. */
  changed?(): void;
}
