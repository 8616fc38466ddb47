import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ipv4, ipv4Of, type Ipv6, ipv6Of, macOf } from "../../net/index.ts";
import * as codec from "../../packet/index.ts";
import { SeededRandom } from "../../std/index.ts";
import { W } from "../flow/flow-key.ts";
import { Packet } from "./packet.ts";

/** What the codecs of room packet, one header after the other, say about a frame: the words of its key that they know. */
function byCodecs(frame: Uint8Array): Map<number, number> {
  const key = new Map<number, number>();
  const ethernet = codec.parseEthernet(frame);
  if (ethernet === undefined) return key;
  const mac = (word: number, value: number): void => void key.set(word, Math.floor(value / 0x100000000)).set(word + 1, value % 0x100000000);
  mac(W.ethDst, ethernet.dst);
  mac(W.ethSrc, ethernet.src);
  let { type } = ethernet;
  let body = frame.subarray(14);
  const vlan = type === codec.etherType.vlan || type === codec.etherType.qinq ? codec.parseVlan(body) : undefined;
  if (vlan !== undefined) {
    key.set(W.vlan, (vlan.priority << 13) | 0x1000 | vlan.id);
    type = vlan.type;
    body = body.subarray(4);
  }
  key.set(W.ethType, type);
  const arp = type === codec.etherType.arp ? codec.parseArp(body) : undefined;
  if (arp !== undefined) {
    key.set(W.nwMisc, arp.operation <= 0xff ? arp.operation : 0).set(W.nwSrc, arp.senderIp).set(W.nwDst, arp.targetIp);
    mac(W.arpSha, arp.senderMac);
    mac(W.arpTha, arp.targetMac);
  }
  const ipv4 = type === codec.etherType.ipv4 ? codec.parseIpv4Header(body) : undefined;
  if (ipv4 !== undefined) {
    const fragment = ipv4.fragmentOffset > 0 ? 3 : ipv4.moreFragments ? 1 : 0;
    key.set(W.nwSrc, ipv4.src).set(W.nwDst, ipv4.dst);
    key.set(W.nwMisc, ((ipv4.protocol << 24) | (ipv4.dscp << 18) | (ipv4.ecn << 16) | (ipv4.ttl << 8) | fragment) >>> 0);
    if (fragment < 2) transport(key, 4, ipv4.protocol, body.subarray(codec.sizeofIpv4(ipv4), ipv4.totalSize));
  }
  const ipv6 = type === codec.etherType.ipv6 ? codec.parseIpv6Header(body) : undefined;
  const whole = ipv6 && body.subarray(0, 40 + ipv6.payloadSize);
  const upper = whole && codec.findUpperLayer(whole);
  if (ipv6 !== undefined) {
    for (let i = 0; i < 4; i++) {
      key.set(W.ipv6Src + i, Number((ipv6.src >> BigInt(96 - 32 * i)) & 0xffffffffn));
      key.set(W.ipv6Dst + i, Number((ipv6.dst >> BigInt(96 - 32 * i)) & 0xffffffffn));
    }
    key.set(W.ipv6Label, ipv6.flowLabel);
  }
  if (ipv6 !== undefined && whole !== undefined && upper !== undefined) {
    const fragment = upper.fragment === undefined || (upper.fragment.offset === 0 && !upper.fragment.more) ? 0 : upper.fragment.offset > 0 ? 3 : 1;
    key.set(W.nwMisc, ((upper.protocol << 24) | (ipv6.dscp << 18) | (ipv6.ecn << 16) | (ipv6.hopLimit << 8) | fragment) >>> 0);
    if (fragment < 2) transport(key, 6, upper.protocol, whole.subarray(upper.offset));
  }
  return key;
}

function transport(key: Map<number, number>, family: 4 | 6, protocol: number, b: Uint8Array): void {
  const ports = (src: number, dst: number): void => void key.set(W.tpPorts, ((src << 16) | dst) >>> 0);
  if (protocol === codec.ipProtocol.tcp) {
    const tcp = codec.parseTcp(b);
    if (tcp === undefined) return;
    ports(tcp.srcPort, tcp.dstPort);
    key.set(W.tcpFlags, tcp.flags);
  } else if (protocol === codec.ipProtocol.udp) {
    const udp = codec.parseUdp(b);
    if (udp !== undefined) ports(udp.srcPort, udp.dstPort);
  } else if (protocol === codec.ipProtocol.sctp) {
    const sctp = codec.parseSctp(b);
    if (sctp !== undefined) ports(sctp.srcPort, sctp.dstPort);
  } else if (protocol === codec.ipProtocol.icmp && family === 4) {
    const icmp = codec.parseIcmpv4(b);
    if (icmp !== undefined) ports(icmp.type, icmp.code);
  } else if (protocol === codec.ipProtocol.icmpv6 && family === 6) {
    const icmp = codec.parseIcmpv6(b);
    if (icmp !== undefined) ports(icmp.type, icmp.code);
  }
}

