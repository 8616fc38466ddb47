/** ovn-trace(8) as a program: options, one trace and out, or a daemon that traces on request. */
import {
  applyVlogOptions, type Daemon, type DaemonContext, daemonOptions, type Directories, directories, type GivenOption, informationOptions,
  isGiven, lastValue, type OptionSpec, parseOptions, runDaemon, sslOptions, StartError, UnixctlError, unixctlOption, versionText, vlogOptions, Vlog,
} from "../daemon/index.ts";
import type { Host, Log, Process } from "../host/index.ts";
import { southbound } from "../schemas/index.ts";
import { DatabaseUnreachable, type Forms, openTraceSession, type TraceSession, type TraceSettings } from "./trace-session.ts";
import { parseLoadBalancerDestination, parseSelectId, parseZone } from "./trace-settings.ts";
import { checkCtState, parseCtState } from "./stateful.ts";

const name = "ovn-trace";

const ownOptions: readonly OptionSpec[] = [
  { name: "db", argument: "required" },
  { name: "leader-only", argument: "none" },
  { name: "no-leader-only", argument: "none" },
  { name: "detailed", argument: "none" },
  { name: "summary", argument: "none" },
  { name: "minimal", argument: "none" },
  { name: "all", argument: "none" },
  { name: "ovs", argument: "optional" },
  { name: "ct", argument: "required" },
  { name: "friendly-names", argument: "none" },
  { name: "no-friendly-names", argument: "none" },
  { name: "lb-dst", argument: "required" },
  { name: "select-id", argument: "required" },
  { name: "follow", argument: "required" },
];

const help = `${name}: OVN trace utility
usage: ${name} [OPTIONS] [DATAPATH] MICROFLOW
       ${name} [OPTIONS] --detach

Output format options:
  --detailed              table-by-table "backtrace" (default)
  --summary               less detailed, more parseable
  --minimal               minimum to explain externally visible behavior
  --all                   provide all forms of output
Output style options:
  --no-friendly-names     do not substitute human friendly names for UUIDs

Other options:
  --ct=STATE[,STATE]...   what connection tracking says, once for each lookup
  --lb-dst=IP[:PORT]      the backend that load balancing chooses
  --select-id=ID          the member that "select" chooses
  --db=DATABASE           connect to DATABASE
  --follow=[ZONE=]DATABASE  go on in another zone's southbound database where a
                          packet leaves by a transit switch (not in OVN's own)
  --no-leader-only        accept any cluster member, not just the leader
  --ovs[=REMOTE]          obtain corresponding OpenFlow flows from REMOTE`;

export async function traceMain(process: Process, makeHost: (log: Log) => Host): Promise<void> {
  const folders = directories(process, "ovn");
  const specs = [...ownOptions, ...daemonOptions, ...vlogOptions, ...sslOptions, unixctlOption, ...informationOptions];
  const parsed = parseOptions(process.args, specs, true);
  const fail = (text: string): never => {
    process.err(`${name}: ${text}\n`);
    return process.exit(1);
  };
  if (parsed.kind === "error") return fail(parsed.text);
  const { options, rest } = parsed;
  const versionLines = [`DB Schema ${southbound.version}`];
  if (isGiven(options, "detach") || isGiven(options, "help")) {
    // maxArgs: the refusal is this program's own, in its words.
    const start = (host: Host, context: DaemonContext): Promise<Daemon> => startTraceDaemon(host, context, process);
    return runDaemon({ name, family: "ovn", options: ownOptions, maxArgs: Number.POSITIVE_INFINITY, versionLines, help, start }, process, makeHost);
  }
  if (isGiven(options, "version")) {
    process.out(versionText(name, "ovn", versionLines));
    return process.exit(0);
  }
  const { clock, disk } = makeHost(silent);
  const vlog = new Vlog({ program: name, pid: process.pid, clock, disk, console: (text) => process.err(text) });
  const host = makeHost(vlog.log);
  const wrong = applyVlogOptions(vlog, options, name, folders);
  if (wrong !== undefined) return fail(wrong);
  if (rest.length !== 1 && rest.length !== 2) return fail("one or two non-option arguments are required (use --help for help)");
  const settings = readSettings(options, folders, process, vlog.log);
  if (typeof settings === "string") return fail(settings);
  const session = await openTraceSession(host, settings).catch((error: unknown) => fail(connectionFailure(error)));
  const [datapath, microflow] = rest.length === 2 ? rest : [undefined, rest[0]];
  process.out(await session.trace(datapath, microflow ?? "", readForms(options.map((option) => option.name))));
  session.close();
  return process.exit(0);
}

