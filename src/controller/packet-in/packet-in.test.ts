/** What goes back for each kind of packet-in; and that no packet and no userdata, however broken, brings the controller down. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Host, makeLog, silentLog } from "../../host/index.ts";
import { controllerOpcodes } from "../../logical/index.ts";
import { formatIp, formatMac, ipv4Of, macOf, parseIp, parseIpv6, parseMac } from "../../net/index.ts";
import { type Action, actionsToBytes, field, Match, noBuffer, of15, type PacketIn } from "../../openflow/index.ts";
import {
  dhcpMessage, dhcpOption, type Dhcpv4, dhcpv6Message, dnsFlag, dnsType, emitDhcpv4, emitDhcpv6, emitDns, ethernetFrame, etherType, findDhcpOption, icmpv4Message, icmpv6Message, ipPacket, ipProtocol,
  isChecksumRight, parseArp, parseDhcpv4, parseDhcpv6, parseIcmpv4, parseTcp, pseudoHeaderSum, sizeofDhcpv4, sizeofDhcpv6, tcpFlag, tcpSegment, udpDatagram,
} from "../../packet/index.ts";
import { present } from "../../std/index.ts";
import { PrefixDelegation } from "../delegation/prefix-delegation.ts";
import type { WantedPrefix } from "../delegation/wanted-prefixes.ts";
import { BfdSessions } from "../monitors/bfd-sessions.ts";
import { ServiceChecks } from "../monitors/service-checks.ts";
import { StateByRow } from "../monitors/state-by-row.ts";
import type { SnoopedSwitch } from "../snooping/snooped-switch.ts";
import { Snooping } from "../snooping/snooping.ts";
import { dispatch, type DispatchPlace } from "./dispatch.ts";
import { parseHeaders, upperLayer } from "./headers.ts";

const vmMac = present(parseMac("0a:00:00:00:00:01"));
const routerMac = present(parseMac("0a:00:00:00:00:fe"));
const ip = (text: string) => present(parseIp(text), text);
const offered = ipv4Of(0x0a00000b);

interface Sent {
  readonly packet: Uint8Array;
  readonly actions: readonly Action[];
}

/** Time stands still. */
const world = {
  clock: { now: () => 0, wall: () => 0, after: () => ({ cancel: () => {} }) }, random: { next32: () => 1 }, log: silentLog,
} as unknown as Host;

/** Datapath 0 is listened to. */
const snooped: SnoopedSwitch = {
  datapath: { _uuid: "d", tunnel_key: 0 } as unknown as SnoopedSwitch["datapath"], tableSize: 4, idleMs: 1000, queryIntervalMs: 1000, queryMaxResponseSeconds: 1,
  sequence: 0, querier: undefined,
};

/** Somebody asks through a router port of that address. */
const asking: WantedPrefix = {
  port: { _uuid: "p", options: new Map() } as unknown as WantedPrefix["port"], mac: routerMac,
  uplink: { mac: routerMac, ip: present(parseIpv6("fe80::1")), datapathKey: 1, portKey: 1 },
};

/** Handlers that write to the database or wait are given a place that only takes note. */
function handUp(packet: Uint8Array, opcode: (typeof controllerOpcodes)[number] | number, data: Uint8Array, metadata = Match.any, names?: ReadonlyMap<string, string>) {
  const userdata = new Uint8Array(8 + data.length);
  new DataView(userdata.buffer).setUint32(0, typeof opcode === "number" ? opcode : controllerOpcodes.indexOf(opcode));
  userdata.set(data, 8);
  const [out, resumed, noted]: [Sent[], PacketIn[], unknown[]] = [[], [], []];
  const note = (...what: unknown[]): number => noted.push(what);
  const snooping = new Snooping(world, note);
  snooping.added(snooped);
  const delegation = new PrefixDelegation(world, new StateByRow("prefix"), note, note);
  delegation.added(asking);
  const place = {
    waiting: { wait: note },
    bfd: new BfdSessions(world, new StateByRow("BFD"), note, note),
    services: new ServiceChecks(world, new StateByRow("service"), note, note),
    delegation,
    node: {
      learning: { claimVirtual: note, learnNeighbor: note, learnAddress: note, noteEmptyBalancer: note },
      snooping,
      host: { random: world.random, log: makeLog(({ level, module, text }) => noted.push(`${module}|${level}|${text}`)) },
      datapathsByKey: { first: () => (names === undefined ? undefined : { _uuid: "d" }) },
      dnsByDatapath: { get: () => [{ records: names, options: new Map([["ovn-owned", "true"]]) }] },
      options: { coverage: { count: note } },
    },
  } as unknown as DispatchPlace;
  const packetIn: PacketIn = {
    kind: "packet_in", extended: true, packet, totalLength: packet.length, bufferId: noBuffer, reason: "action", table: 20, cookie: 1n, metadata, userdata,
    continuation: Uint8Array.of(1, 2, 3),
  };
  dispatch(packetIn, place, { packetOut: (p, actions) => out.push({ packet: p, actions }), resume: (p) => resumed.push(p) }, silentLog);
  return { out, resumed, noted };
}

