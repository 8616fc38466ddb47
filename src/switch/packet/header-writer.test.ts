/** What is written into a packet reads back, and its checksums are as right as they were. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4Of, ipv6Of, macOf } from "../../net/index.ts";
import {
  checksum, crc32c, ethernetFrame, etherType, fillSctpChecksum, icmpv6Message, ipPacket, ndMessage, pseudoHeaderSum, tcpSegment, udpDatagram, writeU16,
} from "../../packet/index.ts";
import { SeededRandom } from "../../std/index.ts";
import { W } from "../flow/flow-key.ts";
import { writeHeaders } from "./header-writer.ts";
import { Packet } from "./packet.ts";

const v4 = (n: number) => ({ family: 4, address: ipv4Of(n) }) as const;
const v6 = (n: bigint) => ({ family: 6, address: ipv6Of(n) }) as const;
type Address = ReturnType<typeof v4> | ReturnType<typeof v6>;

const protocols = ["tcp", "udp", "sctp", "icmpv6", "nd"] as const;

function frameOf(r: SeededRandom, protocol: (typeof protocols)[number], isV6: boolean): Uint8Array {
  const [src, dst]: Address[] = isV6 ? [v6(BigInt(r.next32()) << 64n), v6(BigInt(r.next32()))] : [v4(r.next32()), v4(r.next32())];
  assert.ok(src !== undefined && dst !== undefined);
  const payload = r.bytes(r.below(40));
  const [number, upper] = upperOf(r, protocol, src, dst, payload);
  return ethernetFrame({ dst: macOf(2), src: macOf(1) }, isV6 ? etherType.ipv6 : etherType.ipv4, ipPacket(src, dst, number, upper));
}

function upperOf(r: SeededRandom, protocol: (typeof protocols)[number], src: Address, dst: Address, payload: Uint8Array): readonly [number, Uint8Array] {
  switch (protocol) {
    case "tcp":
      return [6, tcpSegment(src, dst, { srcPort: 1, dstPort: 2, sequence: 3, acknowledgment: 4, flags: 2, window: 5, urgent: 0, options: new Uint8Array(0) }, payload)];
    case "udp":
      return [17, udpDatagram(src, dst, 1, 2, payload)];
    case "sctp": {
      const packet = Uint8Array.from([...r.bytes(12), ...payload]);
      fillSctpChecksum(packet);
      return [132, packet];
    }
    case "icmpv6":
    case "nd": {
      assert.ok(src.family === 6 && dst.family === 6);
      if (protocol === "icmpv6") return [58, icmpv6Message({ type: 128, code: 0, body: Uint8Array.from([0, 1, 0, 2, ...payload]) }, src.address, dst.address)];
      return [58, ndMessage({ kind: "neighbor-solicit", target: dst.address, options: [{ kind: "source-mac", mac: macOf(7) }] }, src.address, dst.address)];
    }
  }
}

/** All checksums of the packet, as what they sum up to: zero throughout if they are right. */
function errorsOf({ bytes: b, l3, l4, key }: Packet): number[] {
  const isV4 = key[W.ethType] === etherType.ipv4;
  const protocol = (key[W.nwMisc] ?? 0) >>> 24;
  const upper = b.subarray(l4);
  const header = isV4 ? [checksum(b.subarray(l3, l3 + 20))] : [];
  if (protocol === 132) {
    const copy = Uint8Array.from(upper);
    const [a = 0, c = 0] = [new DataView(copy.buffer).getUint32(8), copy.fill(0, 8, 12) && crc32c(copy)];
    return [...header, (a ^ c) >>> 0];
  }
  const words = (word: number): bigint => [0, 1, 2, 3].reduce((sum, i) => (sum << 32n) | BigInt(key[word + i] ?? 0), 0n);
  const [src, dst] = isV4 ? [v4(key[W.nwSrc] ?? 0), v4(key[W.nwDst] ?? 0)] : [v6(words(W.ipv6Src)), v6(words(W.ipv6Dst))];
  return [...header, checksum(upper, pseudoHeaderSum(src, dst, protocol, upper.length))];
}

const writable = [W.ethDst, W.ethSrc + 1, W.nwSrc, W.nwDst, W.ipv6Src, W.ipv6Src + 3, W.ipv6Dst + 1, W.tpPorts, W.ndTarget + 3, W.arpSha + 1, W.ndReserved];

test("fields that are written read back, and checksums stay as right or as wrong as they were", () => {
  for (let seed = 1; seed <= 600; seed++) {
    const r = new SeededRandom(seed);
    const protocol = r.pick(protocols);
    const isV6 = protocol === "icmpv6" || protocol === "nd" || r.chance(0.5);
    const original = frameOf(r, protocol, isV6);
    const packet = new Packet(Uint8Array.from(original));
    packet.readHeaders();
    const isNamed = `seed ${seed}: ${protocol} over IPv${isV6 ? 6 : 4}`;
    assert.deepEqual(errorsOf(packet).map((e) => e !== 0), errorsOf(packet).map(() => false), isNamed);
    const [words, masks, values]: [number[], number[], number[]] = [[], [], []];
    for (const word of writable) {
      const isThere = word < W.vlan || (isV6 ? word >= W.ipv6Src && (word < W.nwMisc || protocol === "nd" || (word === W.tpPorts && protocol !== "icmpv6")) : word < W.ipv6Src || word === W.tpPorts);
      if (!isThere || (word === W.tpPorts && protocol === "nd") || !r.chance(0.5)) continue;
      words.push(word);
      masks.push(word === W.ethDst ? 0xffff : 0xffffffff);
      values.push(word === W.ethDst ? r.below(0x10000) : r.next32());
    }
    const before = packet.bytes;
    writeHeaders(packet, words, masks, values);
    const written = packet.key.slice();
    packet.readHeaders();
    assert.deepEqual([...packet.key], [...written], isNamed);
    words.forEach((word, i) => assert.equal(packet.key[word], values[i], isNamed));
    assert.deepEqual(errorsOf(packet).map((e) => e !== 0), errorsOf(packet).map(() => false), isNamed);
    assert.deepEqual([...before], [...original], "bytes that others may hold are not written to");
  }
});

test("a UDP packet without a checksum stays without", () => {
  const frame = frameOf(new SeededRandom(1), "udp", false);
  writeU16(frame, 40, 0);
  const packet = new Packet(frame);
  packet.readHeaders();
  writeHeaders(packet, [W.nwDst, W.tpPorts], [0xffffffff, 0xffff], [5, 7]);
  assert.deepEqual([...packet.bytes.subarray(30, 42)].slice(0, 4), [0, 0, 0, 5]);
  assert.deepEqual([...packet.bytes.subarray(36, 38), ...packet.bytes.subarray(40, 42)], [0, 7, 0, 0]);
});
