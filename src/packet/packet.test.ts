import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Ipv4, ipv4Of, type Ipv6, ipv6Of, type Mac, macOf, parseIpv4, parseIpv6, parseMac } from "../net/index.ts";
import { present, SeededRandom } from "../std/index.ts";
import * as packet from "./index.ts";

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const ip = (text: string): Ipv4 => present(parseIpv4(text));
const ip6 = (text: string): Ipv6 => present(parseIpv6(text));
const mac = (text: string): Mac => present(parseMac(text));

/** Emits into a buffer full of 0xa5, so that a byte left out shows; what is parsed is what was emitted. */
function checkRoundTrip<T extends object>(value: T, size: number, emit: (value: T, b: Uint8Array) => void, parse: (b: Uint8Array) => T | undefined): void {
  const b = new Uint8Array(size).fill(0xa5);
  emit(value, b);
  assert.deepEqual(parse(b), { ...value });
}

const u = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const anyMac = u(48).map(macOf);
const anyIp = u(32).map(ipv4Of);
const anyIp6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(ipv6Of);
const anyBytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
const words = (max: number): fc.Arbitrary<Uint8Array> => fc.array(u(32), { maxLength: max }).map((w) => Uint8Array.from(w.flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255])));
const law = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void): void => fc.assert(fc.property(arbitrary, check), { numRuns: 300 });

test("headers survive the wire", () => {
  law(fc.record({ dst: anyMac, src: anyMac, type: u(16) }), (h) => checkRoundTrip(h, 14, packet.emitEthernet, packet.parseEthernet));
  law(fc.record({ priority: u(3), dropEligible: fc.boolean(), id: u(12), type: u(16) }), (h) => checkRoundTrip(h, 4, packet.emitVlan, packet.parseVlan));
  law(fc.record({ operation: u(16), senderMac: anyMac, senderIp: anyIp, targetMac: anyMac, targetIp: anyIp }), (h) => checkRoundTrip(h, 28, packet.emitArp, packet.parseArp));
  const ipv4 = fc.record({
    dscp: u(6), ecn: u(2), identification: u(16), dontFragment: fc.boolean(), moreFragments: fc.boolean(), fragmentOffset: u(13).map((n) => n * 8), ttl: u(8),
    protocol: u(8), src: anyIp, dst: anyIp, options: words(10),
  });
  law(ipv4, (h) => {
    const header = { ...h, totalSize: 20 + h.options.length };
    checkRoundTrip(header, header.totalSize, packet.emitIpv4Header, packet.parseIpv4Header);
  });
  const ipv6 = fc.record({ dscp: u(6), ecn: u(2), flowLabel: u(20), payloadSize: fc.constant(0), nextHeader: u(8), hopLimit: u(8), src: anyIp6, dst: anyIp6 });
  law(ipv6, (h) => checkRoundTrip(h, 40, packet.emitIpv6Header, packet.parseIpv6Header));
  law(fc.record({ type: u(8), code: u(8), word: u(32), data: anyBytes(40) }), (h) => checkRoundTrip(h, packet.sizeofIcmpv4(h), packet.emitIcmpv4, packet.parseIcmpv4));
  law(fc.record({ srcPort: u(16), dstPort: u(16), size: fc.constant(8), checksum: u(16) }), (h) => checkRoundTrip(h, 8, packet.emitUdp, packet.parseUdp));
  law(
    fc.record({ srcPort: u(16), dstPort: u(16), sequence: u(32), acknowledgment: u(32), flags: u(12), window: u(16), urgent: u(16), options: words(10) }),
    (h) => checkRoundTrip(h, packet.sizeofTcp(h), packet.emitTcp, packet.parseTcp),
  );
  law(fc.record({ srcPort: u(16), dstPort: u(16), verificationTag: u(32), checksum: u(32) }), (h) => checkRoundTrip(h, 12, packet.emitSctp, packet.parseSctp));
  law(fc.record({ control: fc.boolean(), critical: fc.boolean(), protocol: u(16), vni: u(24), options: words(63) }), (h) => checkRoundTrip(h, packet.sizeofGeneve(h), packet.emitGeneve, packet.parseGeneve));
});

