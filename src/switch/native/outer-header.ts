/**
 * The headers that a tunnel puts before a packet: Ethernet, IP, UDP and the tunnel's own. They are made once for a flow, with what
 * differs from packet to packet (sizes, checksums, the source port) left zero, and filled in for each.
 */
import { formatIpv4, formatIpv6, formatMac, type Ip, ipv4Of, type Mac, readIpv6, readMac, writeIpv6, writeMac } from "../../net/index.ts";
import { checksum, concatenate, fillUdpChecksum, ip4, ip6, ipProtocol, pseudoHeaderSum, readU16, readU32, writeU16, writeU32 } from "../../packet/index.ts";
import type { TunnelPush } from "../packet/datapath-action.ts";
import { hashOfConnection } from "../flow/flow-group.ts";
import type { Packet } from "../packet/packet.ts";

export interface OuterFacts {
  readonly dstMac: Mac;
  readonly srcMac: Mac;
  readonly src: Ip;
  readonly dst: Ip;
  readonly tos: number;
  readonly ttl: number;
  readonly dontFragment: boolean;
  readonly udpPort: number;
  /** Marked in the template by the bits all set. */
  readonly hasChecksum: boolean;
}

const ipAt = 14;

export function outerHeader(facts: OuterFacts, tunnelHeader: Uint8Array): Uint8Array {
  const { src, dst } = facts;
  const ipSize = dst.family === 4 ? 20 : 40;
  const b = new Uint8Array(ipAt + ipSize + 8);
  writeMac(facts.dstMac, b, 0);
  writeMac(facts.srcMac, b, 6);
  writeU16(b, 12, dst.family === 4 ? 0x0800 : 0x86dd);
  if (src.family === 4 && dst.family === 4) {
    b[ipAt] = 0x45;
    b[ipAt + 1] = facts.tos;
    writeU16(b, ipAt + 6, facts.dontFragment ? 0x4000 : 0);
    b[ipAt + 8] = facts.ttl;
    b[ipAt + 9] = ipProtocol.udp;
    writeU32(b, ipAt + 12, src.address);
    writeU32(b, ipAt + 16, dst.address);
  } else if (src.family === 6 && dst.family === 6) {
    writeU32(b, ipAt, (0x6000_0000 | (facts.tos << 20)) >>> 0);
    b[ipAt + 6] = ipProtocol.udp;
    b[ipAt + 7] = facts.ttl;
    writeIpv6(src.address, b, ipAt + 8);
    writeIpv6(dst.address, b, ipAt + 24);
  }
  writeU16(b, ipAt + ipSize + 2, facts.udpPort);
  writeU16(b, ipAt + ipSize + 6, facts.hasChecksum ? 0xffff : 0);
  return concatenate(b, tunnelHeader);
}

/** Ports from which tunnels send: a hash of the inner flow chooses, so that routers between spread flows over their paths. */
const [firstSourcePort, sourcePortCount] = [32_768, 28_232] as const;

/** Puts the headers before the packet, which is the outer one from then on. */
export function pushHeader(packet: Packet, { header, maxLength, port }: TunnelPush): void {
  const inner = packet.bytes.length > maxLength ? packet.bytes.subarray(0, maxLength) : packet.bytes;
  port.counters.txPackets++;
  port.counters.txBytes += inner.length;
  const sourcePort = firstSourcePort + (hashOfConnection(packet.key, undefined) % sourcePortCount);
  const b = concatenate(header, inner);
  const isV6 = readU16(b, 12) === 0x86dd;
  const udpAt = ipAt + (isV6 ? 40 : 20);
  const udp = b.subarray(udpAt);
  writeU16(udp, 0, sourcePort);
  writeU16(udp, 4, udp.length);
  if (isV6) writeU16(b, ipAt + 4, udp.length);
  else {
    writeU16(b, ipAt + 2, b.length - ipAt);
    writeU16(b, ipAt + 10, 0);
    writeU16(b, ipAt + 10, checksum(b.subarray(ipAt, udpAt)));
  }
  if (readU16(udp, 6) !== 0) {
    const [src, dst] = isV6 ? [ip6(readIpv6(b, ipAt + 8)), ip6(readIpv6(b, ipAt + 24))] : [ip4(ipv4Of(readU32(b, ipAt + 12))), ip4(ipv4Of(readU32(b, ipAt + 16)))];
    writeU16(udp, 6, 0);
    fillUdpChecksum(udp, pseudoHeaderSum(src, dst, ipProtocol.udp, udp.length));
  }
  packet.key.fill(0, 0);
  packet.replace(b);
  packet.readHeaders();
}

/** The template as ovs-dpctl(8) has it within tnl_push. */
export function formatOuterHeader(b: Uint8Array, vportType: number): string {
  const isV6 = readU16(b, 12) === 0x86dd;
  const eth = `eth(dst=${formatMac(readMac(b, 0))},src=${formatMac(readMac(b, 6))},dl_type=0x${readU16(b, 12).toString(16).padStart(4, "0")})`;
  const udpAt = ipAt + (isV6 ? 40 : 20);
  const address = (at: number): string => (isV6 ? formatIpv6(readIpv6(b, at)) : formatIpv4(ipv4Of(readU32(b, at))));
  const hex = (n: number): string => (n === 0 ? "0" : `0x${n.toString(16)}`);
  const ip = isV6
    ? `ipv6(src=${address(ipAt + 8)},dst=${address(ipAt + 24)},label=0,proto=${b[ipAt + 6]},tclass=0x${((readU32(b, ipAt) >>> 20) & 0xff).toString(16)},hlimit=${b[ipAt + 7]})`
    : `ipv4(src=${address(ipAt + 12)},dst=${address(ipAt + 16)},proto=${b[ipAt + 9]},tos=${hex(b[ipAt + 1] ?? 0)},ttl=${b[ipAt + 8]},frag=0x${readU16(b, ipAt + 6).toString(16)})`;
  const udp = `udp(src=0,dst=${readU16(b, udpAt + 2)},csum=0x${readU16(b, udpAt + 6).toString(16)})`;
  const tunnel = b.subarray(udpAt + 8);
  return `header(size=${b.length},type=${vportType},${eth},${ip},${udp},${vportType === 4 ? formatVxlan(tunnel) : formatGeneve(tunnel)})`;
}

const formatVxlan = (b: Uint8Array): string => `vxlan(flags=0x${readU32(b, 0).toString(16)},vni=0x${(readU32(b, 4) >>> 8).toString(16)})`;

function formatGeneve(b: Uint8Array): string {
  const options: string[] = [];
  for (let at = 8; at + 4 <= b.length; ) {
    const size = ((b[at + 3] ?? 0) & 0x1f) * 4;
    const data = Buffer.from(b.subarray(at + 4, at + 4 + size)).toString("hex").replace(/^0+(?=.)/, "");
    options.push(`{class=0x${readU16(b, at).toString(16)},type=0x${(b[at + 2] ?? 0).toString(16)},len=${size}${size === 0 ? "" : `,0x${data}`}}`);
    at += 4 + size;
  }
  const critical = ((b[1] ?? 0) & 0x40) === 0 ? "" : "crit,";
  return `geneve(${critical}vni=0x${(readU32(b, 4) >>> 8).toString(16)}${options.length === 0 ? "" : `,options(${options.join("")})`})`;
}
