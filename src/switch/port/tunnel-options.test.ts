import assert from "node:assert/strict";
import { test } from "node:test";
import { type Datagrams, silentLog } from "../../host/index.ts";
import { macOf } from "../../net/index.ts";
import { type Action, field, Match, noBuffer, ports as reserved, subfield } from "../../openflow/index.ts";
import { Bridge } from "../bridge.ts";
import { BridgeService } from "../openflow/bridge-service.ts";
import { Datapath } from "../datapath.ts";
import { W } from "../flow/flow-key.ts";
import { decapsulate, encapsulate, readOptions } from "./geneve.ts";
import { Packet } from "../packet/packet.ts";
import { Tunnels } from "./tunnels.ts";
import { PortTaps } from "./port-taps.ts";
import { SwitchPort, type TunnelSettings } from "./switch-port.ts";

const tlvs = new Map([[0, { optionClass: 0x0102, optionType: 0x80, optionSize: 4, index: 0 }]]);
const tunnel: TunnelSettings = { remote: "10.0.0.2", local: "10.0.0.1", key: undefined, csum: true, dontFragment: true, ttl: 64, tos: 0, destinationPort: 6081 };
const trunk = { mode: "trunk", tag: 0, trunks: undefined } as const;

/** Where a packet goes that meets these actions, by a tunnel whose ends each flow sets. */
function destination(actions: readonly Action[]): string {
  let found = "";
  const datapath = new Datapath(
    {
      nowMs: () => 0, toController: () => undefined, track: () => true, trackFragment: (_action, fragment, goOn) => goOn(fragment), takes: () => false, learn: () => undefined, warn: () => undefined,
      throughTunnel: ({ remote, local }) => (found = `${local}>${remote}`),
    },
    new PortTaps(() => 0),
  );
  enter(datapath, actions, { ...tunnel, remote: "", local: "" });
  return found;
}

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
  enter(datapath, actions, tunnel);
  return out;
}

/** A packet that comes in by port 1, meets the actions, and leaves by the tunnel. */
function enter(datapath: Datapath, actions: readonly Action[], settings: TunnelSettings): void {
  const bridge = new Bridge("br", "br", macOf(1), 1n);
  const service = new BridgeService(bridge, datapath, { version: "0" }, { nowMs: () => 0, next32: () => 1, flushConnections: () => undefined }, silentLog);
  const port = new SwitchPort("p", 1, datapath.ports.nextNumber(), { type: "system" }, macOf(2), 1500, trunk, 0);
  datapath.ports.add(bridge, port);
  datapath.ports.add(bridge, new SwitchPort("t", 2, datapath.ports.nextNumber(), { type: "geneve", tunnel: settings }, macOf(2), 1500, trunk, 0));
  const error = service.install({
    kind: "flow_mod", command: "add", table: 0, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 1, bufferId: noBuffer,
    outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions: [...actions, { kind: "output", port: 2 }],
  });
  assert.equal(error, undefined);
  datapath.receive(port, new Uint8Array(60).fill(0xee, 0, 12));
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

test("a flow says where a tunnel ends, in either family", () => {
  assert.equal(destination([set("tun_dst", 0x0a000003), set("tun_src", 0x0a000001)]), "10.0.0.1>10.0.0.3");
  assert.equal(destination([set("tun_ipv6_dst", 0xfd000000000000000000000000000003n)]), ">fd00::3");
  assert.equal(destination([]), "", "nowhere to go");
});

test("over IPv6: a packet finds its tunnel, and its key says where it came from", async () => {
  const net = new Map<string, (bytes: Uint8Array, address: string, port: number) => void>();
  const datagrams: Datagrams = {
    bind: async (address, port) => ({
      address, port: port === 0 ? 40000 : port, dropped: 0,
      attach: (receive) => void net.set(`${address} ${port}`, receive),
      send: (bytes, to, toPort) => net.get(`${to} ${toPort}`)?.(bytes, `${address}%eth0`, port),
      close: () => undefined,
    }),
  };
  const clock = { now: () => 0, wall: () => 0, after: () => ({ cancel: () => undefined }) };
  const seen: string[] = [];
  const [bridge] = [new Bridge("br", "br", macOf(1), 1n)];
  const ends = ["fd00::1", "fd00::2"].map((local, i, all) => {
    const taps = new PortTaps(() => 0);
    taps.add("tunnel", ({ bytes }) => seen.push(Buffer.from(bytes.subarray(12, 54)).toString("hex")));
    const tunnels = new Tunnels(datagrams, clock, taps, {
      receive: (_port, frame, words) => seen.push(`${frame.length} ${Buffer.from(new Uint8Array(words.slice(W.tunIpv6Src - W.tunId, W.tunMetadata - W.tunId).buffer)).toString("hex")}`),
      bound: () => undefined, egress: () => undefined,
    }, silentLog);
    const settings = { ...tunnel, local, remote: all[1 - i] ?? "" };
    const port = new SwitchPort("t", 2, i + 1, { type: "geneve", tunnel: settings }, macOf(2), 1500, trunk, 0);
    tunnels.add(bridge, port, { type: "geneve", tunnel: settings }, "0.0.0.0");
    return { tunnels, port, remote: settings.remote };
  });
  await Promise.resolve();
  const [near] = ends;
  assert.ok(near !== undefined);
  near.tunnels.send({ kind: "tunnel", port: near.port, remote: near.remote, local: "", vni: 7, words: new Uint32Array(9), maxLength: 9999 }, new Packet(new Uint8Array(60)));
  for (let i = 0; i < 5; i++) await Promise.resolve();
  const [one, two] = ["fd000000000000000000000000000001", "fd000000000000000000000000000002"];
  const header = `86dd60000000004c1140${one}${two}`;
  assert.deepEqual(seen, [header, header, `60 ${"000000fd0000000000000000".padEnd(24, "0")}01000000${"000000fd0000000000000000"}02000000`]);
});
