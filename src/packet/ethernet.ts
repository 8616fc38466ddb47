/**
 * The Ethernet II header (IEEE 802.3), and what stands in its type field.
 *
 *     |                 destination (6)               |
 *     |                 source (6)                    |
 *     |   type (2)    |
 */
import { type Mac, readMac, writeMac } from "../net/index.ts";
import { readU16, writeU16 } from "./bytes.ts";

export interface Ethernet {
  readonly dst: Mac;
  readonly src: Mac;
  /** Below 0x600 a length: an 802.3 frame, which nothing here looks into. */
  readonly type: number;
}

export const etherType = {
  ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, rarp: 0x8035, ipv6: 0x86dd, mpls: 0x8847, qinq: 0x88a8, nsh: 0x894f, teb: 0x6558,
} as const;

export const ethernetSize = 14;

export function parseEthernet(b: Uint8Array): Ethernet | undefined {
  if (b.length < ethernetSize) return undefined;
  return { dst: readMac(b, 0), src: readMac(b, 6), type: readU16(b, 12) };
}

export function emitEthernet(h: Ethernet, b: Uint8Array): void {
  writeMac(h.dst, b, 0);
  writeMac(h.src, b, 6);
  writeU16(b, 12, h.type);
}
