/** Two switches of dummy devices, joined by a cable between dummies: a packet goes in by command, through a tunnel, and into a capture. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { readCapture } from "../src/packet/index.ts";
import { DatabaseFile, openReplica, type Replica, startOvsdbServer } from "../src/ovsdb/index.ts";
import { openVSwitch } from "../src/schemas/index.ts";
import { startSwitch, type Switch } from "../src/switch/index.ts";

interface Side {
  readonly folder: string;
  readonly device: Switch;
  readonly replica: Replica<typeof openVSwitch>;
}

const host = nodeHost(silentLog);

async function startSide(t: TestContext): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-dummy-"));
  assert.equal(DatabaseFile.create(host.disk, `${folder}/conf.db`, openVSwitch), undefined);
  const server = startOvsdbServer(host, { files: [`${folder}/conf.db`], remotes: [`punix:${folder}/db.sock`] });
  await server.ready;
  const replica = openReplica(host, openVSwitch, `unix:${folder}/db.sock`);
  await replica.synced;
  const txn = replica.transaction();
  txn.insert("Open_vSwitch", {});
  await txn.commit();
  const device = startSwitch(host, { database: `unix:${folder}/db.sock`, runFolder: folder, dummies: "system" });
  await device.ready;
  t.after(async () => {
    replica.close();
    await device.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, device, replica };
}

interface WantedPort {
  readonly name: string;
  readonly type?: string;
  readonly options?: Record<string, string>;
}

/** Waits until the switch says that all of it is in force. */
async function addBridge({ replica }: Side, name: string, others: readonly WantedPort[]): Promise<void> {
  const [root] = replica.tables.Open_vSwitch;
  assert.ok(root);
  const round = Number(root.next_cfg) + 1;
  const txn = replica.transaction();
  const ports = [{ name, type: "internal" }, ...others].map((port: WantedPort) => {
    const row = txn.insert("Interface", { name: port.name, type: port.type ?? "", options: port.options ?? {} });
    return txn.insert("Port", { name: port.name, interfaces: [row] });
  });
  const bridge = txn.insert("Bridge", { name, ports });
  txn.update(root, { bridges: [...root.bridges, bridge], next_cfg: round });
  await txn.commit();
  await until(() => replica.tables.Open_vSwitch[Symbol.iterator]().next().value?.cur_cfg === round, `${name} in force`);
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`not in time: ${what}`);
}

async function ask({ device }: Side, name: string, ...args: string[]): Promise<string> {
  const command = device.commands.find((c) => c.name === name);
  assert.ok(command, name);
  return command.run(args);
}

const frames = (path: string): string[] => (readCapture(readFileSync(path)) ?? []).map(({ bytes }) => Buffer.from(bytes).toString("hex"));

const flow = "in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)";

