/** Two switches, each with its database, its OpenFlow socket and an address of its own, and Geneve between them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Host, silentLog, type Stream } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import {
  type Action, decodeMessage, encodeMessage, field, type FlowMod, Match, type Message, MessageFramer, type MessageKind, type MessageOf, noBuffer, of15,
  ports as reserved, subfield,
} from "../src/openflow/index.ts";
import { DatabaseFile, openReplica, type Replica, startOvsdbServer } from "../src/ovsdb/index.ts";
import { openVSwitch } from "../src/schemas/index.ts";
import { type CapturedFrame, startSwitch, type Switch } from "../src/switch/index.ts";

interface Chassis {
  readonly folder: string;
  readonly device: Switch;
  readonly replica: Replica<typeof openVSwitch>;
}

async function startChassis(t: TestContext, name: string, host: Host): Promise<Chassis> {
  const folder = mkdtempSync(join(tmpdir(), `isthmus-${name}-`));
  assert.equal(DatabaseFile.create(host.disk, `${folder}/conf.db`, openVSwitch), undefined);
  const server = startOvsdbServer(host, { files: [`${folder}/conf.db`], remotes: [`punix:${folder}/db.sock`] });
  await server.ready;
  const replica = openReplica(host, openVSwitch, `unix:${folder}/db.sock`);
  await replica.synced;
  const txn = replica.transaction();
  txn.insert("Open_vSwitch", {});
  await txn.commit();
  const device = startSwitch(host, { database: `unix:${folder}/db.sock`, runFolder: folder });
  await device.ready;
  t.after(async () => {
    replica.close();
    await device.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, device, replica };
}

interface WantedInterface {
  readonly name: string;
  readonly type: string;
  readonly options?: Record<string, string>;
  readonly ofport: number;
}

async function addBridge({ replica }: Chassis, name: string, interfaces: readonly WantedInterface[]): Promise<void> {
  const [root] = replica.tables.Open_vSwitch;
  assert.ok(root);
  const txn = replica.transaction();
  const local = { name, type: "internal", options: {}, ofport: undefined };
  const ports = [local, ...interfaces].map(({ name: n, type, options, ofport }) => {
    const uuid = txn.insert("Interface", { name: n, type, options: options ?? {}, ofport_request: ofport });
    return txn.insert("Port", { name: n, interfaces: [uuid] });
  });
  const bridge = txn.insert("Bridge", { name, fail_mode: "secure", ports });
  txn.update(root, { bridges: [bridge] });
  txn.increment(root, "next_cfg");
  const result = await txn.commit();
  assert.equal(result.kind, "committed", JSON.stringify(result));
  await until(() => root.cur_cfg === root.next_cfg && root.next_cfg > 0);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `in time: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A controller, as small as can be. */
class Controller {
  readonly received: { readonly xid: number; readonly message: Message }[] = [];
  readonly #stream: Stream;
  readonly #framer = new MessageFramer();
  #xid = 100;

  private constructor(stream: Stream) {
    this.#stream = stream;
    stream.attach({
      data: (bytes) => {
        for (const whole of this.#framer.push(bytes)) {
          const decoded = decodeMessage(whole, () => 4);
          assert.ok("message" in decoded, "what came is a message");
          this.received.push(decoded);
        }
      },
      closed: () => undefined,
    });
    stream.write(encodeMessage(of15, 0, { kind: "hello", versions: 1 << of15 }));
  }

  static async connect(host: Host, path: string): Promise<Controller> {
    return new Controller(await host.streams.connect({ kind: "unix", path }));
  }

  send(message: Message): number {
    this.#stream.write(encodeMessage(of15, ++this.#xid, message, () => 4));
    return this.#xid;
  }

  /** After a barrier: everything before it is done, and no error came. */
  async done(): Promise<void> {
    const xid = this.send({ kind: "barrier_request" });
    await until(() => this.received.some((r) => r.xid === xid));
    assert.deepEqual(this.received.filter((r) => r.message.kind === "error"), []);
  }

  async next<K extends MessageKind>(kind: K): Promise<MessageOf<K>> {
    const find = () => this.received.findIndex((r) => r.message.kind === kind);
    await until(() => find() >= 0);
    const [found] = this.received.splice(find(), 1);
    return found?.message as MessageOf<K>;
  }

  close(): void {
    this.#stream.close();
  }
}

const flow = (table: number, priority: number, match: Match, actions: readonly Action[]): FlowMod => ({
  kind: "flow_mod", command: "add", table, cookie: 0x1234n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority, bufferId: noBuffer,
  outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match, actions,
});
const set = (name: Parameters<typeof field>[0], value: number | bigint, mask?: number | bigint): Action => {
  const f = field(name);
  return { kind: "set_field", field: f, value, mask: mask ?? (f.isVariable ? 0xffff_ffffn : f.full) };
};
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

const echo = hex(`000000000002 000000000001 0800
  4500 0054 0001 4000 40 01 b5a0 c0a8010a c0a8020a
  0800 0000 0001 0001 ${"00".repeat(56)}`);

