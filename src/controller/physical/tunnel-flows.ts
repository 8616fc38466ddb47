/** Flows of tunnels: what arrives by one goes to the port that its header names. */
import { rule, type Yield } from "../../engine/index.ts";
import { openflowTables } from "../../logical/index.ts";
import { parseIp } from "../../net/index.ts";
import { type Action, field, Match } from "../../openflow/index.ts";
import { encapsOf } from "../chassis-encaps.ts";
import { datapathField, Flow, inportField, load, move, resubmit, setFlag, withFlags } from "../flow.ts";
import type { Node } from "../node.ts";
import { datapathOf } from "../ports.ts";
import { type Chassis, cookieOf } from "../rows.ts";
import { asBoolean } from "../settings.ts";
import { type Tunnel, TunnelUp } from "../tunnel.ts";
import { tunnelTo } from "../tunnels.ts";
import { decapsulate, encapsulateForFlood, endpoints, geneveFieldOf, send, vxlanGroupActions, vxlanGroupBit } from "./encapsulation.ts";

const table = openflowTables.phyToLog;
const ethIpv4 = 0x0800;
const ethArp = 0x0806;
const ethIpv6 = 0x86dd;
const protocolIcmp = 1;
const protocolIcmpv6 = 58;

const icmpFrom = (ofport: number, type: number, code: number): Match =>
  Match.of(["in_port", ofport], ["eth_type", ethIpv4], ["nw_proto", protocolIcmp], ["icmp_type", type], ["icmp_code", code]);
const icmpv6From = (ofport: number, type: number, code: number): Match =>
  Match.of(["in_port", ofport], ["eth_type", ethIpv6], ["nw_proto", protocolIcmpv6], ["icmpv6_type", type], ["icmpv6_code", code]);

export const tunnelFlows = rule("tunnel-flows", (node: Node) => node.engine.facts(TunnelUp), function* (node, tunnel) {
  if (tunnel.type === "geneve" && geneveFieldOf(node) === undefined) return;
  const arrival: readonly Action[] = [...decapsulate(node, tunnel), resubmit(openflowTables.localOutput)];
  yield Flow({ table, priority: 100, cookie: 0, match: Match.of(["in_port", tunnel.ofport]), actions: arrival });
  if (!tunnel.isRamp) {
    // The underlay says that a packet of ours was too big: back through the pipeline to whoever sent it.
    const actions = [...arrival, setFlag("rxFromTunnel"), resubmit(openflowTables.ctZoneLookup)];
    yield Flow({ table, priority: 120, cookie: 0, match: icmpFrom(tunnel.ofport, 3, 4), actions });
    yield Flow({ table, priority: 120, cookie: 0, match: icmpv6From(tunnel.ofport, 2, 0), actions });
  }
  if (tunnel.type === "vxlan") {
    yield Flow({
      table, priority: 105, cookie: 0, match: Match.of(["in_port", tunnel.ofport], ["tun_id", vxlanGroupBit, vxlanGroupBit]), actions: vxlanGroupActions,
    });
    yield* rampFlows(node, tunnel);
  }
  if (tunnel.isShared) {
    for (const chassis of node.remoteChassis.get(true)) yield* sharedAnswerFlows(node, tunnel, chassis);
    return;
  }
  const chassis = node.chassisByName.first(tunnel.chassis);
  if (chassis !== undefined && asBoolean(chassis.other_config.get("is-remote"), false)) {
    yield* answerFlows(node, tunnel, chassis, Match.of(["in_port", tunnel.ofport]));
  }
});

/** From a VTEP comes only a VNI: the packet enters the pipeline at the VTEP's logical port. */
function* rampFlows(node: Node, tunnel: Tunnel): Iterable<Yield> {
  for (const port of node.portsByType.get("vtep")) {
    const chassis = node.sb.tables.Chassis.get(port.chassis);
    const datapath = datapathOf(node, port);
    if (chassis === undefined || datapath === undefined || (!tunnel.isShared && chassis.name !== tunnel.chassis)) continue;
    yield Flow({
      table, priority: 110, cookie: cookieOf(port), match: Match.of(["in_port", tunnel.ofport], ["tun_id", BigInt(datapath.tunnel_key)]),
      actions: [
        move("tun_id", 0, datapathField, 0, 24), load(inportField, port.tunnel_key, 0, 15), setFlag("rcvFromRamp"),
        resubmit(openflowTables.logIngressPipeline),
      ],
    });
  }
}

/** Answers to ARP and ND that another zone flooded to us name no output port: they run the pipeline here. */
function* answerFlows(node: Node, tunnel: Tunnel, chassis: Chassis, from: Match): Iterable<Yield> {
  const option = geneveFieldOf(node);
  const actions: readonly Action[] = [
    setFlag("rxFromTunnel"), ...decapsulate(node, tunnel), resubmit(openflowTables.logIngressPipeline),
    ...(tunnel.type === "vxlan" ? [resubmit(openflowTables.localOutput)] : []),
  ];
  const withoutOutport = (match: Match): Match =>
    tunnel.type === "geneve" && option !== undefined ? match.with(field(option), 0n, 0xffffn) : match;
  const cookie = cookieOf(chassis);
  yield Flow({
    table, priority: 120, cookie, match: withoutOutport(from.with(field("eth_type"), ethArp).with(field("arp_op"), 2)), actions,
  });
  const advert = from.with(field("eth_type"), ethIpv6).with(field("nw_proto"), protocolIcmpv6).with(field("icmpv6_type"), 136).with(field("icmpv6_code"), 0);
  yield Flow({ table, priority: 120, cookie, match: withoutOutport(advert), actions });
}

/** By a shared tunnel comes everything: where it is from says its address. */
function* sharedAnswerFlows(node: Node, tunnel: Tunnel, chassis: Chassis): Iterable<Yield> {
  for (const encap of encapsOf(node, chassis)) {
    const ip = encap.type === tunnel.type ? parseIp(encap.ip) : undefined;
    if (ip === undefined) continue;
    const from = Match.of(["in_port", tunnel.ofport]);
    yield* answerFlows(node, tunnel, chassis, ip.family === 4 ? from.with(field("tun_src"), ip.address) : from.with(field("tun_ipv6_src"), ip.address));
  }
}

/** A packet for every chassis of the other zones: one copy into a tunnel to each, unless it came by one. */
export const floodFlow = rule("flood-flow", (node: Node) => node.self, function* (node) {
  const actions: Action[] = [];
  let before: Tunnel | undefined;
  const remote = [...node.remoteChassis.get(true)].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const chassis of remote) {
    const tunnel = tunnelTo(node, chassis.name);
    if (tunnel === undefined || (tunnel.type === "geneve" && geneveFieldOf(node) === undefined)) continue;
    actions.push(...(tunnel.type === before?.type ? endpoints(tunnel) : encapsulateForFlood(node, tunnel)), ...send(tunnel));
    before = tunnel;
  }
  if (actions.length === 0) return;
  yield Flow({ table: openflowTables.floodRemoteChassis, priority: 100, cookie: 0, match: withFlags(Match.any, [], ["rxFromTunnel"]), actions });
});
