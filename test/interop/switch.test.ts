/**
 * The switch under the real programs: `ovs-ofctl` asks and tells it things, and the real ovn-northd and ovn-controller drive
 * it, over the real ovsdb-server. Other builds than the installed ones: OVS_OFCTL, OVN_CONTROLLER, OVN_NORTHD, OVN_NBCTL,
 * OVN_SCHEMAS (a folder) in the environment.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { silentLog } from "../../src/host/index.ts";
import { nodeHost } from "../../src/host/node/index.ts";
import { startSwitch, type Switch } from "../../src/switch/index.ts";

const program = (variable: string, name: string): string => process.env[variable] ?? name;
const ofctl = program("OVS_OFCTL", "ovs-ofctl");
const nbctl = program("OVN_NBCTL", "ovn-nbctl");
const northd = program("OVN_NORTHD", "ovn-northd");
const controller = program("OVN_CONTROLLER", "ovn-controller");
const schemas = process.env["OVN_SCHEMAS"] ?? "/usr/share/ovn";
const switchSchema = process.env["OVS_SCHEMA"] ?? "/usr/share/openvswitch/vswitch.ovsschema";

const exists = (name: string): boolean => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
const skipFor = (names: readonly string[], files: readonly string[]): { skip: string | false } => {
  const missing = [...names.filter((n) => !exists(n)), ...files.filter((f) => !existsSync(f))];
  return { skip: missing.length === 0 ? false : `needs ${missing.join(", ")}` };
};

const run = promisify(execFile);

interface Stage {
  readonly folder: string;
  readonly device: Switch;
  call(name: string, ...args: string[]): Promise<string>;
}

/** A real ovsdb-server with these databases, and our switch. */
async function setStage(t: TestContext, databases: Readonly<Record<string, string>>): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-switch-"));
  const files = Object.entries({ conf: switchSchema, ...databases }).map(([name, schema]) => {
    execFileSync("ovsdb-tool", ["create", join(folder, `${name}.db`), schema]);
    return join(folder, `${name}.db`);
  });
  const env = { ...process.env, OVS_RUNDIR: folder, OVN_RUNDIR: folder, OVS_LOGDIR: folder, OVN_LOGDIR: folder, OVN_SYSCONFDIR: folder, OVS_SYSCONFDIR: folder };
  const server = spawn("ovsdb-server", [`--remote=punix:${folder}/db.sock`, `--unixctl=${folder}/ovsdb.ctl`, ...files], { stdio: "ignore", env });
  while (!existsSync(`${folder}/db.sock`)) await new Promise((resolve) => setTimeout(resolve, 5));
  const call = async (name: string, ...args: string[]): Promise<string> => (await run(name, args, { env, maxBuffer: 1 << 26 })).stdout;
  await call("ovs-vsctl", `--db=unix:${folder}/db.sock`, "--no-wait", "init");
  const device = startSwitch(nodeHost(silentLog), { database: `unix:${folder}/db.sock`, runFolder: folder });
  await device.ready;
  t.after(async () => {
    await device.stop();
    const exited = new Promise((resolve) => server.once("exit", resolve));
    server.kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, device, call };
}

/** Starts a daemon in the foreground and ends it with the test. */
function daemon(t: TestContext, stage: Stage, name: string, args: readonly string[]): void {
  const { folder } = stage;
  const env = { ...process.env, OVS_RUNDIR: folder, OVN_RUNDIR: folder, OVS_LOGDIR: folder, OVN_LOGDIR: folder, OVN_SYSCONFDIR: folder, OVS_SYSCONFDIR: folder };
  const child = spawn(name, [...args], { stdio: "ignore", env });
  t.after(async () => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await exited;
  });
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`never: ${what}`);
}

const vsctl = (stage: Stage, ...args: string[]) => stage.call("ovs-vsctl", "--timeout=10", `--db=unix:${stage.folder}/db.sock`, ...args);