/** reg9[3], as northd asks for it, then what follows. */
const resultBit = (rest: readonly number[]): Uint8Array => Uint8Array.of(0x00, 0x01, 9 << 1, 4, 0, 0, 0, 3, ...rest);
const bitIsSet = ({ metadata }: PacketIn): boolean => (Number(metadata.get(field("reg9"))?.value ?? 0) & 8) !== 0;

const dhcpGiven = [dhcpOption.leaseTime, 4, 0, 0, 14, 16, dhcpOption.netmask, 4, 255, 255, 255, 0, dhcpOption.router, 4, 10, 0, 0, 1, dhcpOption.serverId, 4, 10, 0, 0, 1];

function dhcpRequest(type: number, options: Dhcpv4["options"] = []): Uint8Array {
  const zero = ipv4Of(0);
  const message: Dhcpv4 = {
    op: 1, hops: 0, xid: 0x1234, seconds: 0, broadcast: false, clientIp: zero, yourIp: zero, serverIp: zero, relayIp: zero, clientMac: vmMac, serverName: "",
    bootFile: "", options: [{ code: dhcpOption.messageType, data: Uint8Array.of(type) }, ...options],
  };
  const bytes = new Uint8Array(sizeofDhcpv4(message));
  emitDhcpv4(message, bytes);
  const [src, dst] = [ip("0.0.0.0"), ip("255.255.255.255")];
  return ethernetFrame({ src: vmMac, dst: macOf(0xffffffffffff) }, etherType.ipv4, ipPacket(src, dst, ipProtocol.udp, udpDatagram(src, dst, 68, 67, bytes)));
}

function dhcpAnswer(packet: Uint8Array): Dhcpv4 {
  const headers = present(parseHeaders(packet));
  const upper = upperLayer(headers, present(headers.ip));
  assert.ok(isChecksumRight(packet.subarray(14, 34)), "IP checksum");
  return present(parseDhcpv4(upper.subarray(8)));
}

test("DHCP: discover is offered, request acknowledged, another address refused", () => {
  const data = resultBit([10, 0, 0, 11, ...dhcpGiven]);
  const check = (request: Uint8Array, type: number, your: string): void => {
    const [resumed] = handUp(request, "put_dhcp_opts", data).resumed;
    assert.ok(resumed !== undefined && bitIsSet(resumed));
    const answer = dhcpAnswer(resumed.packet);
    assert.equal(findDhcpOption(answer, dhcpOption.messageType)?.[0], type);
    assert.equal(formatIp({ family: 4, address: answer.yourIp }), your);
    assert.deepEqual([answer.op, answer.xid, formatMac(answer.clientMac)], [2, 0x1234, "0a:00:00:00:00:01"]);
    assert.equal(findDhcpOption(answer, dhcpOption.router) === undefined, type === dhcpMessage.nak);
    assert.deepEqual([...(resumed.continuation ?? [])], [1, 2, 3]);
  };
  check(dhcpRequest(dhcpMessage.discover), dhcpMessage.offer, "10.0.0.11");
  check(dhcpRequest(dhcpMessage.request, [{ code: dhcpOption.requestedIp, data: Uint8Array.of(10, 0, 0, 11) }]), dhcpMessage.ack, "10.0.0.11");
  check(dhcpRequest(dhcpMessage.request, [{ code: dhcpOption.requestedIp, data: Uint8Array.of(10, 0, 0, 12) }]), dhcpMessage.nak, "0.0.0.0");
});

