/** A flow key under a mask as ovs-dpctl(8) writes datapath flows: groups in the order of OVS's netlink attributes, each with what the mask has. */
import { formatIpv4, formatIpv6, formatMac, ipv4Of, ipv6Of, macOf } from "../../net/index.ts";
import { ctStateBit, fragLater, type FlowKey, W } from "../flow/flow-key.ts";
import { ethType, ipProto } from "./packet.ts";

export type PortText = (datapathNumber: number) => string;

class Groups {
  readonly key: FlowKey;
  readonly mask: FlowKey;
  readonly list: string[] = [];
  #parts: string[] = [];

  constructor(key: FlowKey, mask: FlowKey) {
    this.key = key;
    this.mask = mask;
  }

  bits(word: number, shift: number, width: number): readonly [value: number, mask: number, full: number] {
    const full = width === 32 ? 0xffffffff : 2 ** width - 1;
    return [(((this.key[word] ?? 0) >>> shift) & full) >>> 0, (((this.mask[word] ?? 0) >>> shift) & full) >>> 0, full];
  }

  /** A part `name=value`, with the mask unless it is whole; nothing if it is empty. */
  number(name: string, word: number, shift: number, width: number, format: (n: number) => string = String): void {
    const [value, mask, full] = this.bits(word, shift, width);
    if (mask !== 0) this.#parts.push(`${name}=${format(value)}${mask === full ? "" : `/${hex(mask)}`}`);
  }

  ipv4(name: string, word: number): void {
    const [value, mask] = this.bits(word, 0, 32);
    if (mask !== 0) this.#parts.push(`${name}=${formatIpv4(ipv4Of(value))}${mask === 0xffffffff ? "" : `/${formatIpv4(ipv4Of(mask))}`}`);
  }

  ipv6(name: string, word: number): void {
    const [value, mask] = [wide(this.key, word), wide(this.mask, word)];
    if (mask !== 0n) this.#parts.push(`${name}=${formatIpv6(ipv6Of(value))}${mask === (1n << 128n) - 1n ? "" : `/${formatIpv6(ipv6Of(mask))}`}`);
  }

  mac(name: string, word: number): void {
    const [value, mask] = [mac48(this.key, word), mac48(this.mask, word)];
    if (mask !== 0) this.#parts.push(`${name}=${formatMac(macOf(value))}${mask === 0xffff_ffff_ffff ? "" : `/${formatMac(macOf(mask))}`}`);
  }

  part(text: string): void {
    this.#parts.push(text);
  }

