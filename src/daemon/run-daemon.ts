/**
 * The life of a daemon as a program of its own: options, log, going into the background, pid file, control socket,
 * readiness, and the end by `exit` or by signal. The daemon itself is a function of a Host and knows nothing of this.
 */
import { type Host, type Log, mappedHost, parseAddressMap, type Process, type SignalName, signalNumbers } from "../host/index.ts";
import { commandTable } from "./builtin-commands.ts";
import {
  applyVlogOptions, daemonOptions, informationOptions, isGiven, lastValue, pidfilePath, sslOptions, unixctlOption, vlogOptions,
} from "./common-options.ts";
import type { Daemon } from "./daemon.ts";
import { type Directories, directories, inFolder } from "./directories.ts";
import { type GivenOption, type OptionSpec, parseOptions } from "./option-parser.ts";
import { runningHolder } from "./pidfile.ts";
import { describeError } from "./system-error.ts";
import { serveUnixctl, type UnixctlServer } from "./unixctl-server.ts";
import { type Family, versionText } from "./versions.ts";
import { Vlog } from "./vlog.ts";

export interface Program {
  /** `ovn-northd` */
  readonly name: string;
  readonly family: Family;
  /** Beyond those that every daemon takes. */
  readonly options?: readonly OptionSpec[];
  /** How many arguments that are no options; none unless given. */
  readonly maxArgs?: number;
  /** Lines of --version after the first two. */
  readonly versionLines?: readonly string[];
  /** The first lines of --help: what it is, its usage, its own options. */
  readonly help: string;
  /** Called once, in the process that stays. May import the daemon's code itself, so that --detach's parent need not. */
  start(host: Host, context: DaemonContext): Daemon | Promise<Daemon>;
}

export interface DaemonContext {
  readonly options: readonly GivenOption[];
  readonly args: readonly string[];
  readonly folders: Directories;
  readonly process: Process;
  /** The last value given for an option. */
  value(option: string): string | undefined;
  given(option: string): boolean;
  /** Ends the daemon in good order soon, as the command `exit` does. */
  exit(): void;
}

/** Why a daemon cannot start; told on standard error without a stack, exit code 1. */
export class StartError extends Error {
  override name = "StartError";
}

/** How long a daemon may take to let go of things when a signal ends it. */
const signalGraceMs = 2000;
const exitGraceMs = 20_000;

export async function runDaemon(program: Program, process: Process, makeHost: (log: Log) => Host): Promise<void> {
  const folders = directories(process, program.family);
  const specs = [...(program.options ?? []), ...daemonOptions, ...vlogOptions, ...sslOptions, unixctlOption, ...informationOptions];
  const parsed = parseOptions(process.args, specs, true);
  const fail = (text: string): never => {
    process.err(`${program.name}: ${text}\n`);
    return process.exit(1);
  };
  if (parsed.kind === "error") return fail(parsed.text);
  const { options, rest: args } = parsed;
  if (isGiven(options, "help")) {
    process.out(`${program.help}\n${commonHelp}`);
    return process.exit(0);
  }
  const version = versionText(program.name, program.family, program.versionLines);
  if (isGiven(options, "version")) {
    process.out(version);
    return process.exit(0);
  }
  const maxArgs = program.maxArgs ?? 0;
  if (args.length > maxArgs) {
    return fail(maxArgs === 0 ? "no non-option arguments are supported; use --help for usage" : `at most ${maxArgs} non-option arguments are accepted; use --help for usage`);
  }
  if (isGiven(options, "detach") && !process.background.isChild) {
    const { code, message } = await process.background.start(pidfilePath(options, program.name, folders));
    if (message !== "") process.out(message);
    return process.exit(code);
  }
  try {
    await new Run(program, process, folders, options, args, version, makeHost).start();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    fail(error.message);
  }
}

class Run {
  readonly #program: Program;
  readonly #process: Process;
  readonly #folders: Directories;
  readonly #options: readonly GivenOption[];
  readonly #args: readonly string[];
  readonly #version: string;
  readonly #vlog: Vlog;
  readonly #host: Host;
  #daemon: Daemon | undefined;
  #unixctl: UnixctlServer | undefined;
  #pidfile: string | undefined;
  #ending = false;

