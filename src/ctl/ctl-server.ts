/**
 * A ctl program in the background: keeps its connection and the tables it has fetched, and runs what others hand to it with
 * unixctl's `run` (ovn-nbctl(8), "Daemon Mode"). Options of one invocation do not stick to the next.
 */
import {
  commandTable as unixctlTable, describeError, type Directories, type GivenOption, inFolder, isGiven, lastValue, parseOptions, pidfilePath, serveUnixctl,
  type UnixctlCommand, UnixctlError, versionText, type Vlog,
} from "../daemon/index.ts";
import type { Host, Process, SignalName } from "../host/index.ts";
import type { Database } from "../ovsdb/index.ts";
import type { Command } from "./command.ts";
import { CommandError, ExitWith } from "./command-error.ts";
import { parseCommands } from "./command-line.ts";
import { commandOptionSpecs, invocationOptions, invocationSpecs } from "./ctl-options.ts";
import type { CtlProgram } from "./ctl-program.ts";
import { ConnectionFailure, connectDatabase, type DatabaseClient } from "./database-client.ts";
import { invoke } from "./invocation.ts";

export interface ServerPlace<D extends Database> {
  readonly host: Host;
  readonly vlog: Vlog;
  readonly folders: Directories;
  readonly process: Process;
  readonly remote: string;
  readonly table: ReadonlyMap<string, Command<D>>;
}

const retryMs = 1000;
const maxRunning = 1000;

/** Returns in the parent when the child is up, in the child when it has been told to end. */
export async function serveCtl<D extends Database>(program: CtlProgram<D>, options: readonly GivenOption[], place: ServerPlace<D>): Promise<number> {
  const { process, host, folders } = place;
  const pidfile = pidfilePath(options, program.name, folders);
  if (!process.background.isChild) {
    const { code, message } = await process.background.start(pidfile);
    if (message !== "") process.out(message);
    return code;
  }
  if (pidfile !== undefined && process.background.heldPidfile !== pidfile) host.disk.replace(pidfile, `${process.pid}\n`);
  const path = inFolder(folders.run, lastValue(options, "unixctl") ?? `${program.name}.${process.pid}.ctl`);
  const server = new CtlServer(program, options, place);
  const ended = new Promise<void>((resolve) => server.onExit(resolve));
  const commands = unixctlTable(server.commands, {
    clock: host.clock, vlog: place.vlog, version: versionText(program.name, program.family), usage: () => process.usage(), exit: () => server.exit(),
  });
  const unixctl = await listen(host, path, commands);
  const leave = (): void => {
    unixctl.close();
    host.disk.remove(path);
    if (pidfile !== undefined) host.disk.remove(pidfile);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const satisfies readonly SignalName[]) {
    process.onSignal(signal, () => {
      leave();
      process.dieOf(signal);
    });
  }
  await server.connect();
  place.vlog.closeConsole();
  process.background.ready(`${path}\n`);
  await ended;
  leave();
  return 0;
}

async function listen(host: Host, path: string, commands: ReadonlyMap<string, UnixctlCommand>): ReturnType<typeof serveUnixctl> {
  try {
    return await serveUnixctl(host, path, () => commands);
  } catch (error) {
    throw new CommandError(`failed to create unixctl server (${describeError(error)})`);
  }
}

class CtlServer<D extends Database> {
  readonly #program: CtlProgram<D>;
  readonly #place: ServerPlace<D>;
  readonly #leaderOnly: boolean;
  #client: DatabaseClient | undefined;
  #exit: () => void = () => undefined;
  #running = 0;

  constructor(program: CtlProgram<D>, options: readonly GivenOption[], place: ServerPlace<D>) {
    this.#program = program;
    this.#place = place;
    this.#leaderOnly = !isGiven(options, "no-leader-only");
  }

  get commands(): readonly UnixctlCommand[] {
    return [{ name: "run", usage: "", minArgs: 0, maxArgs: Infinity, run: (args) => this.#counted(args) }];
  }

  onExit(action: () => void): void {
    this.#exit = action;
  }

  exit(): void {
    this.#client?.close();
    this.#place.host.clock.after(0, () => this.#exit());
  }

  /** However long it takes. */
  async connect(): Promise<DatabaseClient> {
    while (this.#client === undefined || this.#client.isClosed) {
      try {
        this.#client = await connectDatabase(this.#place.host, this.#place.remote, this.#program.database, { leaderOnly: this.#leaderOnly });
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        await new Promise<void>((resolve) => void this.#place.host.clock.after(retryMs, resolve));
      }
    }
    return this.#client;
  }

  /** One that waits for something must not keep the others waiting; nor may those that wait pile up. */
  async #counted(args: readonly string[]): Promise<string> {
    if (this.#running >= maxRunning) throw new UnixctlError(`${this.#running} commands are waiting already`);
    this.#running++;
    try {
      return await this.#run(args);
    } finally {
      this.#running--;
    }
  }

  async #run(args: readonly string[]): Promise<string> {
    let output = "";
    const { host, vlog, folders, table } = this.#place;
    const parsed = parseOptions(args, [...invocationSpecs, ...commandOptionSpecs(table.values(), invocationSpecs)], false);
    if (parsed.kind === "error") throw new UnixctlError(parsed.brief);
    try {
      const options = invocationOptions(this.#program, parsed.options);
      const commands = parseCommands(parsed.rest, options.local, table);
      for (const command of commands) command.command.readsOf?.(command);
      const client = await this.connect();
      const put = (text: string): void => {
        output += text;
      };
      const work = invoke(this.#program, commands, options, client, {
        clock: host.clock, random: host.random, log: vlog.log, logFolder: folders.log, out: put, err: put, reconnect: () => this.connect(),
      }, args);
      await (options.timeoutSeconds === 0 ? work : Promise.race([work, this.#expiry(options.timeoutSeconds)]));
      return output;
    } catch (error) {
      if (error instanceof ConnectionFailure) throw new UnixctlError(`${this.#place.remote}: database connection failed (${error.message})`);
      if (error instanceof CommandError || error instanceof ExitWith) throw new UnixctlError(error.message);
      throw error;
    }
  }

  #expiry(seconds: number): Promise<never> {
    return new Promise((_, reject) => void this.#place.host.clock.after(seconds * 1000, () => reject(new CommandError("timeout expired"))));
  }
}
