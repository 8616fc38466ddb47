/**
 * The IPv6 header (RFC 8200, section 3) and the extension headers that stand between it and the upper layer (section 4).
 *
 *     |Version| traffic class |               flow label              |
 *     |         payload size          |  next header  |   hop limit   |
 *     |                       source address (16)                     |
 *     |                    destination address (16)                   |
 */
import { type Ipv6, readIpv6, writeIpv6 } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";
import { ipProtocol } from "./ipv4.ts";

export interface Ipv6Header {
  readonly dscp: number;
  readonly ecn: number;
  readonly flowLabel: number;
  /** What follows the 40 bytes, extension headers included. */
  readonly payloadSize: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly src: Ipv6;
  readonly dst: Ipv6;
}

export const ipv6Size = 40;

/** `isCut`: the packet may say that it is longer than it is. */
export function parseIpv6Header(b: Uint8Array, isCut = false): Ipv6Header | undefined {
  if (b.length < ipv6Size || (b[0] ?? 0) >> 4 !== 6) return undefined;
  const first = readU32(b, 0);
  const payloadSize = readU16(b, 4);
  if (!isCut && b.length < ipv6Size + payloadSize) return undefined;
  return {
    dscp: (first >>> 22) & 0x3f, ecn: (first >>> 20) & 3, flowLabel: first & 0xfffff, payloadSize, nextHeader: b[6] ?? 0, hopLimit: b[7] ?? 0,
    src: readIpv6(b, 8), dst: readIpv6(b, 24),
  };
}

export function emitIpv6Header(h: Ipv6Header, b: Uint8Array): void {
  writeU32(b, 0, ((6 << 28) | (h.dscp << 22) | (h.ecn << 20) | h.flowLabel) >>> 0);
  writeU16(b, 4, h.payloadSize);
  b[6] = h.nextHeader;
  b[7] = h.hopLimit;
  writeIpv6(h.src, b, 8);
  writeIpv6(h.dst, b, 24);
}

export interface UpperLayer {
  readonly protocol: number;
  /** Where it begins, counted from the start of the IPv6 header. */
  readonly offset: number;
  /** Of the datagram that this is a piece of; undefined: a whole one. */
  readonly fragment?: { readonly identification: number; readonly offset: number; readonly more: boolean };
}

/** Walks the extension headers of a packet that parseIpv6Header has taken; undefined if one is cut short. */
export function findUpperLayer(b: Uint8Array): UpperLayer | undefined {
  let protocol = b[6] ?? 0;
  let offset = ipv6Size;
  let fragment: UpperLayer["fragment"];
  // Each step moves forward by at least 8 bytes, so this ends.
  for (;;) {
    const isExtension = protocol === ipProtocol.hopByHop || protocol === ipProtocol.routing || protocol === ipProtocol.destination || protocol === ipProtocol.fragment;
    if (!isExtension || (fragment !== undefined && fragment.offset > 0)) return { protocol, offset, ...(fragment !== undefined && { fragment }) };
    if (b.length < offset + 8) return undefined;
    if (protocol === ipProtocol.fragment) {
      const word = readU16(b, offset + 2);
      fragment = { offset: word & 0xfff8, more: (word & 1) !== 0, identification: readU32(b, offset + 4) };
    }
    const size = protocol === ipProtocol.fragment ? 8 : ((b[offset + 1] ?? 0) + 1) * 8;
    protocol = b[offset] ?? 0;
    offset += size;
    if (b.length < offset) return undefined;
  }
}

/** The fragment header (RFC 8200, section 4.5). */
export function emitFragmentHeader(nextHeader: number, fragment: NonNullable<UpperLayer["fragment"]>, b: Uint8Array): void {
  b[0] = nextHeader;
  b[1] = 0;
  writeU16(b, 2, fragment.offset | (fragment.more ? 1 : 0));
  writeU32(b, 4, fragment.identification);
}
