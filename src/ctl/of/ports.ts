/** ovs-ofctl's commands for the switch's ports, and the switch itself with them. */
import {
  formatDuration, formatPort, of10, of13, parsePort, portConfig, type PortDescription, ports, portState, type PortStats,
} from "../../openflow/index.ts";
import { formatMac, macOf } from "../../net/index.ts";
import { CommandError } from "../command-error.ts";
import { askFor, type Invocation, type OfCommand, replyHeader } from "./of-command.ts";
import type { SwitchLink } from "./switch-link.ts";

export const portCommands: readonly (readonly [string, OfCommand])[] = [
  ["show", { usage: "SWITCH", help: "print what the switch is and its ports", minArgs: 1, maxArgs: 1, run: show }],
  ["dump-ports", { usage: "SWITCH [PORT]", help: "print what went through the ports", minArgs: 1, maxArgs: 2, run: dumpPorts }],
  ["dump-ports-desc", { usage: "SWITCH [PORT]", help: "print the ports", minArgs: 1, maxArgs: 2, run: dumpPortsDesc }],
];

async function describe(link: SwitchLink) {
  return askFor(link, { kind: "port_desc_request", port: ports.none }, "port_desc_reply");
}

/** By number or name. */
async function wanted(text: string | undefined, link: SwitchLink): Promise<number> {
  if (text === undefined) return ports.none;
  const port = parsePort(text) ?? (await describe(link)).parts.flatMap((p) => p.ports).find((p) => p.name === text)?.port;
  if (port === undefined) throw new CommandError(`${text}: couldn't find port`);
  return port;
}

async function dumpPorts({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const { parts, xid, version } = await askFor(link, { kind: "port_stats_request", port: await wanted(args[1], link) }, "port_stats_reply");
  const all = parts.flatMap((p) => p.ports);
  place.out(`${replyHeader("PORT", xid, version)} ${all.length} ports\n${all.map((p) => formatStats(p, version !== of10)).join("")}`);
}

async function dumpPortsDesc({ place, args }: Invocation, link: SwitchLink): Promise<void> {
  const port = await wanted(args[1], link);
  const { parts, xid, version } = await askFor(link, { kind: "port_desc_request", port }, "port_desc_reply");
  place.out(`${replyHeader("PORT_DESC", xid, version)}\n`);
  // Before OpenFlow 1.5 one cannot ask for a single port.
  for (const p of parts.flatMap((part) => part.ports)) if (port === ports.none || p.port === port) place.out(formatDescription(p));
}

/** What OpenFlow has a bit for since 1.4 stands last. */
const capabilityNames: readonly (readonly [number, string])[] = [
  [1 << 0, "FLOW_STATS"], [1 << 1, "TABLE_STATS"], [1 << 2, "PORT_STATS"], [1 << 3, "GROUP_STATS"], [1 << 5, "IP_REASM"], [1 << 6, "QUEUE_STATS"],
  [1 << 8, "PORT_BLOCKED"], [1 << 9, "BUNDLES"], [1 << 10, "FLOW_MONITORING"],
];
const capabilityNamesOf13 = capabilityNames.filter(([bit]) => bit < 1 << 9);
/** OpenFlow 1.0's; it has two bits that mean something else. */
const capabilityNamesOf10: readonly (readonly [number, string])[] = [...capabilityNames.filter(([bit]) => bit < 1 << 8 && bit !== 1 << 3), [1 << 3, "STP"], [1 << 7, "ARP_MATCH_IP"]];
/** OpenFlow 1.0's actions, by number. */
const actionNames = [
  "output", "set_vlan_vid", "set_vlan_pcp", "strip_vlan", "mod_dl_src", "mod_dl_dst", "mod_nw_src", "mod_nw_dst", "mod_nw_tos", "mod_tp_src", "mod_tp_dst", "enqueue",
];

/** The names of the bits that are set, or 0. */
function bitNames(bits: number, names: readonly (readonly [number, string])[]): string {
  return names.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name).join(" ") || "0";
}

