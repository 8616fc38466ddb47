import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../std/index.ts";
import { flowVectors } from "./flow-vectors.ts";
import {
  allFields, decodeMessage, encodeMessage, field, findFieldOnWire, formatFlowMod, isTextError, Match, type Message, MessageFramer, of10, of13, of14,
  of15, parseFlow, ports,
} from "./index.ts";
import { randomActions, randomFlowMod, randomMatch } from "./random-flow.ts";

const bytes = (...b: number[]): Uint8Array => Uint8Array.from(b);
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

function decoded(bytes: Uint8Array): Message {
  const result = decodeMessage(bytes);
  if ("error" in result) assert.fail(`${result.error.toString()} for ${toHex(bytes)}`);
  return result.message;
}

test("flows become the bytes that OVS makes of them, and print as it prints them", () => {
  for (const [text, printed, body] of flowVectors) {
    const flow = parseFlow(text);
    if (isTextError(flow)) assert.fail(`${text}: ${flow.error}`);
    assert.equal(toHex(encodeMessage(of15, 0, flow)).slice(16), body, text);
    const back = decoded(fromHex(`060e${(body.length / 2 + 8).toString(16).padStart(4, "0")}00000000${body}`));
    assert.ok(back.kind === "flow_mod");
    assert.equal(formatFlowMod(back), printed);
  }
});

test("every field is found by each of its names on the wire", () => {
  for (const f of allFields) for (const c of f.codePoints) assert.equal(findFieldOnWire(c.experimenter, c.oxmClass, c.number), f, c.name);
  assert.equal(new Set(allFields.flatMap((f) => f.codePoints.map((c) => c.name))).size, allFields.flatMap((f) => f.codePoints).length);
});

test("random flows survive the wire in every version", () => {
  const random = new SeededRandom(7);
  for (let i = 0; i < 1500; i++) {
    const flow = randomFlowMod(random);
    for (const version of [of13, of14, of15]) {
      const bytes = encodeMessage(version, i, flow);
      const back = decoded(bytes);
      assert.equal(toHex(encodeMessage(version, i, back)), toHex(bytes));
      assert.ok(back.kind === "flow_mod");
      assert.equal(back.match.key, flow.match.key);
      if (version === of15) assert.deepEqual(back.actions.map((a) => (a.kind === "output" ? { ...a } : a)), flow.actions);
    }
  }
});

test("random flows survive the wire of OpenFlow 1.0", () => {
  const random = new SeededRandom(17);
  const decode = (bytes: Uint8Array): Message => {
    const result = decodeMessage(bytes, undefined, { flowModTableId: true });
    if ("error" in result) assert.fail(`${result.error.toString()} for ${toHex(bytes)}`);
    return result.message;
  };
  for (let i = 0; i < 1500; i++) {
    const flow = randomFlowMod(random);
    const bytes = encodeMessage(of10, i, flow);
    const back = decode(bytes);
    assert.equal(toHex(encodeMessage(of10, i, back)), toHex(bytes));
    assert.ok(back.kind === "flow_mod");
    assert.equal(back.match.key, flow.match.key);
    assert.equal(back.table, flow.table);
  }
  const flow = { ...randomFlowMod(random), command: "delete", table: 255, cookie: 5n, cookieMask: 7n, actions: [], flags: {} } as const;
  const back = decode(encodeMessage(of10, 1, flow));
  assert.ok(back.kind === "flow_mod" && back.table === 255 && back.cookie === 5n && back.cookieMask === 7n);
  const port = { port: 1, mac: 2, name: "p1", config: 0, state: 1, current: 0, advertised: 0, supported: 0, peer: 0, currentSpeed: 0, maxSpeed: 0 };
  const group = { group: 5, type: "all", buckets: [{ id: 0, weight: 0, watchPort: ports.none, watchGroup: 0xffffffff, actions: [{ kind: "output", port: 3 }] }], selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any } as const;
  const messages: readonly Message[] = [
    { kind: "features_reply", datapathId: 5n, buffers: 0, tables: 254, auxiliaryId: 0, capabilities: 0xc7, actions: 0xfff, ports: [port] },
    { kind: "flow_stats_request", table: 255, outPort: ports.none, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: Match.of(["reg1", 1]) },
    {
      kind: "flow_stats_reply",
      flows: [{ table: 1, priority: 5, cookie: 6n, match: Match.of(["in_port", ports.local]), actions: [{ kind: "output", port: 3 }], durationNs: 1_500_000_000n, idleTimeout: 1, hardTimeout: 2, idleAge: 0, hardAge: 9, packets: 3n, bytes: 4n, importance: 0, flags: {} }],
    },
    { kind: "aggregate_reply", packets: 1n, bytes: 2n, flows: 3 }, { kind: "port_desc_reply", ports: [port], more: true }, { kind: "barrier_reply" },
    { kind: "group_mod", command: "add", commandBucket: 0xffffffff, ...group }, { kind: "group_desc_reply", groups: [group] }, { kind: "flow_age" },
    { kind: "packet_out", bufferId: 0xffffffff, metadata: Match.of(["in_port", ports.none]), actions: [{ kind: "output", port: 3 }], packet: bytes(1, 2, 3) },
    { kind: "group_stats_reply", groups: [{ group: 5, references: 1, packets: 2n, bytes: 3n, durationNs: 4_500_000_000n, buckets: [{ packets: 6n, bytes: 7n }] }] },
    { kind: "table_stats_reply", tables: [{ table: 3, active: 2, lookups: 5n, matched: 4n }] }, { kind: "role_request", role: "primary", generation: undefined },
  ];
  for (const message of messages) assert.deepEqual(decode(encodeMessage(of10, 9, message)), message);
});

