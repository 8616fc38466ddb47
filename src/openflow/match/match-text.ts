/** Matches as ovs-ofctl prints them (`priority=100,tcp,reg14=0x5,tp_dst=80`), in its order, and as it takes them. */
import { type Field, field, findField } from "./field.ts";
import type { FieldName } from "./field-table.ts";
import { Match, MatchBuilder, type Term } from "./match.ts";
import { meetsPrerequisite } from "./oxm-match.ts";
import { formatPort } from "../message/port.ts";
import { type Complaint, fullHex, hex } from "../text-input.ts";
import {
  ctStateFlags, formatFlags, formatFragment, formatIpv4Masked, formatIpv6Masked, formatMacMasked, formatTcpFlags, parseMasked,
} from "./value-text.ts";
import { registerNames, tunnelMetadataNames } from "./series.ts";

export const defaultPriority = 0x8000;

/** One word for an Ethernet type, or for an Ethernet type with a protocol. */
const shorthands: readonly (readonly [word: string, ethType: number, protocol: number | undefined])[] = [
  ["ip", 0x0800, undefined], ["icmp", 0x0800, 1], ["tcp", 0x0800, 6], ["udp", 0x0800, 17], ["sctp", 0x0800, 132],
  ["ipv6", 0x86dd, undefined], ["icmp6", 0x86dd, 58], ["tcp6", 0x86dd, 6], ["udp6", 0x86dd, 17], ["sctp6", 0x86dd, 132],
  ["arp", 0x0806, undefined], ["rarp", 0x8035, undefined], ["mpls", 0x8847, undefined], ["mplsm", 0x8848, undefined],
];

/** The match, its terms after commas; the priority before them unless it is the default. "" for everything. */
export function formatMatch(match: Match, priority = defaultPriority): string {
  const parts: string[] = priority === defaultPriority ? [] : [`priority=${priority}`];
  const p = new TermPrinter(match, parts);
  p.hex("pkt_mark");
  p.hex("recirc_id");
  p.hex("dp_hash");
  p.decimal("conj_id");
  p.hex("skb_priority");
  p.term("actset_output", (t) => `actset_output=${formatPort(Number(t.value))}`);
  formatConnection(p);
  const ethType = match.exact("eth_type");
  const shorthand = formatShorthand(match, ethType, parts);
  for (const name of registerNames) p.hex(name);
  formatTunnel(p);
  p.hex("metadata");
  p.term("in_port", (t) => `in_port=${formatPort(Number(t.value))}`);
  formatVlan(p);
  p.mac("eth_src", "dl_src");
  p.mac("eth_dst", "dl_dst");
  if (!shorthand.type) p.term("eth_type", (t) => `dl_type=0x${t.value.toString(16).padStart(4, "0")}`);
  formatNetwork(p, shorthand.protocol);
  formatTransport(p);
  return parts.join(",");
}

class TermPrinter {
  readonly match: Match;
  readonly #parts: string[];

  constructor(match: Match, parts: string[]) {
    this.match = match;
    this.#parts = parts;
  }

  term(name: FieldName, format: (term: Term) => string): void {
    const term = this.match.get(field(name));
    if (term !== undefined) this.#parts.push(format(term));
  }

  /** `%#x`, with a mask alike. */
  hex(name: FieldName): void {
    this.term(name, (t) => `${name}=${hex(t.value)}${t.mask === t.field.full ? "" : `/${hex(t.mask)}`}`);
  }

  /** Decimal, but hexadecimal with a mask. */
  decimal(name: FieldName, shown: string = name): void {
    this.term(name, (t) => (t.mask === t.field.full ? `${shown}=${t.value}` : `${shown}=${fullHex(t.value)}/${fullHex(t.mask)}`));
  }

  ipv4(name: FieldName, shown: string = name): void {
    this.term(name, (t) => `${shown}=${formatIpv4Masked(t.value, t.mask)}`);
  }

  ipv6(name: FieldName): void {
    this.term(name, (t) => `${name}=${formatIpv6Masked(t.value, t.mask)}`);
  }

  mac(name: FieldName, shown: string = name): void {
    this.term(name, (t) => `${shown}=${formatMacMasked(t.value, t.mask)}`);
  }
}

