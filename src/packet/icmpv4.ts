/**
 * ICMP (RFC 792): a type, a code, a checksum, and four bytes whose meaning is the type's.
 *
 *     |     type      |     code      |           checksum            |
 *     |  identifier and sequence of an echo; next-hop MTU; unused     |
 *     |  data; in errors the beginning of the packet they are about   |
 */
import { readU32, writeU16, writeU32 } from "./bytes.ts";
import { checksum } from "./checksum.ts";

export interface Icmpv4 {
  readonly type: number;
  readonly code: number;
  /** The second word. Of an echo: identifier in the upper half, sequence number in the lower. */
  readonly word: number;
  readonly data: Uint8Array;
}

export const icmpv4Type = {
  echoReply: 0, unreachable: 3, redirect: 5, echoRequest: 8, timeExceeded: 11, parameterProblem: 12,
} as const;
export const icmpv4Unreachable = { network: 0, host: 1, protocol: 2, port: 3, fragmentationNeeded: 4, prohibited: 13 } as const;

export const sizeofIcmpv4 = (h: Icmpv4): number => 8 + h.data.length;

/** undefined if it is cut short; whether it is intact says isChecksumRight. */
export function parseIcmpv4(b: Uint8Array): Icmpv4 | undefined {
  if (b.length < 8) return undefined;
  return { type: b[0] ?? 0, code: b[1] ?? 0, word: readU32(b, 4), data: b.subarray(8) };
}

export function emitIcmpv4(h: Icmpv4, b: Uint8Array): void {
  b[0] = h.type;
  b[1] = h.code;
  writeU16(b, 2, 0);
  writeU32(b, 4, h.word);
  b.set(h.data, 8);
  writeU16(b, 2, checksum(b.subarray(0, sizeofIcmpv4(h))));
}
