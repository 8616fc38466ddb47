/**
 * Parts of fields moved: from one field to another, to a stack and back; and what is found out about the packet, put into a
 * field (ovs-actions(7), "Header Modification Actions", "The check_pkt_larger action").
 */
import type { Action } from "./action.ts";
import type { Forms, Parse } from "./form.ts";
import { checkSubfield, checkTarget, nicira, standard } from "./layout.ts";
import { splitArrow } from "./set-field.ts";
import { pullFieldName, putHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield, type Subfield } from "../match/subfield.ts";
import { of15, type OfVersion } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, parseBounded } from "../text-input.ts";

function parseMove(text: string, complaint: Complaint): Action | undefined {
  const [from, to] = splitArrow(text, complaint).map((part) => parseSubfield(part, complaint));
  if (from === undefined || to === undefined) return undefined;
  if (from.bits !== to.bits) return complaint.say(`${text}: source field is ${from.bits} bits wide but destination is ${to.bits} bits wide`);
  return { kind: "move", from, to };
}

interface Ends {
  readonly from: Subfield;
  readonly to: Subfield;
}

function putOffsets(w: WireWriter, { from, to }: Ends): void {
  w.u16(to.bits);
  w.u16(from.offset);
  w.u16(to.offset);
}

function putNames(w: WireWriter, { from, to }: Ends, prefer: OfVersion | 0): void {
  putHeader(w, from.field, prefer);
  putHeader(w, to.field, prefer);
}

/** `padding`: bytes between the offsets and the names. */
function decodeMove(r: WireReader, padding: 0 | 2): Action | undefined {
  const [bits, fromOffset, toOffset] = [r.u16(), r.u16(), r.u16()];
  r.skip(padding);
  const fromField = pullFieldName(r);
  const toField = pullFieldName(r);
  r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
  const from = checkSubfield(r, fromField, fromOffset, bits);
  const to = checkTarget(r, checkSubfield(r, toField, toOffset, bits));
  return from && to && { kind: "move", from, to };
}

function parseWith(make: (s: Subfield) => Action): Parse {
  return (text, complaint) => {
    const s = parseSubfield(text, complaint);
    return s && make(s);
  };
}

function putStacked(w: WireWriter, s: Subfield): void {
  w.u16(s.offset);
  putHeader(w, s.field, 0);
  w.u16(s.bits);
}

function pullStacked(r: WireReader): Subfield | undefined {
  const offset = r.u16();
  const f = pullFieldName(r);
  const s = checkSubfield(r, f, offset, r.u16());
  r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
  return s;
}

function decodePush(r: WireReader): Action | undefined {
  const from = pullStacked(r);
  return from && { kind: "push", from };
}

function decodePop(r: WireReader): Action | undefined {
  const to = pullStacked(r);
  return to && { kind: "pop", to };
}

function parseCheckPacketLarger(text: string, complaint: Complaint): Action | undefined {
  const match = /^(.*?)\)?->(.+)$/.exec(text);
  const size = parseBounded(match?.[1] ?? "", 16, "size", complaint);
  const to = parseSubfield(match?.[2] ?? "", complaint);
  if (to !== undefined && to.bits !== 1) return complaint.say("Only 1-bit destination field is allowed");
  return size === undefined || to === undefined ? undefined : { kind: "check_pkt_larger", size, to };
}

function decodeCheckPacketLarger(r: WireReader): Action | undefined {
  const [size, offset] = [r.u16(), r.u16()];
  const to = checkTarget(r, checkSubfield(r, pullFieldName(r), offset, 1));
  r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
  return to && { kind: "check_pkt_larger", size, to };
}

export const moves: Forms<"move" | "push" | "pop" | "check_pkt_larger"> = {
  move: {
    parse: { move: parseMove },
    format: ({ from, to }) => `move:${formatSubfield(from)}->${formatSubfield(to)}`,
    encode: (w, ends) => {
      if (w.version >= of15) standard(w, 28, () => (putOffsets(w, ends), w.zeros(2), putNames(w, ends, w.version)));
      else nicira(w, 6, () => (putOffsets(w, ends), putNames(w, ends, 0)));
    },
    since15: { 28: (r) => decodeMove(r, 2) },
    nicira: { 6: (r) => decodeMove(r, 0) },
    onf: { 3200: (r) => (r.skip(2), decodeMove(r, 2)) },
    inActionSet: true,
  },
  push: {
    parse: { push: parseWith((from) => ({ kind: "push", from })) },
    format: ({ from }) => `push:${formatSubfield(from)}`,
    encode: (w, { from }) => nicira(w, 27, () => putStacked(w, from), 24),
    nicira: { 27: decodePush },
  },
  pop: {
    parse: { pop: parseWith((to) => ({ kind: "pop", to })) },
    format: ({ to }) => `pop:${formatSubfield(to)}`,
    encode: (w, { to }) => nicira(w, 28, () => putStacked(w, to), 24),
    nicira: { 28: decodePop },
  },
  check_pkt_larger: {
    parse: { check_pkt_larger: parseCheckPacketLarger },
    format: ({ size, to }) => `check_pkt_larger(${size})->${formatSubfield(to)}`,
    encode: (w, { size, to }) => nicira(w, 49, () => (w.u16(size), w.u16(to.offset), putHeader(w, to.field, 0)), 24),
    nicira: { 49: decodeCheckPacketLarger },
  },
};
