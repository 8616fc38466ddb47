/**
 * Geneve (RFC 8926): Ethernet frames in UDP, with a 24-bit network identifier and options.
 *
 *      0                   1                   2                   3
 *     |Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
 *     |        Virtual Network Identifier (VNI)       |    Reserved   |
 *     |          Option Class         |      Type     |R|R|R| Length  |
 *     |                      Variable-Length Option Data              |
 *
 * Which options tun_metadata fields stand for is each bridge's TLV table.
 */
import type { TlvMapping } from "../../openflow/index.ts";
import { etherType, readU16, readU32, writeU16, writeU32 } from "../../packet/index.ts";
import { tunMetadataFields, W } from "../flow/flow-key.ts";



/** `metadata`: the key's words from W.tunMetadata to W.tunMetadataPresent. */
export function encapsulate(frame: Uint8Array, vni: number, metadata: Uint32Array, tlvs: ReadonlyMap<number, TlvMapping>): Uint8Array {
  const present = metadata[W.tunMetadataPresent - W.tunMetadata] ?? 0;
  let optionSize = 0;
  for (const index of tlvs.keys()) if ((present & (1 << index)) !== 0) optionSize += 8;
  const out = new Uint8Array(8 + optionSize + frame.length);
  let isCritical = 0;
  let at = 8;
  for (const [index, { optionClass, optionType }] of tlvs) {
    if ((present & (1 << index)) === 0) continue;
    writeU16(out, at, optionClass);
    out[at + 2] = optionType;
    out[at + 3] = 1;
    writeU32(out, at + 4, metadata[index] ?? 0);
    if ((optionType & 0x80) !== 0) isCritical = 0x40;
    at += 8;
  }
  out[0] = optionSize >>> 2;
  out[1] = isCritical;
  writeU16(out, 2, etherType.teb);
  writeU32(out, 4, (vni << 8) >>> 0);
  out.set(frame, at);
  return out;
}

export interface Decapsulated {
  readonly vni: number;
  readonly frame: Uint8Array;
  readonly options: Uint8Array;
}

/** Undefined if this is not Geneve, or not Ethernet in it. */
export function decapsulate(bytes: Uint8Array): Decapsulated | undefined {
  if (bytes.length < 8) return undefined;
  const optionSize = ((bytes[0] ?? 0) & 0x3f) * 4;
  if ((bytes[0] ?? 0) >>> 6 !== 0 || readU16(bytes, 2) !== etherType.teb) return undefined;
  if (bytes.length < 8 + optionSize + 14) return undefined;
  const options = bytes.subarray(8, 8 + optionSize);
  for (let at = 0; at < options.length; ) {
    at += 4 + ((options[at + 3] ?? 0) & 0x1f) * 4;
    if (at > options.length) return undefined;
  }
  return { vni: readU32(bytes, 4) >>> 8, frame: bytes.subarray(8 + optionSize), options };
}

/** Puts the options that the TLV table knows into the key's tunnel words (`words` begins at W.tunId). */
export function readOptions(options: Uint8Array, tlvs: ReadonlyMap<number, TlvMapping>, words: Uint32Array): void {
  for (let at = 0; at + 4 <= options.length; ) {
    const size = ((options[at + 3] ?? 0) & 0x1f) * 4;
    for (const [index, { optionClass, optionType, optionSize }] of tlvs) {
      if (optionClass !== readU16(options, at) || optionType !== options[at + 2] || optionSize !== size || index >= tunMetadataFields) continue;
      words[W.tunMetadata - W.tunId + index] = readU32(options, at + 4);
      words[W.tunMetadataPresent - W.tunId] = (words[W.tunMetadataPresent - W.tunId] ?? 0) | (1 << index);
    }
    at += 4 + size;
  }
}
