/** dns_lookup: answers a query for a name that the southbound database knows (ovn-sb(5), table DNS; RFC 1035). */
import type { Random } from "../../host/index.ts";
import { parseIpv4, parseIpv6, writeIpv6 } from "../../net/index.ts";
import {
  checksum, concatenate, dnsFlag, type DnsQuestion, dnsType, emitDnsName, fillUdpChecksum, ipProtocol, parseDns, pseudoHeaderSum, readU16, udpSize, writeU16, writeU32,
} from "../../packet/index.ts";
import { field } from "../../openflow/index.ts";
import { flagBits } from "../../logical/index.ts";
import type { Node } from "../node.ts";
import { asBoolean } from "../settings.ts";
import { type Arrival, datapathKeyOf, pullResultBit, resumeWith } from "./arrival.ts";
import { type Headers, type IpHeaders, upperLayer } from "./headers.ts";

const headerSize = 12;
const ttlSeconds = 3600;
const classInternet = 1;
const refused = 5;

/** What is counted, for ovs-appctl(8) coverage/show and coverage/read-counter. */
export const dnsCounters = [
  "dns_query_total", "dns_query_type_a", "dns_query_type_aaaa", "dns_query_type_ptr", "dns_query_type_any", "dns_query_type_other", "dns_cache_hit",
  "dns_cache_miss", "dns_error_truncated", "dns_skipped_not_request", "dns_error_no_query", "dns_error_parse_failure", "dns_unsupported_ovn_owned",
  "dns_response_sent",
] as const;

const counterOfType: ReadonlyMap<number, (typeof dnsCounters)[number]> = new Map([
  [dnsType.a, "dns_query_type_a"], [dnsType.aaaa, "dns_query_type_aaaa"], [dnsType.ptr, "dns_query_type_ptr"], [dnsType.any, "dns_query_type_any"],
]);

export function answerDns(arrival: Arrival, node: Node): void {
  count(node, "dns_query_total");
  const result = pullResultBit(arrival.userdata);
  if (result === undefined) {
    arrival.log.warn("bad result OXM or offset in the userdata of a DNS lookup");
    resumeWith(arrival, undefined, false);
    return;
  }
  const reply = replyTo(arrival, node);
  if (reply !== undefined) count(node, "dns_response_sent");
  // The pipeline is to know an answer of ours from a packet that passes.
  const fromUs = 2 ** flagBits.fromCtrl;
  resumeWith(arrival, result.bit, reply !== undefined, reply, arrival.packetIn.metadata.with(field("reg10"), fromUs, fromUs));
}

const count = (node: Node, what: (typeof dnsCounters)[number]): void => node.options.coverage.count(what);

interface Known {
  readonly answer: string;
  /** Nobody else is to be asked for the name. */
  readonly isOwned: boolean;
}

function lookup(node: Node, datapathKey: number, name: string): Known | undefined {
  const datapath = node.datapathsByKey.first(datapathKey);
  if (datapath === undefined) return undefined;
  for (const row of node.dnsByDatapath.get(datapath._uuid)) {
    const answer = row.records.get(name);
    if (answer !== undefined) return { answer, isOwned: asBoolean(row.options.get("ovn-owned"), false) };
  }
  return undefined;
}

/** What the datagram asks first; undefined (and counted why) if it asks nothing. */
function questionIn(upper: Uint8Array, node: Node): DnsQuestion | undefined {
  const message = upper.subarray(udpSize);
  const wrong = message.length < headerSize ? "dns_error_truncated"
    : (readU16(message, 2) & dnsFlag.response) !== 0 ? "dns_skipped_not_request"
    : readU16(message, 4) === 0 ? "dns_error_no_query"
    : undefined;
  const question = wrong === undefined ? parseDns(message)?.questions[0] : undefined;
  if (question === undefined) count(node, wrong ?? "dns_error_parse_failure");
  return question;
}

