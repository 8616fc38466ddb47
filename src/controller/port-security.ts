/**
 * Flows of port security: what check_in_port_sec and check_out_port_sec find (ovn-nb(5), Logical_Switch_Port.port_security;
 * ovn-architecture(7), tables 97 to 99). They exist only where the port is bound.
 */
import { derived, rule, type Yield } from "../engine/index.ts";
import { openflowTables } from "../logical/index.ts";
import { field, Match } from "../openflow/index.ts";
import { ipv6Mask, linkLocalOf, type Mac, macOf } from "../net/index.ts";
import { claimOf } from "./claims.ts";
import { Flow, fromPort, resubmit, setFlag, toPort } from "./flow.ts";
import type { Node } from "./node.ts";
import { type Entry, isMisfit, type MaskedMac, parsePortSecurity } from "./port-security-entry.ts";
import { datapathOf, ourChassis } from "./ports.ts";
import { cookieOf, type PortBinding } from "./rows.ts";

const ethIpv4 = 0x0800;
const ethArp = 0x0806;
const ethIpv6 = 0x86dd;
const protocolUdp = 17;
const protocolIcmpv6 = 58;
const neighborSolicit = 135;
const neighborAdvert = 136;

const deny = [setFlag("checkPortSec", 1)];
const allow = [setFlag("checkPortSec", 0)];
const checkNeighborDiscovery = [resubmit(openflowTables.chkInPortSecNd)];
const { chkInPortSec: inTable, chkInPortSecNd: ndTable, chkOutPortSec: outTable } = openflowTables;

/** The flows of one port: each yields with the port's cookie. */
interface Gate {
  readonly from: Match;
  readonly to: Match;
  flow(table: number, priority: number, match: Match, actions: Flow["actions"]): Yield;
}

const entriesOf = derived("port-security", (_node: Node, port: PortBinding): readonly Entry[] =>
  [...port.port_security].map(parsePortSecurity).filter((entry): entry is Entry => !isMisfit(entry)));

export const portSecurityFlows = rule("port-security-flows", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  if (port.port_security.size === 0 || claimOf(node, port) === undefined || port.chassis !== ourChassis(node)?._uuid) return;
  const datapath = datapathOf(node, port);
  if (datapath === undefined) return;
  for (const text of port.port_security) {
    const entry = parsePortSecurity(text);
    if (isMisfit(entry)) node.host.log.module("lflow").warn(`invalid syntax '${entry.text}' in port security for LSP ${port.logical_port}: ${entry.reason}`);
  }
  const entries = entriesOf(node, port);
  if (entries.length === 0) return;
  const cookie = cookieOf(port);
  const gate: Gate = {
    from: fromPort(datapath.tunnel_key, port.tunnel_key),
    to: toPort(datapath.tunnel_key, port.tunnel_key),
    flow: (table, priority, match, actions) => Flow({ table, priority, cookie, match, actions }),
  };
  for (const entry of entries) yield* entryFlows(gate, entry);
  yield* defaultFlows(gate);
});

const arpOf = (match: Match): Match => match.with(field("eth_type"), ethArp);
const icmpv6Of = (match: Match, type: number): Match =>
  match.with(field("eth_type"), ethIpv6).with(field("nw_proto"), protocolIcmpv6).with(field("icmpv6_type"), type);

function* defaultFlows({ from, to, flow }: Gate): Iterable<Yield> {
  yield flow(inTable, 80, from, deny);
  yield flow(inTable, 95, arpOf(from), checkNeighborDiscovery);
  yield flow(ndTable, 80, arpOf(from), deny);
  for (const type of [neighborAdvert, neighborSolicit]) yield flow(ndTable, 80, icmpv6Of(from, type).with(field("nw_ttl"), 255), deny);
  yield flow(outTable, 80, to, deny);
}

const exactly = (mac: Mac): MaskedMac => ({ mac, mask: macOf(0xffffffffffff), prefixLength: 48 });

/** With VRRP MACs those stand in place of the port's own, the IPv4 and the IPv6 ones each in their family. */
function* entryFlows(gate: Gate, entry: Entry): Iterable<Yield> {
  const isVrrp = entry.vrrp4.length + entry.vrrp6.length > 0;
  const own = exactly(entry.mac);
  const [macs4, macs6, macs] = isVrrp ? [entry.vrrp4, entry.vrrp6, [...entry.vrrp4, ...entry.vrrp6]] : [[own], [own], [own]];
  const { from, to, flow } = gate;
  const hasIp = entry.ip4.length + entry.ip6.length > 0;
  const withSource = (m: MaskedMac): Match => from.with(field("eth_src"), m.mac, m.mask);
  const withDestination = (m: MaskedMac): Match => to.with(field("eth_dst"), m.mac, m.mask);
  if (!hasIp) for (const m of macs) yield flow(inTable, 90, withSource(m), checkNeighborDiscovery);
  if (entry.ip4.length > 0) for (const m of macs4) yield* ingressIpv4(gate, withSource(m), entry);
  if (entry.ip4.length > 0 || entry.ip6.length === 0) yield* ingressArp(gate, entry, isVrrp);
  if (entry.ip6.length > 0) for (const m of macs6) yield* ingressIpv6(gate, withSource(m), m, entry);
  yield* ingressNeighborDiscovery(gate, entry, isVrrp);
  for (const m of macs) yield flow(outTable, 85, withDestination(m), allow);
  if (!hasIp) return;
  for (const m of macs4) yield* egressIpv4(gate, withDestination(m), entry);
  for (const m of macs6) yield* egressIpv6(gate, withDestination(m), m, entry);
}

