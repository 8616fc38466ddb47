/** A flow made by a packet (ovs-actions(7), "The learn action"). */
import type { Learn, LearnSpec } from "./action.ts";
import type { Forms } from "./form.ts";
import { nicira } from "./layout.ts";
import { formatSpec, parseSpec, pullSpec, putSpec } from "./learn-spec.ts";
import { defaultPriority } from "../match/match-text.ts";
import { pullFieldName, putHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield, type Subfield } from "../match/subfield.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, hex, parseU64, splitKeyValues } from "../text-input.ts";

/** `hasResult` only of the extended form, which came with the limit. */
const flag = { sendFlowRemoved: 1, deleteLearned: 2, hasResult: 4 } as const;

type Rest = Omit<Learn, "specs">;
const plain: Rest = {
  kind: "learn", idleTimeout: 0, hardTimeout: 0, finIdleTimeout: 0, finHardTimeout: 0, priority: defaultPriority, cookie: 0n, table: 1,
  sendFlowRemoved: false, deleteLearned: false, limit: 0,
};

type Setting = (value: string, complaint: Complaint) => Partial<Rest> | undefined;
const shortOf = (value: string): number => Number.parseInt(value, 10) & 0xffff;

/** By the words for them; every other word begins a spec. */
const settings: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ["priority", (value) => ({ priority: shortOf(value) })],
  ["idle_timeout", (value) => ({ idleTimeout: shortOf(value) })],
  ["hard_timeout", (value) => ({ hardTimeout: shortOf(value) })],
  ["fin_idle_timeout", (value) => ({ finIdleTimeout: shortOf(value) })],
  ["fin_hard_timeout", (value) => ({ finHardTimeout: shortOf(value) })],
  ["cookie", (value) => ({ cookie: parseU64(value) ?? 0n })],
  ["send_flow_rem", () => ({ sendFlowRemoved: true })],
  ["delete_learned", () => ({ deleteLearned: true })],
  ["limit", (value) => ({ limit: Number.parseInt(value, 10) >>> 0 })],
  ["result_dst", parseResult],
]);

function parseResult(value: string, complaint: Complaint): Partial<Rest> | undefined {
  const result = parseSubfield(value, complaint);
  if (result === undefined) return undefined;
  if (!result.field.writable) return complaint.say(`${value} is read-only`);
  return result.bits === 1 ? { result } : complaint.say("result_dst in 'learn' action must be a single bit");
}

function parseLearn(text: string, complaint: Complaint): Learn | undefined {
  let learn = plain;
  const specs: LearnSpec[] = [];
  for (const { key, value } of splitKeyValues(text)) {
    const setting = key === "table" ? parseTable(text, value, complaint) : settings.get(key)?.(value, complaint);
    if (setting !== undefined) learn = { ...learn, ...setting };
    else if (complaint.text === undefined) {
      const spec = parseSpec(text, key, value, complaint);
      if (spec !== undefined) specs.push(spec);
    }
    if (complaint.text !== undefined) return undefined;
  }
  return { ...learn, specs };
}

function parseTable(whole: string, value: string, complaint: Complaint): Partial<Rest> | undefined {
  if (!/^\d+$/.test(value) || Number(value) > 255) return complaint.say(`unknown table "${value}"`);
  return Number(value) === 255 ? complaint.say(`${whole}: table id 255 not valid for \`learn' action`) : { table: Number(value) };
}

