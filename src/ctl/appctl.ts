/** ovs-appctl and ovn-appctl: ask a running daemon to do something (ovs-appctl(8)). */
import {
  applyVlogOptions, connectUnixctl, describeError, directories, type Family, informationOptions, type OptionSpec, optionList, parseOptions, readPidfile,
  type UnixctlClient, versionText, Vlog, vlogOptions,
} from "../daemon/index.ts";
import type { Host } from "../host/index.ts";
import { JsonSyntaxError, parseJson, printJsonPretty, printJsonSorted } from "../ovsdb/index.ts";
import { CommandError, fail } from "./command-error.ts";
import type { CtlPlace } from "./run-ctl.ts";
import { timedOutCode } from "./run-ctl.ts";

export interface AppctlProgram {
  readonly name: string;
  readonly family: Family;
  readonly defaultTarget: string;
}

export const ovsAppctl: AppctlProgram = { name: "ovs-appctl", family: "ovs", defaultTarget: "ovs-vswitchd" };
export const ovnAppctl: AppctlProgram = { name: "ovn-appctl", family: "ovn", defaultTarget: "ovn-controller" };

const specs: readonly OptionSpec[] = [
  { name: "target", short: "t", argument: "required" },
  { name: "execute", short: "e", argument: "none" },
  { name: "format", short: "f", argument: "required" },
  ...informationOptions,
  { name: "option", short: "o", argument: "none" },
  { name: "pretty", argument: "none" },
  { name: "timeout", short: "T", argument: "required" },
  ...vlogOptions,
];

/** The daemon refused: its own words, and a code that tells this from other failures. */
const refusedCode = 2;

export async function runAppctl(program: AppctlProgram, args: readonly string[], place: CtlPlace): Promise<number> {
  try {
    return await new AppctlRun(program, place).run(args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    place.err(`${program.name}: ${error.message}\n`);
    return 1;
  }
}

interface Question {
  readonly target: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly format: "text" | "json";
  readonly pretty: boolean;
  readonly timeoutSeconds: number;
}

class AppctlRun {
  readonly #program: AppctlProgram;
  readonly #place: CtlPlace;
  readonly #vlog: Vlog;
  readonly #host: Host;

  constructor(program: AppctlProgram, place: CtlPlace) {
    this.#program = program;
    this.#place = place;
    const { clock, disk } = place.host;
    this.#vlog = new Vlog({ program: program.name, pid: place.process?.pid ?? 0, clock, disk, console: (text) => place.err(text) });
    this.#vlog.setLevel("WARN", undefined, "console");
    this.#host = { ...place.host, log: this.#vlog.log };
  }

  async run(args: readonly string[]): Promise<number> {
    const parsed = parseOptions(args, specs, false);
    if (parsed.kind === "error") throw new CommandError(parsed.text);
    const given = (name: string): boolean => parsed.options.some((o) => o.name === name);
    if (given("help")) return this.#say(this.#help());
    if (given("option")) return this.#say(optionList(specs, true));
    if (given("version")) return this.#say(versionText(this.#program.name, this.#program.family));
    const wrong = applyVlogOptions(this.#vlog, parsed.options, this.#program.name, directories(this.#place.environment, this.#program.family));
    if (wrong !== undefined) fail(wrong);
    const values = (name: string): readonly string[] => parsed.options.flatMap((o) => (o.name === name ? [o.value ?? ""] : []));
    const [target = this.#program.defaultTarget, ...more] = values("target");
    if (more.length > 0) fail("-t or --target may be specified only once");
    const format = (values("format").at(-1) ?? "text").toLowerCase();
    if (format !== "text" && format !== "json") throw new CommandError(`value ${values("format").at(-1)} on -f or --format is invalid`);
    const [command, ...rest] = parsed.rest;
    if (command === undefined) throw new CommandError("at least one non-option argument is required (use --help for help)");
    if (given("pretty") && format !== "json") fail("--pretty is supported with --format json only");
    const timeoutSeconds = this.#timeout(values("timeout").at(-1));
    return this.#limited(timeoutSeconds, this.#ask({ target, command, args: rest, format, pretty: given("pretty"), timeoutSeconds }));
  }

  #say(text: string): number {
    this.#place.out(text);
    return 0;
  }

  #timeout(text: string | undefined): number {
    if (text === undefined) return Number(this.#place.environment.variable("OVS_CTL_TIMEOUT") ?? 0) || 0;
    const seconds = /^\d+$/.test(text) ? Number(text) : 0;
    return seconds > 0 ? seconds : fail(`value ${text} on -T or --timeout is invalid`);
  }

  async #ask(question: Question): Promise<number> {
    const client = await this.#connect(question.target);
    try {
      if (question.format === "json") {
        const reply = await client.call("set-options", ["--format", "json"]);
        if (reply.kind === "error") return this.#refused(question.target, reply.text);
      }
      const reply = await client.call(question.command, question.args);
      if (reply.kind === "error") return this.#refused(question.target, reply.text);
      this.#place.out(withNewline(this.#dress(reply.text, question)));
      return 0;
    } catch (error) {
      throw new CommandError(`${question.target}: transaction error (${describeError(error)})`);
    } finally {
      client.close();
    }
  }

  #dress(text: string, { format, pretty }: Question): string {
    if (format === "text") return text;
    const json = parseJson(text);
    if (json instanceof JsonSyntaxError) return text;
    return pretty ? printJsonPretty(json) : printJsonSorted(json);
  }

  #refused(target: string, text: string): number {
    this.#place.err(withNewline(text));
    this.#place.err(`${this.#program.name}: ${target}: server returned an error\n`);
    return refusedCode;
  }

  async #connect(target: string): Promise<UnixctlClient> {
    const path = target.startsWith("/") ? target : this.#socketOf(target);
    try {
      return await connectUnixctl(this.#host, path);
    } catch (error) {
      throw new CommandError(`cannot connect to "${path}" (${describeError(error)})`);
    }
  }

  #socketOf(target: string): string {
    const { run } = directories(this.#place.environment, this.#program.family);
    const pidfile = `${run}/${target}.pid`;
    let pid: number | undefined;
    try {
      pid = readPidfile(this.#host.disk, pidfile);
    } catch (error) {
      throw new CommandError(`cannot read pidfile "${pidfile}" (${describeError(error)})`);
    }
    return pid === undefined ? fail(`cannot read pidfile "${pidfile}" (No such process)`) : `${run}/${target}.${pid}.ctl`;
  }

  async #limited(seconds: number, work: Promise<number>): Promise<number> {
    if (seconds === 0) return work;
    let cancel = (): void => undefined;
    const timeUp = new Promise<number>((resolve) => {
      const timer = this.#host.clock.after(seconds * 1000, () => {
        this.#vlog.log.module("fatal_signal").warn("terminating with signal 14 (Alarm clock)");
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

  #help(): string {
    const { name, defaultTarget } = this.#program;
    return `${name}: asks a running daemon to do something

usage: ${name} [-t TARGET] COMMAND [ARG]...

  -t, --target=TARGET      a daemon's name (default: ${defaultTarget}) or the path of its control socket
  -T, --timeout=SECS       give up after so many seconds
  -f, --format=FORMAT      text or json; --pretty makes json readable
  -h, --help, -V, --version

Every daemon answers list-commands, version, exit, vlog/list, vlog/set, vlog/reopen, coverage/show and memory/show.
`;
  }
}

const withNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
