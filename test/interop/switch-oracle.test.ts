/**
 * The switch held against the real ovs-vswitchd: the same random flows in both, and `ofproto/trace` of the same packets must
 * tell the same walk, step by step. More of it: ISTHMUS_ORACLE_SEEDS=100. Another build: OVS_VSWITCHD.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { silentLog } from "../../src/host/index.ts";
import { nodeHost } from "../../src/host/node/index.ts";
import { ipv4Of, macOf } from "../../src/net/index.ts";
import { ethernetFrame, etherType, icmpv4Message, ipPacket, tcpSegment, udpDatagram } from "../../src/packet/index.ts";
import { SeededRandom } from "../../src/std/index.ts";
import { startSwitch } from "../../src/switch/index.ts";

const vswitchd = process.env["OVS_VSWITCHD"] ?? "ovs-vswitchd";
const schema = process.env["OVS_SCHEMA"] ?? "/usr/share/openvswitch/vswitch.ovsschema";
const seeds = Number(process.env["ISTHMUS_ORACLE_SEEDS"] ?? 2);
const needed = [vswitchd, "ovs-vsctl", "ovs-ofctl", "ovs-appctl", "ovsdb-server", "ovsdb-tool"];
const missing = [...needed.filter((n) => spawnSync("sh", ["-c", `command -v ${n}`]).status !== 0), ...(existsSync(schema) ? [] : [schema])];
const run = promisify(execFile);

interface Side {
  ofctl(...args: string[]): Promise<string>;
  appctl(...args: string[]): Promise<string>;
}

async function database(t: TestContext): Promise<{ readonly folder: string; readonly env: NodeJS.ProcessEnv }> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-oracle-"));
  const env = { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder };
  execFileSync("ovsdb-tool", ["create", `${folder}/conf.db`, schema]);
  const server = spawn("ovsdb-server", [`--remote=punix:${folder}/db.sock`, `--unixctl=${folder}/ovsdb.ctl`, `${folder}/conf.db`], { stdio: "ignore", env });
  t.after(async () => {
    const exited = new Promise((resolve) => server.once("exit", resolve));
    server.kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  while (!existsSync(`${folder}/db.sock`)) await new Promise((resolve) => setTimeout(resolve, 5));
  await run("ovs-vsctl", [`--db=unix:${folder}/db.sock`, "--no-wait", "init"], { env });
  return { folder, env };
}

async function makeBridge(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const ports = [1, 2, 3].flatMap((i) => ["--", "add-port", "br0", `p${i}`, "--", "set", "interface", `p${i}`, "type=dummy", `ofport_request=${i}`]);
  await run("ovs-vsctl", [`--db=unix:${folder}/db.sock`, "--timeout=10", "add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", ...ports], { env });
}

const ofctlOf = (folder: string, env: NodeJS.ProcessEnv): Side["ofctl"] => async (command, ...args) =>
  (await run("ovs-ofctl", ["-O", "OpenFlow15", command, `unix:${folder}/br0.mgmt`, ...args], { env })).stdout;

async function startReal(t: TestContext): Promise<Side> {
  const { folder, env } = await database(t);
  const child = spawn(vswitchd, [`unix:${folder}/db.sock`, `--unixctl=${folder}/vswitchd.ctl`, "--enable-dummy=override", `--pidfile=${folder}/pid`], { stdio: "ignore", env });
  t.after(async () => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await exited;
  });
  await makeBridge(folder, env);
  return {
    ofctl: ofctlOf(folder, env),
    appctl: async (...args) => (await run("ovs-appctl", ["-t", `${folder}/vswitchd.ctl`, ...args], { env, maxBuffer: 1 << 27 })).stdout,
  };
}

async function startOurs(t: TestContext): Promise<Side> {
  const { folder, env } = await database(t);
  const device = startSwitch(nodeHost(silentLog), { database: `unix:${folder}/db.sock`, runFolder: folder });
  t.after(() => device.stop());
  await device.ready;
  await makeBridge(folder, env);
  return { ofctl: ofctlOf(folder, env), appctl: async (name, ...args) => (await device.commands.find((c) => c.name === name)?.run(args)) ?? "" };
}

const kinds = ["", "", "ip", "tcp", "udp", "icmp", "arp", "ipv6", "icmp6", "tcp6"] as const;
type Kind = (typeof kinds)[number];
const isIpv4 = (kind: Kind): boolean => ["ip", "tcp", "udp", "icmp"].includes(kind);
const isIpv6 = (kind: Kind): boolean => ["ipv6", "icmp6", "tcp6"].includes(kind);

function randomMatch(r: SeededRandom, kind: Kind): string[] {
  const terms: string[] = kind === "" ? [] : [kind];
  const maybe = (chance: number, term: () => string): void => {
    if (r.chance(chance)) terms.push(term());
  };
  maybe(0.3, () => `in_port=${1 + r.below(3)}`);
  maybe(0.2, () => `reg0=${r.below(3)}`);
  maybe(0.1, () => `reg1=${r.below(2)}/1`);
  maybe(0.1, () => `metadata=${r.below(2)}`);
  maybe(0.2, () => `dl_dst=00:00:00:00:00:0${1 + r.below(3)}`);
  maybe(0.1, () => r.pick(["vlan_tci=0x1000/0x1000", "vlan_tci=0/0x1000", "dl_vlan=1"]));
  if (isIpv4(kind)) {
    maybe(0.4, () => `nw_dst=10.0.0.${r.below(4)}/${r.pick([32, 31, 24])}`);
    maybe(0.15, () => `nw_ttl=${r.pick([1, 64])}`);
    maybe(0.1, () => `nw_frag=${r.pick(["no", "yes", "later", "not_later"])}`);
  }
  if (["tcp", "udp", "tcp6"].includes(kind)) maybe(0.5, () => `tp_dst=${1 + r.below(2)}`);
  if (kind === "arp") maybe(0.5, () => `arp_tpa=10.0.0.${r.below(4)}`);
  if (isIpv6(kind)) maybe(0.4, () => `ipv6_dst=fd00::${1 + r.below(3)}`);
  return terms;
}

const always = [
  "output:1", "output:2", "output:3", "resubmit(,1)", "resubmit(,2)", "resubmit(,3)", "resubmit(2,1)", "IN_PORT", "load:1->NXM_NX_REG0[]", "load:2->NXM_NX_REG0[]",
  "load:1->NXM_NX_REG1[0]", "load:3->OXM_OF_METADATA[0..3]", "move:NXM_NX_REG0[0..3]->NXM_NX_REG2[4..7]", "set_field:00:00:00:00:00:02->eth_dst",
  "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", "push:NXM_NX_XXREG0[0..63],pop:NXM_NX_XXREG1[32..95]", "mod_vlan_vid:2", "strip_vlan", "push_vlan:0x8100", "mod_vlan_pcp:3",
  "set_field:7->in_port", "exit", "set_field:0x5->pkt_mark", "set_field:0x12->tun_id", "controller(userdata=01)", "ct_clear", "output:NXM_NX_REG0[0..15]",
  "load:0x1234->NXM_NX_XXREG1[40..60]", "group:1", "group:2", "group:3", "group:4", "push_vlan:0x88a8", "push_vlan:0x8100,set_field:4098->vlan_vid",
  "learn(table=3,priority=100,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],NXM_NX_REG0[0..15]=NXM_NX_REG1[0..15],load:NXM_OF_IN_PORT[]->NXM_NX_REG2[0..15],output:NXM_OF_IN_PORT[])", "ct(table=2,zone=1)", "ct(commit,zone=NXM_NX_REG0[0..15])", "check_pkt_larger(100)->NXM_NX_REG1[0]",
];
const forIpv4 = ["dec_ttl", "mod_nw_dst:10.0.0.1", "move:NXM_OF_IP_SRC[0..7]->NXM_OF_IP_DST[0..7]", "mod_nw_tos:16", "set_field:10.0.0.0/255.255.255.254->ip_src"];
const forArp = ["load:2->NXM_OF_ARP_OP[]", "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]", "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]"];
const forIpv6 = ["dec_ttl", "set_field:fd00::2->ipv6_dst", "move:NXM_NX_IPV6_SRC[0..31]->NXM_NX_REG3[]"];

function randomActions(r: SeededRandom, kind: Kind, depth = 0): string {
  const some = [...always, ...(isIpv4(kind) ? forIpv4 : kind === "arp" ? forArp : isIpv6(kind) ? forIpv6 : [])];
  const one = (): string => (depth < 2 && r.chance(0.1) ? `clone(${randomActions(r, kind, depth + 1)})` : r.pick(some));
  return Array.from({ length: 1 + r.below(4) }, one).join(",");
}

function randomPacket(r: SeededRandom): string {
  const terms = [`in_port=${1 + r.below(3)}`, `dl_src=00:00:00:00:00:0${1 + r.below(3)}`, `dl_dst=00:00:00:00:00:0${1 + r.below(3)}`];
  if (r.chance(0.3)) terms.push(`vlan_tci=0x100${1 + r.below(2)}`);
  const v4 = () => [`nw_src=10.0.0.${r.below(4)}`, `nw_dst=10.0.0.${r.below(4)}`, `nw_ttl=${r.pick([1, 64])}`];
  const v6 = () => ["ipv6_src=fd00::1", `ipv6_dst=fd00::${1 + r.below(3)}`, "nw_ttl=64"];
  return [...terms, ...r.pick<() => string[]>([
    () => ["tcp", ...v4(), "tcp_src=1", `tcp_dst=${1 + r.below(2)}`],
    () => ["udp", ...v4(), "udp_src=1", `udp_dst=${1 + r.below(2)}`],
    () => ["icmp", ...v4(), "icmp_type=8"],
    () => ["arp", "arp_op=1", "arp_spa=10.0.0.1", `arp_tpa=10.0.0.${r.below(4)}`, "arp_sha=00:00:00:00:00:01"],
    () => ["tcp6", ...v6(), "tcp_src=1", `tcp_dst=${1 + r.below(2)}`],
    () => ["icmp6", ...v6(), "icmpv6_type=128"],
  ])()].join(",");
}

/** The walk up to the first recirculation, without what depends on the build: indentation, cookies, empty actions. */
function walkOf(trace: string): string[] {
  const end = trace.search(/^=====/m);
  const before = end < 0 ? trace : trace.slice(0, end);
  return before.split("\n").map((line) => line.trim().replace(/, cookie 0x[0-9a-f]+/, "").replace(/dec_ttl\(\)/, "dec_ttl")).filter(
    (line) => line !== "" && line !== "drop" && !/^-> bucket \d+: score/.test(line) && !/^(Flow|Final flow|Megaflow|Datapath actions|Translation|This flow|- Uses|- Sends|nat|-> A clone)/.test(line),
  );
}