for (const [type, header] of [["geneve", "0000655800007b00"], ["vxlan", "0800000000007b00"]] as const) {
  test(`a packet through ${type} between dummies comes out as it went in`, async (t) => {
    const sides = [await startSide(t), await startSide(t)] as const;
    const [one, two] = sides;
    const cable = `${one.folder}/cable.sock`;
    await addBridge(one, "br-phys", [{ name: "up", options: { pstream: `punix:${cable}`, tx_pcap: `${one.folder}/up-tx.pcap` } }]);
    await addBridge(two, "br-phys", [{ name: "up", options: { stream: `unix:${cable}`, rxq_pcap: `${two.folder}/up-rx.pcap` } }]);
    for (const [i, side] of sides.entries()) {
      assert.equal(await ask(side, "netdev-dummy/ip4addr", "br-phys", `172.16.0.${i + 1}/24`), "OK");
      const tunnel = { name: "tun", type, options: { remote_ip: `172.16.0.${2 - i}`, key: "123" } };
      await addBridge(side, "br-int", [tunnel, { name: "p1", options: { tx_pcap: `${side.folder}/p1-tx.pcap`, rxq_pcap: `${side.folder}/p1-rx.pcap` } }]);
    }
    let connection = "";
    for (let i = 0; i < 200 && connection !== "up: connected\n"; i++) {
      connection = await ask(two, "netdev-dummy/conn-state", "up");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.equal(connection, "up: connected\n");

    // The first packet is what the neighbour is asked for; it is lost, as OVS loses it.
    await ask(one, "netdev-dummy/receive", "p1", flow);
    const known = async () => (await ask(one, "tnl/neigh/show")).includes("172.16.0.2");
    for (let i = 0; i < 200 && (await ask(one, "tnl/neigh/show")).includes("INCOMPLETE"); i++) await new Promise((resolve) => setTimeout(resolve, 25));
    assert.ok(await known());
    await ask(one, "netdev-dummy/receive", "p1", flow);
    const [sent] = frames(`${one.folder}/p1-rx.pcap`);
    await until(() => frames(`${two.folder}/p1-tx.pcap`).length > 0, "the packet on the other side");
    assert.deepEqual(frames(`${two.folder}/p1-tx.pcap`), [sent]);
    const outer = frames(`${one.folder}/up-tx.pcap`).at(-1) ?? "";
    assert.equal(outer.slice(2 * 42), `${header}${sent}`);
    assert.deepEqual(frames(`${two.folder}/up-rx.pcap`), frames(`${one.folder}/up-tx.pcap`));
  });
}

test("routes and neighbours, as they are shown", async (t) => {
  const side = await startSide(t);
  await addBridge(side, "br0", []);
  await assert.rejects(ask(side, "ovs/route/add", "192.0.2.0/24", "br0", "10.0.0.9"), /Error while inserting route/);
  await ask(side, "netdev-dummy/ip4addr", "br0", "10.0.0.1/24");
  await ask(side, "netdev-dummy/ip6addr", "br0", "fd00::1/64");
  assert.equal(await ask(side, "ovs/route/add", "192.0.2.0/24", "br0", "10.0.0.9"), "OK");
  assert.equal(
    await ask(side, "ovs/route/show"),
    `Route Table:
Cached: fd00::1/128 dev br0 SRC fd00::1 local
Cached: 10.0.0.1/32 dev br0 SRC 10.0.0.1 local
Cached: fd00::/64 dev br0 SRC fd00::1
Cached: 10.0.0.0/24 dev br0 SRC 10.0.0.1
User: 192.0.2.0/24 dev br0 GW 10.0.0.9 SRC 10.0.0.1
`,
  );
  assert.equal(await ask(side, "ovs/route/lookup", "192.0.2.7"), "src 10.0.0.1\ngateway 10.0.0.9\ndev br0\n");
  assert.equal(await ask(side, "ovs/route/del", "192.0.2.0/24"), "OK");
  await assert.rejects(ask(side, "ovs/route/lookup", "192.0.2.7"), /Not found/);
  await ask(side, "tnl/neigh/set", "br0", "10.0.0.9", "50:54:00:00:00:09");
  assert.match(await ask(side, "tnl/neigh/show"), /^10\.0\.0\.9 {38}50:54:00:00:00:09 {3}br0$/m);
});

test("a port gets the number that it asks for, from one that did not ask for it", async (t) => {
  const side = await startSide(t);
  await addBridge(side, "br0", [{ name: "p1" }, { name: "p2" }]);
  const rowOf = (name: string) => [...side.replica.tables.Interface].find((row) => row.name === name);
  const numberOf = (name: string) => rowOf(name)?.ofport;
  const [first, second] = [numberOf("p1"), numberOf("p2")];
  const row = rowOf("p2");
  assert.ok(row);
  const txn = side.replica.transaction();
  txn.update(row, { ofport_request: first });
  await txn.commit();
  await until(() => numberOf("p2") === first && numberOf("p1") !== first, "the numbers changed");
  assert.notEqual(first, second);
});
