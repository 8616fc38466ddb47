/** The options before the first command, common to all ctl programs (ovs-vsctl(8), ovn-nbctl(8), "Options"). */
import {
  daemonOptions, type GivenOption, informationOptions, type OptionSpec, sslOptions, unixctlOption, vlogOptions,
} from "../daemon/index.ts";
import type { Database } from "../ovsdb/index.ts";
import type { Command } from "./command.ts";
import { fail } from "./command-error.ts";
import { optionSpecs } from "./command-line.ts";
import type { CtlProgram, WaitKind } from "./ctl-program.ts";
import { defaultStyle, parseData, parseFormat, type TableStyle } from "./output-table.ts";

const waitOptions: readonly OptionSpec[] = [
  { name: "no-wait", argument: "none" },
  { name: "wait", argument: "required" },
  { name: "print-wait-time", argument: "none" },
];
const mainOptions: readonly OptionSpec[] = [
  { name: "dry-run", argument: "none" },
  { name: "oneline", argument: "none" },
  { name: "timeout", short: "t", argument: "required" },
];
const tableOptions: readonly OptionSpec[] = [
  { name: "format", short: "f", argument: "required" },
  { name: "data", short: "d", argument: "required" },
  { name: "no-headings", argument: "none" },
  { name: "pretty", argument: "none" },
  { name: "bare", argument: "none" },
  { name: "max-column-width", argument: "required" },
];
const connectionOptions: readonly OptionSpec[] = [
  { name: "db", argument: "required" },
  { name: "no-syslog", argument: "none" },
  { name: "commands", argument: "none" },
  { name: "options", argument: "none" },
  { name: "leader-only", argument: "none" },
  { name: "no-leader-only", argument: "none" },
];
const shuffleOptions: readonly OptionSpec[] = [
  { name: "shuffle-remotes", argument: "none" },
  { name: "no-shuffle-remotes", argument: "none" },
];

/** Those that concern one invocation, which a client hands on to one that runs in the background. */
export const invocationSpecs: readonly OptionSpec[] = [...waitOptions, ...mainOptions, ...tableOptions, ...vlogOptions];

/** Shortened options must be told from those that the program has, and from no others. */
export function globalSpecs<D extends Database>({ daemonVariable, waiting }: CtlProgram<D>): readonly OptionSpec[] {
  const switchOnly = waiting?.option === "flag";
  const hasDaemon = daemonVariable !== undefined;
  return [
    ...connectionOptions,
    ...(hasDaemon || switchOnly ? shuffleOptions : []),
    ...informationOptions,
    ...(hasDaemon ? waitOptions : waitOptions.filter((o) => waiting !== undefined && (o.name === "no-wait" || (o.name === "wait" && !switchOnly)))),
    ...(switchOnly ? [{ name: "retry", argument: "none" } as const] : []),
    ...mainOptions,
    ...tableOptions,
    ...(hasDaemon ? [...daemonOptions, { ...unixctlOption, short: "u" }] : []),
    ...vlogOptions,
    ...(switchOnly ? sslOptions : sslOptions.filter((o) => o.name !== "peer-ca-cert")),
  ];
}

/** The options of all commands: those of the first command may stand among the global ones. */
export function commandOptionSpecs<D extends Database>(commands: Iterable<Command<D>>, taken: readonly OptionSpec[]): readonly OptionSpec[] {
  const names = new Set(taken.map((s) => s.name));
  const specs: OptionSpec[] = [];
  for (const spec of [...commands].flatMap((c) => optionSpecs(c.options))) {
    if (names.has(spec.name)) continue;
    names.add(spec.name);
    specs.push(spec);
  }
  return specs;
}

export interface InvocationOptions {
  readonly wait: WaitKind;
  readonly printTimes: boolean;
  readonly dryRun: boolean;
  readonly oneline: boolean;
  /** 0: none. */
  readonly timeoutSeconds: number;
  readonly style: TableStyle;
  /** Of the first command. */
  readonly local: ReadonlyMap<string, string | undefined>;
}

/** Reads the options that concern one invocation; the others are left to whoever knows them. */
export function invocationOptions<D extends Database>(program: CtlProgram<D>, options: readonly GivenOption[]): InvocationOptions {
  const known = new Set([...globalSpecs(program), ...invocationSpecs].map((s) => s.name));
  const local = new Map<string, string | undefined>();
  let style = defaultStyle;
  const flag = (name: string): boolean => options.some((o) => o.name === name);
  let wait: WaitKind = program.waiting?.option === "flag" && !flag("no-wait") ? "sb" : "none";
  let timeoutSeconds = 0;
  for (const { name, value = "" } of options) {
    style = restyle(style, name, value);
    if (name === "wait" || name === "no-wait" || name === "print-wait-time") wait = waitKind(program, name, value, wait);
    if (name === "timeout") timeoutSeconds = parseTimeout(value);
    if (known.has(name)) continue;
    if (local.has(`--${name}`)) fail(`'--${name}' option specified multiple times`);
    local.set(`--${name}`, options.find((o) => o.name === name)?.value);
  }
  return { wait, printTimes: flag("print-wait-time"), dryRun: flag("dry-run"), oneline: flag("oneline"), timeoutSeconds, style, local };
}

function parseTimeout(value: string): number {
  const seconds = /^\d+$/.test(value) ? Number(value) : 0;
  return seconds > 0 && seconds <= 0xffffffff ? seconds : fail(`value ${value} on -t or --timeout is invalid`);
}

function waitKind<D extends Database>({ waiting }: CtlProgram<D>, name: string, value: string, wait: WaitKind): WaitKind {
  if (waiting === undefined) return fail(`--${name} not supported`);
  if (name === "print-wait-time") return wait;
  if (name === "no-wait") return "none";
  const kind = waiting.kinds.find((k) => k === value);
  const quoted = waiting.kinds.map((k) => `"${k}"`);
  const list = quoted.length > 2 ? `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1)}` : `${quoted.join(", ")} `;
  return kind ?? fail(`argument to --wait must be ${list}`);
}

function restyle(style: TableStyle, name: string, value: string): TableStyle {
  switch (name) {
    case "format":
      return { ...style, format: parseFormat(value) };
    case "data":
      return { ...style, data: parseData(value) };
    case "no-headings":
      return { ...style, headings: false };
    case "pretty":
      return { ...style, pretty: true };
    case "bare":
      return { ...style, format: "list", data: "bare", headings: false };
    case "max-column-width":
      return { ...style, maxColumnWidth: Number.parseInt(value, 10) || 0 };
    default:
      return style;
  }
}
