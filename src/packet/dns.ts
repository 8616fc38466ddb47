/**
 * DNS messages (RFC 1035, section 4): a header, questions, and three lists of records.
 *
 *     |              ID               |QR|Opcode|AA|TC|RD|RA| Z |RCODE |
 *     |            QDCOUNT            |            ANCOUNT            |
 *     |            NSCOUNT            |            ARCOUNT            |
 *
 * Names are read with compression and written without; a name is text with dots between its labels, "" for the root.
 */
import { concatenate, readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export interface DnsRecord extends DnsQuestion {
  readonly ttl: number;
  readonly data: Uint8Array;
}

export interface Dns {
  readonly id: number;
  /** The second word as it stands: see dnsFlag. */
  readonly flags: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export const dnsType = { a: 1, ns: 2, cname: 5, soa: 6, ptr: 12, mx: 15, txt: 16, aaaa: 28, srv: 33, opt: 41, any: 255 } as const;
export const dnsFlag = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 } as const;

interface Cursor {
  at: number;
}

/** undefined if it is cut short, or a name points forward or in a circle. */
export function parseDns(b: Uint8Array): Dns | undefined {
  if (b.length < 12) return undefined;
  const cursor: Cursor = { at: 12 };
  const questions: DnsQuestion[] = [];
  for (let left = readU16(b, 4); left > 0; left--) {
    const question = parseQuestion(b, cursor);
    if (question === undefined) return undefined;
    questions.push(question);
  }
  const [answers, authorities, additionals] = [6, 8, 10].map((at) => parseRecords(b, cursor, readU16(b, at)));
  if (answers === undefined || authorities === undefined || additionals === undefined) return undefined;
  return { id: readU16(b, 0), flags: readU16(b, 2), questions, answers, authorities, additionals };
}

function parseQuestion(b: Uint8Array, cursor: Cursor): DnsQuestion | undefined {
  const name = parseName(b, cursor);
  if (name === undefined || cursor.at + 4 > b.length) return undefined;
  cursor.at += 4;
  return { name, type: readU16(b, cursor.at - 4), class: readU16(b, cursor.at - 2) };
}

function parseRecords(b: Uint8Array, cursor: Cursor, count: number): DnsRecord[] | undefined {
  const records: DnsRecord[] = [];
  for (let left = count; left > 0; left--) {
    const question = parseQuestion(b, cursor);
    if (question === undefined || cursor.at + 6 > b.length) return undefined;
    const size = readU16(b, cursor.at + 4);
    if (cursor.at + 6 + size > b.length) return undefined;
    records.push({ ...question, ttl: readU32(b, cursor.at), data: b.slice(cursor.at + 6, cursor.at + 6 + size) });
    cursor.at += 6 + size;
  }
  return records;
}

function parseName(b: Uint8Array, cursor: Cursor): string | undefined {
  const labels: string[] = [];
  let at = cursor.at;
  let isElsewhere = false;
  // Pointers may only go back, so that a name has an end.
  let bound = cursor.at;
  for (let size = 0; size <= 255; ) {
    const length = b[at];
    if (length === undefined) return undefined;
    if (length >= 0xc0) {
      const target = readU16(b, at) & 0x3fff;
      if (at + 2 > b.length || target >= bound) return undefined;
      if (!isElsewhere) cursor.at = at + 2;
      isElsewhere = true;
      bound = target;
      at = target;
      continue;
    }
    if (length > 63 || at + 1 + length > b.length) return undefined;
    if (length === 0) {
      if (!isElsewhere) cursor.at = at + 1;
      return labels.join(".");
    }
    labels.push(String.fromCharCode(...b.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
    size += 1 + length;
  }
  return undefined;
}

/** A name's labels, each after its length, and a zero. Labels longer than 63 bytes are cut. */
export function emitDnsName(name: string): Uint8Array {
  const labels = name === "" ? [] : name.split(".").map((label) => Uint8Array.from(label.slice(0, 63), (c) => c.charCodeAt(0) & 0xff));
  return concatenate(...labels.flatMap((label) => [Uint8Array.of(label.length), label]), Uint8Array.of(0));
}

export function emitDns(m: Dns): Uint8Array {
  const header = new Uint8Array(12);
  writeU16(header, 0, m.id);
  writeU16(header, 2, m.flags);
  [m.questions, m.answers, m.authorities, m.additionals].forEach((list, i) => writeU16(header, 4 + 2 * i, list.length));
  const question = (q: DnsQuestion): Uint8Array => {
    const tail = new Uint8Array(4);
    writeU16(tail, 0, q.type);
    writeU16(tail, 2, q.class);
    return concatenate(emitDnsName(q.name), tail);
  };
  const record = (r: DnsRecord): Uint8Array => {
    const tail = new Uint8Array(6);
    writeU32(tail, 0, r.ttl);
    writeU16(tail, 4, r.data.length);
    return concatenate(question(r), tail, r.data);
  };
  return concatenate(header, ...m.questions.map(question), ...[...m.answers, ...m.authorities, ...m.additionals].map(record));
}
