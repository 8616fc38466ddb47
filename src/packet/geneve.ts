/**
 * The Geneve tunnel header (RFC 8926, section 3.4), and OVN's option in it.
 *
 *     |Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
 *     |        Virtual Network Identifier (VNI)       |    Reserved   |
 *     |                    Variable-Length Options                    |
 *
 * An option: | class (2) | type, critical if its top bit is set | length in words | data |.
 * OVN's (class 0x0102, type 0x80) says where a packet came in and where it goes: | 0 | ingress port (15) | egress port (16) |.
 */
import { assert } from "../std/index.ts";
import { concatenate, readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export interface Geneve {
  readonly control: boolean;
  readonly critical: boolean;
  readonly protocol: number;
  readonly vni: number;
  /** All options as they stand, a multiple of 4 bytes. */
  readonly options: Uint8Array;
}

export const genevePort = 6081;
export const sizeofGeneve = (h: Geneve): number => 8 + h.options.length;

/** The header at the start of `b`; undefined if it is cut short or not version 0. */
export function parseGeneve(b: Uint8Array): Geneve | undefined {
  if (b.length < 8) return undefined;
  const first = readU16(b, 0);
  const optionsSize = ((first >> 8) & 0x3f) * 4;
  if (first >> 14 !== 0 || b.length < 8 + optionsSize) return undefined;
  return {
    control: (first & 0x80) !== 0, critical: (first & 0x40) !== 0, protocol: readU16(b, 2), vni: readU32(b, 4) >>> 8, options: b.subarray(8, 8 + optionsSize),
  };
}

export function emitGeneve(h: Geneve, b: Uint8Array): void {
  assert(h.options.length % 4 === 0 && h.options.length <= 0x3f * 4, "Geneve options of an odd size");
  writeU16(b, 0, ((h.options.length / 4) << 8) | (h.control ? 0x80 : 0) | (h.critical ? 0x40 : 0));
  writeU16(b, 2, h.protocol);
  writeU32(b, 4, (h.vni << 8) >>> 0);
  b.set(h.options, 8);
}

export interface GeneveOption {
  readonly optionClass: number;
  /** With the critical bit, 0x80. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** undefined if one is longer than what is left. */
export function parseGeneveOptions(b: Uint8Array): GeneveOption[] | undefined {
  const options: GeneveOption[] = [];
  for (let at = 0; at < b.length; ) {
    const size = ((b[at + 3] ?? 0) & 0x1f) * 4;
    if (at + 4 + size > b.length) return undefined;
    options.push({ optionClass: readU16(b, at), type: b[at + 2] ?? 0, data: b.subarray(at + 4, at + 4 + size) });
    at += 4 + size;
  }
  return options;
}

export function emitGeneveOptions(options: readonly GeneveOption[]): Uint8Array {
  return concatenate(
    ...options.flatMap(({ optionClass, type, data }) => {
      assert(data.length % 4 === 0 && data.length <= 0x1f * 4, "a Geneve option of an odd size");
      const header = new Uint8Array(4);
      writeU16(header, 0, optionClass);
      header[2] = type;
      header[3] = data.length / 4;
      return [header, data];
    }),
  );
}

export const ovnOption = { optionClass: 0x0102, type: 0x80, size: 4 } as const;

/** The header that OVN sends: `ingress` and `egress` are the tunnel keys of the logical ports. */
export function ovnGeneve(vni: number, ingress: number, egress: number): Geneve {
  const data = new Uint8Array(4);
  writeU16(data, 0, ingress);
  writeU16(data, 2, egress);
  return { control: false, critical: true, protocol: 0x6558, vni, options: emitGeneveOptions([{ ...ovnOption, data }]) };
}
