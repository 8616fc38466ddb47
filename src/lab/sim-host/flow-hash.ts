/**
 * The hash of a packet's flow: source, destination, protocol and ports (the "5-tuple"), mixed with a seed that makes each
 * machine choose differently (RFC 2992, section 3). An ICMP error hashes as the packet it is about, so that it takes that flow's
 * way; other ICMP, and fragments, have no ports.
 */
import type { Ip } from "../../net/index.ts";
import { findUpperLayer, icmpv4Type, ipProtocol, ipv4Packet, ipv6Packet, ipv6Size, parseIpv4Header, readU16, readU32, sizeofIpv4 } from "../../packet/index.ts";

export function flowHash(packet: Uint8Array, seed: number, isNested = false): number {
  if ((packet[0] ?? 0) >>> 4 === 6) return hashOfIpv6(packet, seed);
  const h = parseIpv4Header(packet);
  if (h === undefined) return 0;
  const at = sizeofIpv4(h);
  if (h.protocol === ipProtocol.icmp && !isNested && isIcmpError(packet[at] ?? 0)) return flowHash(packet.subarray(at + 8), seed, true);
  // The quoted packet of an error went the other way.
  const [from, to] = isNested ? [h.dst, h.src] : [h.src, h.dst];
  const hasPorts = (h.protocol === ipProtocol.tcp || h.protocol === ipProtocol.udp) && h.fragmentOffset === 0 && !h.moreFragments;
  const ports = hasPorts ? readU32(packet, at) : 0;
  return mix([from, to, h.protocol, isNested ? ((ports >>> 16) | (ports << 16)) >>> 0 : ports], seed);
}

/** As a ping between the two would hash. */
export function pairHash(src: Ip, dst: Ip, seed: number): number {
  const empty = new Uint8Array(0);
  if (src.family === 4 && dst.family === 4) return flowHash(ipv4Packet({ src: src.address, dst: dst.address, protocol: ipProtocol.icmp }, empty), seed);
  return src.family === 6 && dst.family === 6 ? flowHash(ipv6Packet({ src: src.address, dst: dst.address, nextHeader: ipProtocol.icmpv6 }, empty), seed) : 0;
}

function hashOfIpv6(packet: Uint8Array, seed: number): number {
  const upper = packet.length < ipv6Size ? undefined : findUpperLayer(packet);
  if (upper === undefined) return 0;
  const hasPorts = (upper.protocol === ipProtocol.tcp || upper.protocol === ipProtocol.udp) && upper.fragment === undefined;
  const words = [upper.protocol, hasPorts ? (readU16(packet, upper.offset) << 16) | readU16(packet, upper.offset + 2) : 0];
  for (let at = 8; at < 40; at += 4) words.push(readU32(packet, at));
  return mix(words, seed);
}

const isIcmpError = (type: number): boolean => [icmpv4Type.unreachable, icmpv4Type.timeExceeded, icmpv4Type.parameterProblem].some((t) => t === type);

/** Murmur3's 32-bit mixing: every bit of the words and the seed counts. */
function mix(words: readonly number[], seed: number): number {
  let hash = seed >>> 0;
  for (const word of words) {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    hash ^= k;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) >>> 0;
  }
  hash ^= words.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
