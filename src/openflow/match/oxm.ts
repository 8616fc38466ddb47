/**
 * Fields on the wire: NXM and OXM headers, and entries of a header, a value and perhaps a mask (ovs-fields(7); OpenFlow 1.5,
 * section 7.2.3).
 *
 *      0                   1                   2                   3
 *     |          oxm_class            | oxm_field   |M|  oxm_length   |
 *     | experimenter, if oxm_class is 0xffff (part of oxm_length)     |
 *     | value ...                     | mask ..., if M                |
 *
 * `preferOxm` 0 asks for the Nicira name where there is one, an OpenFlow version for that version's own name.
 */
import { assert } from "../../std/index.ts";
import { type CodePoint, type Field, type FieldValue, findFieldOnWire, nxmOf, oxmOf } from "./field.ts";
import { andNot, exactMask } from "./match.ts";
import type { OfVersion } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

export type NamePreference = OfVersion | 0;

const codeOf = (f: Field, prefer: NamePreference): CodePoint => {
  const code = prefer === 0 ? nxmOf(f) : oxmOf(f, prefer);
  assert(code !== undefined, `${f.name} has no name on the wire`);
  return code;
};

const tlvIndex = (f: Field): number => Number(f.name.slice("tun_metadata".length));

/** The header alone, of a field of `size` bytes. */
function putHeaderOf(w: WireWriter, code: CodePoint, masked: boolean, size: number): void {
  const isExperimenter = code.oxmClass === 0xffff;
  w.u16(code.oxmClass);
  w.u8((code.number << 1) | (masked ? 1 : 0));
  w.u8((masked ? 2 : 1) * size + (isExperimenter ? 4 : 0));
  if (isExperimenter) w.u32(code.experimenter);
}

/** A field's name without a value, as in `move` and `push`. */
export function putHeader(w: WireWriter, f: Field, prefer: NamePreference): void {
  putHeaderOf(w, codeOf(f, prefer), false, (f.isVariable ? w.tlvSizes?.(tlvIndex(f)) : undefined) ?? f.size);
}

/** The 32-bit form, for actions that have room for no other; 0 if the field has none. */
export function nxmHeader(f: Field, w?: WireWriter): number {
  const code = nxmOf(f);
  if (code === undefined || code.oxmClass === 0xffff) return 0;
  const size = (f.isVariable ? w?.tlvSizes?.(tlvIndex(f)) : undefined) ?? f.size;
  return ((code.oxmClass << 16) | (code.number << 9) | size) >>> 0;
}

export const hasNxmHeader = (f: Field): boolean => nxmHeader(f) !== 0 || f.name === "in_port";

export function putEntry(w: WireWriter, f: Field, prefer: NamePreference, value: FieldValue, mask: FieldValue): void {
  let size = f.size;
  let isExact = mask === exactMask(f);
  if (f.isVariable) {
    const mapped = w.tlvSizes?.(tlvIndex(f));
    size = mapped ?? sizeOfBits(isExact ? BigInt(value) : BigInt(mask));
    isExact ||= mask === (1n << BigInt(8 * size)) - 1n;
  }
  putHeaderOf(w, codeOf(f, prefer), !isExact, size);
  w.integer(value, size);
  if (!isExact) w.integer(mask, size);
}

/** With its mask even if that is all of the field's bits: of flags OVS matches only those it knows. */
export function putMaskedEntry(w: WireWriter, f: Field, prefer: NamePreference, value: FieldValue, mask: FieldValue): void {
  putHeaderOf(w, codeOf(f, prefer), true, f.size);
  w.integer(value, f.size);
  w.integer(mask, f.size);
}

const sizeOfBits = (value: bigint): number => Math.max(1, Math.ceil(value.toString(16).length / 2));

export interface OxmHeader {
  readonly field: Field | undefined;
  readonly masked: boolean;
  /** Of value and mask together. */
  readonly payloadSize: number;
  readonly isCookie: boolean;
}

