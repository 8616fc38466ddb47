/** flow_mod and flow_removed (OpenFlow 1.5, sections 7.3.4.2 and 7.4.2), and the statistics that go with flows. */
import { type FlowFlags, flowModCommands, type FlowRemoved, flowRemovedReasons } from "./flow.ts";
import { type Codec, type Codecs, pullDuration, putDuration, type } from "./message-codec.ts";
import { decodeInstructions, encodeInstructions } from "../action/instruction.ts";
import { pullMatch, putMatch } from "../match/oxm-match.ts";
import { noCookie } from "./packet-messages.ts";
import { portFromWire, ports, portToWire } from "./port.ts";
import { of14, of15 } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const flagNames = ["sendFlowRemoved", "checkOverlap", "resetCounts", "noPacketCounts", "noByteCounts"] as const;

export function putFlags(w: WireWriter, flags: FlowFlags): void {
  let bits = 0;
  for (let i = 0; i < flagNames.length; i++) if (flags[flagNames[i] ?? "checkOverlap"] === true) bits |= 1 << i;
  w.u16(bits);
}

const noFlags: FlowFlags = {};

export function pullFlags(r: WireReader): FlowFlags {
  const bits = r.u16();
  if (bits === 0) return noFlags;
  if (bits >> flagNames.length !== 0) r.fail("OFPFMFC_BAD_FLAGS");
  return Object.fromEntries(flagNames.flatMap((name, i) => ((bits & (1 << i)) !== 0 ? [[name, true]] : [])));
}

export function pullOutPort(r: WireReader): number {
  const port = portFromWire(r.u32());
  if (port === undefined) r.fail("OFPBAC_BAD_OUT_PORT");
  return port ?? ports.none;
}

const flowMod: Codec<"flow_mod"> = {
  place: type(14),
  encode: (w, m) => {
    w.u64(m.cookie);
    w.u64(m.cookieMask);
    w.u8(m.table);
    w.u8(flowModCommands.indexOf(m.command));
    w.u16(m.idleTimeout);
    w.u16(m.hardTimeout);
    w.u16(m.priority);
    w.u32(m.bufferId);
    w.u32(portToWire(m.outPort));
    w.u32(m.outGroup);
    putFlags(w, m.flags);
    w.u16(w.version >= of14 ? m.importance : 0);
    putMatch(w, m.match);
    encodeInstructions(w, m.actions);
  },
  decode: (r) => {
    const given = r.u64();
    const cookieMask = r.u64();
    const table = r.u8();
    const number = r.u8();
    const idleTimeout = r.u16();
    const hardTimeout = r.u16();
    const priority = r.u16();
    const bufferId = r.u32();
    const command = flowModCommands[number];
    if (command === undefined) r.fail("OFPFMFC_BAD_COMMAND");
    const isDelete = command === "delete" || command === "delete_strict";
    // Only deletions look at these; the specification lets them hold anything elsewhere.
    if (!isDelete) r.skip(8);
    const outPort = isDelete ? pullOutPort(r) : ports.none;
    const outGroup = isDelete ? r.u32() : 0xffffffff;
    const flags = pullFlags(r);
    const importance = r.u16();
    const match = pullMatch(r, "strict");
    const actions = decodeInstructions(r);
    if (command === undefined) return undefined;
    // Here a cookie is what a flow is added with, or a filter. Only OpenFlow 1.0 can give a flow another one.
    const cookie = !isDelete && command !== "add" && cookieMask === 0n ? noCookie : given;
    if (command === "add" && table === 0xff) r.fail("OFPFMFC_BAD_TABLE_ID");
    return {
      kind: "flow_mod", command, table, cookie, cookieMask, idleTimeout, hardTimeout, priority, bufferId, outPort, outGroup,
      importance: r.version >= of14 ? importance : 0, flags, match, actions,
    };
  },
};

/** OpenFlow 1.5's statistics: a header, then (class 0x8002, field, length, value). */
export interface FlowCounts {
  readonly durationNs?: bigint;
  readonly idleNs?: bigint;
  readonly flows?: number;
  readonly packets?: bigint;
  readonly bytes?: bigint;
}

