/**
 * The fixed match of OpenFlow 1.0 (section 5.2.3): twelve fields, and a word that says which do not count.
 *
 *     |                           wildcards                           |
 *     |            in_port            |  dl_src (6), dl_dst (6) ...   |
 *     |    dl_vlan    | pcp |  pad    |    dl_type    | tos | proto   |
 *     |  pad (2)  | nw_src (4) | nw_dst (4) | tp_src (2) | tp_dst (2) |
 */
import { ipv4Mask } from "../../net/index.ts";
import { field } from "./field.ts";
import { Match, MatchBuilder } from "./match.ts";
import { portFromWire } from "../message/port.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

const bit = { inPort: 1 << 0, vlan: 1 << 1, ethSrc: 1 << 2, ethDst: 1 << 3, ethType: 1 << 4, protocol: 1 << 5, srcPort: 1 << 6, dstPort: 1 << 7, priority: 1 << 20, tos: 1 << 21 } as const;
/** Where the six bits stand that say how many low bits of an address do not count. */
const addressShift = { src: 8, dst: 14 } as const;
const noVlan = 0xffff;
const noEtherType = 0x05ff;

export const of10MatchSize = 40;

export function pullOf10Match(r: WireReader): Match {
  const wildcards = r.u32();
  const [port, ethSrc, ethDst, vlan, pcp] = [r.u16(), r.u48(), r.u48(), r.u16(), r.u8()];
  r.skip(1);
  const [ethType, tos, protocol] = [r.u16(), r.u8(), r.u8()];
  r.skip(2);
  const [src, dst, srcPort, dstPort] = [r.u32(), r.u32(), r.u16(), r.u16()];
  const b = new MatchBuilder();
  const counts = (flag: number): boolean => (wildcards & flag) === 0;
  if (counts(bit.inPort)) b.add(field("in_port"), portFromWire(port) ?? port);
  if (counts(bit.ethSrc)) b.add(field("eth_src"), ethSrc);
  if (counts(bit.ethDst)) b.add(field("eth_dst"), ethDst);
  if (counts(bit.vlan)) b.add(field("dl_vlan"), vlan);
  if (counts(bit.priority) && !(counts(bit.vlan) && vlan === noVlan)) b.add(field("dl_vlan_pcp"), pcp);
  if (!counts(bit.ethType)) return b.build();
  b.add(field("eth_type"), ethType === noEtherType ? 0 : ethType);
  const isArp = ethType === 0x0806 || ethType === 0x8035;
  const isIpv4 = ethType === 0x0800;
  if (!isArp && !isIpv4) return b.build();
  const mask = (shift: number): number => ipv4Mask(Math.max(0, 32 - ((wildcards >>> shift) & 0x3f)));
  b.add(field(isArp ? "arp_spa" : "ip_src"), src, mask(addressShift.src));
  b.add(field(isArp ? "arp_tpa" : "ip_dst"), dst, mask(addressShift.dst));
  if (isIpv4 && counts(bit.tos)) b.add(field("nw_tos"), tos & 0xfc);
  if (!counts(bit.protocol)) return b.build();
  b.add(field(isArp ? "arp_op" : "nw_proto"), protocol);
  if (isIpv4) addTransport(b, protocol, counts(bit.srcPort) ? srcPort : undefined, counts(bit.dstPort) ? dstPort : undefined);
  return b.build();
}

function addTransport(b: MatchBuilder, protocol: number, src: number | undefined, dst: number | undefined): void {
  const names = protocol === 6 ? (["tcp_src", "tcp_dst"] as const) : protocol === 17 ? (["udp_src", "udp_dst"] as const) : protocol === 132 ? (["sctp_src", "sctp_dst"] as const) : protocol === 1 ? (["icmp_type", "icmp_code"] as const) : undefined;
  if (names === undefined) return;
  if (src !== undefined) b.add(field(names[0]), protocol === 1 ? src & 0xff : src);
  if (dst !== undefined) b.add(field(names[1]), protocol === 1 ? dst & 0xff : dst);
}

/** Everything wild: what stands in messages whose match is elsewhere. */
export function putWildOf10Match(w: WireWriter): void {
  w.u32(0x3fffff);
  w.zeros(of10MatchSize - 4);
}
