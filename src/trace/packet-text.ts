/** A packet on one line, as Open vSwitch prints flows: what it has, and of its metadata what is not zero (ovs-fields(7)). */
import { formatIpv4, formatIpv6, formatMac, ipv4Of, ipv6Of, macOf } from "../net/index.ts";
import type { Field, FieldName } from "../openflow/index.ts";
import { formatHex } from "../logical/index.ts";
import { ethTypes, type PacketFlow, protocols } from "./packet-flow.ts";

const hex = (name: FieldName, width = 0) => (flow: PacketFlow): string => `${name}=0x${flow.get(name).toString(16).padStart(width, "0")}`;
const decimal = (label: string, name: FieldName) => (flow: PacketFlow): string => `${label}=${flow.get(name)}`;
const mac = (label: string, name: FieldName) => (flow: PacketFlow): string => `${label}=${formatMac(macOf(Number(flow.get(name))))}`;
const ipv4 = (label: string, name: FieldName) => (flow: PacketFlow): string => `${label}=${formatIpv4(ipv4Of(Number(flow.get(name))))}`;
const ipv6 = (name: FieldName) => (flow: PacketFlow): string => `${name}=${formatIpv6(ipv6Of(flow.get(name)))}`;
type Part = (flow: PacketFlow) => string;

const metadataBefore: readonly FieldName[] = ["pkt_mark", "recirc_id", "dp_hash"];
const conntrack: readonly FieldName[] = ["ct_mark", "ct_label"];
const registers = ["reg0", "reg1", "reg2", "reg3", "reg4", "reg5", "reg6", "reg7", "reg8", "reg9", "reg10", "reg11", "reg12", "reg13", "reg14", "reg15"] as const;
const ctBits = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"];
const fragments = ["no", "first", "2", "later"];
const tcpFlagNames = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"];

/** The name that stands for the packet's protocols. */
function protocolName(flow: PacketFlow): string {
  const protocol = flow.get("nw_proto");
  if (flow.ethType === ethTypes.arp) return "arp";
  if (flow.ethType === ethTypes.rarp) return "rarp";
  if (flow.isIpv4) return new Map<bigint, string>([[protocols.icmp, "icmp"], [2n, "igmp"], [protocols.tcp, "tcp"], [protocols.udp, "udp"], [protocols.sctp, "sctp"]]).get(protocol) ?? "ip";
  if (flow.isIpv6) return new Map<bigint, string>([[protocols.icmpv6, "icmp6"], [protocols.tcp, "tcp6"], [protocols.udp, "udp6"], [protocols.sctp, "sctp6"]]).get(protocol) ?? "ipv6";
  return "";
}

export function formatPacket(flow: PacketFlow): string {
  const parts: string[] = [];
  const put = (...more: readonly Part[]): void => void parts.push(...more.map((part) => part(flow)));
  for (const name of metadataBefore) if (flow.get(name) !== 0n) put(hex(name));
  const state = flow.get("ct_state");
  if (state !== 0n) parts.push(`ct_state=${ctBits.filter((_, bit) => ((state >> BigInt(bit)) & 1n) === 1n).join("|")}`);
  for (const name of conntrack) if (flow.get(name) !== 0n) put(hex(name));
  if ((state & 32n) !== 0n && flow.get("ct_nw_proto") !== 0n) put(...originalTuple(flow));
  const protocol = protocolName(flow);
  if (protocol !== "") parts.push(protocol);
  for (const name of registers) if (flow.get(name) !== 0n) put(hex(name));
  if (flow.get("metadata") !== 0n) put(hex("metadata"));
  if (flow.get("in_port") !== 0n) put(decimal("in_port", "in_port"));
  put(vlan, mac("dl_src", "eth_src"), mac("dl_dst", "eth_dst"));
  if (protocol === "") put(hex("eth_type", 4));
  put(...(flow.isArp ? arpParts : flow.isIpv4 ? ipv4Parts : flow.isIpv6 ? ipv6Parts : []));
  if (flow.isIp) {
    if (protocol === "ip" || protocol === "ipv6") put(decimal("nw_proto", "nw_proto"));
    put(decimal("nw_tos", "nw_tos"), decimal("nw_ecn", "nw_ecn"), decimal("nw_ttl", "nw_ttl"), (f) => `nw_frag=${fragments[Number(f.get("ip_frag"))] ?? ""}`);
    put(...transportParts(flow));
  }
  return parts.join(",").replace("eth_type=", "dl_type=");
}

