/** Matches on the wire, as OXM (OpenFlow 1.2 and later) or bare as NXM. Written in OVS's order, so that the bytes are equal too. */
import { present } from "../../std/index.ts";
import { allFields, type CodePoint, type Field, field, type FieldValue, oxmOf } from "./field.ts";
import type { FieldName } from "./field-table.ts";
import { and, Match, MatchBuilder, type Term } from "./match.ts";
import { type NamePreference, pullEntry, putEntry, putMaskedEntry } from "./oxm.ts";
import { portFromWire, portToWire } from "../message/port.ts";
import { of15 } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

const order: readonly FieldName[] = [
  "packet_type", "dp_hash", "recirc_id", "conj_id", "in_port", "actset_output", "eth_src", "eth_dst", "eth_type", "vlan_tci",
  "mpls_tc", "mpls_bos", "mpls_ttl", "mpls_label", "ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "ip_frag", "nw_tos", "nw_ecn",
  "nw_ttl", "ipv6_label", "nw_proto", "tcp_src", "tcp_dst", "tcp_flags", "udp_src", "udp_dst", "sctp_src", "sctp_dst", "icmp_type",
  "icmp_code", "icmpv6_type", "icmpv6_code", "nd_reserved", "nd_target", "nd_options_type", "nd_sll", "nd_tll", "arp_op", "arp_spa",
  "arp_tpa", "arp_sha", "arp_tha", "tun_id", "tun_flags", "tun_src", "tun_dst", "tun_ipv6_src", "tun_ipv6_dst", "tun_gbp_id",
  "tun_gbp_flags",
];
const afterTunnelMetadata: readonly FieldName[] = [
  "tun_erspan_idx", "tun_erspan_ver", "tun_erspan_dir", "tun_erspan_hwid", "tun_gtpu_flags", "tun_gtpu_msgtype", "nsh_flags",
  "nsh_ttl", "nsh_mdtype", "nsh_np", "nsh_spi", "nsh_si", "nsh_c1", "nsh_c2", "nsh_c3", "nsh_c4",
];
const afterRegisters: readonly FieldName[] = [
  "pkt_mark", "ct_state", "ct_zone", "ct_mark", "ct_label", "ct_nw_src", "ct_ipv6_src", "ct_nw_dst", "ct_ipv6_dst", "ct_nw_proto",
  "ct_tp_src", "ct_tp_dst", "metadata",
];
/** By field id. Options and registers rank by number. */
const rankOf: readonly number[] = allFields.map((f) => {
  for (const [list, base] of [[order, 0], [afterTunnelMetadata, 200], [afterRegisters, 400]] as const) if (list.includes(f.name)) return base + list.indexOf(f.name);
  return (f.isVariable ? 100 : 300) + Number(/\d+$/.exec(f.name)?.[0] ?? 0);
});
/** Which register each field is; -1: none. */
const registerNumbers: readonly number[] = allFields.map((f) => (/^reg\d+$/.test(f.name) ? Number(f.name.slice(3)) : -1));
const rank = (f: Field): number => rankOf[f.id] ?? 0;
const registerNumber = (f: Field): number => registerNumbers[f.id] ?? -1;
const pairs: readonly CodePoint[] = Array.from({ length: 16 }, (_, i) => present(oxmOf(field(`xreg${i}` as FieldName), of15)));

/** The terms of `match`, without header or padding. */
export function putTerms(w: WireWriter, match: Match, prefer: NamePreference): void {
  const terms = [...match.terms].sort((a, b) => rank(a.field) - rank(b.field));
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i];
    if (term === undefined) break;
    const number = registerNumber(term.field);
    if (number < 0 || prefer !== of15) putTerm(w, term, prefer);
    else {
      const next = terms[i + 1];
      const isPaired = number % 2 === 0 && next !== undefined && registerNumber(next.field) === number + 1;
      if (isPaired) i++;
      putRegisterPair(w, number >> 1, number % 2 === 0 ? term : undefined, number % 2 === 1 ? term : isPaired ? next : undefined);
    }
  }
}

/** OpenFlow 1.5 has registers in pairs. */
function putRegisterPair(w: WireWriter, pair: number, high: Term | undefined, low: Term | undefined): void {
  const code = pairs[pair];
  if (code === undefined) return;
  const isExact = high?.mask === 0xffffffff && low?.mask === 0xffffffff;
  w.u16(code.oxmClass);
  w.u8((code.number << 1) | (isExact ? 0 : 1));
  w.u8(isExact ? 8 : 16);
  w.u32(Number(high?.value ?? 0));
  w.u32(Number(low?.value ?? 0));
  if (isExact) return;
  w.u32(Number(high?.mask ?? 0));
  w.u32(Number(low?.mask ?? 0));
}

