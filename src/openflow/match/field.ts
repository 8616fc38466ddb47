/**
 * Fields: what flows match and actions read or write (ovs-fields(7)).
 *
 * A value is a number in fields of up to 48 bits and a bigint in wider ones (tun_id, metadata, xreg, xxreg, IPv6 addresses,
 * ct_label, tun_metadata). `Field.isWide` says which. Addresses are thereby the values of room `net`: a Mac, an Ipv4, an Ipv6.
 */
import { assert } from "../../std/index.ts";
import { type FieldName, fieldRows, type Notation, type Prerequisite } from "./field-table.ts";
import type { OfVersion } from "../message/version.ts";

export type FieldValue = number | bigint;

/** One way to name a field on the wire: `class`, and within class 0xffff an experimenter, then `number`. */
export interface CodePoint {
  readonly name: string;
  readonly experimenter: number;
  readonly oxmClass: number;
  readonly number: number;
  /** The OpenFlow version that brought it (wire value, 0x05 for 1.4); 0 for Nicira extensions, which any version may use. */
  readonly since: number;
}

export interface Field {
  /** Dense, from 0; the field's index in `allFields`. */
  readonly id: number;
  readonly name: FieldName;
  readonly alias: string | undefined;
  /** Bytes on the wire; for tun_metadata the most there can be. */
  readonly size: number;
  readonly bits: number;
  readonly isWide: boolean;
  readonly maskable: boolean;
  readonly writable: boolean;
  readonly notation: Notation;
  readonly prerequisite: Prerequisite;
  /** tun_metadataN: the length on the wire is that of the option mapped to it. */
  readonly isVariable: boolean;
  readonly codePoints: readonly CodePoint[];
  /** All `bits` ones. */
  readonly full: FieldValue;
}

/** Prefix of a code point's name to (experimenter, class). The longest prefix counts. */
const oxmClasses: readonly (readonly [prefix: string, experimenter: number, oxmClass: number])[] = [
  ["NXM_OF_", 0, 0x0000],
  ["NXM_NX_", 0, 0x0001],
  ["OXM_OF_PKT_REG", 0, 0x8001],
  ["OXM_OF_", 0, 0x8000],
  ["ONFOXM_ET_", 0x4f4e4600, 0xffff],
  ["ERICOXM_OF_", 0, 0x1000],
  ["NXOXM_NSH_", 0x005ad650, 0xffff],
  ["NXOXM_ET_", 0x00002320, 0xffff],
];

function parseCodePoint(text: string): CodePoint {
  const match = /^(\w+)\((\d+)\)(?:@1\.(\d))?$/.exec(text);
  assert(match !== null, `code point ${text}`);
  const [, name = "", number = "", minor] = match;
  const found = oxmClasses.find(([prefix]) => name.startsWith(prefix));
  assert(found !== undefined, `class of ${text}`);
  return { name, experimenter: found[1], oxmClass: found[2], number: Number(number), since: minor === undefined ? 0 : Number(minor) + 1 };
}

/** All fields, by id. */
export const allFields: readonly Field[] = fieldRows.map(([name, alias, width, mask, notation, prerequisite, access, codes], id) => {
  const [bytes = "", significant] = width.split(":");
  const size = Number(bytes);
  const bits = significant === undefined ? size * 8 : Number(significant);
  const isWide = bits > 48;
  return {
    id, name: name as FieldName, alias: alias === "" ? undefined : alias, size, bits, isWide,
    maskable: mask === "bitwise", writable: access === "rw", notation, prerequisite,
    isVariable: name.startsWith("tun_metadata"),
    codePoints: codes === "" ? [] : codes.split(" ").map(parseCodePoint),
    full: isWide ? (1n << BigInt(bits)) - 1n : 2 ** bits - 1,
  };
});

const byName = new Map<string, Field>();
for (const field of allFields) {
  byName.set(field.name, field);
  if (field.alias !== undefined) byName.set(field.alias, field);
}

/** The field of a name known when this was written. */
export function field(name: FieldName): Field {
  const found = byName.get(name);
  assert(found !== undefined, `field ${name}`);
  return found;
}

/** By name as ovs-ofctl takes it (`eth_src`, `dl_src`); undefined if there is none. */
export const findField = (name: string): Field | undefined => byName.get(name);

const byCodePointName = new Map<string, Field>();
const byCodePoint = new Map<number, Field>();
/** Experimenter classes count few members: a small number stands for each. */
const codePointKey = (experimenter: number, oxmClass: number, number: number): number =>
  (oxmClass === 0xffff ? experimenter * 0x100 : oxmClass * 0x100) + number + (oxmClass === 0xffff ? 0x1_0000_0000_00 : 0);
for (const f of allFields) {
  for (const code of f.codePoints) {
    byCodePointName.set(code.name, f);
    byCodePoint.set(codePointKey(code.experimenter, code.oxmClass, code.number), f);
  }
}

/** By code-point name: `NXM_NX_REG0`, `OXM_OF_METADATA`. */
export const findFieldByCodePoint = (name: string): Field | undefined => byCodePointName.get(name);
export const findFieldOnWire = (experimenter: number, oxmClass: number, number: number): Field | undefined =>
  byCodePoint.get(codePointKey(experimenter, oxmClass, number));

function newestName(f: Field, version: number): CodePoint | undefined {
  let best: CodePoint | undefined;
  for (const code of f.codePoints) if (code.since <= version && (best === undefined || code.since > best.since)) best = code;
  return best ?? f.codePoints[0];
}

/** By version, by field id. */
const names: readonly (readonly (CodePoint | undefined)[])[] = [0, 1, 2, 3, 4, 5, 6].map((version) => allFields.map((f) => newestName(f, version)));

/** How OVS names `f` in a message of `version`: the newest code point that the version knows, else the only one there is. */
export const oxmOf = (f: Field, version: OfVersion): CodePoint | undefined => names[version]?.[f.id];

/** How Nicira extension actions name `f`: the oldest code point. */
export const nxmOf = (f: Field): CodePoint | undefined => f.codePoints[0];

/** All ones in the field's `bits`. */
export const fullMask = (f: Field): FieldValue => f.full;
export const zeroOf = (f: Field): FieldValue => (f.isWide ? 0n : 0);
