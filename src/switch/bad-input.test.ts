/** Garbage on every side: frames, datagrams, OpenFlow. It is counted, refused or dropped; nothing throws. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DatagramSocket, memoryStreamPair, silentLog } from "../host/index.ts";
import { macOf } from "../net/index.ts";
import { encodeMessage, field, Match, type Message, noBuffer, of10, of13, of15, type OfVersion, ports as reserved, subfield } from "../openflow/index.ts";
import { Bridge } from "./bridge.ts";
import { BridgeService } from "./openflow/bridge-service.ts";
import { ConnectionTracker } from "./conntrack/connection-tracker.ts";
import { Datapath } from "./datapath.ts";
import { decapsulate } from "./port/geneve.ts";
import { PortTaps } from "./port/port-taps.ts";
import { SwitchPort, type TunnelSettings } from "./port/switch-port.ts";
import { Tunnels } from "./port/tunnels.ts";

const trunk = { mode: "trunk", tag: 0, trunks: undefined } as const;

function makeSwitch() {
  const taps = new PortTaps(() => 0);
  const tracker = new ConnectionTracker(() => 0, () => undefined, 100);
  const delivered: Uint8Array[] = [];
  const datapath: Datapath = new Datapath(
    {
      nowMs: () => 0, toController: (action, packet) => service.packetIn(action, packet), throughTunnel: () => undefined,
      track: (action, packet) => tracker.track(action, packet), learn: (_bridge, flow) => service.install(flow), trackFragment: () => undefined, takes: () => false, warn: () => undefined,
    },
    taps,
  );
  const bridge = new Bridge("br", "br", macOf(1), 1n);
  const service: BridgeService = new BridgeService(
    bridge, datapath, { version: "0" }, { nowMs: () => 0, next32: () => 1, flushConnections: (m) => (m.kind === "ct_flush" ? tracker.flushMatching(m) : tracker.flush(m.zone)) }, silentLog,
  );
  const ports = [1, 2].map((number) => {
    const port = new SwitchPort(`p${number}`, number, datapath.ports.nextNumber(), { type: "system" }, macOf(2), 1500, trunk, 0);
    port.deliver = (frame) => delivered.push(frame);
    datapath.ports.add(bridge, port);
    return port;
  });
  const [port] = ports;
  assert.ok(port);
  return { datapath, bridge, service, port, delivered, taps, tracker };
}

const add = (table: number, match: Match, actions: Extract<Message, { kind: "flow_mod" }>["actions"]): Extract<Message, { kind: "flow_mod" }> => ({
  kind: "flow_mod", command: "add", table, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 1, bufferId: noBuffer,
  outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match, actions,
});
const set = (name: Parameters<typeof field>[0], value: number | bigint) => ({ kind: "set_field", field: field(name), value, mask: field(name).full }) as const;

/** Beginnings of real frames, so that garbage gets past the first look. */
const beginnings = [
  "", "ffffffffffff000000000001", "ffffffffffff0000000000010800", "ffffffffffff00000000000108004500", "ffffffffffff000000000001080045000040000000004001",
  "ffffffffffff000000000001080045000040000020004011", "ffffffffffff00000000000186dd6000000000203a40", "ffffffffffff00000000000186dd600000000020003c",
  "ffffffffffff00000000000186dd6000000000202c40", "ffffffffffff0000000000010806000108000604", "ffffffffffff000000000001810000050800", "ffffffffffff0000000000010004aaaa030000000800",
].map((h) => Uint8Array.from(Buffer.from(h, "hex")));

const frames = fc.tuple(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 120, size: "max" })).map(([head, tail]) => Uint8Array.from([...head, ...tail]));

test("frames of any kind pass a pipeline that looks at and writes to everything", () => {
  const { datapath, service, port } = makeSwitch();
  const flows = [
    add(0, Match.of(["in_port", 1]), [
      set("eth_dst", 3), set("ip_src", 0x01020304), set("ipv6_dst", 5n), set("arp_op", 2), set("arp_tpa", 7), set("tcp_dst", 9), set("udp_src", 8), set("icmp_type", 1),
      set("icmpv6_code", 2), set("nd_target", 6n), set("nd_sll", 4), set("nd_tll", 4), set("nw_tos", 4), set("ipv6_label", 9),
      { kind: "dec_ttl", controllers: [0] }, { kind: "resubmit", port: reserved.inPort, table: 1 },
    ]),
    add(1, Match.any, [
      { kind: "output", port: 2 }, { kind: "controller", maxLength: 20, reason: "action", controllerId: 0 }, { kind: "push_vlan", ethType: 0x8100 }, set("vlan_pcp", 3),
      { kind: "output", port: reserved.normal }, { kind: "pop_vlan" }, { kind: "check_pkt_larger", size: 60, to: subfield("reg0", 0, 1) },
      {
        kind: "ct", commit: true, force: false, zone: { kind: "immediate", zone: 3 }, table: 2, alg: 0,
        exec: [{ kind: "nat", direction: "src", ipMin: 0x0a0a0a0a }, set("ct_mark", 4)],
      },
    ]),
    add(2, Match.of(["ct_state", 0x20, 0x20]), [{ kind: "output", port: reserved.inPort }, { kind: "ct_clear" }, { kind: "output", port: reserved.local }]),
  ];
  for (const flow of flows) assert.equal(service.install(flow), undefined);
  fc.assert(fc.property(frames, (frame) => datapath.receive(port, frame)), { numRuns: 2000 });
  assert.ok(port.counters.rxPackets >= 2000);
});