function formatLearn(a: Learn): string {
  const parts = [
    [`table=${a.table}`],
    a.idleTimeout === 0 ? [] : [`idle_timeout=${a.idleTimeout}`],
    a.hardTimeout === 0 ? [] : [`hard_timeout=${a.hardTimeout}`],
    a.finIdleTimeout === 0 ? [] : [`fin_idle_timeout=${a.finIdleTimeout}`],
    a.finHardTimeout === 0 ? [] : [`fin_hard_timeout=${a.finHardTimeout}`],
    a.priority === defaultPriority ? [] : [`priority=${a.priority}`],
    a.sendFlowRemoved ? ["send_flow_rem"] : [],
    a.deleteLearned ? ["delete_learned"] : [],
    a.cookie === 0n ? [] : [`cookie=${hex(a.cookie)}`],
    a.limit === 0 ? [] : [`limit=${a.limit}`],
    a.result === undefined ? [] : [`result_dst=${formatSubfield(a.result)}`],
    a.specs.map(formatSpec),
  ];
  return `learn(${parts.flat().join(",")})`;
}

function encodeLearn(w: WireWriter, action: Learn): void {
  const isExtended = action.limit !== 0 || action.result !== undefined;
  nicira(w, isExtended ? 45 : 16, () => {
    for (const n of [action.idleTimeout, action.hardTimeout, action.priority]) w.u16(n);
    w.u64(action.cookie);
    w.u16((action.sendFlowRemoved ? flag.sendFlowRemoved : 0) | (action.deleteLearned ? flag.deleteLearned : 0) | (action.result !== undefined ? flag.hasResult : 0));
    w.u8(action.table);
    w.u8(0);
    w.u16(action.finIdleTimeout);
    w.u16(action.finHardTimeout);
    if (isExtended) {
      w.u32(action.limit);
      w.u16(action.result?.offset ?? 0);
      w.u16(0);
      if (action.result !== undefined) putHeader(w, action.result.field, 0);
    }
    for (const spec of action.specs) putSpec(w, spec);
  });
}

function decodeLearn(r: WireReader, isExtended: boolean): Learn | undefined {
  const [idleTimeout, hardTimeout, priority, cookie, flags, table] = [r.u16(), r.u16(), r.u16(), r.u64(), r.u16(), r.u8()];
  r.zeros(1, "OFPBAC_BAD_ARGUMENT");
  const [finIdleTimeout, finHardTimeout] = [r.u16(), r.u16()];
  if (table === 0xff || (flags & ~(isExtended ? 7 : 3)) !== 0) r.fail("OFPBAC_BAD_ARGUMENT", "learn");
  const limit = isExtended ? r.u32() : 0;
  const result = isExtended ? pullResult(r, (flags & flag.hasResult) !== 0) : undefined;
  const specs = pullSpecs(r);
  r.zeros(r.remaining, "OFPBAC_BAD_ARGUMENT");
  if (!r.ok) return undefined;
  return {
    kind: "learn", idleTimeout, hardTimeout, finIdleTimeout, finHardTimeout, priority, cookie, table, limit, specs,
    sendFlowRemoved: (flags & flag.sendFlowRemoved) !== 0, deleteLearned: (flags & flag.deleteLearned) !== 0, ...(result !== undefined && { result }),
  };
}

function pullResult(r: WireReader, isThere: boolean): Subfield | undefined {
  const offset = r.u16();
  r.zeros(2, "NXBAC_MUST_BE_ZERO");
  if (!isThere) {
    if (offset !== 0) r.fail("OFPBAC_BAD_ARGUMENT");
    return undefined;
  }
  const f = pullFieldName(r);
  if (f !== undefined && !f.writable) r.fail("OFPBAC_BAD_SET_ARGUMENT");
  return f && { field: f, offset, bits: 1 };
}

/** Up to two zero bytes, or the end. */
function pullSpecs(r: WireReader): LearnSpec[] {
  const specs: LearnSpec[] = [];
  while (r.remaining >= 2) {
    const header = r.u16();
    if (header === 0) break;
    const spec = pullSpec(r, header);
    if (spec !== undefined) specs.push(spec);
  }
  return specs;
}

export const learns: Forms<"learn"> = {
  learn: {
    parse: { learn: parseLearn },
    format: formatLearn,
    encode: encodeLearn,
    nicira: { 16: (r) => decodeLearn(r, false), 45: (r) => decodeLearn(r, true) },
  },
};
