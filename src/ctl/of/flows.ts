/**
 * ovs-ofctl's commands for flows. Over OpenFlow 1.5, which holds all that a flow can be, unless --protocols says otherwise; but only
 * OpenFlow 1.0 lets flows be modified to have another cookie.
 */
import { type FlowMod, formatFlowStats, isTextError, noCookie, of10, of15, parseFlow } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";
import { askFor, change, type Invocation, type OfCommand, replyHeader } from "./of-command.ts";
import type { SwitchLink } from "./switch-link.ts";

export const flowCommands: readonly (readonly [string, OfCommand])[] = [
  ["dump-flows", { usage: "SWITCH [FLOW]", help: "print the flows that match FLOW", minArgs: 1, maxArgs: 2, speaks: of15, run: dumpFlows }],
  ["add-flow", { usage: "SWITCH FLOW", help: "add a flow", minArgs: 2, maxArgs: 2, speaks: of15, run: (i, link) => change(link, [flowOf(i.args[1] ?? "", "add")]) }],
  ["add-flows", { usage: "SWITCH FILE", help: "add the flows of a file, one a line", minArgs: 2, maxArgs: 2, speaks: of15, run: addFlows }],
  ["mod-flows", { usage: "SWITCH FLOW", help: "give the flows that match new actions", minArgs: 2, maxArgs: 2, run: (i, link) => change(link, [flowOf(i.args[1] ?? "", i.has("strict") ? "modify_strict" : "modify")]) }],
  ["del-flows", { usage: "SWITCH [FLOW]", help: "delete the flows that match FLOW", minArgs: 1, maxArgs: 2, speaks: of15, run: (i, link) => change(link, [flowOf(i.args[1] ?? "", i.has("strict") ? "delete_strict" : "delete")]) }],
];

function flowOf(text: string, command: FlowMod["command"]): FlowMod {
  const flow = parseFlow(text, command);
  if (isTextError(flow)) throw new CommandError(flow.error);
  // A change of actions leaves the cookie alone unless it names one.
  const keepsCookie = (command === "modify" || command === "modify_strict") && !/(^|[\s,])cookie\s*=/.test(text);
  return keepsCookie ? { ...flow, cookie: noCookie } : flow;
}

async function dumpFlows({ place, args, has }: Invocation, link: SwitchLink): Promise<void> {
  const { table, outPort, outGroup, cookie, cookieMask, match } = flowOf(args[1] ?? "", "delete");
  const { parts, xid, version } = await askFor(link, { kind: "flow_stats_request", table, outPort, outGroup, cookie, cookieMask, match }, "flow_stats_reply");
  // Unasked this looks as over OpenFlow 1.0, Open vSwitch's first choice, which scripts know.
  if (!has("no-stats")) place.out(`${replyHeader("FLOW", xid, has("protocols") ? version : of10, true)}\n`);
  for (const { flows } of parts) for (const flow of flows) place.out(` ${formatFlowStats(flow, !has("no-stats"))}\n`);
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
