/**
 * The IPv4 header (RFC 791).
 *
 *     |Version|  IHL  |   DSCP    |ECN|          total length         |
 *     |         identification        |flags|     fragment offset     |
 *     |      TTL      |    protocol   |            checksum           |
 *     |                        source address                         |
 *     |                     destination address                       |
 *     |                           options                             |
 */
import { assert } from "../std/index.ts";
import { type Ipv4, ipv4Of } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";
import { checksum, isChecksumRight } from "./checksum.ts";

export interface Ipv4Header {
  readonly dscp: number;
  readonly ecn: number;
  /** Header and payload. */
  readonly totalSize: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly src: Ipv4;
  readonly dst: Ipv4;
  readonly options: Uint8Array;
}

export const ipProtocol = { hopByHop: 0, icmp: 1, igmp: 2, tcp: 6, udp: 17, routing: 43, fragment: 44, icmpv6: 58, none: 59, destination: 60, sctp: 132 } as const;

export const sizeofIpv4 = (h: Ipv4Header): number => 20 + h.options.length;

/** undefined if it is cut short (unless `isCut`: it may say that it is longer than it is), of another version, or says sizes that cannot be. The checksum is for isIpv4Intact. */
export function parseIpv4Header(b: Uint8Array, isCut = false): Ipv4Header | undefined {
  if (b.length < 20 || (b[0] ?? 0) >> 4 !== 4) return undefined;
  const headerSize = ((b[0] ?? 0) & 15) * 4;
  const totalSize = readU16(b, 2);
  if (headerSize < 20 || totalSize < headerSize || b.length < (isCut ? headerSize : totalSize)) return undefined;
  const fragment = readU16(b, 6);
  const tos = b[1] ?? 0;
  return {
    dscp: tos >> 2, ecn: tos & 3, totalSize, identification: readU16(b, 4), dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0, fragmentOffset: (fragment & 0x1fff) * 8, ttl: b[8] ?? 0, protocol: b[9] ?? 0,
    src: ipv4Of(readU32(b, 12)), dst: ipv4Of(readU32(b, 16)), options: b.subarray(20, headerSize),
  };
}

/** Whether the header that parseIpv4Header found is as it was sent. */
export const isIpv4Intact = (b: Uint8Array): boolean => isChecksumRight(b.subarray(0, ((b[0] ?? 0) & 15) * 4));

/** Writes the header and its checksum. */
export function emitIpv4Header(h: Ipv4Header, b: Uint8Array): void {
  const size = sizeofIpv4(h);
  assert(h.options.length % 4 === 0 && size <= 60, "IPv4 options of an odd size");
  b[0] = 0x40 | (size / 4);
  b[1] = (h.dscp << 2) | h.ecn;
  writeU16(b, 2, h.totalSize);
  writeU16(b, 4, h.identification);
  writeU16(b, 6, (h.dontFragment ? 0x4000 : 0) | (h.moreFragments ? 0x2000 : 0) | (h.fragmentOffset / 8));
  b[8] = h.ttl;
  b[9] = h.protocol;
  writeU16(b, 10, 0);
  writeU32(b, 12, h.src);
  writeU32(b, 16, h.dst);
  b.set(h.options, 20);
  writeU16(b, 10, checksum(b.subarray(0, size)));
}
