/** What a flow says of itself rather than does to packets: part of a conjunction, a note, when it is to end (ovs-actions(7)). */
import type { Action, ActionOf } from "./action.ts";
import type { Forms } from "./form.ts";
import { dotted, parseHexBytes } from "./hex-bytes.ts";
import { nicira } from "./layout.ts";
import type { WireReader } from "../message/wire-reader.ts";
import { type Complaint, parseBounded, parseInteger, splitKeyValues } from "../text-input.ts";

function parseConjunction(text: string, complaint: Complaint): Action | undefined {
  const match = /^\s*(\w+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text);
  const [id, clause, clauses] = [parseInteger(match?.[1] ?? ""), Number(match?.[2]), Number(match?.[3])];
  if (id === undefined) return complaint.say('"conjunction" syntax is "conjunction(id,i/n)"');
  if (clauses < 2) return complaint.say("conjunction must have at least 2 clauses");
  if (clauses > 64) return complaint.say("conjunction must have at most 64 clauses");
  if (clause < 1) return complaint.say("clause index must be positive");
  if (clause > clauses) return complaint.say("clause index must be less than or equal to number of clauses");
  return { kind: "conjunction", id: Number(BigInt.asUintN(32, id)), clause: clause - 1, clauses };
}

function decodeConjunction(r: WireReader): Action {
  const [clause, clauses, id] = [r.u8(), r.u8(), r.u32()];
  if (clauses < 2 || clauses > 64 || clause >= clauses) r.fail("NXBAC_BAD_CONJUNCTION");
  return { kind: "conjunction", id, clause, clauses };
}

/** A flow that is part of conjunctions does nothing else; if this one does, what. */
export function besideConjunction(actions: readonly Action[]): Action | undefined {
  if (!actions.some((a) => a.kind === "conjunction")) return undefined;
  return actions.find((a) => a.kind !== "conjunction" && a.kind !== "note");
}

function parseNote(text: string, complaint: Complaint): Action | undefined {
  const data = parseHexBytes(text);
  return data === undefined ? complaint.say("bad hex digit in `note' argument") : { kind: "note", data };
}

function parseFinTimeout(text: string, complaint: Complaint): Action | undefined {
  let [idleTimeout, hardTimeout] = [0, 0];
  for (const { key, value } of splitKeyValues(text)) {
    const seconds = parseBounded(value, 16, key, complaint) ?? 0;
    if (key === "idle_timeout") idleTimeout = seconds;
    else if (key === "hard_timeout") hardTimeout = seconds;
    else return complaint.say(`invalid key '${key}' in 'fin_timeout' argument`);
  }
  return { kind: "fin_timeout", idleTimeout, hardTimeout };
}

function formatFinTimeout({ idleTimeout, hardTimeout }: ActionOf<"fin_timeout">): string {
  const parts = [idleTimeout === 0 ? [] : [`idle_timeout=${idleTimeout}`], hardTimeout === 0 ? [] : [`hard_timeout=${hardTimeout}`]];
  return `fin_timeout(${parts.flat().join(",")})`;
}

export const flowRemarks: Forms<"conjunction" | "note" | "fin_timeout"> = {
  conjunction: {
    parse: { conjunction: parseConjunction },
    format: ({ id, clause, clauses }) => `conjunction(${id},${clause + 1}/${clauses})`,
    encode: (w, { id, clause, clauses }) => nicira(w, 34, () => (w.u8(clause), w.u8(clauses), w.u32(id))),
    nicira: { 34: decodeConjunction },
  },
  note: {
    parse: { note: parseNote },
    format: ({ data }) => `note:${dotted(data)}`,
    encode: (w, { data }) => nicira(w, 8, () => w.raw(data)),
    nicira: { 8: (r) => ({ kind: "note", data: r.rest().slice() }) },
  },
  fin_timeout: {
    parse: { fin_timeout: parseFinTimeout },
    format: formatFinTimeout,
    encode: (w, { idleTimeout, hardTimeout }) => nicira(w, 19, () => (w.u16(idleTimeout), w.u16(hardTimeout))),
    nicira: { 19: (r) => ({ kind: "fin_timeout", idleTimeout: r.u16(), hardTimeout: r.u16() }) },
  },
};
