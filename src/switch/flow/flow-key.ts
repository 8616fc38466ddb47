/**
 * The flow key: everything a flow may match on, as one row of 32-bit words.
 *
 * One packet, one key; one mask has the same shape. A field of up to 32 bits is `width` bits at `shift` of one word; a
 * wider field is consecutive words, most significant first, its top word holding what does not fill a word (a MAC
 * address: 16 bits, then 32). Words are ordered by stage, as OVS orders `struct flow`: pipeline state, then what came
 * with the packet from outside its bytes, then Ethernet, network and transport headers. A lookup that fails at an early
 * stage has then not looked at later words, and a cached flow need not match them.
 */

import { allFields, type Field } from "../../openflow/index.ts";

/** Word numbers, where code reads or writes them directly. */
export const W = {
  metadata: 0,
  reg0: 2,
  conjId: 34,
  actsetOutput: 35,
  // From here on the words come with the packet; those before are zero when it enters the pipeline.
  inPort: 36,
  recircId: 37,
  dpHash: 38,
  pktMark: 39,
  ctState: 40,
  ctZone: 41,
  ctMark: 42,
  ctLabel: 43,
  ctNwSrc: 47,
  ctNwDst: 48,
  ctPorts: 49,
  ctNwProto: 50,
  ctIpv6Src: 51,
  ctIpv6Dst: 55,
  tunId: 59,
  tunSrc: 61,
  tunDst: 62,
  /** flags << 16 | tos << 8 | ttl */
  tunMisc: 63,
  tunIpv6Src: 64,
  tunIpv6Dst: 68,
  tunMetadata: 72,
  /** One bit for each tun_metadata field that the packet carried. */
  tunMetadataPresent: 80,
  ethDst: 81,
  ethSrc: 83,
  /** The TCI; its bit 12 is set if there is a tag, as in OVS. */
  vlan: 85,
  ethType: 86,
  nwSrc: 87,
  nwDst: 88,
  ipv6Src: 89,
  ipv6Dst: 93,
  ipv6Label: 97,
  /** proto << 24 | tos << 16 | ttl << 8 | fragment bits; in ARP, the operation. */
  nwMisc: 98,
  arpSha: 99,
  arpTha: 101,
  ndTarget: 103,
  tcpFlags: 107,
  /** source << 16 | destination; ICMP has its type and code there. */
  tpPorts: 108,
  ndReserved: 109,
  ndOptionsType: 110,
} as const;

export const keyWords = 111;
/** The first word that comes with the packet. */
export const firstPacketWord = W.inPort;
/** The first word of the packet's own bytes. */
export const firstHeaderWord = W.ethDst;
/** How many tun_metadata fields can be mapped, each to one option of four bytes. */
export const tunMetadataFields = 8;

/** Words at which a lookup's stages end: pipeline and metadata, Ethernet, network, transport. */
export const stageEnds: readonly number[] = [W.ethDst, W.nwSrc, W.tcpFlags, keyWords];

/** `ip_frag` bits: it is a fragment; it is not the first one. */
export const fragAny = 1;
export const fragLater = 2;

/** `ct_state` bits (ovs-fields(7)). */
export const ctStateBit = { new: 0x01, est: 0x02, rel: 0x04, rpl: 0x08, inv: 0x10, trk: 0x20, snat: 0x40, dnat: 0x80 } as const;

export type FlowKey = Uint32Array;

/** Where a field lives. */
export interface Place {
  readonly name: string;
  readonly word: number;
  readonly shift: number;
  readonly width: number;
}

const place = (name: string, word: number, width: number, shift = 0): Place => ({ name, word, shift, width });