test("neighbor discovery, MLD and IGMP survive the wire", () => {
  const options = [
    { kind: "source-mac", mac: macOf(5) }, { kind: "mtu", mtu: 1442 },
    { kind: "prefix", length: 64, onLink: true, autonomous: true, validLifetime: 0xffffffff, preferredLifetime: 7, prefix: ip6("2001:db8::") },
    { kind: "dns-servers", lifetime: 9, servers: [ip6("::1"), ip6("::2")] },
  ] as const;
  const messages: packet.Nd[] = [
    { kind: "neighbor-solicit", target: ip6("fe80::1"), options: [{ kind: "source-mac", mac: macOf(1) }] },
    { kind: "neighbor-advert", router: true, solicited: false, override: true, target: ip6("fe80::2"), options: [{ kind: "target-mac", mac: macOf(2) }] },
    { kind: "router-solicit", options: [] },
    { kind: "router-advert", hopLimit: 255, managed: true, otherConfig: false, preference: 3, lifetime: 65535, reachableMs: 1, retransmitMs: 2, options },
  ];
  for (const m of messages) checkRoundTrip(m, packet.sizeofNd(m), packet.emitNd, (b) => packet.parseNd(packet.ndTypes[m.kind], b));
  const mlds: packet.Mld[] = [
    { kind: "query", maxResponseMs: 1000, group: ip6("::") }, { kind: "report", maxResponseMs: 0, group: ip6("ff02::5") },
    { kind: "query2", maxResponseMs: 5, group: ip6("ff02::7"), flags: 2, queryInterval: 125, sources: [ip6("::9")] },
    { kind: "report2", records: [{ type: 4, group: ip6("ff02::8"), sources: [] }, { type: 1, group: ip6("ff02::9"), sources: [ip6("::a")] }] },
  ];
  for (const m of mlds) checkRoundTrip(m, packet.sizeofMld(m), packet.emitMld, (b) => packet.parseMld(packet.mldTypes[m.kind], b));
  const igmps: packet.Igmp[] = [
    { kind: "query", maxResponse: 100, group: ip("0.0.0.0") }, { kind: "report2", maxResponse: 0, group: ip("239.0.0.1") }, { kind: "leave", maxResponse: 0, group: ip("239.0.0.1") },
    { kind: "query3", maxResponse: 1, group: ip("239.1.1.1"), flags: 2, queryInterval: 3, sources: [ip("1.2.3.4")] },
    { kind: "report3", records: [{ type: 4, group: ip("239.0.0.1"), sources: [ip("9.9.9.9")] }] },
  ];
  for (const m of igmps) checkRoundTrip(m, packet.sizeofIgmp(m), packet.emitIgmp, packet.parseIgmp);
});