  constructor(
    program: Program, process: Process, folders: Directories, options: readonly GivenOption[], args: readonly string[],
    version: string, makeHost: (log: Log) => Host,
  ) {
    this.#program = program;
    this.#process = process;
    this.#folders = folders;
    this.#options = options;
    this.#args = args;
    this.#version = version;
    const late: { log?: Log } = {};
    const bare = makeHost(lateLog(late));
    const { clock, disk } = bare;
    this.#vlog = new Vlog({ program: program.name, pid: process.pid, clock, disk, console: (text) => process.err(text) });
    late.log = this.#vlog.log;
    const underlay = process.variable("ISTHMUS_UNDERLAY");
    const map = underlay === undefined ? undefined : parseAddressMap(underlay);
    if (underlay !== undefined && map === undefined) throw new StartError(`ISTHMUS_UNDERLAY is malformed: ${underlay}: want ADDRESS=CARRIER,...`);
    const host = { ...bare, log: this.#vlog.log };
    this.#host = map === undefined ? host : mappedHost(host, map);
  }

  async start(): Promise<void> {
    const wrong = applyVlogOptions(this.#vlog, this.#options, this.#program.name, this.#folders);
    if (wrong !== undefined) throw new StartError(wrong);
    const log = this.#vlog.log;
    this.#process.onCrash((error) => {
      log.module("daemon").emer(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGALRM"] as const) {
      this.#process.onSignal(signal, () => void this.#dieOf(signal));
    }
    this.#takePidfile();
    try {
      this.#daemon = await this.#program.start(this.#host, this.#context());
      await this.#listen(this.#daemon);
      await this.#daemon.ready;
    } catch (error) {
      this.#removeFiles();
      throw error;
    }
    if (!this.#process.background.isChild) return;
    this.#vlog.closeConsole();
    this.#process.background.ready();
  }

  #context(): DaemonContext {
    return {
      options: this.#options,
      args: this.#args,
      folders: this.#folders,
      process: this.#process,
      value: (name) => lastValue(this.#options, name),
      given: (name) => isGiven(this.#options, name),
      exit: () => this.#exitSoon(),
    };
  }

  #takePidfile(): void {
    const path = pidfilePath(this.#options, this.#program.name, this.#folders);
    if (path === undefined) return;
    const { disk } = this.#host;
    if (this.#process.background.heldPidfile === path) {
      this.#pidfile = path;
      return;
    }
    try {
      const holder = runningHolder(disk, this.#process, path, this.#program.name);
      if (holder !== undefined && !isGiven(this.#options, "overwrite-pidfile")) {
        throw new StartError(`${path}: already running as pid ${holder}, aborting`);
      }
      disk.write(path, `${this.#process.pid}\n`);
      this.#pidfile = path;
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw new StartError(`${path}: create failed (${describeError(error)})`);
    }
  }

  async #listen(daemon: Daemon): Promise<void> {
    const given = lastValue(this.#options, "unixctl");
    if (given === "none") return;
    const path = inFolder(this.#folders.run, given ?? `${this.#program.name}.${this.#process.pid}.ctl`);
    const table = commandTable(daemon.commands, {
      clock: this.#host.clock,
      version: this.#version,
      vlog: this.#vlog,
      usage: () => this.#process.usage(),
      exit: () => this.#exitSoon(),
    });
    try {
      this.#unixctl = await serveUnixctl(this.#host, path, () => table);
    } catch (error) {
      throw new StartError(`${path}: could not initialize control socket (${describeError(error)})`);
    }
  }

  /** The reply to `exit` must be on its way before the end. */
  #exitSoon(): void {
    this.#host.clock.after(0, () => void this.#end(exitGraceMs).then(() => this.#process.exit(0)));
  }

  async #dieOf(signal: SignalName): Promise<void> {
    if (this.#ending) return;
    const names = { SIGTERM: "Terminated", SIGINT: "Interrupt", SIGHUP: "Hangup", SIGALRM: "Alarm clock" };
    this.#vlog.log.module("fatal_signal").warn(`terminating with signal ${signalNumbers[signal]} (${names[signal]})`);
    await this.#end(signalGraceMs);
    this.#process.dieOf(signal);
  }

  async #end(graceMs: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const stopped = this.#daemon?.stop() ?? Promise.resolve();
    const timeUp = new Promise<void>((resolve) => void this.#host.clock.after(graceMs, resolve));
    await Promise.race([stopped, timeUp]);
    this.#removeFiles();
    // Sockets are let go of in the next turn.
    await new Promise<void>((resolve) => void this.#host.clock.after(0, resolve));
  }

  #removeFiles(): void {
    this.#unixctl?.close();
    if (this.#pidfile !== undefined) this.#host.disk.remove(this.#pidfile);
    if (this.#unixctl !== undefined) this.#host.disk.remove(this.#unixctl.path);
    this.#pidfile = undefined;
    this.#unixctl = undefined;
  }
}

/** A Log for a Host that must exist before the log does: the log needs the host's clock and disk. */
function lateLog(late: { log?: Log }, module?: string): Log {
  const log = (): Log | undefined => (module === undefined ? late.log : late.log?.module(module));
  return {
    module: (name) => lateLog(late, name),
    emer: (text) => log()?.emer(text),
    err: (text) => log()?.err(text),
    warn: (text) => log()?.warn(text),
    info: (text) => log()?.info(text),
    dbg: (text) => log()?.dbg(text),
  };
}

const commonHelp = `
Running as a daemon:
  --detach                 leave for the background once everything is up
  --no-chdir               accepted; the folder is never changed
  --pidfile[=FILE]         write the process id to FILE
  --overwrite-pidfile      even if another process seems to hold that file
  --unixctl=SOCKET         where ovs-appctl and ovn-appctl find this process

Logging:
  -vSPEC, --verbose=SPEC   levels, as MODULE:DESTINATION:LEVEL
  -v, --verbose            everything
  --log-file[=FILE]        log to FILE

  -h, --help               this text
  -V, --version            the version
`;
