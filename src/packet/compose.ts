/** Whole packets from headers and payload, sizes and checksums filled in. */
import type { Ip, Ipv4, Ipv6, Mac } from "../net/index.ts";
import { assert } from "../std/index.ts";
import { type Arp, arpSize, emitArp } from "./arp.ts";
import { fillChecksum, pseudoHeaderSum } from "./checksum.ts";
import { emitEthernet, ethernetSize, etherType } from "./ethernet.ts";
import { emitIcmpv4, type Icmpv4, sizeofIcmpv4 } from "./icmpv4.ts";
import { emitIcmpv6, type Icmpv6, sizeofIcmpv6 } from "./icmpv6.ts";
import { emitIpv4Header, type Ipv4Header, ipProtocol } from "./ipv4.ts";
import { emitIpv6Header, type Ipv6Header, ipv6Size } from "./ipv6.ts";
import { emitNd, type Nd, ndTypes, sizeofNd } from "./nd.ts";
import { emitTcp, sizeofTcp, type Tcp, tcpChecksumOffset } from "./tcp.ts";
import { emitUdp, udpSize } from "./udp.ts";
import { emitVlan, vlanSize } from "./vlan.ts";

export interface FrameAddresses {
  readonly dst: Mac;
  readonly src: Mac;
  readonly vlan?: number;
}

export function ethernetFrame(addresses: FrameAddresses, type: number, payload: Uint8Array): Uint8Array {
  const { dst, src, vlan } = addresses;
  const headerSize = ethernetSize + (vlan === undefined ? 0 : vlanSize);
  const b = new Uint8Array(headerSize + payload.length);
  emitEthernet({ dst, src, type: vlan === undefined ? type : etherType.vlan }, b);
  if (vlan !== undefined) emitVlan({ priority: 0, dropEligible: false, id: vlan, type }, b.subarray(ethernetSize));
  b.set(payload, headerSize);
  return b;
}

export function arpFrame(addresses: FrameAddresses, arp: Arp): Uint8Array {
  const b = new Uint8Array(arpSize);
  emitArp(arp, b);
  return ethernetFrame(addresses, etherType.arp, b);
}

export type Ipv4Fields = Pick<Ipv4Header, "src" | "dst" | "protocol"> & Partial<Omit<Ipv4Header, "totalSize">>;

export function ipv4Packet(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const totalSize = 20 + options.length + payload.length;
  const b = new Uint8Array(totalSize);
  const defaults = { dscp: 0, ecn: 0, identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64 };
  emitIpv4Header({ ...defaults, ...fields, options, totalSize }, b);
  b.set(payload, 20 + options.length);
  return b;
}

export type Ipv6Fields = Pick<Ipv6Header, "src" | "dst" | "nextHeader"> & Partial<Omit<Ipv6Header, "payloadSize">>;

export function ipv6Packet(fields: Ipv6Fields, payload: Uint8Array): Uint8Array {
  const b = new Uint8Array(ipv6Size + payload.length);
  emitIpv6Header({ dscp: 0, ecn: 0, flowLabel: 0, hopLimit: 64, ...fields, payloadSize: payload.length }, b);
  b.set(payload, ipv6Size);
  return b;
}

/** An IP packet of either family. */
export function ipPacket(src: Ip, dst: Ip, protocol: number, payload: Uint8Array, ttl = 64): Uint8Array {
  if (src.family === 4 && dst.family === 4) return ipv4Packet({ src: src.address, dst: dst.address, protocol, ttl }, payload);
  assert(src.family === 6 && dst.family === 6, "addresses of two families in one packet");
  return ipv6Packet({ src: src.address, dst: dst.address, nextHeader: protocol, hopLimit: ttl }, payload);
}

export function udpDatagram(src: Ip, dst: Ip, srcPort: number, dstPort: number, payload: Uint8Array): Uint8Array {
  const b = new Uint8Array(udpSize + payload.length);
  emitUdp({ srcPort, dstPort, size: b.length, checksum: 0 }, b);
  b.set(payload, udpSize);
  fillChecksum(b, 6, pseudoHeaderSum(src, dst, ipProtocol.udp, b.length), true);
  return b;
}

export function tcpSegment(src: Ip, dst: Ip, header: Tcp, payload: Uint8Array): Uint8Array {
  const headerSize = sizeofTcp(header);
  const b = new Uint8Array(headerSize + payload.length);
  emitTcp(header, b);
  b.set(payload, headerSize);
  fillChecksum(b, tcpChecksumOffset, pseudoHeaderSum(src, dst, ipProtocol.tcp, b.length));
  return b;
}

export function icmpv4Message(h: Icmpv4): Uint8Array {
  const b = new Uint8Array(sizeofIcmpv4(h));
  emitIcmpv4(h, b);
  return b;
}

export function icmpv6Message(h: Icmpv6, src: Ipv6, dst: Ipv6): Uint8Array {
  const b = new Uint8Array(sizeofIcmpv6(h));
  emitIcmpv6(h, src, dst, b);
  return b;
}

export function ndMessage(nd: Nd, src: Ipv6, dst: Ipv6): Uint8Array {
  const body = new Uint8Array(sizeofNd(nd));
  emitNd(nd, body);
  return icmpv6Message({ type: ndTypes[nd.kind], code: 0, body }, src, dst);
}

export const ip4 = (address: Ipv4): Ip => ({ family: 4, address });
export const ip6 = (address: Ipv6): Ip => ({ family: 6, address });