test("an echo request crosses two switches in Geneve, with OVN's option, and is seen by taps", async (t) => {
  const host = nodeHost(silentLog);
  const [a, b] = await Promise.all([startChassis(t, "a", host), startChassis(t, "b", host)]);
  const tunnel = (name: string, local: string, remote: string): WantedInterface => ({
    name, type: "geneve", options: { remote_ip: remote, local_ip: local, key: "flow", csum: "true" }, ofport: 5,
  });
  const frames: Uint8Array[] = [];
  const captured: CapturedFrame[] = [];
  const vm1 = a.device.attachPort("vm1", () => undefined);
  b.device.attachPort("vm2", (frame) => frames.push(frame));
  b.device.tap("tunnel", (frame) => captured.push(frame));
  await addBridge(a, "br-int", [{ name: "vm1", type: "", ofport: 1 }, tunnel("to-b", "127.43.0.1", "127.43.0.2")]);
  await addBridge(b, "br-int", [{ name: "vm2", type: "", ofport: 1 }, tunnel("to-a", "127.43.0.2", "127.43.0.1")]);
  const [ca, cb] = await Promise.all([a, b].map((c) => Controller.connect(host, `${c.folder}/br-int.mgmt`)));
  assert.ok(ca !== undefined && cb !== undefined);
  t.after(() => [ca, cb].forEach((c) => c.close()));
  for (const c of [ca, cb]) c.send({ kind: "tlv_table_mod", command: "add", mappings: [{ optionClass: 0x0102, optionType: 0x80, optionSize: 4, index: 0 }] });
  ca.send(flow(0, 100, Match.of(["in_port", 1]), [
    set("tun_id", 7n), set("tun_metadata0", 0n), { kind: "move", from: subfield("reg1", 0, 1), to: subfield("tun_metadata0", 31, 1) },
    set("tun_metadata0", 2n, 0xffffn), set("tun_metadata0", 0x10000n, 0x7fff0000n), { kind: "dec_ttl", controllers: [0] }, { kind: "output", port: 5 },
  ]));
  cb.send(flow(0, 100, Match.of(["in_port", 5], ["tun_id", 7n]), [
    { kind: "move", from: subfield("tun_metadata0", 0, 16), to: subfield("reg15", 0, 16) }, { kind: "resubmit", port: reserved.inPort, table: 9 },
  ]));
  cb.send(flow(9, 100, Match.of(["reg15", 2], ["eth_type", 0x800], ["ip_dst", 0xc0a8020a]), [{ kind: "output", port: 1 }]));
  await Promise.all([ca.done(), cb.done()]);

  vm1.send(echo);
  await until(() => frames.length === 1);
  assert.equal(text(frames[0]), text(echo).replace("4001b5a0", "3f01b6a0"));

  const [outer] = captured;
  assert.equal(captured.length, 1);
  assert.equal(outer?.direction, "in");
  // Ethernet type, IPv4, don't fragment, UDP; addresses; destination port; Geneve with one critical option of OVN's.
  assert.match(text(outer?.bytes), /^.{24}08004500.{8}40004011.{4}7f2b00017f2b0002.{4}17c1.{8}024065580000070001028001000100020000/);
  for (let i = 0; i < 10; i++) vm1.send(echo);
  await until(() => frames.length === 11);
  ca.send({ kind: "flow_stats_request", table: 255, outPort: reserved.none, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: Match.any });
  const stats = await ca.next("flow_stats_reply");
  assert.deepEqual(stats.flows.map((f) => [f.packets, f.bytes]), [[11n, 11n * 98n]]);
});

test("a packet stops for its controller, and goes on where it stopped, with what the controller wrote", async (t) => {
  const host = nodeHost(silentLog);
  const a = await startChassis(t, "pause", host);
  const frames: Uint8Array[] = [];
  const vm1 = a.device.attachPort("vm1", (frame) => frames.push(frame));
  await addBridge(a, "br-int", [{ name: "vm1", type: "", ofport: 1 }]);
  const controller = await Controller.connect(host, `${a.folder}/br-int.mgmt`);
  t.after(() => controller.close());
  controller.send({ kind: "set_packet_in_format", format: "nxt_packet_in2" });
  controller.send({ kind: "set_config", fragments: "normal", missSendLength: 0xffff });
  const pausing: Action = { kind: "controller", maxLength: 0xffff, reason: "action", controllerId: 0, userdata: hex("0102"), pause: true };
  // What is left in both tables is done afterwards: the output in table 1, the other in table 0.
  controller.send(flow(0, 1, Match.any, [set("reg3", 9), { kind: "resubmit", port: reserved.inPort, table: 1 }, set("eth_dst", 5), { kind: "output", port: reserved.inPort }]));
  controller.send(flow(1, 1, Match.any, [pausing, { kind: "resubmit", port: reserved.inPort, table: 2 }]));
  controller.send(flow(2, 1, Match.of(["reg3", 10]), [set("eth_src", 7), { kind: "output", port: reserved.inPort }]));
  await controller.done();
  vm1.send(echo);
  const packetIn = await controller.next("packet_in");
  assert.equal(packetIn.table, 1);
  assert.equal(packetIn.cookie, 0x1234n);
  assert.equal(text(packetIn.userdata), "0102");
  assert.equal(packetIn.metadata.exact("reg3"), 9);
  assert.equal(packetIn.metadata.exact("in_port"), 1);
  assert.equal(frames.length, 0);
  controller.send({ kind: "resume", packetIn: { ...packetIn, metadata: packetIn.metadata.with(field("reg3"), 10) } });
  await until(() => frames.length === 2);
  assert.deepEqual(frames.map((f) => text(f).slice(0, 24)), ["000000000002000000000007", "000000000005000000000007"]);

  controller.send({ kind: "packet_out", bufferId: noBuffer, metadata: Match.of(["in_port", reserved.controller]), packet: echo, actions: [set("eth_src", 0xaa), { kind: "output", port: 1 }] });
  await until(() => frames.length === 3);
  assert.equal(text(frames[2]).slice(0, 24), "0000000000020000000000aa");
});

