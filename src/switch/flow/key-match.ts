/** A flow key under a mask, as a match, to be shown: the fields that a packet of its kind has. */
import { type Field, type FieldName, findField, type Match, MatchBuilder } from "../../openflow/index.ts";
import { fragLater, type FlowKey, keyWords, type Place, placeNamed, readPlace, W } from "./flow-key.ts";
import { ethType, ipProto } from "../packet/packet.ts";

const always: readonly FieldName[] = [
  "recirc_id", "dp_hash", "tun_id", "tun_src", "tun_dst", "tun_ipv6_src", "tun_ipv6_dst", "metadata", "in_port", "pkt_mark", "ct_state", "ct_zone", "ct_mark", "ct_label",
];
const registers: readonly string[] = Array.from({ length: 32 }, (_, i) => `reg${i}`);
const tunnelFields: readonly string[] = Array.from({ length: 8 }, (_, i) => `tun_metadata${i}`);
const link: readonly FieldName[] = ["vlan_tci", "eth_src", "eth_dst", "eth_type"];

function headersOf(key: FlowKey): readonly FieldName[] {
  const misc = key[W.nwMisc] ?? 0;
  switch (key[W.ethType]) {
    case ethType.ipv4:
      return ["ip_src", "ip_dst", "nw_proto", "nw_tos", "nw_ecn", "nw_ttl", "ip_frag", ...transportOf(misc, false)];
    case ethType.ipv6:
      return ["ipv6_src", "ipv6_dst", "ipv6_label", "nw_proto", "nw_tos", "nw_ecn", "nw_ttl", "ip_frag", ...transportOf(misc, true), ...neighbourOf(key)];
    case ethType.arp:
      return ["arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha"];
    default:
      return [];
  }
}

function transportOf(misc: number, isV6: boolean): readonly FieldName[] {
  if ((misc & fragLater) !== 0) return [];
  switch (misc >>> 24) {
    case ipProto.tcp:
      return ["tcp_src", "tcp_dst", "tcp_flags"];
    case ipProto.udp:
      return ["udp_src", "udp_dst"];
    case ipProto.sctp:
      return ["sctp_src", "sctp_dst"];
    case ipProto.icmp:
      return isV6 ? [] : ["icmp_type", "icmp_code"];
    case ipProto.icmpv6:
      return isV6 ? ["icmpv6_type", "icmpv6_code"] : [];
    default:
      return [];
  }
}

function neighbourOf(key: FlowKey): readonly FieldName[] {
  const type = (key[W.tpPorts] ?? 0) >>> 16;
  if ((key[W.nwMisc] ?? 0) >>> 24 !== ipProto.icmpv6) return [];
  return type === 135 ? ["nd_target", "nd_sll"] : type === 136 ? ["nd_target", "nd_tll"] : [];
}

/** Of pipeline fields only what is not zero; of header fields what the mask has, or all if there is no mask. */
export function matchOfKey(key: FlowKey, mask: FlowKey | undefined): Match {
  const all = new Uint32Array(keyWords).fill(0xffffffff);
  const builder = new MatchBuilder();
  const add = (f: Field, place: Place, isOptional: boolean): void => {
    // Both halves of the byte that has them are fields of their own.
    const isTos = place.name === "nw_tos";
    const [whole, wholeValue] = [readPlace(mask ?? all, place), readPlace(key, place)];
    const m = isTos ? Number(whole) & 0xfc : whole;
    const value = isTos ? Number(wholeValue) & 0xfc : wholeValue;
    if (BigInt(m) === 0n || (isOptional && BigInt(value) === 0n)) return;
    builder.add(f, f.isWide ? BigInt(value) : Number(value), f.isVariable ? f.full : f.isWide ? BigInt(m) : Number(m));
  };
  const each = (names: readonly string[], isOptional: boolean): void => {
    for (const name of names) {
      const [f, place] = [findField(name), placeNamed(name)];
      if (f !== undefined && place !== undefined) add(f, place, isOptional);
    }
  };
  each(always.filter((n) => n !== "in_port"), mask === undefined);
  each(["in_port"], false);
  each(registers, true);
  each(tunnelFields, true);
  each(link, false);
  each(headersOf(key), false);
  return builder.build();
}

