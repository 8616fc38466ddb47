/**
 * One command of a ctl program, declared once: parsing, `--help`, `--commands` and running all read this.
 *
 * A command names the tables it looks at; they are fetched before it runs, so that running is plain synchronous code over
 * one consistent state, repeated from the start if the transaction it makes has lost a race.
 */
import type { Database } from "../ovsdb/index.ts";
import type { OutputTable } from "./output-table.ts";
import type { Symbols } from "./symbols.ts";
import type { Workspace } from "./workspace.ts";

export interface Command<D extends Database = Database> {
  readonly name: string;
  /** Words after the name: capitals stand for values, brackets for what may be left out. */
  readonly usage: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  /** As in `--may-exist,--policy=,--bfd?`: `=` needs a value, `?` may have one. */
  readonly options: string;
  /** What `--help` says; undefined keeps it out of there. */
  readonly help?: string;
  /** The heading in `--help`. */
  readonly group?: string;
  readonly writes: boolean;
  /** Raises the counter that --wait waits for, even if nothing else changes. */
  readonly forcesWait?: boolean;
  /** Tables to fetch: `Logical_Switch`, or only some columns: `Logical_Switch:name,ports`. */
  readonly reads: readonly string[];
  /** Tables that depend on the arguments. Throws CommandError for arguments that name none. */
  readsOf?(call: Call): readonly string[];
  run(context: Context<D>): void;
  /** Called after the transaction has been committed; may replace the output. `uuidOf` gives the server's UUID of an inserted row. */
  committed?(context: Context<D>, uuidOf: (uuid: string) => string): void;
}

/** A command as it was typed. */
export interface Call {
  /** Without the command's name. */
  readonly args: readonly string[];
  /** With their dashes: `--may-exist`; undefined for one without a value. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

export interface Context<D extends Database = Database> extends Call {
  readonly db: Workspace<D>;
  readonly symbols: Symbols;
  /** Output, printed once everything has been committed. */
  output: string;
  /** Printed instead of `output`, in the format that was asked for. */
  table: OutputTable | undefined;
  /** Said at once, on standard error, as a line of the log; of the program's own module unless another is named. */
  warn(text: string, module?: string): void;
  now(): number;
}

/** The argument at `index`, which the declared number of arguments promises. */
export const argument = (call: Call, index: number): string => call.args[index] ?? "";

/** Commands of one family, under their heading. */
export const commands = <D extends Database>(group: string, list: readonly Command<D>[]): readonly Command<D>[] =>
  list.map((command) => ({ ...command, group }));