test("OpenFlow 1.0's own flow_mod is understood", () => {
  // ovs-ofctl -O OpenFlow10 -F OpenFlow10: priority=7,ip,nw_src=10.0.0.0/8,dl_vlan=5 actions=mod_vlan_vid:6,output:2
  const body = "003818ed000000000000000000000000000000050000080000000000" + "0a000000000000000000000000000000000000000000000000000007" + "ffffffffffff000000010008000600000000000800020000";
  const message = decoded(fromHex(`010e${(body.length / 2 + 8).toString(16).padStart(4, "0")}00000001${body}`));
  assert.ok(message.kind === "flow_mod");
  assert.equal(formatFlowMod(message), "ADD priority=7,ip,dl_vlan=5,nw_src=10.0.0.0/8 reset_counts actions=set_field:0x1006/0x1fff->vlan_tci,output:2");
});

test("random flows survive their text", () => {
  const random = new SeededRandom(8);
  for (let i = 0; i < 800; i++) {
    const match = randomMatch(random);
    const actions = randomActions(random);
    const flow = { ...randomFlowMod(random), match, actions };
    const printed = formatFlowMod(flow);
    const text = printed.replace(/^ADD (table:\d+ )?/, "").replace(/cookie:\S+ /, "").replace(/(idle|hard):(\d+)/g, "$1_timeout=$2");
    const back = parseFlow(text);
    if (isTextError(back)) assert.fail(`${text}: ${back.error}`);
    assert.equal(formatFlowMod({ ...back, table: flow.table, cookie: flow.cookie }), printed);
  }
});

test("matches that mean the same are the same", () => {
  const a = Match.of(["xreg0", 0x0000000500000007n], ["vlan_vid", 0x1005]);
  const b = Match.of(["vlan_tci", 0x1005, 0x1fff], ["reg1", 7], ["reg0", 5]);
  assert.equal(a.key, b.key);
  assert.equal(Match.of(["xxreg0", 0n, 0xffffffffn]).key, Match.of(["reg3", 0]).key);
  assert.equal(Match.of(["ip_dscp", 5]).key, Match.of(["nw_tos", 20]).key);
  assert.notEqual(Match.of(["eth_dst", 0x010000000000, 0x010000000000]).key, Match.of(["eth_dst", 0x010000000000]).key);
});

function checkRoundTrip(...messages: readonly Message[]): void {
  for (const version of [of13, of14, of15]) for (const message of messages) assert.deepEqual(decoded(encodeMessage(version, 9, message)), message);
}

