/**
 * An IEEE 802.1Q tag: what follows an Ethernet type of 0x8100 or 0x88a8.
 *
 *     | PCP |D|          VID          |             type              |
 */
import { readU16, writeU16 } from "./bytes.ts";

export interface Vlan {
  readonly priority: number;
  readonly dropEligible: boolean;
  readonly id: number;
  /** Of what follows the tag. */
  readonly type: number;
}

export const vlanSize = 4;

export function parseVlan(b: Uint8Array): Vlan | undefined {
  if (b.length < vlanSize) return undefined;
  const tci = readU16(b, 0);
  return { priority: tci >>> 13, dropEligible: (tci & 0x1000) !== 0, id: tci & 0xfff, type: readU16(b, 2) };
}

export function emitVlan(h: Vlan, b: Uint8Array): void {
  writeU16(b, 0, (h.priority << 13) | (h.dropEligible ? 0x1000 : 0) | h.id);
  writeU16(b, 2, h.type);
}
