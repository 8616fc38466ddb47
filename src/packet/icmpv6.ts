/**
 * ICMPv6 (RFC 4443): as ICMP, but its checksum covers the IPv6 pseudo-header too.
 *
 *     |     type      |     code      |           checksum            |
 *     |                              data                             |
 */
import type { Ipv6 } from "../net/index.ts";
import { readU16, writeU16 } from "./bytes.ts";
import { fillChecksum, isChecksumRight, pseudoHeaderSum } from "./checksum.ts";

export interface Icmpv6 {
  readonly type: number;
  readonly code: number;
  /** What follows the checksum. */
  readonly body: Uint8Array;
}

export const icmpv6Type = {
  unreachable: 1, packetTooBig: 2, timeExceeded: 3, parameterProblem: 4, echoRequest: 128, echoReply: 129, mldQuery: 130, mldReport: 131,
  mldDone: 132, routerSolicit: 133, routerAdvert: 134, neighborSolicit: 135, neighborAdvert: 136, redirect: 137, mld2Report: 143,
} as const;
export const icmpv6Unreachable = { noRoute: 0, prohibited: 1, beyondScope: 2, address: 3, port: 4 } as const;

export const sizeofIcmpv6 = (h: Icmpv6): number => 4 + h.body.length;

export function parseIcmpv6(b: Uint8Array): Icmpv6 | undefined {
  return b.length < 4 ? undefined : { type: b[0] ?? 0, code: b[1] ?? 0, body: b.subarray(4) };
}

export const isIcmpv6Intact = (b: Uint8Array, src: Ipv6, dst: Ipv6): boolean =>
  isChecksumRight(b, pseudoHeaderSum({ family: 6, address: src }, { family: 6, address: dst }, 58, b.length));

export function emitIcmpv6(h: Icmpv6, src: Ipv6, dst: Ipv6, b: Uint8Array): void {
  const size = sizeofIcmpv6(h);
  b[0] = h.type;
  b[1] = h.code;
  writeU16(b, 2, 0);
  b.set(h.body, 4);
  fillChecksum(b.subarray(0, size), 2, pseudoHeaderSum({ family: 6, address: src }, { family: 6, address: dst }, 58, size));
}

/** The identifier and sequence number of an echo's body. */
export const parseEcho6 = (body: Uint8Array): { identifier: number; sequence: number; data: Uint8Array } | undefined =>
  body.length < 4 ? undefined : { identifier: readU16(body, 0), sequence: readU16(body, 2), data: body.subarray(4) };
