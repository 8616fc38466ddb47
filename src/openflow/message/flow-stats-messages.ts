/** Statistics of flows: what is asked for and what is told of each (OpenFlow 1.5, section 7.3.5). */
import { pullFlags, pullOutPort, pullOxs, putFlags, putOxs } from "./flow-messages.ts";
import type { FlowStats, FlowStatsRequest } from "./flow.ts";
import { decodeInstructions, encodeInstructions } from "../action/instruction.ts";
import { pullDuration, putDuration } from "./message-codec.ts";
import { pullMatch, putMatch } from "../match/oxm-match.ts";
import { portToWire } from "./port.ts";
import { of14, of15 } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

export function putFlowRequest(w: WireWriter, m: FlowStatsRequest): void {
  w.u8(m.table);
  w.zeros(3);
  w.u32(portToWire(m.outPort));
  w.u32(m.outGroup);
  w.zeros(4);
  w.u64(m.cookie);
  w.u64(m.cookieMask);
  putMatch(w, m.match);
}

export function pullFlowRequest(r: WireReader): FlowStatsRequest {
  const table = r.u8();
  r.skip(3);
  const [outPort, outGroup] = [pullOutPort(r), r.u32()];
  r.skip(4);
  const [cookie, cookieMask] = [r.u64(), r.u64()];
  return { table, outPort, outGroup, cookie, cookieMask, match: pullMatch(r, "strict") };
}

export function putFlow(w: WireWriter, flow: FlowStats): void {
  const start = w.size;
  w.u16(0);
  if (w.version >= of15) {
    w.zeros(2);
    w.u8(flow.table);
    w.u8(0);
  } else {
    w.u8(flow.table);
    w.u8(0);
    putDuration(w, flow.durationNs);
  }
  for (const n of [flow.priority, flow.idleTimeout, flow.hardTimeout]) w.u16(n);
  putFlags(w, flow.flags);
  w.u16(w.version >= of14 ? flow.importance : 0);
  if (w.version < of15) w.zeros(2);
  w.u64(flow.cookie);
  if (w.version < of15) {
    w.u64(flow.packets);
    w.u64(flow.bytes);
  }
  putMatch(w, flow.match);
  if (w.version >= of15) {
    const idle = flow.idleAge === undefined ? {} : { idleNs: BigInt(flow.idleAge) * 1_000_000_000n };
    putOxs(w, { durationNs: flow.durationNs, ...idle, packets: flow.packets, bytes: flow.bytes });
  }
  encodeInstructions(w, flow.actions);
  w.setU16(start, w.size - start);
}

export function pullFlow(r: WireReader): FlowStats {
  const size = r.u16();
  if (size < 32) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 2));
  const isNew = r.version >= of15;
  if (isNew) part.skip(2);
  const table = part.u8();
  part.skip(1);
  let durationNs = isNew ? 0n : pullDuration(part);
  const [priority, idleTimeout, hardTimeout, flags, importance] = [part.u16(), part.u16(), part.u16(), pullFlags(part), part.u16()];
  if (!isNew) part.skip(2);
  const cookie = part.u64();
  let [packets, bytes] = isNew ? [0n, 0n] : [part.u64(), part.u64()];
  const match = pullMatch(part, "loose");
  let idle: { idleAge?: number } = {};
  if (isNew) {
    const counts = pullOxs(part);
    durationNs = counts.durationNs ?? 0n;
    [packets, bytes] = [counts.packets ?? 0n, counts.bytes ?? 0n];
    if (counts.idleNs !== undefined) idle = { idleAge: Number(counts.idleNs / 1_000_000_000n) };
  }
  const actions = decodeInstructions(part);
  return {
    table, priority, cookie, match, actions, durationNs, idleTimeout, hardTimeout, ...idle, packets, bytes,
    importance: r.version >= of14 ? importance : 0, flags,
  };
}
