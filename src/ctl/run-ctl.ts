/**
 * A ctl program from its arguments to its exit code, with no state outside: the program itself calls this once, the lab many
 * times. Three ways: directly on the database; in the background, for others (`--detach`); through one in the background.
 */
import {
  applyVlogOptions, directories, type Directories, type GivenOption, isGiven, lastValue, optionList, type OptionSpec, parseOptions, versionText, Vlog,
} from "../daemon/index.ts";
import { type Environment, type Host, mappedHost, parseAddressMap, type Process } from "../host/index.ts";
import type { Database } from "../ovsdb/index.ts";
import type { Command } from "./command.ts";
import { CommandError, ExitWith } from "./command-error.ts";
import { parseCommands } from "./command-line.ts";
import { commandOptionSpecs, globalSpecs, invocationOptions } from "./ctl-options.ts";
import { commandTable, type CtlProgram } from "./ctl-program.ts";
import { runThroughDaemon } from "./ctl-client.ts";
import { ConnectionFailure, connectDatabase, type DatabaseClient } from "./database-client.ts";
import { commandList, helpText } from "./help.ts";
import { type InvocationPlace, invoke } from "./invocation.ts";

export interface CtlPlace {
  readonly host: Host;
  readonly environment: Environment;
  out(text: string): void;
  err(text: string): void;
  /** Where the program is a process of its own; without it there is no --detach. */
  readonly process?: Process;
  /** Connections to keep for further calls, by remote. Whoever made the pool closes it. */
  readonly connections?: ConnectionPool;
}

/** Connections that outlive one call. */
export class ConnectionPool {
  readonly #clients = new Map<string, DatabaseClient>();

  async get(key: string, connect: () => Promise<DatabaseClient>): Promise<DatabaseClient> {
    const kept = this.#clients.get(key);
    if (kept !== undefined && !kept.isClosed) return kept;
    const client = await connect();
    this.#clients.set(key, client);
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}

/** What a shell sees of a program that SIGALRM ended. */
export const timedOutCode = 142;

export async function runCtl<D extends Database>(program: CtlProgram<D>, args: readonly string[], place: CtlPlace): Promise<number> {
  try {
    return await new CtlRun(program, place).run(args);
  } catch (error) {
    if (error instanceof ExitWith) return error.code;
    if (!(error instanceof CommandError)) throw error;
    place.err(`${program.name}: ${error.message}\n`);
    return 1;
  }
}

class CtlRun<D extends Database> {
  readonly #program: CtlProgram<D>;
  readonly #place: CtlPlace;
  readonly #folders: Directories;
  readonly #table: ReadonlyMap<string, Command<D>>;
  readonly #vlog: Vlog;
  readonly #host: Host;
  /** The time is up: nothing is worth trying again. */
  #isOver = false;

