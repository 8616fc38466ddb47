import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../host/index.ts";
import { macOf } from "../../net/index.ts";
import { type Action, field, Match, noBuffer, ports as reserved, subfield } from "../../openflow/index.ts";
import { Bridge } from "../bridge.ts";
import { BridgeService } from "../openflow/bridge-service.ts";
import { Datapath } from "../datapath.ts";
import { W } from "../flow/flow-key.ts";
import { decapsulate, encapsulate, readOptions } from "./geneve.ts";
import { PortTaps } from "./port-taps.ts";
import { SwitchPort, type TunnelSettings } from "./switch-port.ts";

const tlvs = new Map([[0, { optionClass: 0x0102, optionType: 0x80, optionSize: 4, index: 0 }]]);
const tunnel: TunnelSettings = { remote: 0x0a000002, local: 0x0a000001, key: undefined, csum: true, dontFragment: true, ttl: 64, tos: 0, destinationPort: 6081 };
const trunk = { mode: "trunk", tag: 0, trunks: undefined } as const;

/** What goes through the tunnel when a packet meets these actions, in hexadecimal digits. */
function sent(actions: readonly Action[]): string[] {
  const out: string[] = [];
  const frame = new Uint8Array(60).fill(0xee, 0, 12);
  const datapath = new Datapath(
    {
      nowMs: () => 0, toController: () => undefined, track: () => true, trackFragment: (_action, fragment, goOn) => goOn(fragment), takes: () => false, learn: () => undefined, warn: () => undefined,
      throughTunnel: ({ vni, words }) => out.push(Buffer.from(encapsulate(frame.subarray(0, 14), vni, words, tlvs)).toString("hex").slice(0, 32)),
    },
    new PortTaps(() => 0),
  );
  const bridge = new Bridge("br", "br", macOf(1), 1n);
  const service = new BridgeService(bridge, datapath, { version: "0" }, { nowMs: () => 0, next32: () => 1, flushConnections: () => undefined }, silentLog);
  const port = new SwitchPort("p", 1, datapath.ports.nextNumber(), { type: "system" }, macOf(2), 1500, trunk, 0);
  datapath.ports.add(bridge, port);
  datapath.ports.add(bridge, new SwitchPort("t", 2, datapath.ports.nextNumber(), { type: "geneve", tunnel }, macOf(2), 1500, trunk, 0));
  const error = service.install({
    kind: "flow_mod", command: "add", table: 0, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 1, bufferId: noBuffer,
    outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions: [...actions, { kind: "output", port: 2 }],
  });
  assert.equal(error, undefined);
  datapath.receive(port, frame);
  return out;
}

const set = (name: Parameters<typeof field>[0], value: number | bigint, mask?: bigint): Action => ({ kind: "set_field", field: field(name), value, mask: mask ?? field(name).full });

test("an option is sent when something was written to it, by a constant or by a move, and not otherwise", () => {
  assert.deepEqual(sent([set("tun_id", 5n)]), ["0000655800000500eeeeeeeeeeeeeeee"]);
  assert.deepEqual(sent([set("tun_id", 0xff0002n), set("tun_metadata0", 0x10002n, 0xffff_ffffn)]), ["02406558ff0002000102800100010002"]);
  const moves: readonly Action[] = [
    set("reg14", 1), set("reg15", 0x8000), { kind: "move", from: subfield("reg14", 0, 15), to: subfield("tun_metadata0", 16, 15) },
    { kind: "move", from: subfield("reg15", 0, 16), to: subfield("tun_metadata0", 0, 16) },
  ];
  assert.deepEqual(sent(moves), ["02406558000000000102800100018000"]);
  assert.deepEqual(sent([...moves, { kind: "delete_field", field: field("tun_metadata0") }]), ["0000655800000000eeeeeeeeeeeeeeee"]);
});

test("what is encapsulated comes out as it went in", () => {
  const words = new Uint32Array(W.ethDst - W.tunMetadata);
  [words[0], words[W.tunMetadataPresent - W.tunMetadata]] = [0xdeadbeef, 1];
  const frame = Uint8Array.from({ length: 60 }, (_, i) => i);
  const inner = decapsulate(encapsulate(frame, 0xabcdef, words, tlvs));
  assert.ok(inner);
  assert.equal(inner.vni, 0xabcdef);
  assert.deepEqual([...inner.frame], [...frame]);
  const read = new Uint32Array(W.ethDst - W.tunId);
  readOptions(inner.options, tlvs, read);
  assert.equal(read[W.tunMetadata - W.tunId], 0xdeadbeef);
  assert.equal(read[W.tunMetadataPresent - W.tunId], 1);
  const unknown = new Uint32Array(W.ethDst - W.tunId);
  readOptions(inner.options, new Map(), unknown);
  assert.ok(unknown.every((word) => word === 0));
});
