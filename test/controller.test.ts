/** ovn-controller with our databases and our switch: what it says of itself, whom it claims, which flows stand. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { ovnInternalVersion } from "../src/daemon/index.ts";
import { makeLog } from "../src/host/index.ts";
import { formatIpv4, ipv4Of } from "../src/net/index.ts";
import { fingerprint } from "./flow-fingerprint.ts";
import { ChassisBench, chassisName } from "./chassis-bench.ts";
import { GarbledNetwork } from "./garbled-southbound.ts";
import { RandomNetwork } from "./random-southbound.ts";

const withBench = async (body: (bench: ChassisBench) => Promise<void>, externalIds?: { readonly [key: string]: string }): Promise<void> => {
  const bench = await ChassisBench.open(undefined, externalIds);
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
};

const rowsOf = (flows: Awaited<ReturnType<ChassisBench["flows"]>>): string[] => flows.map(fingerprint).sort();

test("a chassis registers itself, and is gone after a proper exit", () => withBench(async (bench) => {
  await bench.until("chassis", () => bench.sb.tables.Chassis.size === 1 && bench.sb.tables.Chassis_Private.size === 1);
  const [chassis] = bench.sb.tables.Chassis;
  const [encap] = bench.sb.tables.Encap;
  assert.equal(chassis?.name, chassisName);
  assert.equal(chassis?.other_config.get("ct-commit-to-zone"), "true");
  assert.equal(chassis?.other_config.get("is-interconn"), "false");
  assert.deepEqual([encap?.type, encap?.ip, encap?.options.get("csum")], ["geneve", "127.99.0.1", "true"]);
  await bench.until("bridge", () => bench.bridge !== undefined);
  assert.equal(bench.bridge?.fail_mode, "secure");
  await bench.until("prefixes", () => bench.bridge?.flow_tables.size === 255 && bench.ovs.tables.Flow_Table.size === 1);
  assert.deepEqual([...bench.ovs.tables.Flow_Table].map((t) => [...t.prefixes].sort()), [["ip_dst", "ip_src", "ipv6_dst", "ipv6_src"]]);
  const exit = bench.controller?.commands.find((c) => c.name === "exit");
  await exit?.run([]);
  await bench.until("no chassis", () => bench.sb.tables.Chassis.size === 0 && bench.sb.tables.Encap.size === 0);
}));

test("several addresses: an Encap for each, the default one marked", () => withBench(async (bench) => {
  await bench.until("chassis", () => bench.sb.tables.Encap.size === 2);
  assert.deepEqual([...bench.sb.tables.Encap].map((e) => [e.ip, e.options.get("is_default")]).sort(), [["127.99.0.1", undefined], ["127.99.0.2", "true"]]);
}, { "ovn-encap-ip": "127.99.0.1,127.99.0.2", "ovn-encap-ip-default": "127.99.0.2" }));

test("a port is claimed when its interface comes, up when its flows are in place, released when the interface goes", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  await network.addSwitch();
  await network.addPort(0, "vm1");
  await bench.plug("tap1", "vm1");
  const port = () => [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === "vm1");
  await bench.until("vm1 up", () => port()?.up === true);
  const iface = [...bench.ovs.tables.Interface].find((i) => i.name === "tap1");
  await bench.until("ovn-installed", () => iface?.external_ids.get("ovn-installed") === "true");
  const key = BigInt([...bench.sb.tables.Datapath_Binding][0]?.tunnel_key ?? 0);
  const tables = new Set((await bench.flows()).filter((f) => f.match.terms.some((t) => t.field.name === "metadata" && t.value === key)).map((f) => f.table));
  for (const table of [56, 57, 88, 89, 104]) assert.ok(tables.has(table), `table ${table}`);
  await bench.inOvs((txn) => txn.mutate(iface ?? assert.fail(), "external_ids", "delete", ["iface-id"]));
  await bench.until("vm1 released", () => port()?.chassis === undefined && port()?.up === false);
  await bench.until("mark gone", () => iface?.external_ids.has("ovn-installed") === false);
}));

test("requested-chassis elsewhere: not claimed", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  await network.addSwitch();
  await network.addPort(0, "vm1", { options: { "requested-chassis": "other" } });
  await bench.plug("tap1", "vm1");
  await bench.settle();
  assert.equal([...bench.sb.tables.Port_Binding][0]?.chassis, undefined);
}));

test("ovn-enable-flow-based-tunnels: one port for all chassis; flows say where packets go, and may send them back where they came from", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  await network.addSwitch();
  for (const name of ["vm1", "vm2", "vm3"]) await network.addPort(0, name);
  await bench.plug("tap1", "vm1");
  const port = (name: string) => [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === name) ?? assert.fail(name);
  await bench.inSb((txn) => {
    for (const [name, chassis, ips] of [["vm2", "hv2", ["127.99.0.2", "127.99.0.3"]], ["vm3", "hv3", ["127.99.0.4"]]] as const) {
      const encaps = ips.map((ip) => txn.insert("Encap", { type: "geneve", ip, chassis_name: chassis, options: { csum: "true" } }));
      txn.update(port(name), { chassis: txn.insert("Chassis", { name: chassis, hostname: chassis, encaps }), encap: encaps.at(-1) });
    }
    txn.insert("Multicast_Group", { datapath: port("vm1").datapath, name: "_MC_flood", tunnel_key: 32768, ports: [port("vm1")._uuid, port("vm2")._uuid, port("vm3")._uuid] });
  });
  const tunnels = () => [...bench.ovs.tables.Port].filter((p) => p.external_ids.has("ovn-chassis-id")).map((p) => p.name).sort();
  await bench.until("shared port", () => tunnels().join() === "ovn-geneve");
  const iface = () => [...bench.ovs.tables.Interface].find((i) => i.name === "ovn-geneve");
  await bench.until("its number", () => (iface()?.ofport ?? 0) > 0);
  assert.deepEqual(Object.fromEntries(iface()?.options ?? []), { remote_ip: "flow", local_ip: "flow", key: "flow" });
  await bench.settle();
  const flows = await bench.flows();
  const wayTo = (key: number): string => {
    const flow = flows.find((f) => f.table === 54 && f.priority === 100 && f.match.terms.some((t) => t.field.name === "reg15" && Number(t.value) === key));
    return (flow?.actions ?? []).flatMap((a) => (a.kind === "set_field" && /tun_(src|dst)/.test(a.field.name) ? [`${a.field.name}=${formatIpv4(ipv4Of(Number(a.value)))}`]
      : a.kind === "output" ? [a.port === iface()?.ofport ? "out" : "elsewhere"] : a.kind === "push" || a.kind === "pop" ? [a.kind] : [])).join(" ");
  };
  assert.equal(wayTo(port("vm2").tunnel_key), "tun_src=127.99.0.1 tun_dst=127.99.0.3 push out pop");
  assert.equal(wayTo(port("vm3").tunnel_key), "tun_src=127.99.0.1 tun_dst=127.99.0.4 push out pop");
  assert.equal(wayTo(32768), "tun_src=127.99.0.1 tun_dst=127.99.0.2 push out pop tun_src=127.99.0.1 tun_dst=127.99.0.4 push out pop");
  assert.ok(flows.some((f) => f.table === 0 && f.priority === 100 && f.match.exact("in_port") === iface()?.ofport));

  const row = [...bench.ovs.tables.Open_vSwitch][0] ?? assert.fail();
  await bench.inOvs((txn) => txn.mutate(row, "external_ids", "delete", ["ovn-enable-flow-based-tunnels"]));
  await bench.until("a port for each pair", () => tunnels().length === 3 && !tunnels().includes("ovn-geneve"));
}, { "ovn-enable-flow-based-tunnels": "true" }));

test("ovn-bridge-remote: the switch is reached where the setting says, from the moment it does", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  await network.addSwitch();
  await network.addPort(0, "vm1");
  await bench.plug("tap1", "vm1");
  const up = () => [...bench.sb.tables.Port_Binding].some((p) => p.logical_port === "vm1" && p.up === true);
  await bench.until("vm1 up", up);
  const row = [...bench.ovs.tables.Open_vSwitch][0] ?? assert.fail();
  const elsewhere = `${bench.folder}/elsewhere`;
  await bench.inOvs((txn) => txn.mutate(row, "external_ids", "insert", new Map([["ovn-bridge-remote", `unix:${elsewhere}`]])));
  await network.addPort(0, "vm2");
  await bench.plug("tap2", "vm2");
  const second = () => [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === "vm2");
  await bench.until("vm2 claimed", () => second()?.chassis !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(second()?.up, false);
  symlinkSync(`${bench.folder}/br-int.mgmt`, elsewhere);
  await bench.until("vm2 up", () => second()?.up === true);
}));

test("ovn-match-northd-version: nothing is done about what another release's northd has written", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  const global = () => [...bench.sb.tables.SB_Global][0] ?? assert.fail();
  const setVersion = (version: string) => bench.inSb((txn) => txn.update(global(), { options: { northd_internal_version: version } }));
  const port = () => [...bench.sb.tables.Port_Binding][0];
  const pause = () => new Promise((resolve) => setTimeout(resolve, 200));
  await pause();
  assert.equal(bench.sb.tables.Chassis.size, 0);
  await setVersion(ovnInternalVersion);
  await bench.until("chassis", () => bench.sb.tables.Chassis.size === 1);
  await setVersion("another");
  await network.addSwitch();
  await network.addPort(0, "vm1");
  await bench.plug("tap1", "vm1");
  await pause();
  assert.equal(port()?.chassis, undefined);
  await setVersion(ovnInternalVersion);
  await bench.until("vm1 up", () => port()?.up === true);
}, { "ovn-match-northd-version": "true" }));

test("law: flows after any sequence of changes are those of a controller that starts now", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: 0xffffffff }), { minLength: 5, maxLength: 40 }), (seeds) => withBench(async (bench) => {
    const network = new RandomNetwork(bench);
    await network.addSwitch();
    await network.addSwitch();
    await network.addPort(0, "vm0");
    await bench.plug("tap0", "vm0");
    await bench.plug("tap1", "vm1");
    for (const seed of seeds) await network.change(seed);
    await bench.settle();
    const incremental = rowsOf(await bench.flows());
    await bench.stopController();
    bench.startController();
    await bench.settle();
    assert.deepEqual(incremental, rowsOf(await bench.flows()));
  })), { numRuns: 8, endOnFailure: true });
});

test("whatever stands in the southbound database, the controller goes on", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: 0xffffffff }), { minLength: 100, maxLength: 200 }), (seeds) => withBench(async (bench) => {
    const network = new RandomNetwork(bench);
    await network.addSwitch();
    await network.addPort(0, "vm0");
    await bench.plug("tap0", "vm0");
    await bench.settle();
    const garbled = new GarbledNetwork(bench);
    for (const seed of seeds) await garbled.change(seed);
    await bench.settle();
  }, { "ovn-monitor-all": "true" })), { numRuns: 4, endOnFailure: true });
});

test("a queue is made once, however fast what it is to be changes", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  await network.addSwitch();
  const common = { qdisc_queue_id: "1", qos_physical_network: "phys" };
  const [own, other] = ["vm0", "vm2"] as const;
  for (const name of [own, other]) {
    await network.addPort(0, name);
    await bench.plug(`tap-${name}`, name);
  }
  bench.switch.attachPort("eth0", () => {});
  const [root] = bench.ovs.tables.Open_vSwitch;
  assert.ok(root);
  await bench.inOvs((txn) => {
    const card = txn.insert("Port", { name: "eth0", interfaces: [txn.insert("Interface", { name: "eth0" })] });
    txn.mutate(root, "bridges", "insert", [txn.insert("Bridge", { name: "br-phys", ports: [card] })]);
    txn.mutate(root, "external_ids", "insert", new Map([["ovn-bridge-mappings", "phys:br-phys"]]));
  });
  const binding = (name: string) => [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === name) ?? assert.fail();
  await bench.inSb((txn) => txn.update(binding(own), { options: new Map(Object.entries({ ...common, qos_max_rate: "1000" })) }));
  await bench.until("first queue", () => bench.ovs.tables.Queue.size === 1);
  for (let rate = 1; rate <= 30; rate++) {
    await bench.inSb((txn) => txn.update(binding(other), { options: new Map(Object.entries({ ...common, qdisc_queue_id: "2", qos_max_rate: String(rate) })) }));
  }
  const queues = () => [...bench.ovs.tables.Queue].map((q) => `${q.external_ids.get("ovn_port")} ${q.other_config.get("max-rate")}`).sort();
  await bench.until("second queue as wished last", () => queues().includes(`${other} 30`));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual(queues(), [`${own} 1000`, `${other} 30`]);
}));

test("external_ids:ovn-remote-probe-interval: how often the southbound database is asked for a sign of life", async () => {
  const probes: string[] = [];
  const log = makeLog((entry) => {
    if (entry.text.includes("sb.sock: idle") && entry.text.includes("sending inactivity probe")) probes.push(entry.text);
  }, (module, level) => level !== "DBG" || module === "reconnect");
  const bench = await ChassisBench.open(log);
  try {
    await bench.settle();
    const [row] = bench.ovs.tables.Open_vSwitch;
    const tell = (value: string) => bench.inOvs((txn) => row && txn.update(row, { external_ids: new Map([...row.external_ids, ["ovn-remote-probe-interval", value]]) }));
    await tell("1");
    await bench.until("probe of a local connection, after a second at the earliest", () => probes.length > 0);
    assert.match(probes[0] ?? "", /idle 1\d\d\d ms/);
    await tell("0");
    await bench.settle();
    const before = probes.length;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(probes.length, before);
  } finally {
    await bench.close();
  }
});

test("debug/dump-local-bindings: interfaces with the ports they are for, and ports that containers share, be they here or not", () => withBench(async (bench) => {
  const network = new RandomNetwork(bench);
  await network.addSwitch();
  for (const name of ["here", "there", "here-c", "there-c", "lost-c"]) await network.addPort(0, name);
  await bench.inSb((txn) => {
    for (const port of bench.sb.tables.Port_Binding) {
      if (port.logical_port.endsWith("-c")) txn.update(port, { parent_port: port.logical_port.slice(0, -2), tag: port.tunnel_key });
    }
  });
  await bench.plug("tap1", "here");
  await bench.plug("tap2", "nobody");
  await bench.settle();
  const dump = bench.controller?.commands.find((c) => c.name === "debug/dump-local-bindings");
  const line = "-".repeat(40);
  assert.deepEqual(String(await dump?.run([])).split("\n"), [
    "Local bindings:",
    "name: [here], OVS interface name : [tap1], num binding lports : [2]", "primary lport : [here]", "child lport[1] : [here-c], type : [CONTAINER]", line,
    "name: [lost], OVS interface name : [NULL], num binding lports : [1]", "no primary lport", "child lport[1] : [lost-c], type : [CONTAINER]", line,
    "name: [nobody], OVS interface name : [tap2], num binding lports : [0]", line,
    "name: [there], OVS interface name : [NULL], num binding lports : [2]", "primary lport : [there]", "child lport[1] : [there-c], type : [CONTAINER]", line,
    "",
  ]);
}));
