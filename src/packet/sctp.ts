/**
 * The common header of SCTP (RFC 9260, section 3.1), and its first chunk's type: as much as flows look at.
 *
 *     |          source port          |        destination port       |
 *     |                       verification tag                        |
 *     |                        CRC32c checksum                        |
 *     |  chunk type   |  chunk flags  |          chunk size           |
 */
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";
import { crc32c } from "./checksum.ts";

export interface Sctp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly verificationTag: number;
  readonly checksum: number;
}

export const sctpSize = 12;
export const sctpChunk = { data: 0, init: 1, initAck: 2, abort: 6 } as const;

export function parseSctp(b: Uint8Array): Sctp | undefined {
  if (b.length < sctpSize) return undefined;
  return { srcPort: readU16(b, 0), dstPort: readU16(b, 2), verificationTag: readU32(b, 4), checksum: readU32(b, 8) };
}

export function emitSctp(h: Sctp, b: Uint8Array): void {
  writeU16(b, 0, h.srcPort);
  writeU16(b, 2, h.dstPort);
  writeU32(b, 4, h.verificationTag);
  writeU32(b, 8, h.checksum);
}

/** Computes and writes the checksum of a whole packet. */
export function fillSctpChecksum(b: Uint8Array): void {
  writeU32(b, 8, 0);
  writeU32(b, 8, crc32c(b));
}
