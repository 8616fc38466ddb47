/** Address translation: choosing what a connection is translated to, and doing it to its packets (ovs-actions(7), `nat`). */
import type { Nat } from "../../openflow/index.ts";
import { checksum, readU16, writeU16, writeU32 } from "../../packet/index.ts";
import { isIcmpTuple, type Tuple } from "./connection-tuple.ts";
import { W } from "../flow/flow-key.ts";
import { writeHeaders } from "../packet/header-writer.ts";
import { finish, mix } from "../flow/minimask.ts";
import { ethType, type Packet } from "../packet/packet.ts";

const maxAttempts = 128;

/**
 * The tuple that the packets of `original` have after translation; undefined if every one that may be had is taken.
 * `isFree` is asked of each candidate (the reply to it must not belong to another connection).
 */
export function translated(original: Tuple, nat: Nat, isFree: (candidate: Tuple) => boolean): Tuple | undefined {
  if (nat.direction === undefined) return original;
  const isSource = nat.direction === "src";
  const own = isSource ? original.source : original.destination;
  const hash = hashOf(original);
  const ip = chooseAddress(own, nat, hash);
  const port = isSource ? original.sourcePort : original.destinationPort;
  const [min, max] = portRange(nat, port, isSource);
  const put = (number: number): Tuple =>
    isSource
      ? { ...original, source: ip, ...(isIcmpTuple(original) ? {} : { sourcePort: number }) }
      : { ...original, destination: ip, ...(isIcmpTuple(original) ? {} : { destinationPort: number }) };
  const isInRange = nat.portMin === undefined || (port >= min && port <= max);
  const first = isInRange ? port : min + (hash % (max - min + 1));
  if (isFree(put(first))) return put(first);
  // A destination without ports to choose from is what it is.
  if (!isSource && nat.portMin === undefined) return undefined;
  const count = max - min + 1;
  for (let i = 1; i < Math.min(count, maxAttempts); i++) {
    const candidate = put(min + ((first - min + i) % count));
    if (isFree(candidate)) return candidate;
  }
  return undefined;
}

function portRange(nat: Nat, port: number, isSource: boolean): readonly [number, number] {
  if (nat.portMin !== undefined) return [nat.portMin, Math.max(nat.portMin, nat.portMax ?? nat.portMin)];
  if (!isSource) return [port, port];
  // A port that only the privileged may use stays one.
  return port < 512 ? [1, 511] : port < 1024 ? [600, 1023] : [1024, 65535];
}

function chooseAddress(own: readonly number[], nat: Nat, hash: number): readonly number[] {
  if (nat.ipMin === undefined) return own;
  const min = BigInt(nat.ipMin);
  const count = BigInt(nat.ipMax ?? nat.ipMin) - min + 1n;
  // The zero address: keep what it is, but reserve the ports (ct_zero_snat).
  if (min === 0n && count === 1n) return own;
  const chosen = min + (count > 1n ? BigInt(hash) % count : 0n);
  return own.length === 1 ? [Number(chosen & 0xffff_ffffn)] : [96n, 64n, 32n, 0n].map((shift) => Number((chosen >> shift) & 0xffff_ffffn));
}

function hashOf(t: Tuple): number {
  let hash = mix(t.protocol, t.sourcePort);
  for (const word of [...t.source, ...t.destination]) hash = mix(hash, word);
  return finish(mix(hash, t.destinationPort)) >>> 0;
}

/** Makes the packet's addresses and ports those of `to`. */
export function rewrite(packet: Packet, to: Tuple): void {
  const words: number[] = [];
  const values: number[] = [];
  const [source, destination] = to.family === 4 ? [W.nwSrc, W.nwDst] : [W.ipv6Src, W.ipv6Dst];
  to.source.forEach((word, i) => void (words.push(source + i), values.push(word)));
  to.destination.forEach((word, i) => void (words.push(destination + i), values.push(word)));
  if (!isIcmpTuple(to) && packet.l4 !== 0) {
    words.push(W.tpPorts);
    values.push(((to.sourcePort << 16) | to.destinationPort) >>> 0);
  }
  writeHeaders(packet, words, words.map(() => 0xffffffff), values);
}

/**
 * An ICMP error: the packet it quotes becomes `inner`, and the error comes from, or goes to, whom that concerns.
 * Checksums are made anew; the quoted transport checksum stays, as it is often cut off.
 */
export function rewriteRelated(packet: Packet, inner: Tuple, hidesDestination: boolean): void {
  const isV4 = packet.key[W.ethType] === ethType.ipv4;
  const b = packet.own();
  const at = packet.l4 + 8;
  const putWords = (offset: number, words: readonly number[]): void => words.forEach((word, i) => writeU32(b, offset + 4 * i, word));
  putWords(at + (isV4 ? 12 : 8), inner.source);
  putWords(at + (isV4 ? 16 : 24), inner.destination);
  const l4 = at + (isV4 ? ((b[at] ?? 0) & 15) * 4 : 40);
  if (!isIcmpTuple(inner)) {
    writeU16(b, l4, inner.sourcePort);
    writeU16(b, l4 + 2, inner.destinationPort);
  }
  if (isV4) {
    writeU16(b, at + 10, 0);
    writeU16(b, at + 10, checksum(b.subarray(at, l4)));
  }
  const put = (first: number, value: readonly number[]): void => {
    const words = value.map((_, i) => first + i);
    writeHeaders(packet, words, words.map(() => 0xffffffff), value);
  };
  // The error goes to the sender of the quoted packet. Where that one's destination is known by another address, so is whoever complains.
  put(isV4 ? W.nwDst : W.ipv6Dst, inner.source);
  if (hidesDestination) put(isV4 ? W.nwSrc : W.ipv6Src, inner.destination);
  const end = packet.l3 + (isV4 ? readU16(b, packet.l3 + 2) : 40 + readU16(b, packet.l3 + 4));
  writeU16(packet.bytes, packet.l4 + 2, 0);
  let pseudo = 0;
  if (!isV4) {
    for (let i = packet.l3 + 8; i < packet.l3 + 40; i += 2) pseudo += readU16(packet.bytes, i);
    pseudo += end - packet.l4 + 58;
  }
  writeU16(packet.bytes, packet.l4 + 2, checksum(packet.bytes.subarray(packet.l4, end), pseudo));
}
