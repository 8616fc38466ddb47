/** Part of a field: `NXM_NX_REG0[0..15]`, or all of it (`NXM_NX_REG0[]`). */
import { type Field, field, findField, findFieldByCodePoint } from "./field.ts";
import type { FieldName } from "./field-table.ts";
import type { Complaint } from "../text-input.ts";

export interface Subfield {
  readonly field: Field;
  /** The lowest bit, counted from the field's least significant. */
  readonly offset: number;
  readonly bits: number;
}

/** All of the field, or `bits` from bit `offset` up. */
export function subfield(of: Field | FieldName, offset = 0, bits?: number): Subfield {
  const f = typeof of === "string" ? field(of) : of;
  return { field: f, offset, bits: bits ?? f.bits - offset };
}

export const isWhole = (s: Subfield): boolean => s.offset === 0 && s.bits === s.field.bits;

/** `NXM_NX_REG0[0..15]`, `NXM_NX_REG0[3]`, `NXM_NX_REG0[]`. */
export function formatSubfield(s: Subfield): string {
  const name = s.field.codePoints[0]?.name ?? s.field.name;
  if (isWhole(s)) return `${name}[]`;
  return s.bits === 1 ? `${name}[${s.offset}]` : `${name}[${s.offset}..${s.offset + s.bits - 1}]`;
}

/** By a field's name, or a code point's, with a range of bits or without; complains and returns undefined if it is none. */
export function parseSubfield(text: string, complaint: Complaint): Subfield | undefined {
  const match = /^([^[]*)(\[[^\]]*\])?$/.exec(text);
  const [, name = "", range = "[]"] = match ?? [];
  const f = findFieldByCodePoint(name) ?? findField(name);
  if (f === undefined) return complaint.say(`${text}: unknown field \`${name}'`);
  const bits = /^\[(?:(\d+)(?:\.\.(\d+))?)?\]$/.exec(range);
  if (bits === null) return complaint.say(`${text}: syntax error expecting [] or [<bit>] or [<start>..<end>]`);
  const start = bits[1] === undefined ? 0 : Number(bits[1]);
  const end = bits[1] === undefined ? f.bits - 1 : Number(bits[2] ?? bits[1]);
  if (start > end) return complaint.say(`${text}: starting bit ${start} is after ending bit ${end}`);
  if (start >= f.bits) return complaint.say(`${text}: starting bit ${start} is not valid because field is only ${f.bits} bits wide`);
  if (end >= f.bits) return complaint.say(`${text}: ending bit ${end} is not valid because field is only ${f.bits} bits wide`);
  return { field: f, offset: start, bits: end - start + 1 };
}
