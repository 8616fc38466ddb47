/** ovs-ofctl's commands for groups. */
import { formatDuration, formatGroup, type GroupMod, groups, type GroupStats, isTextError, parseGroup } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";
import { askFor, change, type Invocation, type OfCommand, replyHeader } from "./of-command.ts";
import type { SwitchLink } from "./switch-link.ts";

export const groupCommands: readonly (readonly [string, OfCommand])[] = [
  ["dump-groups", { usage: "SWITCH [GROUP]", help: "print the groups", minArgs: 1, maxArgs: 2, run: dumpGroups }],
  ["dump-group-stats", { usage: "SWITCH [GROUP]", help: "print what went through the groups", minArgs: 1, maxArgs: 2, run: dumpGroupStats }],
  ["add-group", { usage: "SWITCH GROUP", help: "add a group", minArgs: 2, maxArgs: 2, run: (i, link) => change(link, [groupOf(i.args[1] ?? "", "add")]) }],
  ["mod-group", { usage: "SWITCH GROUP", help: "give a group other buckets (--may-create)", minArgs: 2, maxArgs: 2, run: (i, link) => change(link, [groupOf(i.args[1] ?? "", i.has("may-create") ? "add_or_mod" : "modify")]) }],
  ["del-groups", { usage: "SWITCH [GROUP]", help: "delete all groups, or one", minArgs: 1, maxArgs: 2, run: (i, link) => change(link, [groupOf(i.args[1] ?? "", "delete")]) }],
];

function groupOf(text: string, command: Parameters<typeof parseGroup>[1]): GroupMod {
  const group = parseGroup(text, command);
  if (isTextError(group)) throw new CommandError(group.error);
  return group;
}

function wanted(text: string | undefined): number {
  if (text === undefined || text === "all") return groups.all;
  if (!/^(\d+|0[xX][0-9a-fA-F]+)$/.test(text) || Number(text) > groups.max) throw new CommandError(`${text}: unknown group`);
  return Number(text);
}

async function dumpGroups({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const group = wanted(args[1]);
  const { parts, xid, version } = await askFor(link, { kind: "group_desc_request", group }, "group_desc_reply");
  place.out(`${replyHeader("GROUP_DESC", xid, version, true)}\n`);
  // Before OpenFlow 1.5 one cannot ask for a single group.
  for (const part of parts) for (const g of part.groups) if (group === groups.all || g.group === group) place.out(` ${formatGroup(g, version)}\n`);
}

async function dumpGroupStats({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const { parts, xid, version } = await askFor(link, { kind: "group_stats_request", group: wanted(args[1]) }, "group_stats_reply");
  place.out(`${replyHeader("GROUP", xid, version, true)}\n`);
  for (const part of parts) for (const g of part.groups) place.out(` ${formatGroupStats(g)}\n`);
}

function formatGroupStats(g: GroupStats): string {
  const buckets = g.buckets.map((b, i) => `,bucket${i}:packet_count=${b.packets},byte_count=${b.bytes}`);
  return `group_id=${g.group},duration=${formatDuration(g.durationNs)},ref_count=${g.references},packet_count=${g.packets},byte_count=${g.bytes}${buckets.join("")}`;
}