function formatConnection(p: TermPrinter): void {
  p.term("ct_state", (t) => `ct_state=${formatFlags(ctStateFlags, Number(t.value), Number(t.mask), 0xff)}`);
  p.decimal("ct_zone");
  p.hex("ct_mark");
  p.term("ct_label", (t) => `ct_label=${fullHex(t.value)}${t.mask === t.field.full ? "" : `/${fullHex(t.mask)}`}`);
  p.ipv4("ct_nw_src");
  p.ipv6("ct_ipv6_src");
  p.ipv4("ct_nw_dst");
  p.ipv6("ct_ipv6_dst");
  p.decimal("ct_nw_proto");
  p.decimal("ct_tp_src");
  p.decimal("ct_tp_dst");
  p.term("packet_type", (t) => `packet_type=(${Number(t.value) >>> 16},${hex(Number(t.value) & 0xffff)})`);
}

function formatShorthand(match: Match, ethType: number | undefined, parts: string[]): { type: boolean; protocol: boolean } {
  const protocol = match.exact("nw_proto");
  const both = shorthands.find(([, type, proto]) => type === ethType && proto !== undefined && proto === protocol);
  const one = both ?? shorthands.find(([, type, proto]) => type === ethType && proto === undefined);
  if (one !== undefined) parts.push(one[0]);
  return { type: one !== undefined, protocol: both !== undefined };
}

function formatTunnel(p: TermPrinter): void {
  p.hex("tun_id");
  p.ipv4("tun_src");
  p.ipv4("tun_dst");
  p.ipv6("tun_ipv6_src");
  p.ipv6("tun_ipv6_dst");
  p.decimal("tun_gbp_id");
  p.term("tun_gbp_flags", (t) => `tun_gbp_flags=${hex(t.value)}`);
  p.term("tun_tos", (t) => `tun_tos=${t.value.toString(16)}`);
  p.decimal("tun_ttl");
  p.term("tun_erspan_ver", (t) => `tun_erspan_ver=${t.value}`);
  p.term("tun_erspan_idx", (t) => `tun_erspan_idx=${hex(t.value)}`);
  p.term("tun_erspan_dir", (t) => `tun_erspan_dir=${t.value}`);
  p.term("tun_erspan_hwid", (t) => `tun_erspan_hwid=${hex(t.value)}`);
  p.term("tun_gtpu_flags", (t) => `gtpu_flags=${hex(t.value)}`);
  p.term("tun_gtpu_msgtype", (t) => `gtpu_msgtype=${t.value}`);
  p.term("tun_flags", (t) => `tun_flags=${t.value === 0 ? "-" : "+"}oam`);
  for (const name of tunnelMetadataNames) {
    p.term(name, (t) => {
      const bytes = Math.ceil(t.mask.toString(16).length / 2);
      const isExact = BigInt(t.mask) === (1n << BigInt(8 * bytes)) - 1n || t.mask === t.field.full;
      return `${name}=${fullHex(t.value)}${isExact ? "" : `/${fullHex(t.mask)}`}`;
    });
  }
}

function formatVlan(p: TermPrinter): void {
  p.term("vlan_tci", (t) => {
    const [tci, mask] = [Number(t.value), Number(t.mask)];
    const [vidMask, pcpMask] = [mask & 0xfff, mask & 0xe000];
    const isPlain = (mask & tci & 0x1000) !== 0 && (vidMask === 0 || vidMask === 0xfff) && (pcpMask === 0 || pcpMask === 0xe000) && (vidMask | pcpMask) !== 0;
    const four = (n: number): string => `0x${n.toString(16).padStart(4, "0")}`;
    if (!isPlain) return `vlan_tci=${four(tci)}${mask === 0xffff ? "" : `/${four(mask)}`}`;
    return [vidMask === 0 ? [] : [`dl_vlan=${tci & 0xfff}`], pcpMask === 0 ? [] : [`dl_vlan_pcp=${tci >> 13}`]].flat().join(",");
  });
}