test("DHCP, DNS and BFD survive the wire", () => {
  const dhcp: packet.Dhcpv4 = {
    op: 1, hops: 0, xid: 5, seconds: 1, broadcast: true, clientIp: ip("0.0.0.0"), yourIp: ip("1.2.3.4"), serverIp: ip("1.2.3.1"), relayIp: ip("0.0.0.0"),
    clientMac: macOf(0x0a0000000001), serverName: "s", bootFile: "b", options: [{ code: 53, data: Uint8Array.of(1) }, { code: 66, data: new Uint8Array(300).fill(65) }],
  };
  checkRoundTrip(dhcp, packet.sizeofDhcpv4(dhcp), packet.emitDhcpv4, packet.parseDhcpv4);
  assert.deepEqual(packet.parseClasslessRoutes(fromHex("180a0001 0a000001 00 0a000002")), [
    { network: ip("10.0.1.0"), length: 24, gateway: ip("10.0.0.1") }, { network: ip("0.0.0.0"), length: 0, gateway: ip("10.0.0.2") },
  ]);
  const ia = packet.emitIdentityAssociation({ id: 1, t1: 2, t2: 3, options: [{ code: 5, data: packet.emitIaAddress({ address: ip6("::5"), preferredLifetime: 6, validLifetime: 7 }) }] });
  const dhcpv6: packet.Dhcpv6 = { type: 1, transactionId: 0xabcdef, options: [{ code: 1, data: Uint8Array.of(1, 2) }, { code: 3, data: ia }] };
  checkRoundTrip(dhcpv6, packet.sizeofDhcpv6(dhcpv6), packet.emitDhcpv6, packet.parseDhcpv6);
  assert.equal(packet.parseIdentityAssociation(ia)?.t2, 3);
  const dns: packet.Dns = {
    id: 7, flags: 0x8180, questions: [{ name: "vm1.example.org", type: 1, class: 1 }],
    answers: [{ name: "vm1.example.org", type: 1, class: 1, ttl: 60, data: Uint8Array.of(10, 0, 0, 1) }], authorities: [], additionals: [],
  };
  assert.deepEqual(packet.parseDns(packet.emitDns(dns)), dns);
  // A compressed name, and one that points at itself.
  const compressed = fromHex("0001 8000 0001 0001 0000 0000 03766d31 076578616d706c65 00 0001 0001 c00c 0001 0001 0000003c 0004 0a000001");
  assert.equal(packet.parseDns(compressed)?.answers[0]?.name, "vm1.example");
  assert.equal(packet.parseDns(fromHex("0001 0000 0001 0000 0000 0000 c00c 0001 0001")), undefined);
  const bfd: packet.Bfd = {
    diagnostic: 1, state: "up", poll: true, final: false, controlPlaneIndependent: false, demand: false, multiplier: 5, myDiscriminator: 1, yourDiscriminator: 2,
    desiredMinTx: 100000, requiredMinRx: 100000, requiredMinEchoRx: 0,
  };
  checkRoundTrip(bfd, 24, packet.emitBfd, packet.parseBfd);
});

test("the Geneve header of the capture: network 1, from port 1 to port 2", () => {
  const header = packet.ovnGeneve(1, 1, 2);
  const b = new Uint8Array(packet.sizeofGeneve(header)).fill(0xa5);
  packet.emitGeneve(header, b);
  assert.equal(toHex(b), "02406558000001000102800100010002");
  assert.deepEqual(packet.parseGeneveOptions(present(packet.parseGeneve(b)).options), [{ optionClass: 0x0102, type: 0x80, data: Uint8Array.of(0, 1, 0, 2) }]);
});

test("checksums are those of real packets", () => {
  // An echo request from 10.0.0.1 to 10.0.0.2, as Linux sends it.
  const ipv4 = fromHex("4500 0054 0000 4000 4001 26a7 0a00 0001 0a00 0002");
  assert.ok(packet.isChecksumRight(ipv4));
  const udp = packet.udpDatagram(packet.ip4(ip("10.0.0.1")), packet.ip4(ip("10.0.0.2")), 68, 67, Uint8Array.of(1, 2, 3));
  assert.ok(packet.isChecksumRight(udp, packet.pseudoHeaderSum(packet.ip4(ip("10.0.0.1")), packet.ip4(ip("10.0.0.2")), 17, udp.length)));
  const [src, dst] = [ip6("fe80::1"), ip6("ff02::1:ff00:2")];
  const ns = packet.ndMessage({ kind: "neighbor-solicit", target: ip6("fe80::2"), options: [{ kind: "source-mac", mac: mac("aa:bb:cc:dd:ee:ff") }] }, src, dst);
  assert.ok(packet.isIcmpv6Intact(ns, src, dst));
  ns[10] = (ns[10] ?? 0) ^ 1;
  assert.ok(!packet.isIcmpv6Intact(ns, src, dst));
  assert.equal(packet.crc32c(new TextEncoder().encode("123456789")).toString(16), "839206e3");
});