test("messages survive the wire", () => {
  const packetIn = {
    packet: bytes(1, 2, 3, 4), totalLength: 4, bufferId: 0xffffffff, reason: "action", table: 9, cookie: 0x1234n,
    metadata: Match.of(["in_port", 4], ["reg0", 7], ["metadata", 5n], ["tun_id", 3n]),
  } as const;
  const port = {
    port: ports.local, mac: 0x0a0b0c0d0e0f, name: "br-int", config: 1, state: 1, current: 1, advertised: 2, supported: 3, peer: 4, currentSpeed: 5, maxSpeed: 6,
  };
  checkRoundTrip(
    { kind: "echo_request", data: bytes(1, 2) },
    { kind: "barrier_request" },
    { kind: "features_reply", datapathId: 0xabcdefn, buffers: 0, tables: 254, auxiliaryId: 0, capabilities: 0x4f },
    { kind: "set_config", fragments: "normal", missSendLength: 65535 },
    { kind: "packet_in", extended: true, ...packetIn, userdata: bytes(0, 0, 0, 1), continuation: bytes(9, 9, 9) },
    { kind: "packet_in", extended: false, ...packetIn },
    { kind: "resume", packetIn: { ...packetIn, continuation: bytes(7) } },
    { kind: "packet_out", bufferId: 0xffffffff, metadata: Match.of(["in_port", ports.controller]), actions: [{ kind: "resubmit", port: ports.inPort, table: 8 }], packet: bytes(1, 2, 3) },
    { kind: "port_status", reason: "add", port },
    { kind: "port_mod", port: 5, mac: 6, config: 1, mask: 1, advertise: 0 },
    { kind: "meter_mod", command: "add", meter: 5, flags: 9, bands: [{ type: "drop", rate: 100, burst: 10 }] },
    { kind: "role_request", role: "primary", generation: 7n },
    { kind: "bundle_control", bundle: 5, control: "open_request", flags: 3 },
    { kind: "set_async", packetIn: [1, 2], portStatus: [3, 4], flowRemoved: [5, 6] },
    { kind: "set_packet_in_format", format: "nxt_packet_in2" },
    { kind: "set_controller_id", id: 5 },
    { kind: "tlv_table_mod", command: "add", mappings: [{ optionClass: 0x102, optionType: 0x80, optionSize: 4, index: 0 }] },
    { kind: "tlv_table_request" },
    { kind: "tlv_table_reply", maxSpace: 252, maxFields: 64, mappings: [] },
    { kind: "ct_flush_zone", zone: 5 },
    { kind: "ct_flush", protocol: 6, family: 4, zone: 3, original: { source: 0x0a000001n, destinationPort: 80 }, reply: {}, mark: { value: 1, mask: 3 } },
    { kind: "desc_request" },
    { kind: "desc_reply", description: { manufacturer: "Nicira, Inc.", hardware: "Open vSwitch", software: "3.6", serial: "None", datapath: "None" } },
    { kind: "port_desc_reply", ports: [port, { ...port, port: 1, name: "p1" }] },
    { kind: "table_stats_reply", tables: [{ table: 3, active: 2, lookups: 5n, matched: 4n }], more: true },
    { kind: "meter_features_reply", maxMeters: 5, bandTypes: 2, capabilities: 3, maxBands: 1, maxColor: 0 },
    { kind: "group_features_reply", types: 15, capabilities: 7, maxGroups: [1, 2, 3, 4], actions: [5, 6, 7, 8] },
    { kind: "meter_config_reply", meters: [{ meter: 1, flags: 1, bands: [{ type: "dscp_remark", rate: 1, burst: 2, precedence: 3 }] }] },
    { kind: "aggregate_reply", packets: 1n, bytes: 2n, flows: 3 },
    { kind: "group_stats_reply", groups: [{ group: 1, references: 2, packets: 3n, bytes: 4n, durationNs: 5_000_000_006n, buckets: [{ packets: 1n, bytes: 2n }] }] },
    { kind: "port_stats_reply", ports: [{ port: 1, rxPackets: 1n, txPackets: 2n, rxBytes: 3n, txBytes: 4n, rxDropped: 5n, txDropped: 6n, rxErrors: 7n, txErrors: 8n, rxFrameErrors: 10n, rxOverErrors: 11n, rxCrcErrors: 12n, collisions: 13n, durationNs: 9n }] },
  );
});

test("flows, groups and bundles survive the wire", () => {
  const flow = {
    table: 1, priority: 5, cookie: 6n, match: Match.of(["reg0", 5]), actions: [{ kind: "output", port: 3 } as const], durationNs: 1_500_000_000n, idleTimeout: 1,
    hardTimeout: 2, packets: 3n, bytes: 4n, importance: 0, flags: { sendFlowRemoved: true },
  };
  const bucket = { id: 0, weight: 100, watchPort: ports.none, watchGroup: 0xffffffff, actions: [{ kind: "resubmit", port: ports.inPort, table: 9 } as const] };
  const group = { group: 5, type: "select", buckets: [bucket, { ...bucket, id: 1, weight: 50 }], selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any } as const;
  checkRoundTrip(
    { kind: "flow_stats_reply", flows: [flow, { ...flow, table: 2 }] },
    { kind: "flow_stats_request", table: 255, outPort: ports.none, outGroup: 0xffffffff, cookie: 1n, cookieMask: 3n, match: Match.of(["reg1", 1]) },
    { kind: "flow_removed", match: Match.of(["reg0", 5]), cookie: 1n, priority: 2, reason: "idle", table: 3, durationNs: 4n, idleTimeout: 5, hardTimeout: 6, packets: 7n, bytes: 8n },
    { kind: "group_mod", command: "add", commandBucket: 0xffffffff, ...group },
    { kind: "group_desc_reply", groups: [group] },
    { kind: "bundle_add", bundle: 1, flags: 3, message: { kind: "group_mod", command: "delete", commandBucket: 0xffffffff, ...group, buckets: [] } },
  );
  const hashed = { ...group, selectionMethod: "dp_hash", selectionFields: Match.of(["ip_src", 0, 0xffffffff], ["nw_proto", 0, 0xff]) };
  const [withHash] = [decoded(encodeMessage(of15, 1, { kind: "group_mod", command: "add", commandBucket: 0xffffffff, ...hashed }))];
  assert.ok(withHash.kind === "group_mod" && withHash.selectionMethod === "dp_hash");
  assert.equal(withHash.selectionFields.get(field("ip_src"))?.mask, 0xffffffff);
});