test("DHCP: a release is not answered, but the packet goes on", () => {
  const [resumed] = handUp(dhcpRequest(dhcpMessage.release), "put_dhcp_opts", resultBit([10, 0, 0, 11, ...dhcpGiven])).resumed;
  assert.ok(resumed !== undefined && !bitIsSet(resumed));
});

test("DHCPv6: solicit is advertised, with the address in the association that the client named", () => {
  const [src, dst] = [ip("fe80::1"), ip("ff02::1:2")];
  const request = { type: dhcpv6Message.solicit, transactionId: 0xabcdef, options: [
    { code: 1, data: Uint8Array.of(0, 3, 0, 1, 10, 0, 0, 0, 0, 1) }, { code: 3, data: Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0) },
  ] };
  const bytes = new Uint8Array(sizeofDhcpv6(request) + 6);
  emitDhcpv6(request, bytes);
  // What follows it claims to be longer than it is.
  bytes.set([0, 1, 2, 0, 0, 3], bytes.length - 6);
  const frame = ethernetFrame({ src: vmMac, dst: macOf(0x333300010002) }, etherType.ipv6, ipPacket(src, dst, ipProtocol.udp, udpDatagram(src, dst, 546, 547, bytes)));
  const address = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11];
  const [resumed] = handUp(frame, "put_dhcpv6_opts", resultBit([0, 2, 0, 6, 10, 0, 0, 0, 0, 0xfe, 0, 5, 0, 16, ...address])).resumed;
  assert.ok(resumed !== undefined && bitIsSet(resumed));
  const headers = present(parseHeaders(resumed.packet));
  const upper = upperLayer(headers, present(headers.ip));
  assert.ok(isChecksumRight(upper, pseudoHeaderSum(src, dst, ipProtocol.udp, upper.length)), "UDP checksum");
  const answer = present(parseDhcpv6(upper.subarray(8)));
  assert.deepEqual([answer.type, answer.transactionId], [dhcpv6Message.advertise, 0xabcdef]);
  assert.deepEqual(answer.options.map((o) => o.code), [1, 2, 3]);
  const association = present(answer.options.find((o) => o.code === 3)).data;
  assert.deepEqual([...association.subarray(0, 4)], [0, 0, 0, 7]);
  assert.deepEqual([...association.subarray(16, 32)], address);
});

test("a router solicitation becomes the advertisement", () => {
  const [src, dst] = [present(parseIpv6("fe80::1")), present(parseIpv6("ff02::2"))];
  const message = icmpv6Message({ type: 133, code: 0, body: new Uint8Array(4) }, src, dst);
  const frame = ethernetFrame({ src: vmMac, dst: macOf(0x333300000002) }, etherType.ipv6, ipPacket(ip("fe80::1"), ip("ff02::2"), ipProtocol.icmpv6, message, 255));
  const advertisement = [134, 0, 0, 0, 64, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0];
  const [resumed] = handUp(frame, "put_nd_ra_opts", resultBit(advertisement)).resumed;
  assert.ok(resumed !== undefined && bitIsSet(resumed));
  const headers = present(parseHeaders(resumed.packet));
  const upper = upperLayer(headers, present(headers.ip));
  assert.equal(upper[0], 134);
  assert.ok(isChecksumRight(upper, pseudoHeaderSum(ip("fe80::1"), ip("ff02::2"), ipProtocol.icmpv6, upper.length)));
});

const tcpFrame = (): Uint8Array => {
  const [src, dst] = [ip("10.0.0.1"), ip("10.0.1.1")];
  const segment = tcpSegment(src, dst, { srcPort: 1000, dstPort: 80, sequence: 7, acknowledgment: 0, flags: tcpFlag.syn, window: 100, urgent: 0, options: new Uint8Array(0) }, new Uint8Array(1400));
  return ethernetFrame({ src: vmMac, dst: routerMac }, etherType.ipv4, ipPacket(src, dst, ipProtocol.tcp, segment));
};
const down = actionsToBytes([{ kind: "resubmit", port: 0xfff8, table: 8 }], of15);

