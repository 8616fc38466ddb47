/**
 * Fields set to constants: `set_field`, `load`, and what becomes of them on the wire. OpenFlow 1.5 can set any part of a
 * field; before it, parts are loaded by Nicira's extension, each run of mask bits by itself.
 */
import type { Action, SetField } from "./action.ts";
import type { Forms } from "./form.ts";
import { checkTarget, finish, headerOf, nicira, pullPart } from "./layout.ts";
import { of10Tags, putOf10Set, putOf10SetField } from "./of10-header.ts";
import { type Field, field, type FieldValue, findField } from "../match/field.ts";
import type { FieldName } from "../match/field-table.ts";
import { exactMask } from "../match/match.ts";
import { hasNxmHeader, pullEntry, pullFieldName, putEntry, putHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield, type Subfield } from "../match/subfield.ts";
import { formatValue, parseMasked } from "../match/value-text.ts";
import { of10, of15 } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, hex, parseInteger } from "../text-input.ts";

/** What stands before and after `->`. */
export function splitArrow(text: string, complaint: Complaint): [string, string] {
  const at = text.indexOf("->");
  if (at < 0) complaint.say(`${text}: missing \`->'`);
  else if (at + 2 >= text.length) complaint.say(`${text}: missing field name following \`->'`);
  return [text.slice(0, Math.max(0, at)), text.slice(at + 2)];
}

function parseSetField(text: string, complaint: Complaint): Action | undefined {
  const [value, name] = splitArrow(text, complaint);
  if (complaint.text !== undefined) return undefined;
  const f = findField(name);
  if (f === undefined) return complaint.say(`${name} is not a valid OXM field name`);
  if (!f.writable) return complaint.say(`${name} is read-only`);
  const parsed = parseMasked(f, value, complaint);
  if (parsed === undefined) return undefined;
  if (!f.isVariable && BigInt(parsed.value) > BigInt(exactMask(f))) return complaint.say(`${value} is not a valid value for field ${name}`);
  return { kind: "set_field", field: f, ...parsed };
}

function parseLoad(text: string, complaint: Complaint): Action | undefined {
  const [value, name] = splitArrow(text, complaint);
  const to = parseSubfield(name, complaint);
  if (to === undefined) return undefined;
  const number = parseInteger(value);
  if (number === undefined) return complaint.say(`${text}: cannot parse integer value`);
  if (number < 0n || number >> BigInt(to.bits) !== 0n) return complaint.say(`${text}: value ${value} does not fit into ${to.bits} bits`);
  return to.field.writable ? loadOf(to, number) : complaint.say(`${name} is read-only`);
}

/** A load as what it does to the field. */
function loadOf(to: Subfield, value: bigint): SetField {
  const f = to.field;
  const fit = (n: bigint): FieldValue => (f.isWide ? n : Number(n));
  const mask = ((1n << BigInt(to.bits)) - 1n) << BigInt(to.offset);
  return { kind: "set_field", field: f, value: fit(value << BigInt(to.offset)), mask: fit(mask), asLoad: true };
}

/** Calls `each` with every run of mask bits, at most 64 long, and what is set there. */
function eachLoad({ field: f, value, mask }: SetField, each: (to: Subfield, value: bigint) => void): void {
  const [v, m] = [BigInt(value), BigInt(mask)];
  for (let offset = 0; offset < f.bits; offset++) {
    if (((m >> BigInt(offset)) & 1n) === 0n) continue;
    let bits = 1;
    while (bits < 64 && offset + bits < f.bits && ((m >> BigInt(offset + bits)) & 1n) === 1n) bits++;
    each({ field: f, offset, bits }, (v >> BigInt(offset)) & ((1n << BigInt(bits)) - 1n));
    offset += bits;
  }
}

function formatSetField(action: SetField): string {
  const { field: f, value, mask } = action;
  if (action.asLoad !== true) return `set_field:${formatValue(f, value, mask)}->${f.name}`;
  const loads: string[] = [];
  eachLoad(action, (to, part) => loads.push(`load:${hex(part)}->${formatSubfield(to)}`));
  return loads.join(",");
}

