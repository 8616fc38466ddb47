/**
 * VXLAN (RFC 7348): Ethernet frames in UDP, with a 24-bit network identifier and nothing else.
 *
 *     |R|R|R|R|I|R|R|R|            Reserved                           |
 *     |                VXLAN Network Identifier (VNI) |   Reserved    |
 */
import { readU32, writeU32 } from "../../packet/index.ts";
import type { Decapsulated } from "./geneve.ts";

export const vxlanPort = 4789;
const headerSize = 8;
/** The identifier is there. */
const flagI = 0x0800_0000;

export function encapsulateVxlan(frame: Uint8Array, vni: number): Uint8Array {
  const out = new Uint8Array(headerSize + frame.length);
  writeU32(out, 0, flagI);
  writeU32(out, 4, (vni << 8) >>> 0);
  out.set(frame, headerSize);
  return out;
}

/** Undefined if this is not VXLAN, or has extensions that this switch does not know. */
export function decapsulateVxlan(bytes: Uint8Array): Decapsulated | undefined {
  if (bytes.length < headerSize + 14 || readU32(bytes, 0) !== flagI || (bytes[7] ?? 0) !== 0) return undefined;
  return { vni: readU32(bytes, 4) >>> 8, frame: bytes.subarray(headerSize), options: new Uint8Array(0) };
}
