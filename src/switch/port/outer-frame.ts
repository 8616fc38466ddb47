import { checksum, writeU16, writeU32 } from "../../packet/index.ts";
/**
 * The frame that carries a tunnel packet on the underlay, for captures. The kernel makes the real one; here it is put
 * together from the same facts: addresses, ports, TTL 64, "don't fragment", the UDP checksum. The Ethernet addresses,
 * which are nobody's on a loopback interface, are made of the IP addresses.
 */

export interface OuterHeader {
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly hasChecksum: boolean;
  readonly dontFragment: boolean;
  readonly ttl: number;
  readonly tos: number;
}

const headerSize = 14 + 20 + 8;

export function outerFrame(header: OuterHeader, payload: Uint8Array): Uint8Array {
  const b = new Uint8Array(headerSize + payload.length);
  writeU16(b, 0, 0x0200);
  writeU32(b, 2, header.destination);
  writeU16(b, 6, 0x0200);
  writeU32(b, 8, header.source);
  writeU16(b, 12, 0x0800);
  b[14] = 0x45;
  b[15] = header.tos;
  writeU16(b, 16, 28 + payload.length);
  writeU16(b, 20, header.dontFragment ? 0x4000 : 0);
  b[22] = header.ttl;
  b[23] = 17;
  writeU32(b, 26, header.source);
  writeU32(b, 30, header.destination);
  writeU16(b, 24, checksum(b.subarray(14, 34)));
  writeU16(b, 34, header.sourcePort);
  writeU16(b, 36, header.destinationPort);
  writeU16(b, 38, 8 + payload.length);
  b.set(payload, headerSize);
  if (header.hasChecksum) {
    // The pseudo header: addresses, protocol, length.
    const pseudo = words(header.source) + words(header.destination) + 17 + 8 + payload.length;
    writeU16(b, 40, checksum(b.subarray(34), pseudo) || 0xffff);
  }
  return b;
}

const words = (value: number): number => (value >>> 16) + (value & 0xffff);
