/** ovs-ofctl's commands for meters, which OpenFlow has since 1.3. */
import { formatDuration, type MeterConfig, meterFlags, meters, type MeterStats, of13 } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";
import { askFor, type Invocation, type OfCommand, replyHeader } from "./of-command.ts";
import type { SwitchLink } from "./switch-link.ts";

export const meterCommands: readonly (readonly [string, OfCommand])[] = [
  ["dump-meters", { usage: "SWITCH [METER]", help: "print the meters", minArgs: 1, maxArgs: 2, speaks: of13, run: dumpMeters }],
  ["meter-stats", { usage: "SWITCH [METER]", help: "print what went through the meters", minArgs: 1, maxArgs: 2, speaks: of13, run: meterStats }],
];

function wanted(text: string | undefined, link: SwitchLink): number {
  if (link.offers < of13) throw new CommandError("meters need OpenFlow 1.3 or later (--protocols=OpenFlow13)");
  const [, name = "all"] = /^(?:meter=)?(.+)$/.exec(text ?? "all") ?? [];
  const number = name === "all" ? meters.all : name === "controller" ? meters.controller : name === "slowpath" ? meters.slowpath : /^\d+$/.test(name) ? Number(name) : undefined;
  if (number === undefined || number > 0xffffffff) throw new CommandError(`${name}: unknown meter`);
  return number;
}

async function dumpMeters({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const { parts, xid, version } = await askFor(link, { kind: "meter_config_request", meter: wanted(args[1], link) }, "meter_config_reply");
  place.out(`${replyHeader("METER_CONFIG", xid, version)}\n${parts.flatMap((p) => p.meters).map(formatMeter).join("\n")}`);
}

async function meterStats({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const { parts, xid, version } = await askFor(link, { kind: "meter_stats_request", meter: wanted(args[1], link) }, "meter_stats_reply");
  place.out(`${replyHeader("METER", xid, version)}\n${parts.flatMap((p) => p.meters).map(formatMeterStats).join("\n")}`);
}

const nameOf = (meter: number): string => (meter === meters.slowpath ? "slowpath" : meter === meters.controller ? "controller" : String(meter));

export function formatMeter({ meter, flags, bands }: MeterConfig): string {
  const words = (["kbps", "pktps", "burst", "stats"] as const).filter((word) => (flags & meterFlags[word]) !== 0).map((word) => `${word} `).join("");
  const band = ({ type, rate, burst, precedence }: MeterConfig["bands"][number]): string =>
    `\ntype=${type} rate=${rate}${(flags & meterFlags.burst) === 0 ? "" : ` burst_size=${burst}`}${type === "dscp_remark" ? ` prec_level=${precedence ?? 0}` : ""}`;
  return `meter=${nameOf(meter)} ${words}bands=${bands.map(band).join("")}\n`;
}

export function formatMeterStats(m: MeterStats): string {
  const bands = m.bands.map((b, i) => `${i}: packet_count:${b.packets} byte_count:${b.bytes}\n`).join("");
  return `meter:${nameOf(m.meter)} flow_count:${m.flows} packet_in_count:${m.packets} byte_in_count:${m.bytes} duration:${formatDuration(m.durationNs)} bands:\n${bands}`;
}