  /** Ends the group; one without parts is left out. */
  end(name: string, isKept = false): void {
    if (this.#parts.length > 0 || isKept) this.list.push(`${name}(${this.#parts.join(",")})`);
    this.#parts = [];
  }
}

const hex = (n: number | bigint): string => (BigInt(n) === 0n ? "0" : `0x${n.toString(16)}`);
const wide = (key: FlowKey, word: number): bigint => [0, 1, 2, 3].reduce((sum, i) => (sum << 32n) | BigInt(key[word + i] ?? 0), 0n);
const mac48 = (key: FlowKey, word: number): number => ((key[word] ?? 0) & 0xffff) * 2 ** 32 + (key[word + 1] ?? 0);

export function formatDatapathFlow(key: FlowKey, mask: FlowKey, portText: PortText): string {
  const g = new Groups(key, mask);
  g.list.push(`recirc_id(${hex(key[W.recircId] ?? 0)})`);
  one(g, "dp_hash", W.dpHash);
  tunnel(g);
  g.list.push(`in_port(${portText(key[W.inPort] ?? 0)})`);
  one(g, "skb_mark", W.pktMark);
  connection(g);
  g.list.push("packet_type(ns=0,id=0)");
  g.mac("src", W.ethSrc);
  g.mac("dst", W.ethDst);
  g.end("eth");
  const isTagged = (key[W.vlan] ?? 0) !== 0;
  const at = g.list.length;
  network(g);
  if (!isTagged) return g.list.join(",");
  const inner = g.list.splice(at);
  g.number("vid", W.vlan, 0, 12);
  g.number("pcp", W.vlan, 13, 3);
  g.end("vlan", true);
  const tag = g.list.pop() ?? "";
  return [...g.list, "eth_type(0x8100)", tag, `encap(${inner.join(",")})`].join(",");
}

function one(g: Groups, name: string, word: number, width = 32): void {
  const [value, mask, full] = g.bits(word, 0, width);
  if (mask !== 0) g.list.push(`${name}(${hex(value)}${mask === full ? "" : `/${hex(mask)}`})`);
}

function tunnel(g: Groups): void {
  const id = wide(g.mask, W.tunId - 2) & 0xffff_ffff_ffff_ffffn;
  if (id !== 0n) {
    const value = (BigInt(g.key[W.tunId] ?? 0) << 32n) | BigInt(g.key[W.tunId + 1] ?? 0);
    g.part(`tun_id=${hex(value)}${id === 0xffff_ffff_ffff_ffffn ? "" : `/${hex(id)}`}`);
  }
  g.ipv4("src", W.tunSrc);
  g.ipv4("dst", W.tunDst);
  g.ipv6("ipv6_src", W.tunIpv6Src);
  g.ipv6("ipv6_dst", W.tunIpv6Dst);
  g.number("tos", W.tunMisc, 8, 8, hex);
  g.number("ttl", W.tunMisc, 0, 8);
  g.end("tunnel");
}

function connection(g: Groups): void {
  const [state, mask] = g.bits(W.ctState, 0, 8);
  if (mask !== 0) {
    const flags = Object.entries(ctStateBit).filter(([, bit]) => (mask & bit) !== 0).map(([name, bit]) => `${(state & bit) === 0 ? "-" : "+"}${name}`);
    g.list.push(`ct_state(${flags.join("")})`);
  }
  one(g, "ct_zone", W.ctZone, 16);
  one(g, "ct_mark", W.ctMark);
  const label = wide(g.mask, W.ctLabel);
  if (label !== 0n) g.list.push(`ct_label(${hex(wide(g.key, W.ctLabel))}${label === (1n << 128n) - 1n ? "" : `/${hex(label)}`})`);
}

const fragText = (misc: number): string => ((misc & 1) === 0 ? "no" : (misc & fragLater) === 0 ? "first" : "later");

function network(g: Groups): void {
  const { key } = g;
  const type = key[W.ethType] ?? 0;
  if (type !== ethType.none) g.list.push(`eth_type(0x${type.toString(16).padStart(4, "0")})`);
  const misc = key[W.nwMisc] ?? 0;
  if (type === ethType.ipv4 || type === ethType.ipv6) {
    const isV6 = type === ethType.ipv6;
    if (isV6) {
      g.ipv6("src", W.ipv6Src);
      g.ipv6("dst", W.ipv6Dst);
      g.number("label", W.ipv6Label, 0, 20, hex);
    } else {
      g.ipv4("src", W.nwSrc);
      g.ipv4("dst", W.nwDst);
    }
    g.number("proto", W.nwMisc, 24, 8);
    g.number(isV6 ? "tclass" : "tos", W.nwMisc, 16, 8, hex);
    g.number(isV6 ? "hlimit" : "ttl", W.nwMisc, 8, 8);
    if (((g.mask[W.nwMisc] ?? 0) & 3) !== 0) g.part(`frag=${fragText(misc)}`);
    g.end(isV6 ? "ipv6" : "ipv4");
    if ((misc & fragLater) === 0) transport(g, misc >>> 24, isV6);
  } else if (type === ethType.arp) {
    g.ipv4("sip", W.nwSrc);
    g.ipv4("tip", W.nwDst);
    g.number("op", W.nwMisc, 0, 16);
    g.mac("sha", W.arpSha);
    g.mac("tha", W.arpTha);
    g.end("arp");
  }
}

function transport(g: Groups, protocol: number, isV6: boolean): void {
  const names: Readonly<Record<number, string>> = { [ipProto.tcp]: "tcp", [ipProto.udp]: "udp", [ipProto.sctp]: "sctp" };
  const name = names[protocol];
  if (name !== undefined) {
    g.number("src", W.tpPorts, 16, 16);
    g.number("dst", W.tpPorts, 0, 16);
    g.end(name);
    if (protocol === ipProto.tcp) tcpFlags(g);
  } else if (protocol === (isV6 ? ipProto.icmpv6 : ipProto.icmp)) {
    g.number("type", W.tpPorts, 16, 8);
    g.number("code", W.tpPorts, 0, 8);
    g.end(isV6 ? "icmpv6" : "icmp");
    if (!isV6) return;
    g.ipv6("target", W.ndTarget);
    g.mac("sll", W.arpSha);
    g.mac("tll", W.arpTha);
    g.end("nd");
  }
}

const tcpFlagNames = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"] as const;

function tcpFlags(g: Groups): void {
  const [value, mask] = g.bits(W.tcpFlags, 0, 12);
  if (mask === 0) return;
  const set = tcpFlagNames.filter((_, i) => (value & (1 << i)) !== 0);
  const masked = tcpFlagNames.filter((_, i) => (mask & (1 << i)) !== 0).map((name) => `${set.includes(name) ? "+" : "-"}${name}`);
  g.list.push(`tcp_flags(${mask === 0xfff ? set.join("|") || "0" : masked.join("")})`);
}
