/**
 * Multicast listener discovery, version 1 (RFC 2710) and 2 (RFC 3810): the bodies of ICMPv6 types 130, 131, 132 and 143.
 *
 *     v1        | max response (2) | reserved (2) | group (16) |
 *     v2 query  ... |  flags, QRV | QQIC | number of sources (2) | sources |
 *     v2 report | reserved (2) | number of records (2) | records: type, aux size, sources (2), group (16), sources |
 */
import { type Ipv6, readIpv6, writeIpv6 } from "../net/index.ts";
import { readU16, writeU16 } from "./bytes.ts";

export interface MldRecord {
  readonly type: number;
  readonly group: Ipv6;
  readonly sources: readonly Ipv6[];
}

export type Mld =
  | { readonly kind: "query" | "report" | "done"; readonly maxResponseMs: number; readonly group: Ipv6 }
  | {
      readonly kind: "query2"; readonly maxResponseMs: number; readonly group: Ipv6; readonly flags: number; readonly queryInterval: number;
      readonly sources: readonly Ipv6[];
    }
  | { readonly kind: "report2"; readonly records: readonly MldRecord[] };

export const mldRecordType = { isInclude: 1, isExclude: 2, toInclude: 3, toExclude: 4, allow: 5, block: 6 } as const;

const readSources = (b: Uint8Array, at: number, count: number): Ipv6[] => Array.from({ length: count }, (_, i) => readIpv6(b, at + 16 * i));

/** The body after the checksum; undefined if `type` is none of MLD's, or it is cut short. */
export function parseMld(type: number, b: Uint8Array): Mld | undefined {
  if (type === 143) return parseReport2(b);
  if ((type !== 130 && type !== 131 && type !== 132) || b.length < 20) return undefined;
  const base = { maxResponseMs: readU16(b, 0), group: readIpv6(b, 4) };
  if (type !== 130) return { kind: type === 131 ? "report" : "done", ...base };
  if (b.length < 24) return { kind: "query", ...base };
  const count = readU16(b, 22);
  if (b.length < 24 + 16 * count) return undefined;
  return { kind: "query2", ...base, flags: b[20] ?? 0, queryInterval: b[21] ?? 0, sources: readSources(b, 24, count) };
}

function parseReport2(b: Uint8Array): Mld | undefined {
  if (b.length < 4) return undefined;
  const records: MldRecord[] = [];
  let at = 4;
  for (let left = readU16(b, 2); left > 0; left--) {
    if (b.length < at + 20) return undefined;
    const count = readU16(b, at + 2);
    const size = 20 + 16 * count + 4 * (b[at + 1] ?? 0);
    if (b.length < at + size) return undefined;
    records.push({ type: b[at] ?? 0, group: readIpv6(b, at + 4), sources: readSources(b, at + 20, count) });
    at += size;
  }
  return { kind: "report2", records };
}

export const mldTypes = { query: 130, query2: 130, report: 131, done: 132, report2: 143 } as const;

export function sizeofMld(m: Mld): number {
  if (m.kind === "report2") return 4 + m.records.reduce((size, record) => size + 20 + 16 * record.sources.length, 0);
  return m.kind === "query2" ? 24 + 16 * m.sources.length : 20;
}

export function emitMld(m: Mld, b: Uint8Array): void {
  b.fill(0, 0, sizeofMld(m));
  if (m.kind === "report2") {
    writeU16(b, 2, m.records.length);
    let at = 4;
    for (const { type, group, sources } of m.records) {
      b[at] = type;
      writeU16(b, at + 2, sources.length);
      writeIpv6(group, b, at + 4);
      sources.forEach((source, i) => writeIpv6(source, b, at + 20 + 16 * i));
      at += 20 + 16 * sources.length;
    }
    return;
  }
  writeU16(b, 0, m.maxResponseMs);
  writeIpv6(m.group, b, 4);
  if (m.kind === "query2") {
    b[20] = m.flags;
    b[21] = m.queryInterval;
    writeU16(b, 22, m.sources.length);
    m.sources.forEach((source, i) => writeIpv6(source, b, 24 + 16 * i));
  }
}