const originalTuple = (flow: PacketFlow): readonly Part[] => [
  ...(flow.isIpv4 ? [ipv4("ct_nw_src", "ct_nw_src"), ipv4("ct_nw_dst", "ct_nw_dst")] : []),
  ...(flow.isIpv6 ? [ipv6("ct_ipv6_src"), ipv6("ct_ipv6_dst")] : []),
  decimal("ct_nw_proto", "ct_nw_proto"), decimal("ct_tp_src", "ct_tp_src"), decimal("ct_tp_dst", "ct_tp_dst"),
];

function vlan(flow: PacketFlow): string {
  const tci = Number(flow.get("vlan_tci"));
  return (tci & 0x1000) === 0 ? `vlan_tci=0x${tci.toString(16).padStart(4, "0")}` : `dl_vlan=${tci & 0xfff},dl_vlan_pcp=${tci >> 13},vlan_tci1=0x0000`;
}

const arpParts: readonly Part[] = [ipv4("arp_spa", "arp_spa"), ipv4("arp_tpa", "arp_tpa"), decimal("arp_op", "arp_op"), mac("arp_sha", "arp_sha"), mac("arp_tha", "arp_tha")];
const ipv4Parts: readonly Part[] = [ipv4("nw_src", "ip_src"), ipv4("nw_dst", "ip_dst")];
const ipv6Parts: readonly Part[] = [ipv6("ipv6_src"), ipv6("ipv6_dst"), (flow) => `ipv6_label=0x${flow.get("ipv6_label").toString(16).padStart(5, "0")}`];
const icmpParts: readonly Part[] = [decimal("icmp_type", "icmp_type"), decimal("icmp_code", "icmp_code")];

function transportParts(flow: PacketFlow): readonly Part[] {
  const protocol = flow.get("nw_proto");
  if (flow.isIpv4 && protocol === protocols.icmp) return icmpParts;
  if (flow.isIpv6 && protocol === protocols.icmpv6) {
    const type = flow.get("icmp_type");
    const nd = (type === 135n || type === 136n) && flow.get("icmp_code") === 0n;
    return nd ? [...icmpParts, ipv6("nd_target"), mac("nd_sll", "nd_sll"), mac("nd_tll", "nd_tll")] : icmpParts;
  }
  const ports: readonly Part[] = [decimal("tp_src", "tcp_src"), decimal("tp_dst", "tcp_dst")];
  if (protocol === protocols.tcp) return [...ports, tcpFlags];
  return protocol === protocols.udp || protocol === protocols.sctp ? ports : [];
}

function tcpFlags(flow: PacketFlow): string {
  const flags = flow.get("tcp_flags");
  const names = tcpFlagNames.filter((_, bit) => ((flags >> BigInt(bit)) & 1n) === 1n);
  return `tcp_flags=${names.length === 0 ? "0" : names.join("|")}`;
}

/** A field's value in the notation that is usual for it. */
export function formatFieldValue(f: Field, value: bigint): string {
  switch (f.notation) {
    case "ethernet": return formatMac(macOf(Number(value)));
    case "ipv4": return formatIpv4(ipv4Of(Number(value)));
    case "ipv6": return formatIpv6(ipv6Of(value));
    case "decimal": case "port": return value.toString();
    default: return formatHex(value);
  }
}