test("an updated checksum equals a fresh one", () => {
  const random = new SeededRandom(5);
  for (let i = 0; i < 2000; i++) {
    const b = random.bytes(20 + 2 * random.below(20));
    packet.fillChecksum(b, 10, 0);
    const at = random.pick([0, 2, 4, 12, 16]);
    const [before, after] = [packet.readU16(b, at), random.next32() & 0xffff];
    const updated = packet.updateChecksum(packet.readU16(b, 10), before, after);
    packet.writeU16(b, at, after);
    packet.writeU16(b, 10, updated);
    assert.ok(packet.isChecksumRight(b), `run ${i}`);
  }
});

test("extension headers are walked to the upper layer", () => {
  const b = packet.ipv6Packet({ src: ip6("::1"), dst: ip6("::2"), nextHeader: 0 }, fromHex("2c00000000000000 3a000008 00000001 8000"));
  assert.deepEqual(packet.findUpperLayer(b), { protocol: 58, offset: 56, fragment: { offset: 8, more: false, identification: 1 } });
  assert.equal(packet.findUpperLayer(b.subarray(0, 44)), undefined);
});

test("random bytes never make a parser throw", () => {
  const parsers: readonly ((b: Uint8Array) => unknown)[] = [
    packet.parseEthernet, packet.parseVlan, packet.parseArp, packet.parseIpv4Header, packet.parseIpv6Header, packet.findUpperLayer, packet.parseIcmpv4, packet.parseIcmpv6,
    packet.parseUdp, packet.parseTcp, packet.parseSctp, packet.parseGeneve, packet.parseGeneveOptions, packet.parseBfd, packet.parseIgmp, packet.parseDhcpv4, packet.parseDhcpv6,
    packet.parseDns, packet.parseClasslessRoutes, packet.parseIdentityAssociation, packet.parseIaAddress, packet.readCapture,
    ...[130, 131, 132, 133, 134, 135, 136, 143].flatMap((type) => [(b: Uint8Array) => packet.parseNd(type, b), (b: Uint8Array) => packet.parseMld(type, b)]),
  ];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (b) => parsers.forEach((parse) => parse(b))), { numRuns: 3000 });
  const random = new SeededRandom(9);
  const seeds = [packet.emitDns({ id: 1, flags: 0, questions: [{ name: "a.b", type: 1, class: 1 }], answers: [], authorities: [], additionals: [] }), dhcpSeed()];
  for (let i = 0; i < 5000; i++) {
    const b = Uint8Array.from(random.pick(seeds));
    for (let flips = random.below(5); flips >= 0; flips--) b[random.below(b.length)] = random.next32() & 0xff;
    parsers.forEach((parse) => parse(b.subarray(0, random.below(b.length + 1))));
  }
});

function dhcpSeed(): Uint8Array {
  const zero = ip("0.0.0.0");
  const m: packet.Dhcpv4 = {
    op: 1, hops: 0, xid: 1, seconds: 0, broadcast: false, clientIp: zero, yourIp: zero, serverIp: zero, relayIp: zero, clientMac: macOf(1), serverName: "", bootFile: "",
    options: [{ code: 53, data: Uint8Array.of(1) }, { code: 55, data: Uint8Array.of(1, 3, 6) }],
  };
  const b = new Uint8Array(packet.sizeofDhcpv4(m));
  packet.emitDhcpv4(m, b);
  return b;
}

test("captures are read back, in both formats", () => {
  const packets = [{ timeUs: 1_700_000_000_123_456, bytes: Uint8Array.of(1, 2, 3, 4, 5), originalSize: 9 }, { timeUs: 1_700_000_001_000_001, bytes: new Uint8Array(60), originalSize: 60 }];
  assert.deepEqual(packet.readCapture(packet.concatenate(packet.pcapHeader(), ...packets.map(packet.pcapRecord))), packets);
  assert.deepEqual(packet.readCapture(packet.concatenate(packet.pcapngHeader("gw_east"), ...packets.map(packet.pcapngRecord))), packets);
});