async function show({ place }: Invocation, link: SwitchLink): Promise<void> {
  const { parts: [features], xid, version } = await askFor(link, { kind: "features_request" }, "features_reply");
  if (features === undefined) throw new CommandError("the switch does not say what it is");
  const { datapathId, tables, buffers, auxiliaryId, capabilities, actions } = features;
  place.out(`${replyHeader("FEATURES_REPLY", xid, version)} dpid:${datapathId.toString(16).padStart(16, "0")}\nn_tables:${tables}, n_buffers:${buffers}${auxiliaryId === 0 ? "" : `, auxiliary_id:${auxiliaryId}`}\n`);
  place.out(`capabilities: ${bitNames(capabilities, version === of10 ? capabilityNamesOf10 : version === of13 ? capabilityNamesOf13 : capabilityNames)}\n`);
  if (actions !== undefined) place.out(`actions: ${bitNames(actions, inPrintedOrder)}\n`);
  if (version === of10) place.out((features.ports ?? []).map(formatDescription).join(""));
  else {
    const described = await describe(link);
    place.out(`${replyHeader("PORT_DESC", described.xid, version)}\n${described.parts.flatMap((p) => p.ports).map(formatDescription).join("")}`);
  }
  const { parts: [config], xid: configXid } = await askFor(link, { kind: "get_config_request" }, "get_config_reply");
  if (config !== undefined) place.out(`${replyHeader("GET_CONFIG_REPLY", configXid, version)} frags=${config.fragments} miss_send_len=${config.missSendLength}\n`);
}

/** Open vSwitch has enqueue beside output. */
const inPrintedOrder = ["output", "enqueue", ...actionNames.slice(1, -1)].map((name) => [1 << actionNames.indexOf(name), name] as const);

function formatStats(s: PortStats, hasDuration: boolean): string {
  const count = (n: bigint): string => (n === 0xffffffffffffffffn ? "?" : String(n));
  return [
    `  port ${s.port < 10 ? " " : ""}${formatPort(s.port)}: rx pkts=${count(s.rxPackets)}, bytes=${count(s.rxBytes)}, drop=${count(s.rxDropped)}, errs=${count(s.rxErrors)}, `,
    `frame=${count(s.rxFrameErrors)}, over=${count(s.rxOverErrors)}, crc=${count(s.rxCrcErrors)}\n`,
    `           tx pkts=${count(s.txPackets)}, bytes=${count(s.txBytes)}, drop=${count(s.txDropped)}, errs=${count(s.txErrors)}, coll=${count(s.collisions)}\n`,
    hasDuration ? `           duration=${formatDuration(s.durationNs)}\n` : "",
  ].join("");
}

const configNames = [[portConfig.portDown, "PORT_DOWN"], [portConfig.noReceive, "NO_RECV"], [portConfig.noForward, "NO_FWD"], [portConfig.noPacketIn, "NO_PACKET_IN"]] as const;
const stateNames = [[portState.linkDown, "LINK_DOWN"], [portState.blocked, "BLOCKED"], [portState.live, "LIVE"]] as const;
const featureNames = [
  "10MB-HD", "10MB-FD", "100MB-HD", "100MB-FD", "1GB-HD", "1GB-FD", "10GB-FD", "40GB-FD", "100GB-FD", "1TB-FD", "OTHER", "COPPER", "FIBER", "AUTO_NEG",
  "AUTO_PAUSE", "AUTO_PAUSE_ASYM",
].map((name, bit) => [1 << bit, name] as const);

function formatDescription(p: PortDescription): string {
  const features = ([["current:    ", p.current], ["advertised: ", p.advertised], ["supported:  ", p.supported], ["peer:       ", p.peer]] as const)
    .map(([label, bits]) => (bits === 0 ? "" : `     ${label}${bitNames(bits, featureNames)}\n`)).join("");
  return ` ${formatPort(p.port)}(${p.name}): addr:${formatMac(macOf(p.mac))}\n     config:     ${bitNames(p.config, configNames)}\n     state:      ${bitNames(p.state, stateNames)}\n${features}     speed: ${Math.floor(p.currentSpeed / 1000)} Mbps now, ${Math.floor(p.maxSpeed / 1000)} Mbps max\n`;
}