/** Reads a header; fails with OFPBMC_BAD_LEN if it is cut short. An unknown field is for the caller to judge. */
export function pullHeader(r: WireReader): OxmHeader {
  if (r.remaining < 4) r.fail("OFPBMC_BAD_LEN", "cut within a field's header");
  const oxmClass = r.u16();
  const number = r.u8();
  const size = r.u8();
  const isExperimenter = oxmClass === 0xffff;
  if (isExperimenter && (r.remaining < 4 || size < 4)) r.fail("OFPBMC_BAD_LEN", "cut within an experimenter field's header");
  const experimenter = isExperimenter ? r.u32() : 0;
  return {
    field: findFieldOnWire(experimenter, oxmClass, number >> 1),
    masked: (number & 1) !== 0,
    payloadSize: isExperimenter ? size - 4 : size,
    isCookie: oxmClass === 0x0001 && number >> 1 === 30,
  };
}

/** Reads a field's name in an action; fails if there is no such field, or its header is masked. */
export function pullFieldName(r: WireReader): Field | undefined {
  const header = pullHeader(r);
  if (!r.ok) return undefined;
  const f = header.field;
  // The length must be the field's, as it is part of the name; options' lengths are not known for sure.
  if (f === undefined || !isRightSize(f, header)) r.fail("OFPBMC_BAD_FIELD");
  else if (header.masked) r.fail("OFPBMC_BAD_MASK");
  else if (f.isVariable && r.tlvSizes !== undefined && r.tlvSizes(tlvIndex(f)) === undefined) r.fail("NXFMFC_INVALID_TLV_FIELD");
  return f;
}

/** By the 32-bit form that nxmHeader gives. */
export function fieldOfNxmHeader(r: WireReader, header: number): Field | undefined {
  const f = findFieldOnWire(0, header >>> 16, (header >>> 9) & 0x7f);
  if (f === undefined || (header & 0x100) !== 0 || (!f.isVariable && (header & 0xff) !== f.size)) r.fail("OFPBAC_BAD_SET_TYPE");
  else if (f.isVariable && r.tlvSizes !== undefined && r.tlvSizes(tlvIndex(f)) === undefined) r.fail("NXFMFC_INVALID_TLV_FIELD");
  return f;
}

export interface Entry {
  /** undefined: the field is not known, or its length is wrong. */
  readonly field: Field | undefined;
  readonly isCookie: boolean;
  readonly value: FieldValue;
  readonly mask: FieldValue;
  readonly masked: boolean;
}

const isRightSize = (f: Field, header: OxmHeader): boolean => f.isVariable || header.payloadSize === f.size * (header.masked ? 2 : 1);

/** Reads a field with value and perhaps mask. */
export function pullEntry(r: WireReader, prefix: "match" | "action"): Entry | undefined {
  const header = pullHeader(r);
  if (!r.ok) return undefined;
  if (r.remaining < header.payloadSize) r.fail("OFPBMC_BAD_LEN", "cut within a field's value");
  const width = header.masked ? header.payloadSize >> 1 : header.payloadSize;
  const payload = r.part(header.payloadSize);
  const f = header.field !== undefined && isRightSize(header.field, header) ? header.field : undefined;
  if (!r.ok) return undefined;
  const read = (): FieldValue => (f === undefined || f.isWide ? payload.integer(width) : f.size === 6 ? payload.u48() : f.size === 4 ? payload.u32() : f.size === 2 ? payload.u16() : payload.u8());
  const value = read();
  const mask = header.masked ? read() : f === undefined ? 0 : exactMask(f);
  if (header.masked && Number(andNot(value, mask)) !== 0) r.fail("OFPBMC_BAD_WILDCARDS", "a value has bits that its mask has not");
  if (f === undefined && !header.isCookie && prefix === "action") r.fail("OFPBAC_BAD_SET_TYPE");
  if (f?.isVariable === true && r.tlvSizes !== undefined && r.tlvSizes(tlvIndex(f)) === undefined) r.fail("NXFMFC_INVALID_TLV_FIELD");
  return r.ok ? { field: f, isCookie: header.isCookie, value, mask, masked: header.masked } : undefined;
}
