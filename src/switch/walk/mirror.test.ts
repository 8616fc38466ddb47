/** What comes out of which port when mirrors copy packets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../host/index.ts";
import { macOf } from "../../net/index.ts";
import { type Action, field, Match, noBuffer, ports as reserved } from "../../openflow/index.ts";
import { Bridge } from "../bridge.ts";
import { Datapath } from "../datapath.ts";
import { BridgeService } from "../openflow/bridge-service.ts";
import type { PortMirror } from "../port/port-mirror.ts";
import { PortTaps } from "../port/port-taps.ts";
import { SwitchPort } from "../port/switch-port.ts";

function outputs(actions: readonly Action[], inPort: number, mirrorOf: (ports: readonly SwitchPort[]) => Partial<PortMirror>): string {
  const bridge = new Bridge("br", "br", macOf(1), 1n);
  const datapath: Datapath = new Datapath(
    { nowMs: () => 0, toController: () => undefined, throughTunnel: () => undefined, track: () => true, trackFragment: () => undefined, takes: () => false, learn: () => undefined, warn: () => undefined },
    new PortTaps(() => 0),
  );
  const service = new BridgeService(bridge, datapath, { version: "0" }, { nowMs: () => 0, next32: () => 1, flushConnections: () => undefined }, silentLog);
  const seen: string[] = [];
  const ports = [1, 2, 3].map((number) => {
    const port = new SwitchPort(`p${number}`, number, datapath.ports.nextNumber(), { type: "system" }, macOf(2), 1500, { mode: "trunk", tag: 0, trunks: undefined }, 0);
    port.deliver = (frame) => seen.push(`${number}:${frame.length}`);
    datapath.ports.add(bridge, port);
    return port;
  });
  const [first, , third] = ports;
  assert.ok(first !== undefined && third !== undefined);
  bridge.mirrors = [{ name: "m", selectsAll: false, sources: new Set(), destinations: new Set(), vlans: new Set(), output: third, maxLength: 0xffffffff, ...mirrorOf(ports) }];
  service.install({
    kind: "flow_mod", command: "add", table: 0, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 1, bufferId: noBuffer,
    outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions,
  });
  const into = ports[inPort - 1];
  assert.ok(into);
  datapath.receive(into, new Uint8Array(60));
  return seen.join(" ");
}

const toOther: readonly Action[] = [{ kind: "output", port: 2 }];
const changed: readonly Action[] = [{ kind: "set_field", field: field("eth_src"), value: 5, mask: field("eth_src").full }, { kind: "output", port: 2 }];

for (const [what, actions, inPort, mirrorOf, expected] of [
  ["everything is copied, once though it goes in and out", toOther, 1, () => ({ selectsAll: true }), "3:60 2:60"],
  ["and again when it has changed in between", changed, 1, () => ({ selectsAll: true }), "3:60 2:60 3:60"],
  ["what goes out by a port", toOther, 1, ([, second]: readonly SwitchPort[]) => ({ destinations: new Set(second === undefined ? [] : [second]) }), "2:60 3:60"],
  ["what comes in by another port is not copied", toOther, 1, ([, second]: readonly SwitchPort[]) => ({ sources: new Set(second === undefined ? [] : [second]) }), "2:60"],
  ["what is dropped is copied when it comes in", [], 1, () => ({ selectsAll: true }), "3:60"],
  ["cut to a length", toOther, 1, () => ({ selectsAll: true, maxLength: 20 }), "3:20 2:60"],
  ["NORMAL leaves the mirror's port alone", [{ kind: "output", port: reserved.normal }], 1, () => ({}), "2:60"],
  ["a VLAN that the packet is not in", toOther, 1, () => ({ selectsAll: true, vlans: new Set([7]) }), "2:60"],
] as const) {
  test(`a mirror: ${what}`, () => assert.equal(outputs(actions, inPort, mirrorOf), expected));
}
