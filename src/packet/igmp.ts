/**
 * IGMP: version 1 (RFC 1112), 2 (RFC 2236), 3 (RFC 3376).
 *
 *     |     type      | max response  |           checksum            |
 *     |                         group address                         |
 *     | v3 query: flags, QQIC, sources; v3 report: group records      |
 */
import { type Ipv4, ipv4Of } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";
import { checksum } from "./checksum.ts";

export interface IgmpRecord {
  readonly type: number;
  readonly group: Ipv4;
  readonly sources: readonly Ipv4[];
}

export type Igmp =
  | { readonly kind: "query" | "report1" | "report2" | "leave"; readonly maxResponse: number; readonly group: Ipv4 }
  | {
      readonly kind: "query3"; readonly maxResponse: number; readonly group: Ipv4; readonly flags: number; readonly queryInterval: number;
      readonly sources: readonly Ipv4[];
    }
  | { readonly kind: "report3"; readonly records: readonly IgmpRecord[] };

export const igmpType = { query: 0x11, query3: 0x11, report1: 0x12, report2: 0x16, leave: 0x17, report3: 0x22 } as const;

const readSources = (b: Uint8Array, at: number, count: number): Ipv4[] => Array.from({ length: count }, (_, i) => ipv4Of(readU32(b, at + 4 * i)));

/** undefined if it is of no known type or cut short; whether it is intact says isChecksumRight. */
export function parseIgmp(b: Uint8Array): Igmp | undefined {
  if (b.length < 8) return undefined;
  const [type, maxResponse, group] = [b[0], b[1] ?? 0, ipv4Of(readU32(b, 4))];
  if (type === igmpType.report1) return { kind: "report1", maxResponse, group };
  if (type === igmpType.report2) return { kind: "report2", maxResponse, group };
  if (type === igmpType.leave) return { kind: "leave", maxResponse, group };
  if (type === igmpType.report3) return parseReport3(b);
  if (type !== igmpType.query) return undefined;
  if (b.length < 12) return { kind: "query", maxResponse, group };
  const count = readU16(b, 10);
  if (b.length < 12 + 4 * count) return undefined;
  return { kind: "query3", maxResponse, group, flags: b[8] ?? 0, queryInterval: b[9] ?? 0, sources: readSources(b, 12, count) };
}

function parseReport3(b: Uint8Array): Igmp | undefined {
  const records: IgmpRecord[] = [];
  let at = 8;
  for (let left = readU16(b, 6); left > 0; left--) {
    if (b.length < at + 8) return undefined;
    const count = readU16(b, at + 2);
    const size = 8 + 4 * count + 4 * (b[at + 1] ?? 0);
    if (b.length < at + size) return undefined;
    records.push({ type: b[at] ?? 0, group: ipv4Of(readU32(b, at + 4)), sources: readSources(b, at + 8, count) });
    at += size;
  }
  return { kind: "report3", records };
}

export function sizeofIgmp(m: Igmp): number {
  if (m.kind === "report3") return 8 + m.records.reduce((size, record) => size + 8 + 4 * record.sources.length, 0);
  return m.kind === "query3" ? 12 + 4 * m.sources.length : 8;
}

export function emitIgmp(m: Igmp, b: Uint8Array): void {
  const size = sizeofIgmp(m);
  b.fill(0, 0, size);
  b[0] = igmpType[m.kind];
  if (m.kind === "report3") {
    writeU16(b, 6, m.records.length);
    let at = 8;
    for (const { type, group, sources } of m.records) {
      b[at] = type;
      writeU16(b, at + 2, sources.length);
      writeU32(b, at + 4, group);
      sources.forEach((source, i) => writeU32(b, at + 8 + 4 * i, source));
      at += 8 + 4 * sources.length;
    }
  } else {
    b[1] = m.maxResponse;
    writeU32(b, 4, m.group);
  }
  if (m.kind === "query3") {
    b[8] = m.flags;
    b[9] = m.queryInterval;
    writeU16(b, 10, m.sources.length);
    m.sources.forEach((source, i) => writeU32(b, 12 + 4 * i, source));
  }
  writeU16(b, 2, checksum(b.subarray(0, size)));
}
