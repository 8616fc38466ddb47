/**
 * Flows as ovs-dpctl(8) writes them (`in_port(1),eth(src=...,dst=...),eth_type(0x0800),ipv4(...),tcp(...)`), read into a flow
 * key. Masks are read over: who types such a flow describes one packet.
 */
import { type Mac, parseIpv4, parseIpv6, parseMac } from "../../net/index.ts";
import { ctStateBit, fragAny, fragLater, type FlowKey, keyWords, type Place, placeNamed, spread, W } from "../flow/flow-key.ts";
import { ethType } from "./packet.ts";

export interface DatapathFlowError {
  readonly error: string;
}

export const isDatapathFlowError = (read: FlowKey | DatapathFlowError): read is DatapathFlowError => "error" in read;

/** Whether the text is of this kind rather than of ovs-ofctl's. */
export const looksLikeDatapathFlow = (text: string): boolean => /\bin_port\(|\beth\(|\beth_type\(|\brecirc_id\(/.test(text);

/** One `name(text)`, parentheses inside balanced. */
interface Group {
  readonly name: string;
  readonly text: string;
}

/** `portNumber`: the datapath's number of a port that is called by name. */
export function parseDatapathFlow(text: string, portNumber: (name: string) => number | undefined = () => undefined): FlowKey | DatapathFlowError {
  const key: FlowKey = new Uint32Array(keyWords);
  key[W.ethType] = ethType.none;
  const error = readGroups(text, key, portNumber);
  return error === undefined ? key : { error };
}

function readGroups(text: string, key: FlowKey, portNumber: (name: string) => number | undefined): string | undefined {
  const groups = split(text);
  if (groups === undefined) return `syntax error at ${text}`;
  for (const { name, text: inner } of groups) {
    if (name === "encap") {
      const error = readGroups(inner, key, portNumber);
      if (error !== undefined) return error;
    } else if (name === "in_port") {
      const number = integer(inner) ?? portNumber(inner);
      if (number === undefined) return `syntax error at in_port(${inner})`;
      key[W.inPort] = number;
    } else if (!readGroup(name, inner, key)) return `syntax error at ${name}(${inner})`;
  }
  return undefined;
}

function split(text: string): Group[] | undefined {
  const groups: Group[] = [];
  for (let rest = text.trim(); rest !== ""; ) {
    const head = /^([a-z0-9_]+)\(/.exec(rest);
    if (head === null) return undefined;
    let depth = 1;
    let at = head[0].length;
    for (; at < rest.length && depth > 0; at++) depth += rest[at] === "(" ? 1 : rest[at] === ")" ? -1 : 0;
    if (depth > 0) return undefined;
    groups.push({ name: head[1] ?? "", text: rest.slice(head[0].length, at - 1) });
    rest = rest.slice(at).replace(/^[\s,]+/, "");
  }
  return groups;
}

/** Which field each name within a group stands for. */
const fieldsOfGroup: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  eth: { src: "eth_src", dst: "eth_dst" },
  ipv4: { src: "ip_src", dst: "ip_dst", proto: "nw_proto", tos: "nw_tos", ttl: "nw_ttl" },
  ipv6: { src: "ipv6_src", dst: "ipv6_dst", label: "ipv6_label", proto: "nw_proto", tclass: "nw_tos", hlimit: "nw_ttl" },
  tcp: { src: "tcp_src", dst: "tcp_dst" },
  udp: { src: "tcp_src", dst: "tcp_dst" },
  sctp: { src: "tcp_src", dst: "tcp_dst" },
  icmp: { type: "icmp_type", code: "icmp_code" },
  icmpv6: { type: "icmp_type", code: "icmp_code" },
  arp: { sip: "arp_spa", tip: "arp_tpa", op: "arp_op", sha: "arp_sha", tha: "arp_tha" },
  nd: { target: "nd_target", sll: "nd_sll", tll: "nd_tll" },
  ct_tuple4: { src: "ct_nw_src", dst: "ct_nw_dst", proto: "ct_nw_proto", tp_src: "ct_tp_src", tp_dst: "ct_tp_dst" },
  ct_tuple6: { src: "ct_ipv6_src", dst: "ct_ipv6_dst", proto: "ct_nw_proto", tp_src: "ct_tp_src", tp_dst: "ct_tp_dst" },
  tunnel: { tun_id: "tun_id", src: "tun_src", dst: "tun_dst", ipv6_src: "tun_ipv6_src", ipv6_dst: "tun_ipv6_dst", tos: "tun_tos", ttl: "tun_ttl" },
};
/** Groups that are one field. */
const fieldOfGroup: Readonly<Record<string, string>> = {
  recirc_id: "recirc_id", dp_hash: "dp_hash", skb_mark: "pkt_mark", ct_zone: "ct_zone", ct_mark: "ct_mark", ct_label: "ct_label", eth_type: "eth_type",
};
/** What means nothing to this switch, or to one packet. */
const unheeded: ReadonlySet<string> = new Set(["skb_priority", "packet_type", "ufid"]);
const unheededInTunnel: ReadonlySet<string> = new Set(["tp_src", "tp_dst", "flags", "geneve", "vxlan", "erspan", "gtpu"]);

function readGroup(name: string, text: string, key: FlowKey): boolean {
  if (unheeded.has(name)) return true;
  const field = fieldOfGroup[name];
  if (field !== undefined) return put(key, field, text);
  if (name === "vlan") return readVlan(text, key);
  if (name === "ct_state") return readFlags(text, ctStateBit, W.ctState, key);
  if (name === "tcp_flags") return readFlags(text, tcpFlagBits, W.tcpFlags, key);
  const fields = fieldsOfGroup[name];
  if (fields === undefined) return false;
  for (const part of parts(text)) {
    const [what = "", value = ""] = pair(part);
    if (what === "frag") key[W.nwMisc] = (key[W.nwMisc] ?? 0) | (value === "first" ? fragAny : value === "later" ? fragAny | fragLater : 0);
    else if (name === "tunnel" && unheededInTunnel.has(/^[a-z_]*/.exec(part)?.[0] ?? "")) continue;
    else if (!put(key, fields[what] ?? "", value)) return false;
  }
  return true;
}

function readVlan(text: string, key: FlowKey): boolean {
  const values = new Map(parts(text).map(pair));
  const number = (name: string): number => integer(values.get(name) ?? "0") ?? 0;
  key[W.vlan] = values.has("tci") ? number("tci") : 0x1000 | (number("pcp") << 13) | number("vid");
  return true;
}

const tcpFlagBits: Readonly<Record<string, number>> = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128, ns: 256 };

/** A number, `+trk+est-new`, or `syn|ack`. */
function readFlags(text: string, bits: Readonly<Record<string, number>>, word: number, key: FlowKey): boolean {
  const number = integer(text.split("/")[0] ?? "");
  let flags = number ?? 0;
  if (number === undefined) {
    for (const [, sign = "", name = ""] of text.matchAll(/([+\-|]?)([a-z_]+)/g)) {
      const bit = bits[name];
      if (bit === undefined) return false;
      if (sign !== "-") flags |= bit;
    }
  }
  key[word] = flags;
  return true;
}

const parts = (text: string): string[] => text.split(/,(?![^()]*\))/).map((part) => part.trim()).filter((part) => part !== "");

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function put(key: FlowKey, field: string, text: string): boolean {
  const place = placeNamed(field);
  const value = place === undefined ? undefined : valueOf(text.split("/")[0] ?? "", place);
  if (place === undefined || value === undefined) return false;
  // One type follows another: the tag's, then what the tag encapsulates.
  if (place.word === W.ethType) key[W.ethType] = 0;
  spread(place, value, (word, bits) => {
    key[word] = (key[word] ?? 0) | bits;
  });
  return true;
}

function valueOf(text: string, { width }: Place): number | bigint | undefined {
  const mac: Mac | undefined = width === 48 ? parseMac(text) : undefined;
  return mac ?? (width === 32 ? parseIpv4(text) : width === 128 ? parseIpv6(text) : undefined) ?? (width > 32 ? wide(text) : integer(text));
}

const wide = (text: string): bigint | undefined => (/^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : undefined);
const integer = (text: string): number | undefined => (/^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined);