const placeRows: readonly Place[] = [
  place("metadata", W.metadata, 64),
  ...Array.from({ length: 32 }, (_, i) => place(`reg${i}`, W.reg0 + i, 32)),
  ...Array.from({ length: 16 }, (_, i) => place(`xreg${i}`, W.reg0 + 2 * i, 64)),
  ...Array.from({ length: 8 }, (_, i) => place(`xxreg${i}`, W.reg0 + 4 * i, 128)),
  place("conj_id", W.conjId, 32),
  place("actset_output", W.actsetOutput, 32),
  place("in_port", W.inPort, 16),
  place("in_port_oxm", W.inPort, 32),
  place("recirc_id", W.recircId, 32),
  place("dp_hash", W.dpHash, 32),
  place("pkt_mark", W.pktMark, 32),
  place("ct_state", W.ctState, 32),
  place("ct_zone", W.ctZone, 16),
  place("ct_mark", W.ctMark, 32),
  place("ct_label", W.ctLabel, 128),
  place("ct_nw_src", W.ctNwSrc, 32),
  place("ct_nw_dst", W.ctNwDst, 32),
  place("ct_tp_src", W.ctPorts, 16, 16),
  place("ct_tp_dst", W.ctPorts, 16),
  place("ct_nw_proto", W.ctNwProto, 8),
  place("ct_ipv6_src", W.ctIpv6Src, 128),
  place("ct_ipv6_dst", W.ctIpv6Dst, 128),
  place("tun_id", W.tunId, 64),
  place("tun_src", W.tunSrc, 32),
  place("tun_dst", W.tunDst, 32),
  place("tun_ipv6_src", W.tunIpv6Src, 128),
  place("tun_ipv6_dst", W.tunIpv6Dst, 128),
  place("tun_flags", W.tunMisc, 1, 16),
  place("tun_tos", W.tunMisc, 8, 8),
  place("tun_ttl", W.tunMisc, 8),
  ...Array.from({ length: tunMetadataFields }, (_, i) => place(`tun_metadata${i}`, W.tunMetadata + i, 32)),
  place("eth_dst", W.ethDst, 48),
  place("eth_src", W.ethSrc, 48),
  place("vlan_tci", W.vlan, 16),
  place("dl_vlan", W.vlan, 12),
  place("vlan_vid", W.vlan, 12),
  place("dl_vlan_pcp", W.vlan, 3, 13),
  place("vlan_pcp", W.vlan, 3, 13),
  place("eth_type", W.ethType, 16),
  place("ip_src", W.nwSrc, 32),
  place("ip_dst", W.nwDst, 32),
  place("ipv6_src", W.ipv6Src, 128),
  place("ipv6_dst", W.ipv6Dst, 128),
  place("ipv6_label", W.ipv6Label, 20),
  place("nw_proto", W.nwMisc, 8, 24),
  place("nw_tos", W.nwMisc, 8, 16),
  place("ip_dscp", W.nwMisc, 6, 18),
  place("nw_ecn", W.nwMisc, 2, 16),
  place("nw_ttl", W.nwMisc, 8, 8),
  place("ip_frag", W.nwMisc, 2),
  place("arp_op", W.nwMisc, 16),
  place("arp_spa", W.nwSrc, 32),
  place("arp_tpa", W.nwDst, 32),
  place("arp_sha", W.arpSha, 48),
  place("arp_tha", W.arpTha, 48),
  place("nd_target", W.ndTarget, 128),
  place("nd_sll", W.arpSha, 48),
  place("nd_tll", W.arpTha, 48),
  place("nd_reserved", W.ndReserved, 32),
  place("nd_options_type", W.ndOptionsType, 8),
  place("tcp_flags", W.tcpFlags, 12),
  ...["tcp", "udp", "sctp"].flatMap((l4) => [place(`${l4}_src`, W.tpPorts, 16, 16), place(`${l4}_dst`, W.tpPorts, 16)]),
  ...["icmp", "icmpv6"].flatMap((l4) => [place(`${l4}_type`, W.tpPorts, 8, 16), place(`${l4}_code`, W.tpPorts, 8)]),
];

const byFieldName: ReadonlyMap<string, Place> = new Map(placeRows.map((p) => [p.name, p]));
const byFieldId: readonly (Place | undefined)[] = allFields.map((f) => byFieldName.get(f.name));

/** Where the field called `name` (ovs-fields(7)) lives; undefined: this switch does not have it. */
export const placeNamed = (name: string): Place | undefined => byFieldName.get(name);
export const placeOf = (field: Field): Place | undefined => byFieldId[field.id];

/** The field's value: a number up to 48 bits, else a bigint. Not for the packet path. */
export function readPlace(key: FlowKey, { word, shift, width }: Place): number | bigint {
  if (width <= 32) return width === 32 ? (key[word] ?? 0) : ((key[word] ?? 0) >>> shift) & (2 ** width - 1);
  if (width <= 48) return ((key[word] ?? 0) & 0xffff) * 0x1_0000_0000 + (key[word + 1] ?? 0);
  let value = 0n;
  for (let i = 0; i < width / 32; i++) value = (value << 32n) | BigInt(key[word + i] ?? 0);
  return value;
}

/** Calls `part` with each word that the field touches, its bits of `value` in place, most significant word first. */
export function spread({ word, shift, width }: Place, value: number | bigint, part: (word: number, bits: number) => void): void {
  if (width <= 32) {
    const low = typeof value === "number" ? value : Number(BigInt.asUintN(width, value));
    const bits = width === 32 ? low : low & ((1 << width) - 1);
    return part(word, (bits << shift) >>> 0);
  }
  if (width === 48 && typeof value === "number") {
    part(word, Math.floor(value / 0x1_0000_0000) & 0xffff);
    return part(word + 1, value >>> 0);
  }
  const count = Math.ceil(width / 32);
  const whole = BigInt.asUintN(width, BigInt(value));
  for (let i = 0; i < count; i++) part(word + i, Number((whole >> BigInt(32 * (count - 1 - i))) & 0xffff_ffffn));
}
