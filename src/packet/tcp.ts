/**
 * The TCP header (RFC 9293, section 3.1).
 *
 *     |          source port          |        destination port       |
 *     |                        sequence number                        |
 *     |                    acknowledgment number                      |
 *     | offset| 0 |       flags       |            window             |
 *     |           checksum            |         urgent pointer        |
 *     |                           options                             |
 */
import { assert } from "../std/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export interface Tcp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** Twelve bits: see tcpFlag. */
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: Uint8Array;
}

export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128, ns: 256 } as const;

export const sizeofTcp = (h: Tcp): number => 20 + h.options.length;

export function parseTcp(b: Uint8Array): Tcp | undefined {
  if (b.length < 20) return undefined;
  const size = ((b[12] ?? 0) >> 4) * 4;
  if (size < 20 || size > b.length) return undefined;
  return {
    srcPort: readU16(b, 0), dstPort: readU16(b, 2), sequence: readU32(b, 4), acknowledgment: readU32(b, 8), flags: readU16(b, 12) & 0xfff,
    window: readU16(b, 14), urgent: readU16(b, 18), options: b.subarray(20, size),
  };
}

/** The checksum field is left zero: it covers the payload too, see fillTcpChecksum. */
export function emitTcp(h: Tcp, b: Uint8Array): void {
  const size = sizeofTcp(h);
  assert(h.options.length % 4 === 0 && size <= 60, "TCP options of an odd size");
  writeU16(b, 0, h.srcPort);
  writeU16(b, 2, h.dstPort);
  writeU32(b, 4, h.sequence);
  writeU32(b, 8, h.acknowledgment);
  writeU16(b, 12, ((size / 4) << 12) | h.flags);
  writeU16(b, 14, h.window);
  writeU16(b, 16, 0);
  writeU16(b, 18, h.urgent);
  b.set(h.options, 20);
}

export const tcpChecksumOffset = 16;
