/** What makes one ctl program differ from another: its database, its commands, and what it waits for. */
import type { Directories, Family } from "../daemon/index.ts";
import type { Environment } from "../host/index.ts";
import type { Counter, Database } from "../ovsdb/index.ts";
import { type Command, commands } from "./command.ts";
import type { RowNames } from "./record.ts";
import { showCommand, type ShowTables } from "./show-tree.ts";
import { readingVerbs } from "./verbs-read.ts";
import { writingVerbs } from "./verbs-write.ts";
import type { Workspace } from "./workspace.ts";

/** none: once the database has it; sb: once the zone's own database has it; hv: once every chassis has it. */
export type WaitKind = "none" | "sb" | "hv";

export interface WaitResult {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

export interface Waiting<D extends Database> {
  /** The column of the global row that counts changes. */
  readonly counter: string;
  readonly reads: readonly string[];
  /** `flag`: --no-wait turns waiting off (ovs-vsctl); `kind`: --wait=KIND turns it on. */
  readonly option: "flag" | "kind";
  readonly kinds: readonly WaitKind[];
  /** What to say once the counter's value `goal` has been reached; undefined until then. */
  reached(db: Workspace<D>, kind: WaitKind, goal: Counter, finished: FinishedCall): WaitResult | undefined;
}

/** What is known of an invocation while it waits. */
export interface FinishedCall {
  readonly startedAt: number;
  readonly printTimes: boolean;
  /** UUIDs of the rows that it inserted, by table. */
  readonly inserted: ReadonlyMap<string, readonly string[]>;
  readonly program: string;
  readonly logFolder: string;
}

export interface CtlProgram<D extends Database = Database> {
  readonly name: string;
  readonly family: Family;
  readonly database: D;
  /** The name of its own lines in the log. */
  readonly logModule: string;
  /** One line: what the program is for. */
  readonly purpose: string;
  defaultRemote(environment: Environment, folders: Directories): string;
  /** OVN_NBCTL_OPTIONS: options that precede those given. */
  readonly optionsVariable?: string;
  /** OVN_NB_DAEMON: the control socket of one that runs in the background. */
  readonly daemonVariable?: string;
  /** The table whose only row is made when it is not there. */
  readonly globalTable: string;
  readonly waiting?: Waiting<D>;
  readonly commands: readonly Command<D>[];
  readonly rowNames: RowNames;
  readonly show?: ShowTables;
}

/** All commands by name, the generic ones among them. */
export function commandTable<D extends Database>(program: CtlProgram<D>): ReadonlyMap<string, Command<D>> {
  const { database, rowNames, show } = program;
  const all = [
    ...(show === undefined ? [] : commands("General", [showCommand(database, show)])),
    ...program.commands,
    ...readingVerbs(database, rowNames),
    ...writingVerbs(database, rowNames),
  ];
  return new Map(all.map((command) => [command.name, command]));
}
