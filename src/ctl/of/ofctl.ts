/** ovs-ofctl: the flows of a bridge, read and written (ovs-ofctl(8), "OpenFlow Switch Flow Table Commands"). */
import { directories, informationOptions, type OptionSpec, optionList, parseOptions, versionText } from "../../daemon/index.ts";
import { type FlowMod, formatFlowStats, isTextError, type Message, noCookie, parseFlow } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";
import type { CtlPlace } from "../run-ctl.ts";
import { SwitchLink } from "./switch-link.ts";

const specs: readonly OptionSpec[] = [
  { name: "protocols", short: "O", argument: "required" },
  { name: "flow-format", short: "F", argument: "required" },
  { name: "timeout", short: "t", argument: "required" },
  { name: "more", short: "m", argument: "none" },
  { name: "strict", argument: "none" },
  { name: "no-stats", argument: "none" },
  { name: "bundle", argument: "none" },
  { name: "names", argument: "none" },
  { name: "no-names", argument: "none" },
  ...informationOptions,
];

interface Invocation {
  readonly place: CtlPlace;
  readonly args: readonly string[];
  has(option: string): boolean;
}

interface OfCommand {
  readonly usage: string;
  readonly help: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  run(invocation: Invocation, link: SwitchLink): Promise<void>;
}

const commands: ReadonlyMap<string, OfCommand> = new Map([
  ["dump-flows", { usage: "SWITCH [FLOW]", help: "print the flows that match FLOW", minArgs: 1, maxArgs: 2, run: dumpFlows }],
  ["add-flow", { usage: "SWITCH FLOW", help: "add a flow", minArgs: 2, maxArgs: 2, run: (i, link) => change(link, [flowOf(i.args[1] ?? "", "add")]) }],
  ["add-flows", { usage: "SWITCH FILE", help: "add the flows of a file, one a line", minArgs: 2, maxArgs: 2, run: addFlows }],
  ["mod-flows", { usage: "SWITCH FLOW", help: "give the flows that match new actions", minArgs: 2, maxArgs: 2, run: (i, link) => change(link, [flowOf(i.args[1] ?? "", i.has("strict") ? "modify_strict" : "modify")]) }],
  ["del-flows", { usage: "SWITCH [FLOW]", help: "delete the flows that match FLOW", minArgs: 1, maxArgs: 2, run: (i, link) => change(link, [flowOf(i.args[1] ?? "", i.has("strict") ? "delete_strict" : "delete")]) }],
]);

export async function runOfctl(args: readonly string[], place: CtlPlace): Promise<number> {
  try {
    return await run(args, place);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    place.err(`ovs-ofctl: ${error.message}\n`);
    return 1;
  }
}

async function run(args: readonly string[], place: CtlPlace): Promise<number> {
  const parsed = parseOptions(args, specs, true);
  if (parsed.kind === "error") throw new CommandError(parsed.text);
  const has = (name: string): boolean => parsed.options.some((o) => o.name === name);
  const say = (text: string): number => {
    place.out(text);
    return 0;
  };
  if (has("help")) return say(help());
  if (has("option")) return say(optionList(specs, true));
  if (has("version")) return say(versionText("ovs-ofctl", "ovs"));
  const [name, ...rest] = parsed.rest;
  if (name === undefined) throw new CommandError("missing command name; use --help for help");
  const command = commands.get(name);
  if (command === undefined) throw new CommandError(`unknown command '${name}'; there are ${[...commands.keys()].join(", ")}`);
  if (rest.length < command.minArgs) throw new CommandError(`'${name}' command requires at least ${command.minArgs} arguments`);
  if (rest.length > command.maxArgs) throw new CommandError(`'${name}' command takes at most ${command.maxArgs} arguments`);
  const link = await SwitchLink.connect(place.host, directories(place.environment, "ovs").run, rest[0] ?? "");
  try {
    await command.run({ place, args: rest, has }, link);
    return 0;
  } finally {
    link.close();
  }
}

function help(): string {
  const lines = [...commands].map(([name, { usage, help: text }]) => `  ${`${name} ${usage}`.padEnd(28)}${text}`);
  return `ovs-ofctl: the flows of a bridge\nusage: ovs-ofctl [OPTIONS] COMMAND [ARG...]\n\n${lines.join("\n")}\n`;
}

function flowOf(text: string, command: FlowMod["command"]): FlowMod {
  const flow = parseFlow(text, command);
  if (isTextError(flow)) throw new CommandError(flow.error);
  // A change of actions leaves the cookie alone unless it names one.
  const keepsCookie = (command === "modify" || command === "modify_strict") && !/(^|[\s,])cookie\s*=/.test(text);
  return keepsCookie ? { ...flow, cookie: noCookie } : flow;
}

async function dumpFlows({ place, args, has }: Invocation, link: SwitchLink): Promise<void> {
  const { table, outPort, outGroup, cookie, cookieMask, match } = flowOf(args[1] ?? "", "delete");
  const { messages, xid } = await link.ask([{ kind: "flow_stats_request", table, outPort, outGroup, cookie, cookieMask, match }]);
  refuse(messages);
  if (!has("no-stats")) place.out(`${has("protocols") ? "OFPST_FLOW reply (OF1.5)" : "NXST_FLOW reply"} (xid=0x${xid.toString(16)}):\n`);
  for (const { message } of messages) if (message.kind === "flow_stats_reply") for (const flow of message.flows) place.out(` ${formatFlowStats(flow, !has("no-stats"))}\n`);
}

async function addFlows({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const path = args[1] ?? "";
  let text: string;
  try {
    text = path === "-" ? (place.process?.input() ?? "") : place.host.disk.readText(path.startsWith("/") ? path : `${place.environment.folder}/${path}`);
  } catch {
    throw new CommandError(`${path}: open (No such file or directory)`);
  }
  const lines = text.split("\n").map((line) => line.replace(/#.*$/, "").trim()).filter((line) => line !== "");
  await change(link, lines.map((line) => flowOf(line, "add")));
}

async function change(link: SwitchLink, flows: readonly FlowMod[]): Promise<void> {
  refuse((await link.ask(flows)).messages);
}

/** The switch's first complaint, in its own words. */
function refuse(messages: readonly { readonly message: Message }[]): void {
  for (const { message } of messages) if (message.kind === "error") throw new CommandError(`OFPT_ERROR (OF1.5): ${message.error ?? `type ${String(message.type)} code ${String(message.code)}`}`);
}