test("garbage is answered with an error, never with an exception", () => {
  const random = new SeededRandom(3);
  const whole = Array.from({ length: 40 }, () => encodeMessage(random.pick([of13, of14, of15]), 1, randomFlowMod(random)));
  for (let i = 0; i < 20000; i++) {
    const message = Uint8Array.from(random.pick(whole));
    for (let flips = 1 + random.below(4); flips > 0; flips--) message[2 + random.below(message.length - 2)] = random.next32() & 0xff;
    const result = decodeMessage(message);
    if (!("error" in result)) encodeMessage(result.version, 0, result.message);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 40 }), fc.constantFrom(1, 4, 5, 6), (body, type, version) => {
    const message = Uint8Array.from([version, type, 0, 0, 0, 0, 0, 0, ...body]);
    message[3] = message.length & 0xff;
    message[2] = message.length >> 8;
    decodeMessage(message);
  }), { numRuns: 5000 });
});

test("what is wrong has OpenFlow's own name", () => {
  const nameOf = (text: string): string => {
    const result = decodeMessage(fromHex(text));
    return "error" in result ? result.error.name : `fine: ${result.message.kind}`;
  };
  assert.equal(nameOf("090200080000000a"), "OFPBRC_BAD_VERSION");
  assert.equal(nameOf("060200090000000a"), "OFPBRC_BAD_LEN");
  assert.equal(nameOf("066300080000000a"), "OFPBRC_BAD_TYPE");
  assert.equal(nameOf("060400100000000a0000232000000fff"), "OFPBRC_BAD_SUBTYPE");
  assert.equal(nameOf("060400100000000a1234567800000fff"), "OFPBRC_BAD_VENDOR");
  assert.equal(nameOf("061200100000000a00ff000000000000"), "OFPBRC_BAD_STAT");
});

test("a hello of any version is understood", () => {
  const check = (text: string, versions: number): void => {
    const message = decoded(fromHex(text));
    assert.deepEqual(message, { kind: "hello", versions });
  };
  check("0600001000000001" + "0001000800000070", 0x70);
  check("0400000800000001", 0x1e);
  check("0900001000000001" + "0001000800000040", 0x40);
});

test("an error names what OVS names, and comes back with its data", () => {
  for (const error of ["OFPBRC_BAD_LEN", "OFPBAC_BAD_OUT_PORT", "NXBRC_MUST_BE_ZERO", "OFPFMFC_TABLE_FULL", "NXTTMFC_ALREADY_MAPPED"] as const) {
    const message = decoded(encodeMessage(of15, 4, { kind: "error", error, data: bytes(6, 2, 0, 8) }));
    assert.ok(message.kind === "error");
    assert.equal(message.error, error);
    assert.deepEqual([...message.data], [6, 2, 0, 8]);
  }
});

test("a stream is cut into messages wherever its chunks end", () => {
  const messages = [encodeMessage(of15, 1, { kind: "barrier_request" }), encodeMessage(of15, 2, { kind: "echo_request", data: bytes(1, 2, 3) }), encodeMessage(of15, 3, { kind: "barrier_reply" })];
  const stream = Uint8Array.from(messages.flatMap((m) => [...m]));
  for (let size = 1; size <= stream.length; size++) {
    const framer = new MessageFramer();
    const got: string[] = [];
    for (let at = 0; at < stream.length; at += size) got.push(...framer.push(stream.subarray(at, at + size)).map(toHex));
    assert.deepEqual(got, messages.map(toHex));
  }
  const framer = new MessageFramer();
  assert.deepEqual(framer.push(fromHex("0600000400000000")), []);
  assert.equal(framer.error?.name, "OFPBRC_BAD_LEN");
});