test("ICMP errors hold as much of the packet as may be; the actions come behind the registers", () => {
  const [sent] = handUp(tcpFrame(), "icmp", down, Match.of(["reg14", 5], ["metadata", 3n])).out;
  const headers = present(parseHeaders(present(sent).packet));
  const error = present(parseIcmpv4(upperLayer(headers, present(headers.ip))));
  assert.deepEqual([error.type, error.code, present(sent).packet.length], [3, 1, 576]);
  assert.deepEqual([...error.data.subarray(0, 20)], [...tcpFrame().subarray(14, 34)]);
  assert.deepEqual(present(sent).actions.map((a) => a.kind), ["set_field", "set_field", "resubmit"]);
});

test("a packet that claims to be longer than it is is quoted as far as it goes", () => {
  for (const [from, to, sizeAt] of [["10.0.0.1", "10.0.1.1", 16], ["fd00::1", "fd01::1", 18]] as const) {
    const [src, dst] = [ip(from), ip(to)];
    const frame = ethernetFrame({ src: vmMac, dst: routerMac }, src.family === 4 ? etherType.ipv4 : etherType.ipv6, ipPacket(src, dst, ipProtocol.udp, udpDatagram(src, dst, 1, 2, Uint8Array.of(1, 2))));
    new DataView(frame.buffer).setUint16(sizeAt, 508);
    const [sent] = handUp(frame, "icmp", down).out;
    assert.equal(present(sent).packet.length, 14 + (src.family === 4 ? 20 : 40) + 8 + frame.length - 14, from);
  }
});