const isTooDeep = (trace: string): boolean => /over max translation depth|resubmits (too many|nested)|too deep/.test(trace);

test("walks as ovs-vswitchd walks, on random flows and packets", { skip: missing.length === 0 ? false : `needs ${missing.join(", ")}` }, async (t) => {
  const [real, ours] = await Promise.all([startReal(t), startOurs(t)]);
  const folder = mkdtempSync(join(tmpdir(), "isthmus-flows-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let compared = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const r = new SeededRandom(seed);
    for (const side of [real, ours]) {
      await side.ofctl("del-flows");
      await side.ofctl("del-groups");
      await side.ofctl("add-group", "group_id=1,type=all,bucket=bucket_id=0,actions=load:2->NXM_NX_REG0[],resubmit(,2),bucket=bucket_id=1,actions=output:2");
      await side.ofctl("add-group", "group_id=2,type=indirect,bucket=actions=set_field:00:00:00:00:00:03->eth_dst,output:1");
      await side.ofctl("add-group", "group_id=3,type=ff,bucket=bucket_id=0,watch_port=9,actions=output:1,bucket=bucket_id=1,watch_port=2,actions=load:3->NXM_NX_REG1[],resubmit(,2)");
      await side.ofctl("add-group", "group_id=4,type=select,selection_method=hash,fields(ip_src,ip_dst),bucket=bucket_id=0,weight=0,actions=output:1,bucket=bucket_id=1,weight=100,actions=output:3");
    }
    const accepted: string[] = [];
    // Each with a priority of its own, so that there is one right answer. What ovs-ofctl does not take is left out.
    await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      const kind = r.pick(kinds);
      const match = randomMatch(r, kind);
      const flow = [`table=${r.below(4)}`, `priority=${i + 1}`, ...match, `actions=${randomActions(r, kind)}`].join(",");
      if (await real.ofctl("add-flow", flow).then(() => true, () => false)) accepted.push(flow);
    }));
    assert.ok(accepted.length > 30, `${accepted.length} flows`);
    writeFileSync(join(folder, "flows"), accepted.join("\n"));
    await ours.ofctl("add-flows", join(folder, "flows"));
    for (let i = 0; i < 40; i++) {
      const packet = randomPacket(r);
      const [theirs, mine] = await Promise.all([real, ours].map((side) => side.appctl("ofproto/trace", "br0", packet)));
      assert.ok(theirs !== undefined && mine !== undefined);
      if (isTooDeep(theirs) || isTooDeep(mine)) {
        assert.match(theirs, /^Datapath actions: drop$/m, packet);
        assert.match(mine, /^Datapath actions: drop$/m, packet);
      } else assert.deepEqual(walkOf(mine), walkOf(theirs), `seed ${seed}: ${packet}`);
      compared++;
    }
  }
  assert.equal(compared, seeds * 40);
});

