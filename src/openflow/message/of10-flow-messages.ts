/**
 * Flows in OpenFlow 1.0: in Nicira's form (NXT_FLOW_MOD, NXST_FLOW, NXT_FLOW_REMOVED), which holds every match; OpenFlow's own form
 * is understood.
 */
import { decodeActions, encodeActions } from "../action/action-list.ts";
import { pullFlags, putFlags } from "./flow-messages.ts";
import { type FlowMod, flowModCommands, type FlowRemoved, flowRemovedReasons, type FlowStats, type FlowStatsRequest } from "./flow.ts";
import type { Match } from "../match/match.ts";
import { type Codec, nicira, pullDuration, putDuration } from "./message-codec.ts";
import { pullOf10Match } from "../match/of10-match.ts";
import { pullTerms, putTerms } from "../match/oxm-match.ts";
import { portFromWire, ports } from "./port.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** An NXM match without a header, whose length stands elsewhere. */
function putNxm(w: WireWriter, lengthAt: number, match: Match, cookie?: { value: bigint; mask: bigint }): void {
  const start = w.size;
  putTerms(w, match, 0);
  if (cookie !== undefined && cookie.mask !== 0n) {
    const isExact = cookie.mask === 0xffffffffffffffffn;
    w.u16(1);
    w.u8((30 << 1) | (isExact ? 0 : 1));
    w.u8(isExact ? 8 : 16);
    w.u64(cookie.value & cookie.mask);
    if (!isExact) w.u64(cookie.mask);
  }
  w.setU16(lengthAt, w.size - start);
  w.pad(start);
}

function pullNxm(r: WireReader, size: number, mayHaveCookie: boolean): { match: Match; cookie: bigint; cookieMask: bigint } {
  const padded = Math.ceil(size / 8) * 8;
  if (padded > r.remaining) r.fail("OFPBMC_BAD_LEN");
  const { match, cookie } = pullTerms(r.part(size), "strict", mayHaveCookie);
  r.skip(padded - size);
  return { match, cookie: cookie?.value ?? 0n, cookieMask: cookie?.mask ?? 0n };
}

/** The number of a table, where the other side has asked to give it with the command (NXT_FLOW_MOD_TABLE_ID). */
function tableOf(r: WireReader, command: number): number {
  const isAdd = (command & 0xff) === 0;
  const table = r.options.flowModTableId === true ? command >> 8 : 0xff;
  // Where an addition names no table, the switch takes its first.
  return isAdd && table === 0xff ? 0 : table;
}

const of10Defaults = { outGroup: 0xffffffff, importance: 0 } as const;

export const nxFlowMod: Codec<"flow_mod"> = {
  place: nicira(13),
  encode: (w, m) => {
    w.u64(m.cookie);
    w.u16((m.table === 0xff ? 0xff00 : m.table << 8) | flowModCommands.indexOf(m.command));
    for (const n of [m.idleTimeout, m.hardTimeout, m.priority]) w.u16(n);
    w.u32(m.bufferId);
    w.u16(m.outPort);
    putFlags(w, { ...m.flags, resetCounts: false, noPacketCounts: false, noByteCounts: false });
    const lengthAt = w.size;
    w.zeros(8);
    putNxm(w, lengthAt, m.match, { value: m.cookie, mask: m.cookieMask });
    encodeActions(w, m.actions);
  },
  decode: (r) => {
    const [cookie, command, idleTimeout, hardTimeout, priority, bufferId, outPort, flags, size] = [r.u64(), r.u16(), r.u16(), r.u16(), r.u16(), r.u32(), r.u16(), pullFlags(r), r.u16()];
    r.skip(6);
    const { match, cookie: wanted, cookieMask } = pullNxm(r, size, true);
    const fixed = { idleTimeout, hardTimeout, priority, bufferId, outPort, flags, match };
    return finishFlowMod(r, command, { ...fixed, cookie: cookieMask === 0n ? cookie : wanted, cookieMask });
  },
};

type Parts = Pick<FlowMod, "cookie" | "cookieMask" | "idleTimeout" | "hardTimeout" | "priority" | "bufferId" | "outPort" | "flags" | "match">;

function finishFlowMod(r: WireReader, number: number, parts: Parts): FlowMod | undefined {
  const command = flowModCommands[number & 0xff];
  const actions = decodeActions(r.part(r.remaining));
  if (command === undefined) {
    r.fail("OFPFMFC_BAD_COMMAND");
    return undefined;
  }
  const isDelete = command === "delete" || command === "delete_strict";
  // A port to filter by is a deletion's; this version keeps counters when a flow is replaced, later ones when it is changed.
  const outPort = isDelete ? (portFromWire(parts.outPort) ?? ports.none) : ports.none;
  const flags = command === "add" ? { ...parts.flags, resetCounts: true } : parts.flags;
  return { kind: "flow_mod", command, table: tableOf(r, number), ...of10Defaults, ...parts, outPort, flags, actions };
}