function randomFrame(random: SeededRandom): Uint8Array {
  const [v4, v6] = [(): Ipv4 => ipv4Of(random.next32()), (): Ipv6 => ipv6Of(BigInt(random.next32()) << 90n)];
  const protocol = random.pick([1, 6, 17, 132, 58, 47]);
  const isV6 = random.chance(0.4);
  const [src, dst] = isV6 ? [codec.ip6(v6()), codec.ip6(v6())] : [codec.ip4(v4()), codec.ip4(v4())];
  const data = random.bytes(random.below(30));
  const port = (): number => random.next32() & 0xffff;
  const upper = (): Uint8Array => {
    if (protocol === 17) return codec.udpDatagram(src, dst, port(), port(), data);
    if (protocol === 6) {
      const options = random.bytes(4 * random.below(4));
      return codec.tcpSegment(src, dst, { srcPort: port(), dstPort: port(), sequence: 1, acknowledgment: 2, flags: random.below(0x1000), window: 5, urgent: 0, options }, data);
    }
    if (protocol === 1) return codec.icmpv4Message({ type: random.below(20), code: random.below(4), word: 7, data });
    return random.bytes(16 + random.below(30));
  };
  const addresses = { dst: macOf(random.next32() * 0x8000), src: macOf(random.next32() * 0x4000), ...(random.chance(0.3) && { vlan: random.below(4096) }) };
  if (random.chance(0.15)) {
    return codec.arpFrame(addresses, { operation: random.below(600), senderMac: macOf(random.next32()), senderIp: v4(), targetMac: macOf(random.next32() * 0x1000), targetIp: v4() });
  }
  if (src.family === 6 && dst.family === 6) {
    const hasFragment = random.chance(0.2);
    const fragment = new Uint8Array(8);
    codec.emitFragmentHeader(protocol, { identification: 1, offset: random.pick([0, 8]), more: random.chance(0.5) }, fragment);
    const hop = random.chance(0.2) ? Uint8Array.of(hasFragment ? 44 : protocol, 0, 0, 0, 0, 0, 0, 0) : new Uint8Array(0);
    const nextHeader = hop.length > 0 ? 0 : hasFragment ? 44 : protocol;
    const payload = codec.concatenate(hop, hasFragment ? fragment : new Uint8Array(0), upper());
    return codec.ethernetFrame(addresses, 0x86dd, codec.ipv6Packet({ src: src.address, dst: dst.address, nextHeader, hopLimit: random.below(256), dscp: random.below(64), ecn: random.below(4), flowLabel: random.below(1 << 20) }, payload));
  }
  if (src.family !== 4 || dst.family !== 4) return new Uint8Array(0);
  const header = { src: src.address, dst: dst.address, protocol, ttl: random.below(256), dscp: random.below(64), ecn: random.below(4), moreFragments: random.chance(0.1), fragmentOffset: random.pick([0, 0, 0, 0, 0, 16]), options: new Uint8Array(4 * random.below(3)) };
  return codec.ethernetFrame(addresses, 0x0800, codec.ipv4Packet(header, upper()));
}

test("the single pass over a frame finds what the codecs find", () => {
  const random = new SeededRandom(31);
  for (let i = 0; i < 20000; i++) {
    const frame = randomFrame(random);
    const bytes = random.chance(0.1) ? frame.subarray(0, random.below(frame.length + 1)) : frame;
    const packet = new Packet(bytes);
    packet.readHeaders();
    for (const [word, value] of byCodecs(bytes)) assert.equal(packet.key[word], value, `word ${word} of ${Buffer.from(bytes).toString("hex")} (frame ${i})`);
  }
});

test("the version in an IP header is not looked at: the Ethernet type says it", () => {
  for (const [first, rest] of [
    ["0800", "05000014000000004001000001010101020202020"], ["86dd", `00000000000006${"40"}${"11".repeat(32)}`],
  ] as const) {
    const packet = new Packet(new Uint8Array(Buffer.from(`${"00".repeat(12)}${first}${rest}`.padEnd(140, "0"), "hex")));
    packet.readHeaders();
    assert.notEqual(packet.key[W.nwMisc], 0, first);
  }
});
