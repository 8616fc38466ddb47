/** Part of a field: `NXM_NX_REG0[0..15]`, or all of it (`NXM_NX_REG0[]`). */
import { type Field, field } from "./field.ts";
import type { FieldName } from "./field-table.ts";

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