/** Nothing is logged before the options have said where. */
const silent: Log = { module: () => silent, emer: () => {}, err: () => {}, warn: () => {}, info: () => {}, dbg: () => {} };

function connectionFailure(error: unknown): string {
  if (!(error instanceof DatabaseUnreachable)) throw error;
  return `${error.database}: database connection failed (${error.message})`;
}

/** What the options say, or what is wrong with them. */
function readSettings(options: readonly GivenOption[], folders: Directories, process: Process, log: Log): TraceSettings | string {
  const trace = log.module("ovntrace");
  const ctStates: bigint[] = [];
  for (const { name: option, value = "" } of options) {
    if (option !== "ct") continue;
    const state = parseCtState(value);
    if (state.kind === "error") return state.message;
    for (const complaint of checkCtState(state.state)) trace.warn(complaint);
    ctStates.push(state.state);
  }
  const destination = parseLoadBalancerDestination(lastValue(options, "lb-dst"));
  if (typeof destination === "string") return destination;
  const selectId = parseSelectId(lastValue(options, "select-id"));
  if (typeof selectId === "string") return selectId;
  const names = options.findLast((option) => option.name.endsWith("friendly-names"))?.name;
  const variable = process.variable("OVN_SB_DB");
  return {
    database: lastValue(options, "db") ?? (variable === undefined || variable === "" ? `unix:${folders.ovnRun}/ovnsb_db.sock` : variable),
    leaderOnly: options.findLast((option) => option.name.endsWith("leader-only"))?.name !== "no-leader-only",
    switchRemote: isGiven(options, "ovs") ? (lastValue(options, "ovs") ?? `unix:${folders.ovsRun}/br-int.mgmt`) : undefined,
    friendlyNames: names !== "no-friendly-names",
    follow: options.filter((option) => option.name === "follow").map(({ value = "" }) => parseZone(value)),
    ctStates, loadBalancerDestination: destination, selectId, log: trace,
  };
}

function readForms(names: readonly string[]): Forms {
  const all = names.includes("all");
  const summary = all || names.includes("summary");
  const minimal = all || names.includes("minimal");
  return { detailed: all || names.includes("detailed") || !(summary || minimal), summary, minimal };
}

async function startTraceDaemon(host: Host, context: DaemonContext, process: Process): Promise<Daemon> {
  if (context.args.length > 0) throw new StartError("non-option arguments not supported with --detach (use --help for help)");
  const settings = readSettings(context.options, context.folders, process, host.log);
  if (typeof settings === "string") throw new StartError(settings);
  let session: TraceSession;
  try {
    session = await openTraceSession(host, settings);
  } catch (error) {
    throw new StartError(connectionFailure(error));
  }
  return {
    commands: [{ name: "trace", usage: "[OPTIONS] [DATAPATH] MICROFLOW", minArgs: 1, maxArgs: Number.POSITIVE_INFINITY, run: (args) => traceCommand(session, args) }],
    ready: Promise.resolve(),
    stop: async () => session.close(),
  };
}

const formOptions: ReadonlySet<string> = new Set(["--detailed", "--summary", "--minimal", "--all"]);

async function traceCommand(session: TraceSession, args: readonly string[]): Promise<string> {
  const given: string[] = [];
  let at = 0;
  for (; at < args.length && args[at]?.startsWith("-") === true; at++) {
    const option = args[at] ?? "";
    if (!formOptions.has(option)) throw new UnixctlError("unknown option");
    given.push(option.slice(2));
  }
  const rest = args.slice(at);
  if (rest.length !== 1 && rest.length !== 2) throw new UnixctlError("one or two non-option arguments are required");
  const [datapath, microflow] = rest.length === 2 ? rest : [undefined, rest[0]];
  return session.trace(datapath, microflow ?? "", readForms(given));
}