function putTerm(w: WireWriter, { field: f, value, mask }: Term, prefer: NamePreference): void {
  switch (f.name) {
    case "in_port":
      if (prefer === 0) putEntry(w, f, prefer, value, f.full);
      else putEntry(w, field("in_port_oxm"), prefer, portToWire(Number(value)), 0xffffffff);
      break;
    case "actset_output":
      putEntry(w, f, prefer, portToWire(Number(value)), f.full);
      break;
    case "nw_tos":
      if (prefer === 0) putEntry(w, f, prefer, value, f.full);
      else putEntry(w, field("ip_dscp"), prefer, Number(value) >> 2, 0x3f);
      break;
    case "ct_state":
    case "tcp_flags":
    case "tun_flags":
      putMaskedEntry(w, f, prefer, value, mask);
      break;
    case "vlan_tci":
      if (prefer === 0) putEntry(w, f, prefer, value, mask);
      else putVlan(w, Number(value), Number(mask), prefer);
      break;
    default:
      putEntry(w, f, prefer, value, mask);
  }
}

function putVlan(w: WireWriter, tci: number, mask: number, prefer: NamePreference): void {
  if ((mask & 0x1fff) !== 0) putEntry(w, field("vlan_vid"), prefer, tci & 0x1fff, mask & 0x1fff);
  if ((tci & 0x1fff) !== 0 && (mask & 0xe000) !== 0) putEntry(w, field("vlan_pcp"), prefer, tci >> 13, 7);
}

/** `match` under its header, padded to 8 bytes. */
export function putMatch(w: WireWriter, match: Match): void {
  const start = w.size;
  w.u16(1); // OFPMT_OXM
  w.u16(0);
  putTerms(w, match, w.version);
  w.setU16(start + 2, w.size - start);
  w.pad(start);
}

/** What a flow demands ("strict"), or what is told about a packet: then unknown fields are skipped and nothing needs to go before. */
export type Strictness = "strict" | "loose";

export interface PulledTerms {
  readonly match: Match;
  /** NXM_NX_COOKIE, where allowed. */
  readonly cookie: { readonly value: bigint; readonly mask: bigint } | undefined;
}

/** Reads terms to the end of `r`. */
export function pullTerms(r: WireReader, strictness: Strictness, mayHaveCookie = false): PulledTerms {
  const builder = new MatchBuilder();
  let cookie: PulledTerms["cookie"];
  while (r.remaining > 0) {
    if (pullRegisterPair(r, builder)) continue;
    const entry = pullEntry(r, "match");
    if (entry === undefined) break;
    const f = entry.field;
    if (f === undefined) {
      if (entry.isCookie && mayHaveCookie) {
        if (cookie !== undefined) r.fail("OFPBMC_DUP_FIELD");
        cookie = { value: BigInt(entry.value), mask: entry.masked ? BigInt(entry.mask) : 0xffffffffffffffffn };
      } else if (strictness === "strict") r.fail("OFPBMC_BAD_FIELD");
    } else addEntry(r, builder, f, entry, strictness);
  }
  return { match: r.ok ? builder.build() : Match.any, cookie };
}

const registers: readonly Field[] = Array.from({ length: 32 }, (_, i) => field(`reg${i}` as FieldName));

/** Reads a pair of registers without making one number of it, which is how OpenFlow 1.5 says most of what OVN matches on; false: something else is next. */
function pullRegisterPair(r: WireReader, builder: MatchBuilder): boolean {
  const header = r.peekU32();
  const isMasked = (header & 0x100) !== 0;
  const pair = (header >>> 9) & 0x7f;
  const [high, low] = [registers[2 * pair], registers[2 * pair + 1]];
  if (header >>> 16 !== 0x8001 || high === undefined || low === undefined || (header & 0xff) !== (isMasked ? 16 : 8) || r.remaining < 4 + (header & 0xff)) return false;
  r.skip(4);
  const highValue = r.u32();
  const lowValue = r.u32();
  const highMask = isMasked ? r.u32() : 0xffffffff;
  const lowMask = isMasked ? r.u32() : 0xffffffff;
  if ((highValue & ~highMask) !== 0 || (lowValue & ~lowMask) !== 0) r.fail("OFPBMC_BAD_WILDCARDS");
  else if ((highMask !== 0 && builder.get(high) !== undefined) || (lowMask !== 0 && builder.get(low) !== undefined)) r.fail("OFPBMC_DUP_FIELD");
  else {
    builder.place(high, highValue, highMask);
    builder.place(low, lowValue, lowMask);
  }
  return true;
}