function formatNetwork(p: TermPrinter, isProtocolShown: boolean): void {
  p.ipv6("ipv6_src");
  p.ipv6("ipv6_dst");
  const five = (n: string): string => `0x${n.padStart(5, "0")}`;
  p.term("ipv6_label", (t) => `ipv6_label=${five(t.value.toString(16))}${t.mask === t.field.full ? "" : `/${five(t.mask.toString(16))}`}`);
  p.ipv4("arp_spa");
  p.ipv4("arp_tpa");
  p.decimal("nsh_flags");
  p.decimal("nsh_ttl");
  p.decimal("nsh_mdtype");
  p.decimal("nsh_np");
  p.term("nsh_spi", (t) => `nsh_spi=${fullHex(t.value)}`);
  p.decimal("nsh_si");
  for (const name of ["nsh_c1", "nsh_c2", "nsh_c3", "nsh_c4"] as const) p.term(name, (t) => `${name}=${fullHex(t.value)}${t.mask === t.field.full ? "" : `/${fullHex(t.mask)}`}`);
  p.ipv4("ip_src", "nw_src");
  p.ipv4("ip_dst", "nw_dst");
  if (!isProtocolShown) p.decimal("nw_proto");
  p.decimal("arp_op");
  p.mac("arp_sha");
  p.mac("arp_tha");
  p.term("nw_tos", (t) => `nw_tos=${t.value}`);
  p.decimal("nw_ecn");
  p.decimal("nw_ttl");
  p.decimal("mpls_label");
  p.decimal("mpls_tc");
  p.decimal("mpls_ttl");
  p.decimal("mpls_bos");
  p.term("ip_frag", (t) => `nw_frag=${formatFragment(Number(t.value), Number(t.mask))}`);
}

function formatTransport(p: TermPrinter): void {
  p.decimal("icmp_type");
  p.decimal("icmp_code");
  p.decimal("icmpv6_type", "icmp_type");
  p.decimal("icmpv6_code", "icmp_code");
  p.ipv6("nd_target");
  p.mac("nd_sll");
  p.mac("nd_tll");
  p.decimal("nd_reserved");
  p.decimal("nd_options_type");
  for (const layer of ["tcp", "udp", "sctp"] as const) {
    p.decimal(`${layer}_src`, "tp_src");
    p.decimal(`${layer}_dst`, "tp_dst");
  }
  p.term("tcp_flags", (t) => `tcp_flags=${formatTcpFlags(Number(t.value), Number(t.mask))}`);
}

/** The fields that one word in a flow's text stands for, added to `builder`; false if it stands for none. */
export function addShorthand(word: string, builder: MatchBuilder): boolean {
  const found = shorthands.find(([name]) => name === word) ??
    (word === "ip4" || word === "ipv4" ? shorthands[0] : word === "ip6" ? shorthands.find(([name]) => name === "ipv6") : undefined);
  if (found === undefined) return word === "eth";
  builder.add(field("eth_type"), found[1]);
  if (found[2] !== undefined) builder.add(field("nw_proto"), found[2]);
  return true;
}

/** nw_src and tp_src mean what the match so far makes of them. */
function fieldInContext(f: Field, so: MatchBuilder): Field {
  const [ethType, protocol] = [so.exact(field("eth_type")), so.exact(field("nw_proto"))];
  const isArp = ethType === 0x0806 || ethType === 0x8035;
  if (f.name === "ip_src" && isArp) return field("arp_spa");
  if (f.name === "ip_dst" && isArp) return field("arp_tpa");
  if (f.name === "nw_proto" && isArp) return field("arp_op");
  const layer = protocol === 17 ? "udp" : protocol === 132 ? "sctp" : "tcp";
  if (f.name === "tcp_src" || f.name === "tcp_dst") {
    const end = f.name === "tcp_src" ? "src" : "dst";
    if (ethType === 0x0800 && protocol === 1) return field(end === "src" ? "icmp_type" : "icmp_code");
    if (ethType === 0x86dd && protocol === 58) return field(end === "src" ? "icmpv6_type" : "icmpv6_code");
    return field(`${layer}_${end}`);
  }
  if (f.name === "icmp_type" && ethType === 0x86dd) return field("icmpv6_type");
  if (f.name === "icmp_code" && ethType === 0x86dd) return field("icmpv6_code");
  return f;
}

/** Adds `name=value` to `builder` if `name` is a field; false if it is none. A value of "" after a maskable field's name is an error. */
export function addTerm(name: string, value: string, builder: MatchBuilder, complaint: Complaint): boolean {
  const named = findField(name);
  if (named === undefined) return false;
  const f = fieldInContext(named, builder);
  if (value === "") {
    complaint.say(`field ${name} missing value`);
    return true;
  }
  const parsed = parseMasked(f, value, complaint);
  if (parsed === undefined) return true;
  if (!meetsPrerequisite(f, builder)) complaint.say(`${name}: prerequisites of the field are not met`);
  else builder.add(f, parsed.value, parsed.mask);
  return true;
}
