/** The learn action's text (ovs-actions(7), "The learn action"). */
import type { Learn, LearnSpec } from "./action.ts";
import { findField } from "../match/field.ts";
import { defaultPriority } from "../match/match-text.ts";
import { parseSubfield, subfield } from "../match/subfield.ts";
import { Complaint, parseInteger, parseU64, splitKeyValues } from "../text-input.ts";
import { parseMasked } from "../match/value-text.ts";

export function parseLearn(text: string, complaint: Complaint): Learn | undefined {
  let learn: Omit<Learn, "specs"> = {
    kind: "learn", idleTimeout: 0, hardTimeout: 0, finIdleTimeout: 0, finHardTimeout: 0, priority: defaultPriority, cookie: 0n, table: 1,
    sendFlowRemoved: false, deleteLearned: false, limit: 0,
  };
  const specs: LearnSpec[] = [];
  for (const { key, value } of splitKeyValues(text)) {
    const number = Number.parseInt(value, 10) & 0xffff;
    if (key === "table") {
      if (!/^\d+$/.test(value) || Number(value) > 255) return complaint.say(`unknown table "${value}"`);
      if (Number(value) === 255) return complaint.say(`${text}: table id 255 not valid for \`learn' action`);
      learn = { ...learn, table: Number(value) };
    } else if (key === "priority") learn = { ...learn, priority: number };
    else if (key === "idle_timeout") learn = { ...learn, idleTimeout: number };
    else if (key === "hard_timeout") learn = { ...learn, hardTimeout: number };
    else if (key === "fin_idle_timeout") learn = { ...learn, finIdleTimeout: number };
    else if (key === "fin_hard_timeout") learn = { ...learn, finHardTimeout: number };
    else if (key === "cookie") learn = { ...learn, cookie: parseU64(value) ?? 0n };
    else if (key === "send_flow_rem") learn = { ...learn, sendFlowRemoved: true };
    else if (key === "delete_learned") learn = { ...learn, deleteLearned: true };
    else if (key === "limit") learn = { ...learn, limit: Number.parseInt(value, 10) >>> 0 };
    else if (key === "result_dst") {
      const result = parseSubfield(value, complaint);
      if (result === undefined) return undefined;
      if (!result.field.writable) return complaint.say(`${value} is read-only`);
      if (result.bits !== 1) return complaint.say("result_dst in 'learn' action must be a single bit");
      learn = { ...learn, result };
    } else {
      const spec = parseSpec(text, key, value, complaint);
      if (spec === undefined) return undefined;
      specs.push(spec);
    }
  }
  return { ...learn, specs };
}

function parseSpec(whole: string, key: string, value: string, complaint: Complaint): LearnSpec | undefined {
  if (key === "output") {
    const source = parseSubfield(value, complaint);
    return source && { to: "output", from: { kind: "field", source }, bits: source.bits };
  }
  if (key === "load") return parseLoad(value, complaint);
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
