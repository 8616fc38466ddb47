/**
 * Carries out the commands of one invocation as one transaction: fetches what they read, runs them, sends what they wrote,
 * starts over when another client was faster or a command says that its time has not come, and waits if asked to.
 */
import { type Counter, isJsonObject, type Database, type Json, type JsonObject, printJsonSorted } from "../ovsdb/index.ts";
import type { Clock, Log, Random } from "../host/index.ts";
import type { ParsedCommand } from "./command-line.ts";
import type { Call, Command, Context } from "./command.ts";
import { CommandError, fail, TryAgain } from "./command-error.ts";
import type { InvocationOptions } from "./ctl-options.ts";
import type { CtlProgram } from "./ctl-program.ts";
import type { DatabaseClient } from "./database-client.ts";
import { ConnectionFailure, ServerError } from "./database-client.ts";
import { operationsOf } from "./operations.ts";
import { printTable, type TableStyle } from "./output-table.ts";
import { Symbols } from "./symbols.ts";
import { WorkRow, Workspace } from "./workspace.ts";

export interface InvocationPlace {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly logFolder: string;
  /** Output of the commands goes here as soon as the transaction is committed. */
  out(text: string): void;
  err(text: string): void;
  /** Another connection when the database went away while the invocation waited; it gives up only when the invocation is over. */
  reconnect(): Promise<DatabaseClient>;
}

interface Committed<D extends Database> {
  readonly workspace: Workspace<D>;
  readonly contexts: readonly Context<D>[];
  /** The counter's new value, if it was raised. */
  readonly goal: Counter | undefined;
  readonly changed: boolean;
  readonly startedAt: number;
  readonly uuidOf: (uuid: string) => string;
}

/** The exit code. Throws CommandError for what the user is to be told, ConnectionFailure when the database goes away before it is done. */
export async function invoke<D extends Database>(
  program: CtlProgram<D>, commands: readonly ParsedCommand<D>[], options: InvocationOptions, client: DatabaseClient,
  place: InvocationPlace, words: readonly string[],
): Promise<number> {
  const needed = neededTables(program, commands, options);
  await client.fetch(needed);
  const committed = await commit(program, commands, options, client, place, words);
  let isFirst = true;
  for (const context of committed.contexts) {
    place.out(outputOf(context, options.oneline, options.style, isFirst));
    if (context.table !== undefined) isFirst = false;
  }
  if (options.wait === "none" || !committed.changed || options.dryRun) return 0;
  return waitFor(program, options, client, place, committed, needed);
}