function addEntry(
  r: WireReader, builder: MatchBuilder, f: Field, { value, mask, masked }: { value: FieldValue; mask: FieldValue; masked: boolean }, strictness: Strictness,
): void {
  if (masked && !f.maskable && mask !== f.full && !isAllOnes(mask, f.size)) r.fail("OFPBMC_BAD_MASK", f.name);
  else if (!isValid(f, value)) r.fail("OFPBMC_BAD_VALUE", f.name);
  else if (strictness === "strict" && !meetsPrerequisite(f, builder)) r.fail("OFPBMC_BAD_PREREQ", f.name);
  else if (builder.overlaps(f, mask)) r.fail("OFPBMC_DUP_FIELD", f.name);
  else if (f.name === "in_port_oxm" || f.name === "actset_output") builder.add(f, portFromWire(Number(value)) ?? 0);
  else builder.add(f, value, f.isVariable ? mask : and(mask, f.name === "vlan_vid" ? 0x1fff : f.full));
}

const isAllOnes = (mask: FieldValue, size: number): boolean => BigInt(mask) === (1n << BigInt(8 * size)) - 1n;

/** Whether the value can occur at all in part of a match. */
function isValid(f: Field, value: FieldValue): boolean {
  switch (f.name) {
    case "in_port_oxm":
    case "actset_output":
      return portFromWire(Number(value)) !== undefined;
    case "nw_tos":
      return (Number(value) & 3) === 0;
    case "vlan_vid":
      return Number(value) <= 0x1fff;
    case "arp_op":
      return Number(value) <= 0xff;
    case "ct_state":
      return Number(value) <= 0xff;
    default:
      return f.isVariable || value <= f.full;
  }
}

const vlanTci = field("vlan_tci");
const ipFrag = field("ip_frag");
const ctState = field("ct_state");
const ethType = field("eth_type");
const nwProto = field("nw_proto");
const icmpv6Type = field("icmpv6_type");

/** What must be known of a packet before the field can be spoken of (ovs-fields(7), "Prerequisites"). */
export function meetsPrerequisite(f: Field, so: { get(f: Field): Term | undefined; exact(f: Field): number | undefined }): boolean {
  if (f.prerequisite === "none" || f.prerequisite === "ethernet") return true;
  const type = so.exact(ethType);
  const isIp = type === 0x0800 || type === 0x86dd;
  const carries = (protocol: number): boolean => isIp && so.exact(nwProto) === protocol && (Number(so.get(ipFrag)?.value ?? 0) & 2) === 0;
  const isNd = (): boolean => type === 0x86dd && so.exact(nwProto) === 58;
  switch (f.prerequisite) {
    case "vlan":
      return (Number(so.get(vlanTci)?.value ?? 0) & 0x1000) !== 0;
    case "mpls":
      return type === 0x8847 || type === 0x8848;
    case "ipv4":
      return type === 0x0800;
    case "ipv6":
      return type === 0x86dd;
    case "ip":
      return isIp;
    case "arp":
      return type === 0x0806 || type === 0x8035;
    case "nsh":
      return type === 0x894f;
    case "tcp":
      return carries(6);
    case "udp":
      return carries(17);
    case "sctp":
      return carries(132);
    case "icmpv4":
      return type === 0x0800 && so.exact(nwProto) === 1;
    case "icmpv6":
      return isNd();
    case "nd":
      return isNd() && (so.exact(icmpv6Type) === 135 || so.exact(icmpv6Type) === 136);
    case "nd-solicit":
      return isNd() && so.exact(icmpv6Type) === 135;
    case "nd-advert":
      return isNd() && so.exact(icmpv6Type) === 136;
    case "ct": {
      const state = so.get(ctState);
      if (state === undefined) return false;
      const [value, mask] = [Number(state.value), Number(state.mask)];
      // new, est, rel, rpl, snat, dnat; or tracked and known not to be invalid.
      return (value & 0xcf) !== 0 || ((value & 0x20) !== 0 && (mask & 0x10) !== 0 && (value & 0x10) === 0);
    }
  }
}

/** A match under its header, with its padding. */
export function pullMatch(r: WireReader, strictness: Strictness): Match {
  if (r.remaining < 4) r.fail("OFPBMC_BAD_LEN");
  const type = r.u16();
  const size = r.u16();
  if (size < 4) r.fail("OFPBMC_BAD_LEN");
  else if (type !== 1) r.fail("OFPBMC_BAD_TYPE");
  const padded = Math.ceil(size / 8) * 8;
  if (r.remaining < padded - 4) r.fail("OFPBMC_BAD_LEN", "a match longer than its message");
  if (!r.ok) return Match.any;
  const { match } = pullTerms(r.part(size - 4), strictness);
  r.skip(padded - size);
  return match;
}