test("ovs-vsctl waits for it, and ovs-ofctl reads back what it wrote", skipFor(["ovs-vsctl", "ovsdb-server", "ovsdb-tool", ofctl], [switchSchema]), async (t) => {
  const stage = await setStage(t, {});
  await vsctl(stage, "add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "ofport_request=7");
  assert.equal((await vsctl(stage, "get", "interface", "p1", "ofport")).trim(), "7");
  const of = (command: string, ...args: string[]) => stage.call(ofctl, "-O", "OpenFlow15", command, `unix:${stage.folder}/br0.mgmt`, ...args);
  await of("add-tlv-map", "{class=0x102,type=0x80,len=4}->tun_metadata0");
  await of("add-group", "group_id=5,type=select,bucket=bucket_id=0,weight:50,actions=output:7,bucket=bucket_id=1,weight:50,actions=resubmit(,3)");
  await of("add-meter", "meter=4 pktps burst bands=type=drop rate=100 burst_size=10");
  const flows = [
    "table=1, priority=10,tcp,reg0=0x1/0xff,metadata=0x5,nw_src=10.0.0.0/8,tp_dst=80 actions=set_field:0x1->reg1,move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],resubmit(,2)",
    "table=2, priority=20,ct_state=+est+trk,ipv6,ipv6_dst=fd00::/64 actions=ct(commit,table=3,zone=NXM_NX_REG1[0..15],nat(src=10.0.0.1),exec(set_field:0x1->ct_mark)),dec_ttl,output:7",
    "table=3, priority=30,arp,arp_op=1 actions=clone(set_field:00:00:00:00:00:01->eth_dst,IN_PORT),CONTROLLER:65535,group:5",
    "table=4, priority=40,tun_metadata0=0x10000/0xffff0000 actions=meter:4,check_pkt_larger(1500)->NXM_NX_REG2[0]",
    "table=5, priority=50,conj_id=7 actions=drop",
    "table=5, priority=50,ip,nw_src=1.2.3.4 actions=conjunction(7,1/2)",
  ];
  for (const flow of flows) await of("add-flow", flow.replace(/, priority/, ",priority").replace(/ (?=actions)/, ","));
  const shown = (await of("dump-flows", "--no-stats")).split("\n").map((line) => line.trim()).filter((line) => line.startsWith("table="));
  assert.deepEqual(shown.map(normal).sort(), flows.map(normal).sort());
  assert.match(await of("dump-groups"), /group_id=5,type=select,bucket=bucket_id:0,weight:50,actions=output:7,bucket=bucket_id:1,weight:50,actions=resubmit\(,3\)/);
  assert.match(await of("dump-meters"), /meter=4 pktps burst bands=\s+type=drop rate=100 burst_size=10/);
  assert.match(await of("dump-tlv-map"), /0x102\s+0x80\s+4\s+tun_metadata0/);
  assert.match(await of("show"), /7\(p1\): addr:[0-9a-f:]{17}/);
  await of("del-flows", "--strict", "table=1,priority=10,tcp,reg0=0x1/0xff,metadata=0x5,nw_src=10.0.0.0/8,tp_dst=80");
  await of("del-flows", "table=5");
  assert.match(await of("dump-aggregate"), /flow_count=3/);
  await assert.rejects(of("add-flow", "actions=group:99"), /OFPBAC_BAD_OUT_GROUP/);
  // Not told otherwise, ovs-ofctl speaks OpenFlow 1.0.
  const plain = (command: string, ...args: string[]) => stage.call(ofctl, command, `unix:${stage.folder}/br0.mgmt`, ...args);
  await plain("add-flow", "table=6,priority=60,udp,reg3=4,tp_src=53,actions=mod_dl_dst:00:00:00:00:00:07,load:0x5->NXM_NX_REG4[],resubmit(,7)");
  assert.match(await plain("dump-flows", "table=6"), /priority=60,udp,reg3=0x4,tp_src=53 actions=mod_dl_dst:00:00:00:00:00:07,load:0x5->NXM_NX_REG4\[\],resubmit\(,7\)/);
  assert.match(await plain("show"), /7\(p1\): addr:[0-9a-f:]{17}/);
  assert.match(await plain("dump-ports", "7"), /port +7: rx pkts=0/);
  await plain("del-flows");
  assert.match(await plain("dump-aggregate"), /flow_count=0/);
});

/** Versions of ovs-ofctl differ in how they print `dec_ttl`. */
const normal = (flow: string): string => flow.replace(/dec_ttl\(\)/, "dec_ttl");

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

test("the real ovn-controller drives it: ARP, routing, TTL, DHCP, and not one error", skipFor(["ovs-vsctl", "ovsdb-server", "ovsdb-tool", ofctl, nbctl, northd, controller], [switchSchema, `${schemas}/ovn-nb.ovsschema`]), async (t) => {
  const stage = await setStage(t, { nb: `${schemas}/ovn-nb.ovsschema`, sb: `${schemas}/ovn-sb.ovsschema` });
  const { folder, device } = stage;
  const remote = `unix:${folder}/db.sock`;
  daemon(t, stage, northd, [`--ovnnb-db=${remote}`, `--ovnsb-db=${remote}`, `--unixctl=${folder}/northd.ctl`]);
  const nb = (...args: string[]) => stage.call(nbctl, "--timeout=20", `--db=${remote}`, ...args);
  for (const i of [1, 2]) {
    await nb(
      "ls-add", `ls${i}`, "--", "--may-exist", "lr-add", "lr", "--", "lrp-add", "lr", `lr-ls${i}`, `00:00:00:00:ff:0${i}`, `10.0.${i}.1/24`,
      "--", "lsp-add", `ls${i}`, `ls${i}-lr`, "--", "lsp-set-type", `ls${i}-lr`, "router", "--", "lsp-set-addresses", `ls${i}-lr`, "router",
      "--", "lsp-set-options", `ls${i}-lr`, `router-port=lr-ls${i}`,
      "--", "lsp-add", `ls${i}`, `vm${i}`, "--", "lsp-set-addresses", `vm${i}`, `00:00:00:00:00:0${i} 10.0.${i}.10`,
    );
  }
  const dhcp = (await nb("create", "dhcp_options", "cidr=10.0.1.0/24", 'options=lease_time="3600" router="10.0.1.1" server_id="10.0.1.1" server_mac="c0:00:00:00:00:01"')).trim();
  await nb("lsp-set-dhcpv4-options", "vm1", dhcp);
  await vsctl(stage, "set", "open", ".", "external_ids:system-id=hv1", `external_ids:ovn-remote=${remote}`, "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=127.45.0.1");
  const seen = new Map<string, string[]>();
  const ports = new Map([1, 2].map((i) => {
    const frames: string[] = [];
    seen.set(`vm${i}`, frames);
    return [`vm${i}`, device.attachPort(`p${i}`, (frame) => frames.push(Buffer.from(frame).toString("hex")))];
  }));
  daemon(t, stage, controller, [`unix:${folder}/db.sock`, `--log-file=${folder}/controller.log`]);
  await until("br-int", async () => (await vsctl(stage, "list-br")).includes("br-int"));
  for (const i of [1, 2]) await vsctl(stage, "add-port", "br-int", `p${i}`, "--", "set", "interface", `p${i}`, `external_ids:iface-id=vm${i}`);
  await nb("--wait=hv", "sync");
  const send = (text: string) => ports.get("vm1")?.send(hex(text));
  // A packet may be too early: the controller's connections for packet-ins come up on their own. So it is sent again.
  const answers = async (frame: string, to: string, pattern: RegExp): Promise<void> => {
    await until(`${pattern} at ${to}`, async () => {
      send(frame);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return (seen.get(to) ?? []).some((got) => pattern.test(got));
    });
  };

  await answers("ffffffffffff 000000000001 0806 0001 0800 0604 0001 000000000001 0a00010a 000000000000 0a000101", "vm1", /^00000000000100000000ff010806000108000604000200000000ff010a000101/);
  const ping = (ttl: string, sum: string, to: string) => `00000000ff01 000000000001 0800 4500001c00010000 ${ttl}01 ${sum} 0a00010a ${to} 0800f7fd00010001`;
  await answers(ping("40", "63cd", "0a00020a"), "vm2", /^00000000000200000000ff0208004500001c000100003f0164cd0a00010a0a00020a0800f7fd00010001/);
  await answers(ping("40", "64d6", "0a000101"), "vm1", /^00000000000100000000ff0108004500001c.{8}fe01.{4}0a0001010a00010a0000fffd00010001/);
  // Time exceeded comes from the controller.
  await answers(ping("01", "a2cd", "0a00020a"), "vm1", /^00000000000100000000ff010800.{16}..01.{4}0a0001010a00010a0b00/);
  // So does the lease, in a packet that waited for it.
  const discover = `ffffffffffff 000000000001 0800 45000110000000004011 79de 00000000 ffffffff 00440043 00fc0000 01010600 12345678 ${"00".repeat(20)} 000000000001 ${"00".repeat(10)}${"00".repeat(192)} 63825363 350101 ff`;
  await answers(discover, "vm1", /^000000000001c0000000000108004500.*0201060012345678.{16}0a00010a/);

  const flows = await stage.call(ofctl, "-O", "OpenFlow15", "dump-flows", `unix:${folder}/br-int.mgmt`);
  assert.ok(flows.split("\n").length > 300, `${flows.split("\n").length} flows`);
  assert.doesNotMatch(readFileSync(`${folder}/controller.log`, "utf8"), /OFPT_ERROR|OpenFlow error/);
});

test("two chassis, each with a real ovn-controller, and Geneve between our switches", skipFor(["ovs-vsctl", "ovsdb-server", "ovsdb-tool", nbctl, northd, controller], [switchSchema, `${schemas}/ovn-nb.ovsschema`]), async (t) => {
  const [first, second] = await Promise.all([setStage(t, { nb: `${schemas}/ovn-nb.ovsschema`, sb: `${schemas}/ovn-sb.ovsschema` }), setStage(t, {})]);
  const remote = `unix:${first.folder}/db.sock`;
  daemon(t, first, northd, [`--ovnnb-db=${remote}`, `--ovnsb-db=${remote}`, `--unixctl=${first.folder}/northd.ctl`]);
  const nb = (...args: string[]) => first.call(nbctl, "--timeout=20", `--db=${remote}`, ...args);
  await nb("ls-add", "ls", "--", "lsp-add", "ls", "vm1", "--", "lsp-set-addresses", "vm1", "00:00:00:00:00:01 10.0.1.1", "--", "lsp-add", "ls", "vm2", "--", "lsp-set-addresses", "vm2", "unknown");
  const seen: string[][] = [[], []];
  const attached = [first, second].map(({ device }, i) => device.attachPort(`p${i + 1}`, (frame) => seen[i]?.push(Buffer.from(frame).toString("hex"))));
  for (const [i, stage] of [first, second].entries()) {
    await vsctl(stage, "set", "open", ".", `external_ids:system-id=hv${i + 1}`, `external_ids:ovn-remote=${remote}`, "external_ids:ovn-encap-type=geneve", `external_ids:ovn-encap-ip=127.45.1.${i + 1}`);
    daemon(t, stage, controller, [`unix:${stage.folder}/db.sock`, `--log-file=${stage.folder}/controller.log`]);
    await until("br-int", async () => (await vsctl(stage, "list-br")).includes("br-int"));
    await vsctl(stage, "add-port", "br-int", `p${i + 1}`, "--", "set", "interface", `p${i + 1}`, `external_ids:iface-id=vm${i + 1}`);
  }
  await nb("--wait=hv", "sync");
  const answers = async (from: number, frame: string, to: number, pattern: RegExp): Promise<void> => {
    await until(`${pattern} at vm${to}`, async () => {
      attached[from - 1]?.send(hex(frame));
      await new Promise((resolve) => setTimeout(resolve, 50));
      return (seen[to - 1] ?? []).some((got) => pattern.test(got));
    });
  };
  // A question to all: vm2's addresses are unknown, so it crosses the tunnel as a multicast does, and the answer comes back.
  await answers(1, "ffffffffffff 000000000001 0806 0001 0800 0604 0001 000000000001 0a000101 000000000000 0a000102", 2, /^ffffffffffff00000000000108060001080006040001000000000001/);
  await answers(2, "000000000001 000000000002 0806 0001 0800 0604 0002 000000000002 0a000102 000000000001 0a000101", 1, /^000000000001000000000002080600010800060400020000000000020a000102/);
  await answers(1, "000000000002 000000000001 0800 4500001c000100004001 64dc 0a000101 0a000102 0800f7fd00010001", 2, /^0000000000020000000000010800.*0800f7fd00010001$/);
  for (const { folder } of [first, second]) assert.doesNotMatch(readFileSync(`${folder}/controller.log`, "utf8"), /OFPT_ERROR|OpenFlow error/);
});
