/**
 * Our route exchange beside ovn-controller's own, on one southbound database and one kernel: the same routes in the kernel, the
 * same Learned_Route rows. ISTHMUS_OVN names a built source tree of OVN's main branch.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startController } from "../../src/controller/index.ts";
import { type KernelRoute, type Machine, silentLog } from "../../src/host/index.ts";
import { nodeMachines } from "../../src/host/node/index.ts";
import { ChassisBench, chassisName } from "../chassis-bench.ts";
import { GatewayRouter } from "../gateway-router.ts";

const source = process.env["ISTHMUS_OVN"];
const machines = nodeMachines(silentLog);
const skip = source === undefined ? "ISTHMUS_OVN names no build of OVN's main branch" : ((await machines.obstacle()) ?? false);

const tables = [10, 20, 30].map((id) => ({ id, vrf: `ovnvrf${id}` }));

/** What a routing daemon, the kernel and an administrator have put there. */
const kernel = `
  ip link add ext0 type veth peer name ext1 && ip link set ext0 up && ip link set ext1 up && ip address add 10.0.0.2/24 dev ext0
  ip address add 2001:db8:9::2/64 dev ext0 nodad
  ip route add 10.71.0.0/24 via 10.0.0.1 dev ext0 proto bgp table 10
  ip route add 10.72.0.1 via 10.0.0.1 dev ext0 proto ospf table 10
  ip route add 10.73.0.0/24 proto bgp table 10 nexthop via 10.0.0.1 dev ext0 nexthop via 10.0.0.3 dev ext0
  ip route add 10.74.0.0/24 via inet6 fe80::1 dev ext0 proto bgp table 10
  ip route add 10.75.0.0/24 via 10.0.0.1 dev ext0 proto static table 10
  ip route add 10.76.0.0/24 dev ext0 proto bgp table 10
  ip route add 169.254.7.0/24 via 10.0.0.1 dev ext0 proto bgp table 10
  ip route add default via 10.0.0.1 dev ext0 proto bgp table 10
  ip -6 route add 2001:db8:7::/64 via 2001:db8:9::1 dev ext0 proto bgp table 10
  ip -6 route add 2001:db8:8::1 via fe80::1 dev ext0 proto bgp table 10
  ip -6 route add default via fe80::1 dev ext0 proto bgp table 10
  ip route add blackhole 10.99.0.0/24 proto 84 metric 1000 table 10
  ip route add blackhole 10.99.1.0/24 proto 84 metric 77 table 30
  ip route add 10.77.0.0/24 via 10.0.0.1 dev ext0 proto bgp table 30`;

async function populate(bench: ChassisBench): Promise<void> {
  const first = new GatewayRouter(bench, "gw");
  await first.create(5, {}, { "dynamic-routing-vrf-id": "10" });
  for (const prefix of ["172.16.10.2", "10.1.0.0/24", "0.0.0.0/0", "2001:db8::/64", "2001:db8:1::5", "not a prefix"]) await first.advertise(prefix);
  await first.advertise("10.2.0.0/24", "lsp-gw");
  const second = new GatewayRouter(bench, "gw2");
  await second.create(7, {}, { "dynamic-routing-vrf-id": "20", "dynamic-routing-v4-prefix-nexthop": "10.0.0.9", "dynamic-routing-v6-prefix-nexthop": "2001:db8:9::9" });
  for (const prefix of ["10.3.0.0/24", "2001:db8:3::/64"]) await second.advertise(prefix);
  const third = new GatewayRouter(bench, "gw3");
  await third.create(30, { "dynamic-routing-no-learning": "true" }, { "dynamic-routing-vrf-id": "nonsense" });
  await third.advertise("10.4.0.0/24");
}

const routeText = ({ kind, destination, protocol, metric, nextHops }: KernelRoute): string =>
  `${kind} ${destination} proto ${protocol} metric ${metric} ${nextHops.map((hop) => `${hop.address ?? ""} ${hop.device ?? ""}`).join(", ")}`;

async function picture(bench: ChassisBench, machine: Machine): Promise<{ readonly kernel: readonly string[]; readonly learned: readonly string[] }> {
  const all = await Promise.all(tables.map(async (table) => (await machine.routing.routes(table)).map((route) => `${table.id}: ${routeText(route)}`)));
  const portOf = (uuid: string): string => [...bench.sb.tables.Port_Binding].find((p) => p._uuid === uuid)?.logical_port ?? "";
  return { kernel: all.flat().sort(), learned: [...bench.sb.tables.Learned_Route].map((r) => `${portOf(r.logical_port)} ${r.ip_prefix} ${r.nexthop}`).sort() };
}

/** The picture when it has stood still for a while. */
async function settled(bench: ChassisBench, machine: Machine): ReturnType<typeof picture> {
  let before = JSON.stringify(await picture(bench, machine));
  for (let still = 0, i = 0; still < 4 && i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = JSON.stringify(await picture(bench, machine));
    still = now === before && bench.sb.tables.Chassis.size > 0 ? still + 1 : 0;
    before = now;
  }
  return picture(bench, machine);
}

async function withController(which: "ours" | "main", changes: readonly ((bench: ChassisBench, machine: Machine) => Promise<unknown>)[]) {
  const bench = await ChassisBench.open();
  const machine = await machines.start({ name: "hv1", emptyFolders: [] });
  try {
    await bench.settle();
    await bench.stopController();
    assert.equal((await machine.execute(["sh", "-e", "-c", kernel])).stderr, "");
    await populate(bench);
    const database = `unix:${bench.folder}/conf.sock`;
    const controller = which === "ours"
      ? startController({ ...bench.host, routing: machine.routing }, { database, ovsRunFolder: bench.folder, hostname: chassisName })
      : machine.start(["env", `OVS_RUNDIR=${bench.folder}`, `OVN_RUNDIR=${bench.folder}`, `${source ?? ""}/controller/ovn-controller`, "--no-chdir", database], () => {});
    const pictures = [await settled(bench, machine)];
    for (const change of changes) {
      await change(bench, machine);
      pictures.push(await settled(bench, machine));
    }
    if ("stop" in controller) await controller.stop();
    else controller.interrupt();
    return pictures;
  } finally {
    await machine.stop();
    await bench.close();
  }
}

test("the same kernel routes and Learned_Route rows as ovn-controller's, after the start and after each change", { skip }, async () => {
  const changes = [
    (bench: ChassisBench) => bench.inSb((txn) => void [...bench.sb.tables.Advertised_Route].filter((r) => r.ip_prefix === "10.1.0.0/24").forEach((r) => txn.delete(r))),
    (_: ChassisBench, machine: Machine) => machine.execute(["sh", "-c", "ip route del 10.71.0.0/24 table 10; ip route add 10.78.0.0/24 via 10.0.0.4 dev ext0 proto bgp table 10"]),
    (bench: ChassisBench) => bench.inSb((txn) => void [...bench.sb.tables.Port_Binding].filter((p) => p.logical_port === "lrp-gw").forEach((p) => txn.mutate(p, "options", "insert", { "dynamic-routing-port-name": "nobody" }))),
    (bench: ChassisBench) => bench.inSb((txn) => void [...bench.sb.tables.Port_Binding].filter((p) => p.logical_port === "lrp-gw2").forEach((p) => txn.mutate(p, "options", "delete", ["dynamic-routing"]))),
  ];
  const main = await withController("main", changes);
  assert.ok((main[0]?.kernel.length ?? 0) > 15 && (main[0]?.learned.length ?? 0) > 5, JSON.stringify(main[0], null, 1));
  assert.deepEqual(await withController("ours", changes), main);
});