const address = (last: number) => ({ family: 4, address: ipv4Of(0x0a000000 + last) }) as const;

/** A packet between 10.0.0.1 and 10.0.0.2, which answers to `outside` where addresses are translated. */
function randomSegment(r: SeededRandom, outside: number): Uint8Array {
  const isForward = r.chance(0.6);
  const [src, dst] = isForward ? [address(1), address(2)] : [address(2), address(outside)];
  const port = 1000 + r.below(2);
  const ports = (server: number): readonly [number, number] => (isForward ? [port, server] : [server, port]);
  const [number, upper] = r.pick<() => readonly [number, Uint8Array]>([
    () => {
      const [srcPort, dstPort] = ports(80);
      const flags = r.pick([0x02, 0x12, 0x10, 0x10, 0x18]);
      return [6, tcpSegment(src, dst, { srcPort, dstPort, sequence: 100, acknowledgment: (flags & 0x10) === 0 ? 0 : 100, flags, window: 65535, urgent: 0, options: new Uint8Array(0) }, new Uint8Array(0))];
    },
    () => [17, udpDatagram(src, dst, ...ports(53), new Uint8Array(4))],
    () => [1, icmpv4Message({ type: isForward ? 8 : r.pick([0, 8]), code: 0, word: port * 0x10000 + 1, data: new Uint8Array(4) })],
    // An error about a packet of the other direction: as its sender sent it, or as it left the translator.
    () => {
      const [from, to] = [dst, r.pick([src, address(1), address(99)])];
      const [srcPort, dstPort] = isForward ? [53, port] : [port, 53];
      const quoted = ipPacket(from, to, 17, udpDatagram(from, to, srcPort, dstPort, new Uint8Array(4)));
      return [1, icmpv4Message({ type: r.pick([3, 11]), code: 1, word: 0, data: quoted })];
    },
  ])();
  return ethernetFrame({ dst: macOf(2), src: macOf(1) }, etherType.ipv4, ipPacket(src, dst, number, upper));
}