function outputOf<D extends Database>(context: Context<D>, oneline: boolean, style: TableStyle, isFirst: boolean): string {
  if (context.table !== undefined) return printTable(context.table, style, isFirst);
  if (!oneline) return context.output;
  return `${context.output.replace(/\n$/, "").replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
}

/** The columns (undefined: all) of each table. */
type NeededTables = ReadonlyMap<string, ReadonlySet<string> | undefined>;

function neededTables<D extends Database>(program: CtlProgram<D>, commands: readonly ParsedCommand<D>[], { wait }: InvocationOptions): NeededTables {
  const { waiting, globalTable } = program;
  const reads = [
    `${globalTable}:${waiting?.counter ?? ""}`,
    ...(wait === "none" ? [] : (waiting?.reads ?? [])),
    ...commands.flatMap((c) => [...c.command.reads, ...(c.command.readsOf?.(c) ?? [])]),
  ];
  const needed = new Map<string, Set<string> | undefined>();
  for (const read of reads) {
    const [table = "", columns] = read.split(":");
    if (columns === undefined) needed.set(table, undefined);
    else if (!needed.has(table) || needed.get(table) !== undefined) {
      needed.set(table, new Set([...(needed.get(table) ?? []), ...columns.split(",").filter((c) => c !== "")]));
    }
  }
  return needed;
}

async function commit<D extends Database>(
  program: CtlProgram<D>, commands: readonly ParsedCommand<D>[], options: InvocationOptions, client: DatabaseClient,
  place: InvocationPlace, words: readonly string[],
): Promise<Committed<D>> {
  for (;;) {
    const changes = client.changes;
    const startedAt = place.clock.wall();
    const attempt = attemptOnce(program, commands, options, client, place);
    if (attempt !== undefined) {
      const result = await send(attempt, options, client, place.log, `${program.name}: ${[program.name, ...words].join(" ")}`);
      if (result !== undefined) {
        for (const [i, { command }] of commands.entries()) {
          const context = attempt.contexts[i];
          if (context !== undefined) command.committed?.(context, result.uuidOf);
        }
        return { ...result, workspace: attempt.workspace, contexts: attempt.contexts, startedAt };
      }
    }
    await client.changeAfter(changes);
  }
}

interface Attempt<D extends Database> {
  readonly workspace: Workspace<D>;
  readonly contexts: readonly Context<D>[];
  readonly increment: { readonly row: WorkRow; readonly column: string; readonly forced: boolean } | undefined;
}

/** Runs every command on what is known now; undefined if one of them must wait for a change. */
function attemptOnce<D extends Database>(
  program: CtlProgram<D>, commands: readonly ParsedCommand<D>[], options: InvocationOptions, client: DatabaseClient, place: InvocationPlace,
): Attempt<D> | undefined {
  const workspace = new Workspace(program.database, client.snapshot, place.random);
  const symbols = new Symbols(place.random);
  const global = globalRow(program, workspace);
  const warn = (text: string, module = program.logModule): void => place.log.module(module).warn(text);
  const contexts: Context<D>[] = [];
  try {
    for (const { command, args, options: given } of commands) {
      const context: Context<D> = { args, options: given, db: workspace, symbols, output: "", table: undefined, warn, now: () => place.clock.wall() };
      command.run(context);
      contexts.push(context);
    }
  } catch (error) {
    if (error instanceof TryAgain) return undefined;
    throw error;
  }
  symbols.check((text) => warn(text, program.family === "ovn" ? "ovn_dbctl" : program.logModule));
  const column = program.waiting?.counter;
  const forced = commands.some((c) => c.command.forcesWait === true);
  return { workspace, contexts, increment: options.wait === "none" || column === undefined ? undefined : { row: global, column, forced } };
}

const maxCounter = 2n ** 63n - 1n;

/** The row of settings that every one of these databases has exactly one of. A counter at its limit begins anew. */
function globalRow<D extends Database>({ globalTable, waiting }: CtlProgram<D>, workspace: Workspace<D>): WorkRow {
  const row = workspace.anyRows(globalTable)[0] ?? workspace.insertAny(globalTable, workspace.newUuid(), false);
  if (waiting !== undefined && workspace.datum(row, waiting.counter).keys[0] === maxCounter) {
    workspace.write(row, waiting.counter, { keys: [0] }, "assign");
  }
  return row;
}

interface Sent {
  readonly goal: Counter | undefined;
  readonly changed: boolean;
  readonly uuidOf: (uuid: string) => string;
}

/** undefined: another client was faster. */
async function send<D extends Database>(
  attempt: Attempt<D>, { dryRun }: InvocationOptions, client: DatabaseClient, log: Log, comment: string,
): Promise<Sent | undefined> {
  const { operations, inserts } = operationsOf(attempt.workspace as Workspace);
  const { increment } = attempt;
  const raises = increment !== undefined && (increment.forced || operations.length > 0);
  if (operations.length === 0 && !raises) return { goal: undefined, changed: false, uuidOf: (uuid) => uuid };
  const all: JsonObject[] = [...operations];
  if (raises) all.push(...incrementOperations(increment.row, increment.column));
  const selectAt = all.length - 1;
  all.push({ op: "comment", comment });
  if (dryRun) all.push({ op: "abort" });
  let results: readonly Json[];
  try {
    results = await client.transact(all);
  } catch (error) {
    if (error instanceof ServerError) throw new CommandError(`transaction error: ${error.message}`);
    throw error;
  }
  if (!succeeded(results, log)) return undefined;
  return {
    goal: raises ? selectedInteger(results[selectAt], increment.column) : undefined,
    changed: true,
    uuidOf: (uuid) => {
      const at = inserts.get(uuid);
      return (at === undefined ? undefined : insertedUuid(results[at])) ?? uuid;
    },
  };
}

function incrementOperations(row: WorkRow, column: string): readonly JsonObject[] {
  const reference: Json = row.stored === undefined ? ["named-uuid", `row${row._uuid.replaceAll("-", "_")}`] : ["uuid", row._uuid];
  const where: Json = [["_uuid", "==", reference]];
  return [
    { op: "mutate", table: row._table, where, mutations: [[column, "+=", 1]] },
    { op: "select", table: row._table, where, columns: [column] },
  ];
}

function succeeded(results: readonly Json[], log: Log): boolean {
  for (const result of results) {
    if (!isJsonObject(result) || typeof result["error"] !== "string") continue;
    if (result["error"] === "timed out") return false;
    if (result["error"] === "aborted") continue;
    const text = `transaction error: ${printJsonSorted(result)}`;
    log.module("ovsdb_idl").warn(text);
    fail(text);
  }
  return true;
}

function selectedInteger(result: Json | undefined, column: string): Counter {
  const rows = isJsonObject(result) ? result["rows"] : undefined;
  const row: Json | undefined = Array.isArray(rows) ? (rows[0] as Json) : undefined;
  const value = isJsonObject(row) ? row[column] : undefined;
  return typeof value === "bigint" || typeof value === "number" ? value : 0;
}

function insertedUuid(result: Json | undefined): string | undefined {
  const uuid = isJsonObject(result) ? result["uuid"] : undefined;
  return Array.isArray(uuid) && typeof uuid[1] === "string" ? uuid[1] : undefined;
}

async function waitFor<D extends Database>(
  program: CtlProgram<D>, { wait, printTimes }: InvocationOptions, client: DatabaseClient, place: InvocationPlace, committed: Committed<D>,
  needed: NeededTables,
): Promise<number> {
  const { waiting } = program;
  if (waiting === undefined || committed.goal === undefined) return 0;
  const finished = {
    startedAt: committed.startedAt, printTimes, program: program.name, logFolder: place.logFolder, inserted: insertedRows(committed),
  };
  let current = client;
  for (;;) {
    const { changes } = current;
    const db = new Workspace(program.database, current.snapshot, place.random);
    const result = waiting.reached(db, wait, committed.goal, finished);
    if (result !== undefined) {
      place.out(result.out);
      place.err(result.err);
      return result.code;
    }
    current = await nextChange(current, changes, needed, place);
  }
}

/** The client with something new to see: the same one, or, if the database went away, one that has just fetched everything. */
async function nextChange(client: DatabaseClient, changes: number, needed: NeededTables, place: InvocationPlace): Promise<DatabaseClient> {
  try {
    await client.changeAfter(changes);
    return client;
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) throw error;
  }
  for (;;) {
    const fresh = await place.reconnect();
    try {
      await fresh.fetch(needed);
      return fresh;
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error;
    }
  }
}

function insertedRows<D extends Database>({ workspace, uuidOf }: Committed<D>): ReadonlyMap<string, readonly string[]> {
  const inserted = new Map<string, string[]>();
  for (const row of workspace.touched) {
    if (row.stored === undefined && !row.deleted) inserted.set(row._table, [...(inserted.get(row._table) ?? []), uuidOf(row._uuid)]);
  }
  return inserted;
}

/** For the log: whether any of the commands may change something. */
export const mayWrite = <D extends Database>(commands: readonly (Call & { readonly command: Command<D> })[]): boolean => commands.some((c) => c.command.writes);