/** Sets all of a field: as such, where the version can. */
export function putSet(w: WireWriter, name: FieldName, value: FieldValue): void {
  const f = field(name);
  const mask = exactMask(f);
  if (w.version !== of10) putSetField(w, f, value, mask);
  else if (!putOf10Set(w, name, value)) putLoads(w, { kind: "set_field", field: f, value, mask });
}

function putSetField(w: WireWriter, f: Field, value: FieldValue, mask: FieldValue): void {
  const start = w.size;
  w.u32(25 << 16);
  putEntry(w, f, w.version, value, mask);
  finish(w, start);
}

function putLoads(w: WireWriter, action: SetField): void {
  const { field: f, value, mask } = action;
  if (!hasNxmHeader(f) || f.isVariable) return nicira(w, 33, () => putEntry(w, f, 0, value, mask));
  eachLoad(action, (to, part) => nicira(w, 7, () => (w.u16((to.offset << 6) | (to.bits - 1)), w.u32(headerOf(w, to)), w.u64(part))));
}

function encodeSetField(w: WireWriter, action: SetField): void {
  const { field: f, value, mask } = action;
  if (w.version >= of15 || (mask === exactMask(f) && action.asLoad !== true)) putSetField(w, f, value, mask);
  else putLoads(w, action);
}

function decodeSetField(r: WireReader, mayMask: boolean): Action | undefined {
  const entry = pullEntry(r, "action");
  if (entry?.field === undefined) return undefined;
  const { field: f, value, mask } = entry;
  if (entry.masked && !mayMask) r.fail("OFPBAC_BAD_SET_MASK");
  r.zeros(r.remaining, "OFPBAC_BAD_SET_ARGUMENT");
  const isOutOfRange = !f.isVariable && BigInt(value) > BigInt(exactMask(f));
  const isUntagged = f.name === "vlan_vid" && ((Number(value) & Number(mask)) & 0x1000) === 0;
  if (!f.writable || f.name === "in_port_oxm" || isOutOfRange || isUntagged) r.fail("OFPBAC_BAD_SET_ARGUMENT", f.name);
  const full = exactMask(f);
  return { kind: "set_field", field: f, value, mask: f.isVariable || BigInt(mask) <= BigInt(full) ? mask : full };
}

function decodeLoad(r: WireReader): Action | undefined {
  const to = checkTarget(r, pullPart(r, r.u16()));
  const value = r.u64();
  if (to === undefined) return undefined;
  if (value >> BigInt(to.bits) !== 0n) r.fail("OFPBAC_BAD_ARGUMENT", "a value wider than its target");
  return loadOf(to, value);
}

function parseDeleteField(name: string, complaint: Complaint): Action | undefined {
  const f = findField(name);
  return f === undefined ? complaint.say(`${name} is not a valid OXM field name.`) : { kind: "delete_field", field: f };
}

function decodeDeleteField(r: WireReader): Action | undefined {
  const f = pullFieldName(r);
  return f && { kind: "delete_field", field: f };
}

export const setFields: Forms<"set_field" | "delete_field"> = {
  set_field: {
    parse: { set_field: parseSetField, load: parseLoad },
    format: formatSetField,
    encode: encodeSetField,
    standard: { 25: (r) => decodeSetField(r, r.version >= of15) },
    nicira: { 7: decodeLoad, 33: (r) => decodeSetField(r, true) },
    of10: {
      encode: (w, action) => {
        if (!putOf10SetField(w, action)) putLoads(w, action);
      },
      standard: of10Tags,
    },
    inActionSet: true,
  },
  delete_field: {
    parse: { delete_field: parseDeleteField },
    format: (action) => `delete_field:${action.field.name}`,
    encode: (w, action) => nicira(w, 50, () => putHeader(w, action.field, 0), 24),
    nicira: { 50: decodeDeleteField },
  },
};