function* ingressIpv4({ flow }: Gate, source: Match, entry: Entry): Iterable<Yield> {
  const ipv4 = source.with(field("eth_type"), ethIpv4);
  for (const { address, mask } of entry.ip4) yield flow(inTable, 90, ipv4.with(field("ip_src"), address, mask), allow);
  // A DHCP request comes before the port has its address.
  const dhcp = ipv4.with(field("ip_src"), 0).with(field("ip_dst"), 0xffffffff).with(field("nw_proto"), protocolUdp)
    .with(field("udp_src"), 68).with(field("udp_dst"), 67);
  yield flow(inTable, 90, dhcp, allow);
}

function* ingressArp({ from, flow }: Gate, entry: Entry, isVrrp: boolean): Iterable<Yield> {
  const arp = arpOf(from.with(field("eth_src"), entry.mac));
  const senders = [...(isVrrp ? [] : [exactly(entry.mac)]), ...entry.vrrp4];
  const sources = entry.ip4.length === 0 ? [arp] : entry.ip4.map(({ address, mask }) => arp.with(field("arp_spa"), address, mask));
  for (const match of sources) for (const { mac, mask } of senders) yield flow(ndTable, 90, match.with(field("arp_sha"), mac, mask), allow);
}

/** fe80::/64 with the MAC's identifier; where the MAC is masked, so are the same bits of the address. */
const linkLocalMatch = (match: Match, name: "ipv6_src" | "ipv6_dst", { mac, prefixLength }: MaskedMac): Match => {
  const mask = ipv6Mask(128 - 48 + prefixLength);
  return match.with(field(name), linkLocalOf(mac) & mask, mask);
};

function* ingressIpv6({ flow }: Gate, source: Match, mac: MaskedMac, entry: Entry): Iterable<Yield> {
  const ipv6 = source.with(field("eth_type"), ethIpv6);
  for (const { address, mask } of entry.ip6) yield flow(inTable, 90, ipv6.with(field("ipv6_src"), address & mask, mask), checkNeighborDiscovery);
  yield flow(inTable, 90, linkLocalMatch(ipv6, "ipv6_src", mac), checkNeighborDiscovery);
  // Before it has its address: multicast listener reports, and the search for a duplicate.
  const unspecified = ipv6.with(field("ipv6_src"), 0n).with(field("ipv6_dst"), 0xff02n << 112n, ipv6Mask(16));
  for (const [type, actions] of [[131, allow], [143, allow], [neighborSolicit, checkNeighborDiscovery]] as const) {
    yield flow(inTable, 90, icmpv6Of(unspecified, type).with(field("icmpv6_code"), 0), actions);
  }
}

function* ingressNeighborDiscovery({ from, flow }: Gate, entry: Entry, isVrrp: boolean): Iterable<Yield> {
  const nd = (type: number): Match =>
    icmpv6Of(from.with(field("eth_src"), entry.mac), type).with(field("icmpv6_code"), 0).with(field("nw_ttl"), 255);
  const owners = [exactly(macOf(0)), ...(isVrrp ? [] : [exactly(entry.mac)]), ...entry.vrrp6];
  for (const { mac, mask } of owners) yield flow(ndTable, 90, nd(neighborSolicit).with(field("nd_sll"), mac, mask), allow);
  const advert = nd(neighborAdvert);
  const targets = entry.ip6.length === 0 ? [advert] : [
    advert.with(field("nd_target"), linkLocalOf(entry.mac)),
    ...entry.ip6.map(({ address, mask }) => advert.with(field("nd_target"), address & mask, mask)),
  ];
  for (const match of targets) for (const { mac, mask } of owners) yield flow(ndTable, 90, match.with(field("nd_tll"), mac, mask), allow);
}

function* egressIpv4({ flow }: Gate, destination: Match, entry: Entry): Iterable<Yield> {
  const ipv4 = destination.with(field("eth_type"), ethIpv4);
  yield flow(outTable, 90, ipv4, deny);
  if (entry.ip4.length === 0) return;
  for (const { address, mask, broadcast } of entry.ip4) {
    yield flow(outTable, 95, ipv4.with(field("ip_dst"), address, mask), allow);
    if (broadcast !== 0) yield flow(outTable, 95, ipv4.with(field("ip_dst"), broadcast), allow);
  }
  yield flow(outTable, 95, ipv4.with(field("ip_dst"), 0xffffffff), allow);
  yield flow(outTable, 95, ipv4.with(field("ip_dst"), 0xe0000000, 0xf0000000), allow);
}

function* egressIpv6({ flow }: Gate, destination: Match, mac: MaskedMac, entry: Entry): Iterable<Yield> {
  const ipv6 = destination.with(field("eth_type"), ethIpv6);
  yield flow(outTable, 90, ipv6, deny);
  if (entry.ip6.length === 0) return;
  for (const { address, mask } of entry.ip6) yield flow(outTable, 95, ipv6.with(field("ipv6_dst"), address & mask, mask), allow);
  yield flow(outTable, 95, linkLocalMatch(ipv6, "ipv6_dst", mac), allow);
  yield flow(outTable, 95, ipv6.with(field("ipv6_dst"), 0xffn << 120n, ipv6Mask(8)), allow);
}
