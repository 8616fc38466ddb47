/**
 * ARP for IPv4 over Ethernet (RFC 826).
 *
 *     |        hardware type 1        |      protocol type 0x0800     |
 *     |     6         |      4        |           operation           |
 *     | sender MAC (6), sender IP (4), target MAC (6), target IP (4)  |
 */
import { type Ipv4, ipv4Of, type Mac, readMac, writeMac } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export interface Arp {
  readonly operation: number;
  readonly senderMac: Mac;
  readonly senderIp: Ipv4;
  readonly targetMac: Mac;
  readonly targetIp: Ipv4;
}

export const arpOperation = { request: 1, reply: 2 } as const;
export const arpSize = 28;

/** undefined if it is cut short or not about IPv4 over Ethernet. */
export function parseArp(b: Uint8Array): Arp | undefined {
  if (b.length < arpSize || readU16(b, 0) !== 1 || readU16(b, 2) !== 0x0800 || readU16(b, 4) !== 0x0604) return undefined;
  return {
    operation: readU16(b, 6), senderMac: readMac(b, 8), senderIp: ipv4Of(readU32(b, 14)), targetMac: readMac(b, 18), targetIp: ipv4Of(readU32(b, 24)),
  };
}

export function emitArp(h: Arp, b: Uint8Array): void {
  writeU16(b, 0, 1);
  writeU16(b, 2, 0x0800);
  writeU16(b, 4, 0x0604);
  writeU16(b, 6, h.operation);
  writeMac(h.senderMac, b, 8);
  writeU32(b, 14, h.senderIp);
  writeMac(h.targetMac, b, 18);
  writeU32(b, 24, h.targetIp);
}