export function putOxs(w: WireWriter, counts: FlowCounts): void {
  const start = w.size;
  const put = (number: number, size: number, value: () => void): void => {
    w.u16(0x8002);
    w.u8(number << 1);
    w.u8(size);
    value();
  };
  w.u16(0);
  w.u16(0);
  const { durationNs, idleNs, flows, packets, bytes } = counts;
  if (durationNs !== undefined) put(0, 8, () => putDuration(w, durationNs));
  if (idleNs !== undefined) put(1, 8, () => putDuration(w, idleNs));
  if (packets !== undefined) put(4, 8, () => w.u64(packets));
  if (bytes !== undefined) put(5, 8, () => w.u64(bytes));
  if (flows !== undefined) put(3, 4, () => w.u32(flows));
  w.setU16(start + 2, w.size - start);
  w.pad(start);
}

export function pullOxs(r: WireReader): FlowCounts {
  r.skip(2);
  const size = r.u16();
  if (size < 4) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 4));
  r.skip((8 - (size % 8)) % 8);
  let counts: FlowCounts = {};
  while (part.remaining >= 4) {
    const [oxsClass, number, length] = [part.u16(), part.u8() >> 1, part.u8()];
    const value = part.part(length);
    if (oxsClass !== 0x8002) continue;
    if (number === 0) counts = { ...counts, durationNs: pullDuration(value) };
    else if (number === 1) counts = { ...counts, idleNs: pullDuration(value) };
    else if (number === 3) counts = { ...counts, flows: value.u32() };
    else if (number === 4) counts = { ...counts, packets: value.u64() };
    else if (number === 5) counts = { ...counts, bytes: value.u64() };
  }
  return counts;
}

function pullFlowRemoved15(r: WireReader): Omit<FlowRemoved, "reason"> & { reason: number } {
  const [table, reason, priority, idleTimeout, hardTimeout, cookie] = [r.u8(), r.u8(), r.u16(), r.u16(), r.u16(), r.u64()];
  const match = pullMatch(r, "strict");
  const { durationNs = 0n, packets = 0n, bytes = 0n } = pullOxs(r);
  return { kind: "flow_removed", match, cookie, priority, reason, table, durationNs, idleTimeout, hardTimeout, packets, bytes };
}

function pullFlowRemoved13(r: WireReader): Omit<FlowRemoved, "reason"> & { reason: number } {
  const [cookie, priority, reason, table, durationNs] = [r.u64(), r.u16(), r.u8(), r.u8(), pullDuration(r)];
  const [idleTimeout, hardTimeout, packets, bytes] = [r.u16(), r.u16(), r.u64(), r.u64()];
  return { kind: "flow_removed", match: pullMatch(r, "strict"), cookie, priority, reason, table, durationNs, idleTimeout, hardTimeout, packets, bytes };
}

const flowRemoved: Codec<"flow_removed"> = {
  place: type(11),
  encode: (w, m) => {
    const reason = flowRemovedReasons.indexOf(m.reason);
    if (w.version >= of15) {
      w.u8(m.table);
      w.u8(reason);
      for (const n of [m.priority, m.idleTimeout, m.hardTimeout]) w.u16(n);
      w.u64(m.cookie);
      putMatch(w, m.match);
      putOxs(w, { durationNs: m.durationNs, packets: m.packets, bytes: m.bytes });
    } else {
      w.u64(m.cookie);
      w.u16(m.priority);
      w.u8(reason);
      w.u8(m.table);
      putDuration(w, m.durationNs);
      w.u16(m.idleTimeout);
      w.u16(m.hardTimeout);
      w.u64(m.packets);
      w.u64(m.bytes);
      putMatch(w, m.match);
    }
  },
  decode: (r) => {
    const removed = r.version >= of15 ? pullFlowRemoved15(r) : pullFlowRemoved13(r);
    return { ...removed, reason: flowRemovedReasons[removed.reason] ?? "delete" };
  },
};

export const flowCodecs: Codecs<"flow_mod" | "flow_removed"> = { flow_mod: flowMod, flow_removed: flowRemoved };