test("datagrams of any kind are counted, and only Geneve of a known tunnel comes through", async () => {
  const { datapath, bridge, taps } = makeSwitch();
  let deliver: ((bytes: Uint8Array, address: string, port: number) => void) | undefined;
  const socket: DatagramSocket = { address: "10.0.0.1", port: 6081, dropped: 0, attach: (receive) => void (deliver = receive), send: () => undefined, close: () => undefined };
  let received = 0;
  const tunnels = new Tunnels({ bind: () => Promise.resolve(socket) }, { now: () => 0, wall: () => 0, after: () => ({ cancel: () => undefined }) }, taps, { receive: () => void received++, bound: () => undefined, egress: () => undefined }, silentLog);
  const settings: TunnelSettings = { remote: "10.0.0.2", local: "10.0.0.1", key: undefined, csum: true, dontFragment: true, ttl: 64, tos: 0, destinationPort: 6081 };
  const port = new SwitchPort("t", 5, datapath.ports.nextNumber(), { type: "geneve", tunnel: settings }, macOf(2), 1500, trunk, 0);
  tunnels.add(bridge, port, { type: "geneve", tunnel: settings }, "0.0.0.0");
  await Promise.resolve();
  const give = (bytes: Uint8Array, address: string): void => deliver?.(bytes, address, 1234);
  const heads = ["", "00", "0000655800000700", "0240655800000700", "0240655800000700010280010001000", "3f406558", "c000655800000700"].map((h) => Uint8Array.from(Buffer.from(h, "hex")));
  let sent = 0;
  fc.assert(
    fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 80, size: "max" }), fc.constantFrom("10.0.0.2", "10.9.9.9", "fe80::1"), (head, tail, address) => {
      const bytes = Uint8Array.from([...head, ...tail]);
      sent++;
      give(bytes, address);
    }),
    { numRuns: 2000 },
  );
  assert.equal(received + tunnels.malformed + tunnels.unknown, sent);
  assert.ok(received > 0 && tunnels.malformed > 0 && tunnels.unknown > 0, `${received} ${tunnels.malformed} ${tunnels.unknown}`);
  // An option that claims more than there is; another version.
  for (const bad of ["0140655800000700010280050000000000000000000000000000000000000000", "4000655800000700000000000000000000000000000000"]) {
    assert.equal(decapsulate(Uint8Array.from(Buffer.from(bad, "hex"))), undefined);
  }
  tunnels.close();
});

test("OpenFlow of any kind gets an answer or an end", async () => {
  const { service, port, datapath } = makeSwitch();
  const flow = add(0, Match.of(["in_port", 1], ["eth_type", 0x800], ["ip_dst", 5]), [{ kind: "output", port: 2 }, set("eth_dst", 3)]);
  const messages: readonly Message[] = [
    flow,
    { kind: "flow_stats_request", table: 255, outPort: reserved.none, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: Match.any },
    { kind: "packet_out", bufferId: noBuffer, metadata: Match.of(["in_port", 1]), actions: [{ kind: "output", port: 2 }], packet: new Uint8Array(60) },
    { kind: "port_stats_request", port: reserved.none },
  ];
  const newer: readonly Message[] = [
    { kind: "bundle_control", bundle: 1, control: "open_request", flags: 3 },
    { kind: "bundle_add", bundle: 1, flags: 3, message: flow },
    { kind: "group_mod", command: "add", commandBucket: 0xffffffff, group: 1, type: "all", buckets: [], selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any },
  ];
  const real = new Map([of10, of13, of15].map((version) => [version, [...messages, ...(version === of10 ? [] : newer)].map((m, i) => encodeMessage(version, i, m))]));
  const damaged = (version: OfVersion) => fc.tuple(fc.constantFrom(...(real.get(version) ?? [])), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })).map(([message, flips]) => {
    const bytes = Uint8Array.from(message);
    for (const [at, value] of flips) bytes[4 + (at % (bytes.length - 4))] = value;
    return bytes;
  });
  const talk = fc.constantFrom(of10, of13, of15).chain((version) =>
    fc.tuple(fc.constant(version), fc.boolean(), fc.array(fc.oneof(damaged(version), fc.uint8Array({ maxLength: 40, size: "max" })), { maxLength: 6 })));
  await fc.assert(
    fc.asyncProperty(talk, async ([version, isGreeted, chunks]) => {
      const [ours, theirs] = memoryStreamPair("fuzz");
      theirs.attach({ data: () => undefined, closed: () => undefined });
      service.accept(ours);
      if (isGreeted) theirs.write(encodeMessage(version, 1, { kind: "hello", versions: 1 << version }));
      for (const chunk of chunks) theirs.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      theirs.close();
      await new Promise((resolve) => setImmediate(resolve));
    }),
    { numRuns: 500 },
  );
  datapath.receive(port, new Uint8Array(64));
  assert.ok(service.connections.size <= 1);
});
