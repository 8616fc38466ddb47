/** What a packet-in's handlers look at: the headers of the packet, and where each begins. */
import { type Ipv4, type Ipv6, type Mac } from "../../net/index.ts";
import {
  ethernetSize, etherType, findUpperLayer, ipProtocol, type Ipv4Header, type Ipv6Header, parseEthernet, parseIpv4Header, parseIpv6Header, parseVlan, vlanSize,
} from "../../packet/index.ts";

export interface Headers {
  readonly packet: Uint8Array;
  readonly src: Mac;
  readonly dst: Mac;
  /** Behind a VLAN tag. */
  readonly type: number;
  readonly vlan: number | undefined;
  readonly ipOffset: number;
  readonly ip: IpHeaders | undefined;
}

export type IpHeaders =
  | { readonly family: 4; readonly header: Ipv4Header; readonly src: Ipv4; readonly dst: Ipv4; readonly protocol: number; readonly upperOffset: number }
  | { readonly family: 6; readonly header: Ipv6Header; readonly src: Ipv6; readonly dst: Ipv6; readonly protocol: number; readonly upperOffset: number };

/** Undefined if there is not even an Ethernet header. */
export function parseHeaders(packet: Uint8Array): Headers | undefined {
  const ethernet = parseEthernet(packet);
  if (ethernet === undefined) return undefined;
  const { src, dst } = ethernet;
  const isTagged = ethernet.type === etherType.vlan || ethernet.type === etherType.qinq;
  const tag = isTagged ? parseVlan(packet.subarray(ethernetSize)) : undefined;
  const ipOffset = ethernetSize + (tag === undefined ? 0 : vlanSize);
  const type = tag?.type ?? ethernet.type;
  return { packet, src, dst, type, vlan: tag?.id, ipOffset, ip: parseIp(packet, type, ipOffset) };
}

function parseIp(packet: Uint8Array, type: number, offset: number): IpHeaders | undefined {
  const bytes = packet.subarray(offset);
  if (type === etherType.ipv4) {
    const header = parseIpv4Header(bytes, true);
    if (header === undefined) return undefined;
    const { src, dst, protocol } = header;
    return { family: 4, header, src, dst, protocol, upperOffset: offset + 20 + header.options.length };
  }
  const ipv6 = type === etherType.ipv6 ? withVersion6(bytes) : undefined;
  const header = ipv6 && parseIpv6Header(ipv6, true);
  if (ipv6 === undefined || header === undefined) return undefined;
  const upper = findUpperLayer(ipv6);
  const { src, dst } = header;
  return { family: 6, header, src, dst, protocol: upper?.protocol ?? ipProtocol.none, upperOffset: offset + (upper?.offset ?? bytes.length) };
}

/** The switch goes by the Ethernet type alone when it takes a packet for IPv6, and so whoever it hands the packet to. */
function withVersion6(bytes: Uint8Array): Uint8Array {
  const first = bytes[0];
  if (first === undefined || first >> 4 === 6) return bytes;
  const copy = new Uint8Array(bytes);
  copy[0] = 0x60 | (first & 0xf);
  return copy;
}

/** What follows the IP header, without padding of the frame. */
export function upperLayer({ packet, ipOffset }: Headers, ip: IpHeaders): Uint8Array {
  const size = ip.family === 4 ? ip.header.totalSize : 40 + ip.header.payloadSize;
  return packet.subarray(ip.upperOffset, Math.max(ip.upperOffset, Math.min(packet.length, ipOffset + size)));
}

/** The IP packet itself, without padding of the frame. */
export function ipBytes({ packet, ipOffset }: Headers, ip: IpHeaders): Uint8Array {
  const size = ip.family === 4 ? ip.header.totalSize : 40 + ip.header.payloadSize;
  return packet.subarray(ipOffset, Math.min(packet.length, ipOffset + size));
}