function replyTo(arrival: Arrival, node: Node): Uint8Array | undefined {
  const { headers } = arrival;
  const { ip } = headers;
  const upper = ip?.protocol === ipProtocol.udp ? upperLayer(headers, ip) : undefined;
  const question = upper && questionIn(upper, node);
  if (ip === undefined || upper === undefined || question === undefined) return undefined;
  const counter = counterOfType.get(question.type);
  count(node, counter ?? "dns_query_type_other");
  if (counter === undefined) return undefined;
  const known = lookup(node, datapathKeyOf(arrival), question.name.toLowerCase());
  count(node, known === undefined ? "dns_cache_miss" : "dns_cache_hit");
  if (known === undefined) return undefined;
  const nameBytes = emitDnsName(question.name);
  const questionBytes = upper.subarray(udpSize + headerSize, udpSize + headerSize + nameBytes.length + 4);
  const answers = answersFor(known.answer, question.type, node.host.random).map((a) => recordOf(nameBytes, a.type, a.data));
  const isRefused = answers.length === 0 && known.isOwned && (question.type === dnsType.a || question.type === dnsType.aaaa);
  if (isRefused) count(node, "dns_unsupported_ovn_owned");
  if (answers.length === 0 && !isRefused) return undefined;
  const header = new Uint8Array(upper.subarray(udpSize, udpSize + headerSize));
  header[2] = (header[2] ?? 0) | 0x80;
  if (isRefused) header[3] = (header[3] ?? 0) | refused;
  writeU16(header, 6, answers.length);
  writeU16(header, 10, 0);
  return frameAround(headers, ip, upper, concatenate(header, questionBytes, ...answers));
}

interface Answer {
  readonly type: number;
  readonly data: Uint8Array;
}

function answersFor(text: string, type: number, random: Random): readonly Answer[] {
  if (type === dnsType.ptr) return [{ type, data: emitDnsName(text) }];
  const answers = text.split(/[\s,]+/).flatMap((word): readonly Answer[] => {
    const [v4, v6] = [parseIpv4(word), parseIpv6(word)];
    if (v4 !== undefined && (type === dnsType.a || type === dnsType.any)) {
      const data = new Uint8Array(4);
      writeU32(data, 0, v4);
      return [{ type: dnsType.a, data }];
    }
    if (v6 !== undefined && (type === dnsType.aaaa || type === dnsType.any)) {
      const data = new Uint8Array(16);
      writeIpv6(v6, data, 0);
      return [{ type: dnsType.aaaa, data }];
    }
    return [];
  });
  return shuffled(answers, random).sort((a, b) => a.type - b.type);
}

/** In another order each time, so that clients that take the first share the load. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result: T[] = [];
  for (const item of items) result.splice(random.next32() % (result.length + 1), 0, item);
  return result;
}

function recordOf(name: Uint8Array, type: number, data: Uint8Array): Uint8Array {
  const fixed = new Uint8Array(10);
  writeU16(fixed, 0, type);
  writeU16(fixed, 2, classInternet);
  writeU32(fixed, 4, ttlSeconds);
  writeU16(fixed, 8, data.length);
  return concatenate(name, fixed, data);
}

/** The query's frame with another payload; addresses and ports are turned round by later actions. */
function frameAround({ packet, ipOffset }: Headers, ip: IpHeaders, upper: Uint8Array, payload: Uint8Array): Uint8Array {
  const size = udpSize + payload.length;
  const frame = concatenate(packet.subarray(0, ip.upperOffset), upper.subarray(0, udpSize), payload);
  const header = frame.subarray(ipOffset);
  const udp = frame.subarray(ip.upperOffset);
  writeU16(udp, 4, size);
  writeU16(udp, 6, 0);
  if (ip.family === 4) {
    writeU16(header, 2, readU16(header, 2) - upper.length + size);
    writeU16(header, 10, 0);
    writeU16(header, 10, checksum(header.subarray(0, ip.upperOffset - ipOffset)));
  } else {
    writeU16(header, 4, size);
    fillUdpChecksum(udp, pseudoHeaderSum({ family: 6, address: ip.src }, { family: 6, address: ip.dst }, ipProtocol.udp, size));
  }
  return frame;
}
