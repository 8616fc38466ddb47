/** Flows of MAC bindings: what get_arp, lookup_arp and mac_cache_use find (ovn-architecture(7), tables 90, 91 and 103). */
import { rule, type Yield } from "../engine/index.ts";
import { openflowTables } from "../logical/index.ts";
import { field, Match } from "../openflow/index.ts";
import { type Ip, type Mac, parseIp, parseMac } from "../net/index.ts";
import { Flow, fromPort, load, setFlag, toPort } from "./flow.ts";
import type { Node } from "./node.ts";
import { datapathOf, portNamed } from "./ports.ts";
import { cookieOf } from "./rows.ts";

const ethIpv4 = 0x0800;
const ethArp = 0x0806;
const ethIpv6 = 0x86dd;

const learnedPriority = 100;
/** Below or above what was learned, as override_dynamic_mac says. */
const staticPriority = { yielding: 50, overriding: 150 };

interface Neighbor {
  readonly _uuid: string;
  readonly logical_port: string;
  readonly ip: string;
  readonly mac: string;
}

export const learnedNeighborFlows = rule("learned-neighbor-flows", (node: Node) => node.sb.tables.MAC_Binding, function* (node, binding) {
  yield* neighborFlows(node, binding, learnedPriority, true);
});

export const staticNeighborFlows = rule("static-neighbor-flows", (node: Node) => node.sb.tables.Static_MAC_Binding, function* (node, binding) {
  yield* neighborFlows(node, binding, binding.override_dynamic_mac ? staticPriority.overriding : staticPriority.yielding, false);
});

function* neighborFlows(node: Node, binding: Neighbor, priority: number, ages: boolean): Iterable<Yield> {
  const port = portNamed(node, binding.logical_port);
  const datapath = port && datapathOf(node, port);
  if (port === undefined || datapath === undefined || !node.isLocalDatapath(datapath._uuid)) return;
  const mac = parseMac(binding.mac);
  const ip = parseIp(binding.ip);
  if (mac === undefined || ip === undefined) {
    node.host.log.module("lflow").warn(mac === undefined ? `bad 'mac' ${binding.mac}` : `bad 'ip' ${binding.ip}`);
    return;
  }
  const [datapathKey, portKey] = [datapath.tunnel_key, port.tunnel_key];
  const cookie = cookieOf(binding);
  const found = setFlag("lookupMac");
  const wanted = toPort(datapathKey, portKey);
  yield Flow({
    table: openflowTables.macBinding, priority, cookie,
    match: ip.family === 4 ? wanted.with(field("reg0"), ip.address) : wanted.with(field("xxreg1"), ip.address),
    actions: [load("eth_dst", mac), found],
  });
  const seen = fromPort(datapathKey, portKey).with(field("eth_src"), mac);
  yield Flow({ table: openflowTables.macLookup, priority, cookie, match: announcement(seen, ip), actions: [found] });
  if (!ages) return;
  for (const match of signsOfLife(seen, ip)) yield Flow({ table: openflowTables.macCacheUse, priority, cookie, match, actions: [] });
}

/** A packet that says what the binding says already. */
const announcement = (seen: Match, ip: Ip): Match => ip.family === 4
  ? seen.with(field("eth_type"), ethArp).with(field("reg0"), ip.address)
  : seen.with(field("eth_type"), ethIpv6).with(field("nw_proto"), 58).with(field("icmpv6_code"), 0).with(field("xxreg0"), ip.address);

/** Packets that show that the neighbor is still there: they count, and keep the binding from aging. */
const signsOfLife = (seen: Match, ip: Ip): readonly Match[] => ip.family === 4
  ? [
      seen.with(field("eth_type"), ethArp).with(field("arp_op"), 2).with(field("arp_spa"), ip.address),
      seen.with(field("eth_type"), ethIpv4).with(field("ip_src"), ip.address),
    ]
  : [seen.with(field("eth_type"), ethIpv6).with(field("ipv6_src"), ip.address)];

export const fdbFlows = rule("fdb-flows", (node: Node) => node.sb.tables.FDB, function* (node, entry) {
  const datapath = node.datapathsByKey.first(entry.dp_key);
  if (datapath === undefined || !node.isLocalDatapath(datapath._uuid)) return;
  const mac: Mac | undefined = parseMac(entry.mac);
  if (mac === undefined) {
    node.host.log.module("lflow").warn(`bad 'mac' ${entry.mac}`);
    return;
  }
  const cookie = cookieOf(entry);
  const on = Match.of(["metadata", BigInt(entry.dp_key)]);
  const known = [setFlag("lookupFdb")];
  yield Flow({
    table: openflowTables.getFdb, priority: 100, cookie, match: on.with(field("eth_dst"), mac), actions: [load("reg15", entry.port_key)],
  });
  yield Flow({
    table: openflowTables.lookupFdb, priority: 100, cookie,
    match: on.with(field("eth_src"), mac).with(field("reg14"), entry.port_key), actions: known,
  });
  const port = node.portsByKey.first(`${datapath._uuid} ${entry.port_key}`);
  if (port?.type !== "" || !learnsFromLocalnet(node, datapath._uuid)) return;
  yield Flow({
    table: openflowTables.lookupFdb, priority: 100, cookie,
    match: on.with(field("eth_src"), mac).with(field("reg10"), 1 << 15, 1 << 15), actions: known,
  });
});

function learnsFromLocalnet(node: Node, datapath: Parameters<Node["isLocalDatapath"]>[0]): boolean {
  for (const port of node.localnetPortsByDatapath.get(datapath)) if (port.options.get("localnet_learn_fdb") === "true") return true;
  return false;
}