test("a bundle stands or falls as a whole", async (t) => {
  const host = nodeHost(silentLog);
  const a = await startChassis(t, "bundle", host);
  await addBridge(a, "br-int", []);
  const controller = await Controller.connect(host, `${a.folder}/br-int.mgmt`);
  t.after(() => controller.close());
  const bundle = (mods: readonly FlowMod[]): void => {
    const flags = 3;
    controller.send({ kind: "bundle_control", bundle: 1, control: "open_request", flags });
    for (const message of mods) controller.send({ kind: "bundle_add", bundle: 1, flags, message });
    controller.send({ kind: "bundle_control", bundle: 1, control: "commit_request", flags });
  };
  const count = async (): Promise<number> => {
    controller.send({ kind: "aggregate_request", table: 255, outPort: reserved.none, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: Match.any });
    return (await controller.next("aggregate_reply")).flows;
  };
  bundle([flow(0, 1, Match.any, []), flow(1, 1, Match.any, [])]);
  assert.equal(await count(), 2);
  bundle([{ ...flow(0, 1, Match.any, []), command: "delete" }, flow(3, 1, Match.any, [{ kind: "group", group: 99 }])]);
  assert.equal(await count(), 2);
  const errors = controller.received.filter((r) => r.message.kind === "error").map((r) => r.message.kind === "error" && r.message.error);
  assert.deepEqual(errors, ["OFPBAC_BAD_OUT_GROUP", "OFPBFC_MSG_FAILED"]);
});

test("what the database asks for and cannot have is told in its error column", async (t) => {
  const host = nodeHost(silentLog);
  const a = await startChassis(t, "errors", host);
  await addBridge(a, "br0", [
    { name: "nothing", type: "", ofport: 3 }, { name: "gr", type: "gre", options: { remote_ip: "1.2.3.4" }, ofport: 4 },
    { name: "half", type: "patch", options: { peer: "other" }, ofport: 5 }, { name: "gen", type: "geneve", ofport: 6 },
  ]);
  const rows = () => [...a.replica.tables.Interface].map((r) => [r.name, r.ofport, r.error]).sort((x, y) => (String(x[0]) < String(y[0]) ? -1 : 1));
  assert.deepEqual(rows(), [
    ["br0", 65534, undefined],
    ["gen", -1, "gen: geneve type requires valid 'remote_ip' argument"],
    ["gr", -1, "gr: this switch has no gre tunnels; use type=geneve or vxlan"],
    ["half", 5, "No usable peer 'other' exists in 'system' datapath."],
    ["nothing", -1, "could not open network device nothing (No such device)"],
  ]);
  // A device that comes later brings the port to life.
  a.device.attachPort("nothing", () => undefined);
  await until(() => rows().some(([name, ofport]) => name === "nothing" && ofport === 3));
});

test("BFD watches a tunnel, from both ends", async (t) => {
  const host = nodeHost(silentLog);
  const [a, b] = await Promise.all([startChassis(t, "bfd-a", host), startChassis(t, "bfd-b", host)]);
  const tunnel = (name: string, local: string, remote: string): WantedInterface => ({
    name, type: "geneve", options: { remote_ip: remote, local_ip: local, key: "flow", csum: "true" }, ofport: 5,
  });
  await addBridge(a, "br-int", [tunnel("to-b", "127.43.1.1", "127.43.1.2")]);
  await addBridge(b, "br-int", [tunnel("to-a", "127.43.1.2", "127.43.1.1")]);
  const rowOf = ({ replica }: Chassis) => [...replica.tables.Interface].find((row) => row.type === "geneve");
  for (const chassis of [a, b]) {
    const row = rowOf(chassis);
    assert.ok(row);
    const txn = chassis.replica.transaction();
    txn.update(row, { bfd: { enable: "true", min_rx: "100", min_tx: "50" } });
    await txn.commit();
  }
  await until(() => [a, b].every((c) => rowOf(c)?.bfd_status.get("forwarding") === "true"));
  assert.equal(rowOf(a)?.bfd_status.get("remote_state"), "up");
  await b.device.stop();
  await until(() => rowOf(a)?.bfd_status.get("forwarding") === "false");
});
