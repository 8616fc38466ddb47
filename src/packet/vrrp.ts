/**
 * A VRRP advertisement, version 3, of IPv4 addresses (RFC 5798, section 5).
 *
 *     |Version| Type  |      VRID     |    Priority   | Address count |
 *     | rsvd  |   Max advertisement   |            Checksum           |
 *     |                       IPv4 addresses                          |
 */
import { type Ipv4, ipv4Of } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";
import { fillChecksum, isChecksumRight, pseudoHeaderSum } from "./checksum.ts";

export interface Vrrp {
  readonly group: number;
  /** 255: the owner of the addresses; 0: the sender gives up. */
  readonly priority: number;
  /** Between advertisements, in hundredths of a second. */
  readonly interval: number;
  readonly addresses: readonly Ipv4[];
}

export const vrrpProtocol = 112;
export const sizeofVrrp = (h: Vrrp): number => 8 + 4 * h.addresses.length;

/** undefined unless it is one of version 3, whole, and with the right checksum between these two. */
export function parseVrrp(b: Uint8Array, src: Ipv4, dst: Ipv4): Vrrp | undefined {
  const count = b[3] ?? 0;
  if (b.length < 8 + 4 * count || b[0] !== 0x31) return undefined;
  const message = b.subarray(0, 8 + 4 * count);
  if (!isChecksumRight(message, pseudoHeaderSum({ family: 4, address: src }, { family: 4, address: dst }, vrrpProtocol, message.length))) return undefined;
  const addresses = Array.from({ length: count }, (_, i) => ipv4Of(readU32(b, 8 + 4 * i)));
  return { group: b[1] ?? 0, priority: b[2] ?? 0, interval: readU16(b, 4) & 0xfff, addresses };
}

export function emitVrrp(h: Vrrp, src: Ipv4, dst: Ipv4, b: Uint8Array): void {
  const size = sizeofVrrp(h);
  b[0] = 0x31;
  b[1] = h.group;
  b[2] = h.priority;
  b[3] = h.addresses.length;
  writeU16(b, 4, h.interval & 0xfff);
  h.addresses.forEach((address, i) => writeU32(b, 8 + 4 * i, address));
  fillChecksum(b.subarray(0, size), 6, pseudoHeaderSum({ family: 4, address: src }, { family: 4, address: dst }, vrrpProtocol, size));
}