  constructor(program: CtlProgram<D>, place: CtlPlace) {
    this.#program = program;
    this.#place = place;
    this.#folders = directories(place.environment, program.family);
    this.#table = commandTable(program);
    const { clock, disk } = place.host;
    this.#vlog = new Vlog({ program: program.name, pid: place.process?.pid ?? 0, clock, disk, console: (text) => place.err(text) });
    this.#vlog.setLevel("WARN", undefined, "console");
    const host = { ...place.host, log: this.#vlog.log };
    const underlay = place.environment.variable("ISTHMUS_UNDERLAY");
    const map = underlay === undefined ? undefined : parseAddressMap(underlay);
    this.#host = map === undefined ? host : mappedHost(host, map);
  }

  async run(given: readonly string[]): Promise<number> {
    const args = [...this.#variableOptions(), ...given];
    const parsed = parseOptions(args, this.#specs(), false);
    // Those with a daemon mode read their options by a routine of their own, with its own words.
    if (parsed.kind === "error") throw new CommandError(this.#program.daemonVariable === undefined ? parsed.text : parsed.brief);
    const { options, rest } = parsed;
    const information = this.#information(options);
    if (information !== undefined) {
      this.#place.out(information);
      return 0;
    }
    const wrong = applyVlogOptions(this.#vlog, options, this.#program.name, this.#folders);
    if (wrong !== undefined) throw new CommandError(wrong);
    const detaches = isGiven(options, "detach");
    const socket = this.#daemonSocket(options);
    if (socket !== undefined && !detaches) {
      if (!isGiven(options, "db")) return this.#throughDaemon(socket, options, rest);
      this.#vlog.log.module("ovn_dbctl").warn(`not using ${this.#program.name} daemon because of db option`);
    }
    return detaches ? this.#serve(options, rest) : this.#direct(options, rest, args);
  }

  #specs(): readonly OptionSpec[] {
    const global = globalSpecs(this.#program);
    return [...global, ...commandOptionSpecs(this.#table.values(), global)];
  }

  #variableOptions(): readonly string[] {
    const { optionsVariable } = this.#program;
    const text = optionsVariable === undefined ? undefined : this.#place.environment.variable(optionsVariable);
    return (text ?? "").split(/\s+/).filter((word) => word !== "");
  }

  #remote(options: readonly GivenOption[]): string {
    return lastValue(options, "db") ?? this.#program.defaultRemote(this.#place.environment, this.#folders);
  }

  #information(options: readonly GivenOption[]): string | undefined {
    const { name, family, database, daemonVariable } = this.#program;
    for (const option of options) {
      if (option.name === "help") return helpText(this.#program, this.#table, this.#remote([]));
      if (option.name === "version") return versionText(name, family, [`DB Schema ${database.version}`]);
      if (option.name === "commands") return commandList(this.#table);
      if (option.name === "options") return optionList(daemonVariable === undefined ? globalSpecs(this.#program) : this.#specs());
    }
    return undefined;
  }

  #daemonSocket(options: readonly GivenOption[]): string | undefined {
    const { daemonVariable } = this.#program;
    if (daemonVariable === undefined) return undefined;
    const socket = lastValue(options, "unixctl") ?? this.#place.environment.variable(daemonVariable);
    return socket === "" ? undefined : socket;
  }

  async #throughDaemon(socket: string, options: readonly GivenOption[], rest: readonly string[]): Promise<number> {
    const { timeoutSeconds } = invocationOptions(this.#program, options);
    return this.#limited(timeoutSeconds, runThroughDaemon(this.#program, socket, options, rest, this.#host, this.#vlog.log, this.#place));
  }

  async #serve(options: readonly GivenOption[], rest: readonly string[]): Promise<number> {
    const { process } = this.#place;
    if (process === undefined || this.#program.daemonVariable === undefined) throw new CommandError("--detach is not supported here");
    if (rest.length > 0) throw new CommandError("non-option arguments not supported with --detach (use --help for help)");
    const { serveCtl } = await import("./ctl-server.ts");
    return serveCtl(this.#program, options, { host: this.#host, vlog: this.#vlog, folders: this.#folders, process, remote: this.#remote(options), table: this.#table });
  }

  async #direct(options: readonly GivenOption[], rest: readonly string[], words: readonly string[]): Promise<number> {
    const invocation = invocationOptions(this.#program, options);
    const commands = parseCommands(rest, invocation.local, this.#table);
    // Commands that do not even fit the schema are refused before anything is contacted.
    for (const command of commands) command.command.readsOf?.(command);
    const limit = invocation.timeoutSeconds || Number(this.#place.environment.variable("OVS_CTL_TIMEOUT") ?? 0) || 0;
    return this.#limited(limit, this.#onDatabase(this.#remote(options), options, async (client, reconnect) =>
      invoke(this.#program, commands, invocation, client, this.#invocationPlace(reconnect), words)));
  }

  #invocationPlace(reconnect: () => Promise<DatabaseClient>): InvocationPlace {
    const { clock, random } = this.#host;
    return {
      clock, random, log: this.#vlog.log, logFolder: this.#folders.log, reconnect,
      out: (text) => this.#place.out(text), err: (text) => this.#place.err(text),
    };
  }

  async #onDatabase(
    remote: string, options: readonly GivenOption[], use: (client: DatabaseClient, reconnect: () => Promise<DatabaseClient>) => Promise<number>,
  ): Promise<number> {
    const { database } = this.#program;
    const pool = this.#place.connections;
    let client: DatabaseClient | undefined;
    const connect = async (persistent: boolean): Promise<DatabaseClient> => {
      const make = (): Promise<DatabaseClient> => this.#connect(remote, options, persistent);
      client = await (pool === undefined ? make() : pool.get(`${database.name} ${remote}`, make));
      return client;
    };
    try {
      return await use(await connect(isGiven(options, "retry")), () => connect(true));
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error;
      throw new CommandError(`${remote}: database connection failed (${error.message})`);
    } finally {
      if (pool === undefined) client?.close();
    }
  }

  /** `persistent`: keeps trying until the time is up. */
  async #connect(remote: string, options: readonly GivenOption[], persistent: boolean): Promise<DatabaseClient> {
    const leaderOnly = options.findLast((o) => /^(no-)?leader-only$/.test(o.name))?.name !== "no-leader-only";
    for (;;) {
      try {
        return await connectDatabase(this.#host, remote, this.#program.database, { leaderOnly });
      } catch (error) {
        if (!(error instanceof ConnectionFailure) || !persistent || this.#isOver) throw error;
        await new Promise<void>((resolve) => void this.#host.clock.after(retryMs, resolve));
      }
    }
  }

  /** `work`, unless it takes longer than that many seconds; 0: however long it takes. */
  async #limited(seconds: number, work: Promise<number>): Promise<number> {
    if (seconds === 0) return work;
    let cancel = (): void => undefined;
    const timeUp = new Promise<number>((resolve) => {
      const timer = this.#host.clock.after(seconds * 1000, () => {
        this.#vlog.log.module("fatal_signal").warn("terminating with signal 14 (Alarm clock)");
        this.#isOver = true;
        resolve(timedOutCode);
      });
      cancel = () => timer.cancel();
    });
    try {
      return await Promise.race([work, timeUp]);
    } finally {
      cancel();
    }
  }
}

const retryMs = 1000;
