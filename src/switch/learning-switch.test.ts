/** NORMAL: learning and VLANs. Meters and groups, as they show in what comes out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../host/index.ts";
import { macOf } from "../net/index.ts";
import { type Action, Match, meterFlags, noBuffer, OfError, ports as reserved } from "../openflow/index.ts";
import { Bridge } from "./bridge.ts";
import { applyFailMode } from "./fail-mode.ts";
import { BridgeService } from "./openflow/bridge-service.ts";
import { Datapath } from "./datapath.ts";
import { makeGroup } from "./flow/flow-group.ts";
import { makeMeter } from "./flow/flow-meter.ts";
import { PortTaps } from "./port/port-taps.ts";
import { SwitchPort, type VlanMode } from "./port/switch-port.ts";

const trunk: VlanMode = { mode: "trunk", tag: 0, trunks: undefined };
const access = (tag: number): VlanMode => ({ mode: "access", tag, trunks: undefined });

class Bench {
  nowMs = 0;
  seen: string[] = [];
  readonly bridge = new Bridge("br", "br", macOf(1), 1n);
  readonly datapath: Datapath = new Datapath(
    { nowMs: () => this.nowMs, toController: () => undefined, throughTunnel: () => undefined, track: () => true, trackFragment: () => undefined, takes: () => false, learn: () => undefined, warn: () => undefined },
    new PortTaps(() => 0),
  );
  readonly service = new BridgeService(this.bridge, this.datapath, { version: "0" }, { nowMs: () => this.nowMs, next32: () => 1, flushConnections: () => undefined }, silentLog);
  readonly ports: readonly SwitchPort[];

  constructor(vlans: readonly VlanMode[], actions: readonly Action[]) {
    this.ports = vlans.map((vlan, i) => {
      const port = new SwitchPort(`p${i + 1}`, i + 1, this.datapath.ports.nextNumber(), { type: "system" }, macOf(2), 1500, vlan, 0);
      port.deliver = (frame) => this.seen.push(`${port.name} ${Buffer.from(frame).toString("hex").slice(24, 36)}`);
      this.datapath.ports.add(this.bridge, port);
      return port;
    });
    this.add(actions);
  }

  add(actions: readonly Action[]): void {
    const error = this.service.install({
      kind: "flow_mod", command: "add", table: 0, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 1, bufferId: noBuffer,
      outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions,
    });
    assert.equal(error, undefined);
  }

  /** Sends a frame into a port; where it came out, and the twelve digits after the addresses. */
  send(port: number, src: number, dst: number, tag?: number): string[] {
    this.seen = [];
    const vlan = tag === undefined ? "" : `8100${tag.toString(16).padStart(4, "0")}`;
    const mac = (n: number) => n.toString(16).padStart(12, "0");
    const into = this.ports[port - 1];
    assert.ok(into);
    this.datapath.receive(into, Uint8Array.from(Buffer.from(`${mac(dst)}${mac(src)}${vlan}88b50102${"00".repeat(46)}`, "hex")));
    return this.seen;
  }
}

const normal: readonly Action[] = [{ kind: "output", port: reserved.normal }];
const plain = "88b501020000";

test("floods what it does not know, and learns where addresses are", () => {
  const bench = new Bench([trunk, trunk, trunk], normal);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p2 ${plain}`, `p3 ${plain}`]);
  assert.deepEqual(bench.send(2, 0x0b, 0x0a), [`p1 ${plain}`]);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p2 ${plain}`]);
  // The address moves.
  assert.deepEqual(bench.send(3, 0x0b, 0x0a), [`p1 ${plain}`]);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p3 ${plain}`]);
  // It ages, though packets to it kept coming.
  for (let s = 1; s <= 301; s++) {
    bench.nowMs = s * 1000;
    bench.send(1, 0x0a, 0x0b);
    if (bench.bridge.macs.expire(bench.nowMs)) bench.bridge.generation++;
  }
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p2 ${plain}`, `p3 ${plain}`]);
});

