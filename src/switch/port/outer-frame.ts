/**
 * The frame that carries a tunnel packet on the underlay, for captures. The kernel makes the real one; here it is put
 * together from the same facts: addresses, ports, TTL 64, "don't fragment", the UDP checksum. The Ethernet addresses,
 * which are nobody's on a loopback interface, are made of the IP addresses.
 */
import { parseIpv4, parseIpv6, writeIpv6 } from "../../net/index.ts";
import { checksum, readU16, writeU16, writeU32 } from "../../packet/index.ts";

export interface OuterHeader {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly hasChecksum: boolean;
  readonly dontFragment: boolean;
  readonly ttl: number;
  readonly tos: number;
}

export function outerFrame(header: OuterHeader, payload: Uint8Array): Uint8Array {
  const isV6 = header.destination.includes(":");
  const udpAt = isV6 ? 54 : 34;
  const b = new Uint8Array(udpAt + 8 + payload.length);
  const addressesAt = isV6 ? writeIpv6Header(b, header) : writeIpv4Header(b, header);
  for (const [at, end] of [[0, udpAt - 4], [6, (addressesAt + udpAt) / 2 - 4]] as const) {
    writeU16(b, at, 0x0200);
    b.set(b.subarray(end, end + 4), at + 2);
  }
  writeU16(b, udpAt, header.sourcePort);
  writeU16(b, udpAt + 2, header.destinationPort);
  writeU16(b, udpAt + 4, 8 + payload.length);
  b.set(payload, udpAt + 8);
  // Over IPv6 there is no UDP without a checksum, but for tunnels that may do without (RFC 6935); the kernel's does not.
  if (header.hasChecksum || isV6) {
    // The pseudo header: addresses, protocol, length.
    let pseudo = 17 + 8 + payload.length;
    for (let at = addressesAt; at < udpAt; at += 2) pseudo += readU16(b, at);
    writeU16(b, udpAt + 6, checksum(b.subarray(udpAt), pseudo) || 0xffff);
  }
  return b;
}

/** Where its addresses begin. */
function writeIpv4Header(b: Uint8Array, header: OuterHeader): number {
  writeU16(b, 12, 0x0800);
  b[14] = 0x45;
  b[15] = header.tos;
  writeU16(b, 16, b.length - 14);
  writeU16(b, 20, header.dontFragment ? 0x4000 : 0);
  b[22] = header.ttl;
  b[23] = 17;
  writeU32(b, 26, parseIpv4(header.source) ?? 0);
  writeU32(b, 30, parseIpv4(header.destination) ?? 0);
  writeU16(b, 24, checksum(b.subarray(14, 34)));
  return 26;
}

function writeIpv6Header(b: Uint8Array, header: OuterHeader): number {
  writeU16(b, 12, 0x86dd);
  writeU32(b, 14, ((6 << 28) | (header.tos << 20)) >>> 0);
  writeU16(b, 18, b.length - 54);
  b[20] = 17;
  b[21] = header.ttl;
  const [source, destination] = [parseIpv6(header.source), parseIpv6(header.destination)];
  if (source !== undefined) writeIpv6(source, b, 22);
  if (destination !== undefined) writeIpv6(destination, b, 38);
  return 22;
}
