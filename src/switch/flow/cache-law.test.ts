/** The law of the cache: what comes out of a switch with its cache is what walking the tables anew for each packet gives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { macOf } from "../../net/index.ts";
import { type Action, field, type FieldName, type FieldValue, Match, OfError, ports as reserved, subfield } from "../../openflow/index.ts";
import { SeededRandom } from "../../std/index.ts";
import { writeU16, writeU32 } from "../../packet/index.ts";
import { Bridge } from "../bridge.ts";
import { Datapath } from "../datapath.ts";
import { makeGroup } from "./flow-group.ts";
import { FlowRule } from "./flow-rule.ts";
import { MatchShapes } from "./minimask.ts";
import { PortTaps } from "../port/port-taps.ts";
import { compile } from "../walk/program.ts";
import { SwitchPort } from "../port/switch-port.ts";

interface World {
  readonly bridges: readonly Bridge[];
  readonly datapath: Datapath;
  readonly seen: string[];
  readonly ports: readonly SwitchPort[];
}

function makeWorld(): World {
  const seen: string[] = [];
  const say = (what: string, bytes: Uint8Array) => seen.push(`${what} ${Buffer.from(bytes).toString("hex")}`);
  const datapath = new Datapath(
    {
      nowMs: () => 0,
      toController: (action, packet) => say(`controller ${action.table} ${action.key.subarray(2, 6).join()}`, packet.share()),
      throughTunnel: () => {},
      track: () => true, trackFragment: (_action, fragment, goOn) => goOn(fragment),
      learn: () => {},
      takes: () => false,
      warn: () => {},
    },
    new PortTaps(() => 0),
  );
  const bridges = ["a", "b"].map((name) => new Bridge(name, name, macOf(1), 1n));
  const ports: SwitchPort[] = [];
  const vlan = { mode: "trunk", tag: 0, trunks: undefined } as const;
  for (const bridge of bridges) {
    for (const number of [1, 2, 3]) {
      const port = new SwitchPort(`${bridge.name}${number}`, number, datapath.ports.nextNumber(), { type: "system" }, macOf(2), 1500, vlan, 0);
      port.deliver = (frame) => say(port.name, frame);
      ports.push(port);
      datapath.ports.add(bridge, port);
    }
    const other = bridge.name === "a" ? "b" : "a";
    datapath.ports.add(bridge, new SwitchPort(`p-${bridge.name}`, 9, datapath.ports.nextNumber(), { type: "patch", peer: `p-${other}` }, macOf(2), 1500, vlan, 0));
  }
  return { bridges, datapath, seen, ports };
}

function randomPacket(r: SeededRandom): Uint8Array {
  const b = new Uint8Array(r.pick([60, 90]));
  writeU16(b, 0, 0x0200);
  writeU32(b, 2, r.below(3));
  writeU16(b, 6, 0x0200);
  writeU32(b, 8, r.below(3));
  let at = 12;
  if (r.chance(0.3)) {
    writeU16(b, 12, 0x8100);
    writeU16(b, 14, r.below(3) | (r.below(2) << 13));
    at = 16;
  }
  const type = r.pick([0x0800, 0x0806, 0x86dd, 0x0800]);
  writeU16(b, at, type);
  at += 2;
  if (type === 0x0806) {
    writeU32(b, at, 0x00010800);
    writeU32(b, at + 4, 0x06040000 | (1 + r.below(2)));
    writeU32(b, at + 14, 0x0a000000 | r.below(4));
    writeU32(b, at + 24, 0x0a000000 | r.below(4));
  } else if (type === 0x0800) {
    const proto = r.pick([1, 6, 17]);
    writeU32(b, at, 0x45000000 | (b.length - at));
    writeU16(b, at + 6, r.chance(0.1) ? 0x2000 : r.chance(0.1) ? 0x0001 : 0);
    b[at + 8] = r.pick([0, 1, 2, 64]);
    b[at + 9] = proto;
    writeU32(b, at + 12, 0x0a000000 | r.below(4));
    writeU32(b, at + 16, 0x0a000000 | r.below(4));
    writeU32(b, at + 20, (r.below(3) << 16) | r.below(3));
  } else {
    writeU32(b, at, 0x60000000);
    writeU16(b, at + 4, b.length - at - 40);
    b[at + 6] = 58;
    b[at + 7] = r.pick([1, 64]);
    writeU32(b, at + 20, r.below(3));
    writeU32(b, at + 36, r.below(3));
    writeU16(b, at + 40, r.pick([0x8000, 0x8700, 0x8800]));
  }
  return b;
}

function randomMatch(r: SeededRandom): Match {
  let match = Match.any;
  const add = (name: FieldName, value: FieldValue, mask?: FieldValue): void => {
    match = match.with(field(name), value, mask);
  };
  if (r.chance(0.3)) add("in_port", 1 + r.below(3));
  if (r.chance(0.2)) add("reg0", r.below(3));
  if (r.chance(0.2)) add("reg1", r.below(2), 1);
  if (r.chance(0.3)) add("eth_dst", 0x020000000000 + r.below(3), r.pick([0xffffffffffff, 1, 0xfffffffffffe]));
  if (r.chance(0.1)) add("vlan_tci", r.pick([0, 0x1001, 0x1000]), r.pick([0x1fff, 0x1000]));
  if (r.chance(0.6)) {
    const type = r.pick([0x0800, 0x0806, 0x86dd]);
    add("eth_type", type);
    if (type === 0x0800) {
      if (r.chance(0.5)) add("ip_dst", 0x0a000000 + r.below(4), r.pick([0xffffffff, 0xfffffffe, 0xff000000]));
      if (r.chance(0.2)) add("nw_ttl", r.pick([0, 1, 63, 64]));
      if (r.chance(0.2)) add("ip_frag", r.pick([0, 1, 3]));
      if (r.chance(0.4)) {
        add("nw_proto", 6);
        if (r.chance(0.7)) add("tcp_dst", r.below(3));
      }
    } else if (type === 0x0806) {
      if (r.chance(0.5)) add("arp_op", 1 + r.below(2));
      if (r.chance(0.5)) add("arp_tpa", 0x0a000000 + r.below(4));
    } else if (r.chance(0.5)) add("ipv6_dst", BigInt(r.below(3)), 3n);
  }
  return match;
}

function randomActions(r: SeededRandom, depth = 0): Action[] {
  const count = 1 + r.below(4);
  return Array.from({ length: count }, () => randomAction(r, depth));
}

function randomAction(r: SeededRandom, depth: number): Action {
  const set = (name: Parameters<typeof field>[0], value: number | bigint, mask?: number | bigint): Action => {
    const f = field(name);
    return { kind: "set_field", field: f, value, mask: mask ?? f.full };
  };
  const choices: (() => Action)[] = [
    () => ({ kind: "output", port: r.pick([1, 2, 3, 9, reserved.inPort, reserved.normal, reserved.flood]) }),
    () => ({ kind: "resubmit", port: r.chance(0.2) ? 1 + r.below(3) : reserved.inPort, table: r.below(4) }),
    () => ({ kind: "resubmit", port: reserved.inPort, table: 1 + r.below(3) }),
    () => set("reg0", r.below(3)),
    () => set("reg1", r.below(2), 1),
    () => set("eth_dst", 0x020000000000 + r.below(3)),
    () => set("eth_src", r.below(3), 1),
    () => set("ip_dst", 0x0a000000 + r.below(4), r.pick([0xffffffff, 1])),
    () => set("tcp_dst", r.below(3)),
    () => set("arp_op", 2),
    () => set("vlan_vid", r.below(3)),
    () => ({ kind: "move", from: subfield("eth_src"), to: subfield("eth_dst") }),
    () => ({ kind: "move", from: subfield("ip_dst", 0, 2), to: subfield("reg0", 0, 2) }),
    () => ({ kind: "move", from: subfield("reg0", 0, 2), to: subfield("ip_src", 0, 2) }),
    () => ({ kind: "move", from: subfield("arp_tpa"), to: subfield("arp_spa") }),
    () => ({ kind: "push", from: subfield("xxreg0", 0, 64) }),
    () => ({ kind: "dec_ttl", controllers: [0] }),
    () => ({ kind: "pop_vlan" }),
    () => ({ kind: "push_vlan", ethType: 0x8100 }),
    () => ({ kind: "group", group: 1 + r.below(3) }),
    () => ({ kind: "controller", maxLength: 0xffff, reason: "action", controllerId: 0 }),
    () => ({ kind: "check_pkt_larger", size: 70, to: subfield("reg1", 0, 1) }),
    () => ({ kind: "ct", commit: false, force: false, zone: { kind: "immediate", zone: 1 }, table: 1 + r.below(3), alg: 0, exec: [] }),
    () => ({ kind: "exit" }),
  ];
  if (depth < 2) choices.push(() => ({ kind: "clone", actions: randomActions(r, depth + 1) }));
  return r.pick(choices)();
}

function randomRule(r: SeededRandom): FlowRule {
  const of = randomMatch(r);
  const match = new MatchShapes().minimatch(of);
  const program = compile(randomActions(r));
  assert.ok(typeof match !== "string" && !(program instanceof OfError));
  return new FlowRule(
    { table: r.below(4), priority: r.below(5), of, match, cookie: 0n, idleTimeout: 0, hardTimeout: 0, importance: 0, flags: {}, program }, 0,
  );
}

function put(bridge: Bridge, rule: FlowRule): void {
  const old = bridge.tables[rule.table]?.find(rule.match, rule.priority);
  if (old !== undefined) bridge.removeRule(old);
  bridge.addRule(rule);
}

function run(seed: number): void {
  const worlds = [makeWorld(), makeWorld()] as const;
  const r = new SeededRandom(seed);
  const both = (act: (world: World, r: SeededRandom) => void): void => {
    const s = r.next32();
    for (const world of worlds) act(world, new SeededRandom(s));
  };
  for (let g = 1; g <= 3; g++) {
    both((w, q) => {
      for (const bridge of w.bridges) {
        const bucket = (id: number) => ({ id, weight: 1 + q.below(3), watchPort: reserved.none, watchGroup: 0xffffffff, actions: randomActions(q, 1) });
        const group = makeGroup({ group: g, type: q.pick(["all", "select"]), buckets: [bucket(0), bucket(1)], selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any }, 0);
        assert.ok(!(group instanceof OfError));
        bridge.groups.set(g, group);
      }
    });
  }
  for (let i = 0; i < 25; i++) both((w, q) => put(q.pick(w.bridges), randomRule(q)));
  for (let i = 0; i < 120; i++) {
    if (r.chance(0.05)) both((w, q) => put(q.pick(w.bridges), randomRule(q)));
    both((w, q) => {
      const port = q.pick(w.ports);
      if (w === worlds[1]) w.datapath.cache.clear();
      w.datapath.receive(port, randomPacket(q));
    });
    assert.deepEqual(worlds[0].seen, worlds[1].seen, `seed ${seed}, packet ${i}`);
    for (const { seen } of worlds) seen.length = 0;
  }
  assert.ok(worlds[0].datapath.cache.hits > 10, "the cache was put to use");
  for (const { datapath } of worlds) datapath.cache.credit();
  const counts = worlds.map((w) => w.bridges.map((b) => b.tables.slice(0, 4).map((t) => [...t.rules].map((rule) => rule.packets))));
  assert.deepEqual(counts[0], counts[1], `seed ${seed}: counters`);
}

test("cached result equals uncached walk on random tables and packets", () => {
  for (let seed = 1; seed <= 150; seed++) run(seed);
});