/** OFPT_FLOW_MOD of this version. */
export function decodeOf10FlowMod(r: WireReader): FlowMod | undefined {
  const match = pullOf10Match(r);
  const [cookie, command, idleTimeout, hardTimeout, priority, bufferId, outPort, flags] = [r.u64(), r.u16(), r.u16(), r.u16(), r.u16(), r.u32(), r.u16(), r.u16()];
  const parts = { cookie, cookieMask: 0n, idleTimeout, hardTimeout, priority, bufferId, outPort, match, flags: { ...((flags & 1) !== 0 && { sendFlowRemoved: true }), ...((flags & 2) !== 0 && { checkOverlap: true }) } };
  return finishFlowMod(r, command, parts);
}

export function putNxFlowRequest(w: WireWriter, m: FlowStatsRequest): void {
  w.u16(m.outPort);
  const lengthAt = w.size;
  w.u16(0);
  w.u8(m.table);
  w.zeros(3);
  putNxm(w, lengthAt, m.match, { value: m.cookie, mask: m.cookieMask });
}

export function pullNxFlowRequest(r: WireReader): FlowStatsRequest {
  const [outPort, size, table] = [r.u16(), r.u16(), r.u8()];
  r.skip(3);
  return { outPort, outGroup: 0xffffffff, table, ...pullNxm(r, size, true) };
}

/** OFPST_FLOW and OFPST_AGGREGATE of this version. */
export function pullOf10FlowRequest(r: WireReader): FlowStatsRequest {
  const match = pullOf10Match(r);
  const table = r.u8();
  r.skip(1);
  return { match, table, outPort: r.u16(), outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n };
}

export function putNxFlow(w: WireWriter, flow: FlowStats): void {
  const start = w.size;
  w.u16(0);
  w.u8(flow.table);
  w.u8(0);
  putDuration(w, flow.durationNs);
  for (const n of [flow.priority, flow.idleTimeout, flow.hardTimeout]) w.u16(n);
  const lengthAt = w.size;
  w.u16(0);
  const age = (seconds: number | undefined): number => (seconds === undefined ? 0 : Math.min(seconds + 1, 0xffff));
  w.u16(age(flow.idleAge));
  w.u16(age(flow.hardAge));
  w.u64(flow.cookie);
  w.u64(flow.packets);
  w.u64(flow.bytes);
  putNxm(w, lengthAt, flow.match);
  encodeActions(w, flow.actions);
  w.setU16(start, w.size - start);
}

export function pullNxFlow(r: WireReader): FlowStats | undefined {
  const size = r.u16();
  if (size < 48) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 2));
  const table = part.u8();
  part.skip(1);
  const [durationNs, priority, idleTimeout, hardTimeout, length, idle, hard, cookie, packets, bytes] = [
    pullDuration(part), part.u16(), part.u16(), part.u16(), part.u16(), part.u16(), part.u16(), part.u64(), part.u64(), part.u64(),
  ];
  const { match } = pullNxm(part, length, false);
  const actions = decodeActions(part.part(part.remaining));
  const ages = { ...(idle > 0 && { idleAge: idle - 1 }), ...(hard > 0 && { hardAge: hard - 1 }) };
  return { table, priority, cookie, match, actions, durationNs, idleTimeout, hardTimeout, ...ages, packets, bytes, importance: 0, flags: {} };
}

export const nxFlowRemoved: Codec<"flow_removed"> = {
  place: nicira(14),
  encode: (w, m) => {
    w.u64(m.cookie);
    w.u16(m.priority);
    w.u8(flowRemovedReasons.indexOf(m.reason));
    w.u8(m.table + 1);
    putDuration(w, m.durationNs);
    w.u16(m.idleTimeout);
    const lengthAt = w.size;
    w.u16(0);
    w.u64(m.packets);
    w.u64(m.bytes);
    putNxm(w, lengthAt, m.match);
  },
  decode: (r) => {
    const [cookie, priority, reason, table, durationNs, idleTimeout, size, packets, bytes] = [r.u64(), r.u16(), r.u8(), r.u8(), pullDuration(r), r.u16(), r.u16(), r.u64(), r.u64()];
    const { match } = pullNxm(r, size, false);
    const removed: FlowRemoved = { kind: "flow_removed", match, cookie, priority, reason: flowRemovedReasons[reason] ?? "delete", table: Math.max(0, table - 1), durationNs, idleTimeout, hardTimeout: 0, packets, bytes };
    return removed;
  },
};