/** Which combinations of ct_state were seen how often, and the connections that came of it. */
async function seen(side: Side): Promise<readonly [string[], string[]]> {
  await side.appctl("revalidator/purge");
  const flows = (await side.ofctl("dump-flows", "table=1")).split("\n").flatMap((line) => {
    const match = /n_packets=([1-9]\d*),.*ct_state=([^,]+),/.exec(line);
    return match === null ? [] : [`${match[2]}: ${match[1]}`];
  });
  const connections = (await side.appctl("dpctl/dump-conntrack")).split("\n").map((line) => line.replace(/,protoinfo=.*/, "")).filter((line) => line !== "");
  return [flows.sort(), connections.sort()];
}

const trackerSkip = missing.length > 0 ? `needs ${missing.join(", ")}` : process.env["OVS_VSWITCHD"] === undefined ? "needs OVS_VSWITCHD, of a version that calls UDP new until it is answered (3.4 or later)" : false;

test("tracks connections as ovs-vswitchd does, with and without translation", { skip: trackerSkip }, async (t) => {
  const sides = await Promise.all([startReal(t), startOurs(t)]);
  for (const nat of ["", ",nat(src=10.0.0.99)"]) {
    const combinations = Array.from({ length: 32 }, (_, i) => ["new", "est", "rel", "rpl", "inv"].map((name, bit) => `${(i & (1 << bit)) === 0 ? "-" : "+"}${name}`).join(""));
    for (const side of sides) {
      await side.ofctl("del-flows");
      await side.ofctl("add-flow", `table=0,ip,actions=ct(table=1,zone=1${nat === "" ? "" : ",nat"})`);
      for (const [i, state] of combinations.entries()) {
        const isNew = state.includes("+new") && state.includes("-inv");
        await side.ofctl("add-flow", `table=1,priority=${i + 1},ct_state=${state}+trk,ip,actions=${isNew ? `ct(commit,zone=1${nat},exec(load:7->NXM_NX_CT_MARK[])),` : ""}output:2`);
      }
    }
    const r = new SeededRandom(nat.length + 1);
    for (let i = 0; i < 60; i++) {
      const hex = Buffer.from(randomSegment(r, nat === "" ? 1 : 99)).toString("hex");
      await Promise.all(sides.map((side) => side.appctl("netdev-dummy/receive", "p1", hex)));
      if (i % 10 !== 9) continue;
      const [real, ours] = await Promise.all(sides.map(seen));
      assert.deepEqual(ours, real, `after packet ${i}${nat}`);
    }
    for (const side of sides) await side.appctl("dpctl/flush-conntrack");
  }
});
