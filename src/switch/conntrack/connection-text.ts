/** Connections as dpctl/dump-conntrack prints them. */
import { formatIpv4, formatIpv6, ipv4Of, ipv6Of } from "../../net/index.ts";
import { tcpStateText } from "./connection-state.ts";
import { isIcmpTuple, type Tuple } from "./connection-tuple.ts";
import type { Connection } from "./connection-tracker.ts";
import { ipProto } from "../packet/packet.ts";

export const protocolName = (protocol: number): string => names.get(protocol) ?? String(protocol);

const names: ReadonlyMap<number, string> = new Map([[1, "icmp"], [6, "tcp"], [17, "udp"], [58, "icmpv6"], [132, "sctp"]]);

export function connectionText({ original, reply, zone, marks, state, expiresMs }: Connection, withTimeout: boolean, nowMs: number): string {
  const [mark = 0, ...labels] = marks;
  const label = labels.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  const parts = [protocolName(original.protocol), `orig=(${tupleText(original)})`, `reply=(${tupleText(reply)})`];
  if (zone !== 0) parts.push(`zone=${zone}`);
  if (withTimeout) parts.push(`timeout=${Math.max(0, Math.ceil((expiresMs - nowMs) / 1000))}`);
  if (mark !== 0) parts.push(`mark=${mark}`);
  if (label !== 0n) parts.push(`labels=0x${label.toString(16)}`);
  if (original.protocol === ipProto.tcp) parts.push(`protoinfo=(state=${tcpStateText(state)})`);
  return parts.join(",");
}

function tupleText(t: Tuple): string {
  const address = (words: readonly number[]): string =>
    t.family === 4 ? formatIpv4(ipv4Of(words[0] ?? 0)) : formatIpv6(ipv6Of(words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)));
  const ports = isIcmpTuple(t)
    ? `id=${t.sourcePort},type=${t.destinationPort >>> 8},code=${t.destinationPort & 0xff}`
    : `sport=${t.sourcePort},dport=${t.destinationPort}`;
  return `src=${address(t.source)},dst=${address(t.destination)},${ports}`;
}
