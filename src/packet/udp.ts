/**
 * UDP (RFC 768).
 *
 *     |          source port          |        destination port       |
 *     |             size              |            checksum           |
 */
import { readU16, writeU16 } from "./bytes.ts";
import { fillChecksum } from "./checksum.ts";

export interface Udp {
  readonly srcPort: number;
  readonly dstPort: number;
  /** Header and payload. */
  readonly size: number;
  /** 0: none, which IPv4 allows. */
  readonly checksum: number;
}

export const udpSize = 8;

/** undefined if it is cut short or says a size that cannot be. */
export function parseUdp(b: Uint8Array): Udp | undefined {
  if (b.length < udpSize) return undefined;
  const size = readU16(b, 4);
  return size < udpSize || size > b.length ? undefined : { srcPort: readU16(b, 0), dstPort: readU16(b, 2), size, checksum: readU16(b, 6) };
}

export function emitUdp(h: Udp, b: Uint8Array): void {
  writeU16(b, 0, h.srcPort);
  writeU16(b, 2, h.dstPort);
  writeU16(b, 4, h.size);
  writeU16(b, 6, h.checksum);
}

/** Computes and writes the checksum of a datagram whose header and payload stand in `b`; `sum` is the pseudo-header's. */
export const fillUdpChecksum = (b: Uint8Array, sum: number): void => fillChecksum(b, 6, sum, true);
