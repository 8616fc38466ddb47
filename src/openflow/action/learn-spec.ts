/**
 * What a learned flow is made of, one thing at a time: a match term, a load or an output, each from a field of the packet
 * that it is learned from, or from a constant (ovs-actions(7), "The learn action"). On the wire:
 *
 *     | flags and bits (2) | source: header and offset (6), or the constant in pairs of bytes | target (6), not of an output |
 */
import type { LearnSpec } from "./action.ts";
import { headerOf } from "./layout.ts";
import { findField } from "../match/field.ts";
import { fieldOfNxmHeader } from "../match/oxm.ts";
import { formatSubfield, isWhole, parseSubfield, subfield, type Subfield } from "../match/subfield.ts";
import { formatValue, parseMasked } from "../match/value-text.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { Complaint, fullHex, parseInteger } from "../text-input.ts";

/** By number on the wire, from bit 11. */
const purposes = ["match", "load", "output"] as const;
const immediate = 1 << 13;
/** A constant takes whole pairs of bytes. */
const immediateSize = (bits: number): number => 2 * Math.ceil(bits / 16);

/** `whole`: the action that it is part of, for complaints. */
export function parseSpec(whole: string, key: string, value: string, complaint: Complaint): LearnSpec | undefined {
  if (key === "output") {
    const source = parseSubfield(value, complaint);
    return source && { to: "output", from: { kind: "field", source }, bits: source.bits };
  }
  return key === "load" ? parseLoad(value, complaint) : parseTerm(whole, key, value, complaint);
}

function parseTerm(whole: string, key: string, value: string, complaint: Complaint): LearnSpec | undefined {
  const named = findField(key);
  if (named !== undefined && !value.includes("[")) {
    const parsed = value === "" ? undefined : parseMasked(named, value, new Complaint());
    if (parsed !== undefined) return { to: "match", from: { kind: "immediate", value: BigInt(parsed.value) }, bits: named.bits, target: subfield(named) };
  }
  const target = parseSubfield(key, complaint);
  if (target === undefined) return undefined;
  if (value === "") return { to: "match", from: { kind: "field", source: target }, bits: target.bits, target };
  const source = parseSubfield(value, new Complaint());
  if (source !== undefined) {
    if (source.bits !== target.bits) return complaint.say(`${whole}: bit widths of ${key} (${source.bits}) and ${value} (${target.bits}) differ`);
    return { to: "match", from: { kind: "field", source }, bits: target.bits, target };
  }
  const number = parseInteger(value) ?? parseMasked(target.field, value, complaint)?.value;
  return number === undefined ? undefined : { to: "match", from: { kind: "immediate", value: BigInt(number) }, bits: target.bits, target };
}

function parseLoad(value: string, complaint: Complaint): LearnSpec | undefined {
  const at = value.indexOf("->");
  if (at === 0) return complaint.say(`load: missing source before \`->' in \`${value}'`);
  if (at < 0) return complaint.say(`load: missing \`->' in \`${value}'`);
  const target = parseSubfield(value.slice(at + 2), complaint);
  if (target === undefined) return undefined;
  const number = parseInteger(value.slice(0, at));
  if (number !== undefined) {
    if (number < 0n || number >> BigInt(target.bits) !== 0n) return complaint.say(`${value}: value does not fit into ${target.bits} bits`);
    return { to: "load", from: { kind: "immediate", value: number }, bits: target.bits, target };
  }
  const source = parseSubfield(value.slice(0, at), complaint);
  if (source === undefined) return undefined;
  if (source.bits !== target.bits) return complaint.say(`${value}: source field is ${source.bits} bits wide but destination is ${target.bits} bits wide`);
  return { to: "load", from: { kind: "field", source }, bits: target.bits, target };
}

export function formatSpec(spec: LearnSpec): string {
  const { from, target } = spec;
  const source = from.kind === "field" ? formatSubfield(from.source) : fullHex(from.value);
  if (target === undefined) return `output:${source}`;
  if (spec.to === "load") return `load:${source}->${formatSubfield(target)}`;
  if (from.kind === "immediate") {
    if (!isWhole(target)) return `${formatSubfield(target)}=${source}`;
    const value = target.field.isWide ? from.value : Number(from.value);
    return `${target.field.name}=${formatValue(target.field, value, target.field.full)}`;
  }
  const isSame = from.source.field === target.field && from.source.offset === target.offset;
  return isSame ? formatSubfield(target) : `${formatSubfield(target)}=${source}`;
}

export function putSpec(w: WireWriter, spec: LearnSpec): void {
  w.u16(spec.bits | (purposes.indexOf(spec.to) << 11) | (spec.from.kind === "immediate" ? immediate : 0));
  if (spec.from.kind === "immediate") w.integer(spec.from.value, immediateSize(spec.bits));
  else putPart(w, spec.from.source);
  if (spec.target !== undefined) putPart(w, spec.target);
}

function putPart(w: WireWriter, s: Subfield): void {
  w.u32(headerOf(w, s));
  w.u16(s.offset);
}

/** The rest of the spec that begins with `header`. */
export function pullSpec(r: WireReader, header: number): LearnSpec | undefined {
  const bits = header & 0x3ff;
  const isImmediate = (header & immediate) !== 0;
  const to = purposes[(header >> 11) & 3];
  if (to === undefined || (to === "output" && isImmediate) || bits === 0) {
    r.fail("OFPBAC_BAD_ARGUMENT", "learn");
    return undefined;
  }
  const source = isImmediate ? undefined : pullPart(r, bits);
  const value = isImmediate ? r.integer(immediateSize(bits)) : 0n;
  const target = to === "output" ? undefined : pullPart(r, bits);
  if (!r.ok) return undefined;
  const from = source === undefined ? { kind: "immediate" as const, value } : { kind: "field" as const, source };
  return { to, from, bits, ...(target !== undefined && { target }) };
}

function pullPart(r: WireReader, bits: number): Subfield | undefined {
  const f = fieldOfNxmHeader(r, r.u32());
  const offset = r.u16();
  if (f !== undefined && offset + bits > f.bits) r.fail("OFPBAC_BAD_SET_LEN", `${f.name}[${offset}..${offset + bits - 1}]`);
  return f && { field: f, offset, bits };
}