test("an access port tags towards a trunk, and VLANs stay apart", () => {
  const bench = new Bench([access(10), access(20), trunk, { ...trunk, trunks: new Set([20]) }, access(10)], normal);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), ["p3 8100000a88b5", `p5 ${plain}`]);
  assert.deepEqual(bench.send(3, 0x0b, 0x0a, 10), [`p1 ${plain}`]);
  assert.deepEqual(bench.send(3, 0x0b, 0xff, 20), [`p2 ${plain}`, "p4 8100001488b5"]);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b, 20), [], "a tag into an access port");
  assert.deepEqual(bench.send(4, 0x0c, 0x0a, 10), [], "a VLAN that the trunk does not carry");
});

test("a bundle takes its first port that lives, or spreads over those", () => {
  const bench = new Bench([trunk, trunk, trunk], normal);
  const [, second, third] = bench.ports;
  assert.ok(second && third);
  const setForwarding = (port: { isForwarding: boolean }, value: boolean): void => {
    port.isForwarding = value;
    bench.bridge.generation++;
  };
  bench.add([{ kind: "bundle", fields: "eth_src", basis: 0, algorithm: "active_backup", members: [2, 3] }]);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p2 ${plain}`]);
  setForwarding(second, false);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p3 ${plain}`]);
  setForwarding(third, false);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), []);
  setForwarding(second, true);
  setForwarding(third, true);
  bench.add([{ kind: "bundle", fields: "eth_src", basis: 0, algorithm: "hrw", members: [2, 3] }]);
  const chosen = new Set(Array.from({ length: 40 }, (_, i) => bench.send(1, i + 1, 0x0b).join()));
  assert.deepEqual([...chosen].sort(), [`p2 ${plain}`, `p3 ${plain}`]);
});

test("a group to all, one that chooses, one that fails over; a meter that lets ten pass", () => {
  const bench = new Bench([trunk, trunk, trunk], normal);
  const group = (type: "all" | "select" | "ff") => {
    const made = makeGroup({
      group: 1, type, selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any,
      buckets: [2, 3].map((port) => ({ id: port, weight: 1, watchPort: type === "ff" ? port : reserved.none, watchGroup: 0xffffffff, actions: [{ kind: "output", port }] })),
    }, 0);
    assert.ok(!(made instanceof OfError));
    bench.bridge.groups.set(1, made);
    bench.bridge.generation++;
  };
  group("all");
  bench.add([{ kind: "group", group: 1 }]);
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p2 ${plain}`, `p3 ${plain}`]);
  group("select");
  const chosen = new Set(Array.from({ length: 40 }, (_, i) => bench.send(1, i + 1, 0x0b).join()));
  assert.deepEqual([...chosen].sort(), [`p2 ${plain}`, `p3 ${plain}`]);
  group("ff");
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p2 ${plain}`]);
  const [, second] = bench.ports;
  assert.ok(second);
  second.isForwarding = false;
  bench.bridge.generation++;
  assert.deepEqual(bench.send(1, 0x0a, 0x0b), [`p3 ${plain}`]);

  const meter = makeMeter({ meter: 4, flags: meterFlags.pktps | meterFlags.burst, bands: [{ type: "drop", rate: 5, burst: 10 }] }, 0);
  assert.ok(!(meter instanceof OfError));
  bench.bridge.meters.set(4, meter);
  bench.add([{ kind: "meter", meter: 4 }, { kind: "output", port: 2 }]);
  const passed = () => Array.from({ length: 30 }, () => bench.send(1, 1, 2).length).reduce((a, b) => a + b);
  assert.equal(passed(), 10);
  bench.nowMs += 1000;
  assert.equal(passed(), 5);
});

test("who comes to rule a bridge, or goes, finds no flows of before; left alone, it learns unless it is to be secure", () => {
  const { bridge, service } = new Bench([], normal);
  const flows = () => [...(bridge.tables[0]?.rules ?? [])].map(({ priority }) => priority).sort();
  const say = (failMode: "secure" | "standalone", isControlled: boolean) => (applyFailMode(bridge, service, failMode, isControlled), flows());
  assert.deepEqual(say("secure", false), [1], "what stands at the beginning stays");
  assert.deepEqual(say("standalone", false), [0]);
  assert.deepEqual(say("standalone", false), [0]);
  assert.deepEqual(say("standalone", true), []);
  assert.deepEqual(say("secure", true), []);
  assert.deepEqual(say("standalone", true), []);
  assert.deepEqual(say("standalone", false), [0]);
  assert.deepEqual(say("secure", false), []);
});