test("what an ICMP error quotes gets its logical source back; both checksums stay as right or as wrong as they were", () => {
  const [router, outside] = [ip("172.16.0.50"), ip("172.16.0.110")];
  const quoted = ipPacket(outside, ip("50.0.0.100"), ipProtocol.udp, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const errorAbout = (data: Uint8Array, type = 3): Uint8Array => ethernetFrame(
    { src: routerMac, dst: vmMac }, etherType.ipv4, ipPacket(router, outside, ipProtocol.icmp, icmpv4Message({ type, code: 4, word: 1400, data })),
  );
  const rewritten = (frame: Uint8Array): Uint8Array => present(handUp(frame, "put_icmp4_inner_ip4_src", Uint8Array.of(10, 0, 0, 3)).resumed[0]).packet;
  const inner = (frame: Uint8Array): Uint8Array => frame.subarray(14 + 20 + 8);

  const done = rewritten(errorAbout(quoted));
  assert.deepEqual([...inner(done).subarray(12, 20)], [10, 0, 0, 3, 50, 0, 0, 100]);
  assert.ok(isChecksumRight(inner(done).subarray(0, 20)) && isChecksumRight(done.subarray(14 + 20)));

  const broken = new Uint8Array(quoted);
  broken[8] = (broken[8] ?? 0) ^ 1;
  assert.ok(!isChecksumRight(inner(rewritten(errorAbout(broken))).subarray(0, 20)));
  for (const frame of [errorAbout(quoted, 8), errorAbout(quoted.subarray(0, 12))]) assert.deepEqual(rewritten(frame), frame);
});

test("tcp_reset answers the sequence number; reject turns round at once and never refuses a refusal", () => {
  const reset = (opcode: "tcp_reset" | "reject") => {
    const headers = present(parseHeaders(present(handUp(tcpFrame(), opcode, down).out[0]).packet));
    return { headers, tcp: present(parseTcp(upperLayer(headers, present(headers.ip)))) };
  };
  const onward = reset("tcp_reset");
  assert.deepEqual([onward.tcp.srcPort, onward.tcp.dstPort, onward.tcp.acknowledgment, onward.tcp.flags], [80, 1000, 8, tcpFlag.rst | tcpFlag.ack]);
  assert.equal(onward.headers.src, vmMac);
  assert.equal(reset("reject").headers.src, routerMac);
  const refusal = handUp(tcpFrame(), "tcp_reset", down).out[0]?.packet;
  assert.equal(handUp(present(refusal), "reject", down).out.length, 0);
});

test("arp asks for the address while the packet waits", () => {
  const { out, noted } = handUp(tcpFrame(), "arp", down, Match.of(["reg0", 0x0a000101], ["reg15", 4], ["metadata", 2n]));
  const arp = present(parseArp(present(out[0]).packet.subarray(14)));
  assert.deepEqual([arp.operation, arp.senderMac, formatIp({ family: 4, address: arp.targetIp })], [1, vmMac, "10.0.1.1"]);
  assert.deepEqual((noted[0] as readonly unknown[])[1], { datapathKey: 2, portKey: 4, ip: { family: 4, address: 0x0a000101 } });
});

test("put_arp tells of the sender", () => {
  const { noted } = handUp(tcpFrame(), "put_arp", new Uint8Array(0), Match.of(["reg0", offered], ["reg14", 4], ["metadata", 2n]));
  assert.deepEqual(noted, [[{ datapathKey: 2, portKey: 4, ip: { family: 4, address: offered }, mac: vmMac }, false]]);
});

test("an ACL's log line says who judged, how, and what", () => {
  const data = new Uint8Array([1, 4, ...Buffer.from("no web")]);
  assert.deepEqual(handUp(tcpFrame(), "log", data).noted, [
    'acl_log|INFO|name="no web", verdict=drop, severity=warning, direction=from-lport: tcp,vlan_tci=0x0000,dl_src=0a:00:00:00:00:01,dl_dst=0a:00:00:00:00:fe,' +
    "nw_src=10.0.0.1,nw_dst=10.0.1.1,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=1000,tp_dst=80,tcp_flags=syn",
  ]);
});

test("no packet and no userdata brings a handler down", () => {
  const frames = [dhcpRequest(1), tcpFrame()];
  fc.assert(fc.property(
    fc.nat(controllerOpcodes.length + 1), fc.uint8Array({ maxLength: 80 }), fc.nat(frames.length), fc.nat(400), fc.uint8Array({ minLength: 14, maxLength: 120 }), fc.boolean(),
    (opcode, data, which, cut, garbage, hasResult) => {
      const frame = frames[which]?.slice(0, cut) ?? garbage;
      const userdata = hasResult ? resultBit([...data]) : data;
      const { resumed } = handUp(frame, opcode, userdata);
      assert.ok(resumed.length <= 1);
    },
  ), { numRuns: 2000 });
});

test("DNS: what is asked and what becomes of it is counted", () => {
  const names = new Map([["vm1.example", "10.0.0.4"]]);
  const message = (name: string, type: number, flags = 0): Uint8Array =>
    emitDns({ id: 7, flags, questions: name === "" ? [] : [{ name, type, class: 1 }], answers: [], authorities: [], additionals: [] });
  const check = (payload: Uint8Array, ...expected: readonly string[]): void => {
    const [src, dst] = [ip("10.0.0.4"), ip("10.0.0.9")];
    const packet = ethernetFrame({ src: vmMac, dst: routerMac }, etherType.ipv4, ipPacket(src, dst, ipProtocol.udp, udpDatagram(src, dst, 4000, 53, payload)));
    const { noted, resumed } = handUp(packet, "dns_lookup", resultBit([]), Match.any, names);
    assert.deepEqual(noted.flat(), ["query_total", ...expected].map((name) => `dns_${name}`));
    assert.equal(bitIsSet(present(resumed[0])), expected.includes("response_sent"));
  };
  check(message("vm1.example", dnsType.a), "query_type_a", "cache_hit", "response_sent");
  check(message("VM1.example", dnsType.any), "query_type_any", "cache_hit", "response_sent");
  check(message("vm1.example", dnsType.ptr), "query_type_ptr", "cache_hit", "response_sent");
  check(message("vm1.example", dnsType.aaaa), "query_type_aaaa", "cache_hit", "unsupported_ovn_owned", "response_sent");
  check(message("vm2.example", dnsType.a), "query_type_a", "cache_miss");
  check(message("vm1.example", dnsType.mx), "query_type_other");
  check(message("vm1.example", dnsType.a, dnsFlag.response), "skipped_not_request");
  check(message("", 0), "error_no_query");
  check(message("vm1.example", dnsType.a).subarray(0, 20), "error_parse_failure");
  check(message("vm1.example", dnsType.a).subarray(0, 9), "error_truncated");
});
