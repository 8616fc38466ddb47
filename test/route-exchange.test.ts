/** Routes between the southbound database and the kernel: a controller of our own, with a kernel in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelRoute } from "../src/host/index.ts";
import { ChassisBench } from "./chassis-bench.ts";
import { GatewayRouter, type Options } from "./gateway-router.ts";

const withBench = async (body: (bench: ChassisBench) => Promise<void>, externalIds?: Options): Promise<void> => {
  const bench = await ChassisBench.open(undefined, externalIds);
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
};

const shown = (bench: ChassisBench, table: number): string[] => (bench.routing.tables.get(table) ?? [])
  .map((r) => `${r.kind === "blackhole" ? "blackhole " : ""}${r.destination}${r.nextHops.map((n) => ` via ${n.address ?? ""}`).join("")} proto ${r.protocol} metric ${r.metric}`).sort();

const untilShown = (bench: ChassisBench, table: number, routes: readonly string[]): Promise<void> =>
  bench.until(`table ${table}: ${routes.join(", ")}; it is ${shown(bench, table).join(", ")}`, () => JSON.stringify(shown(bench, table)) === JSON.stringify(routes));

const learned = (bench: ChassisBench): string[] => [...bench.sb.tables.Learned_Route].map((r) => `${r.ip_prefix} ${r.nexthop}`).sort();

const bgp = (destination: string, address: string, device: string): KernelRoute => ({ kind: "unicast", destination, protocol: 186, metric: 20, nextHops: [{ address, device }] });

test("advertised routes: blackholes in the VRF's table, preferred where the tracked port is, gone with the controller", () => withBench(async (bench) => {
  const gateway = new GatewayRouter(bench, "gw");
  await gateway.create(5, { "dynamic-routing-maintain-vrf": "true" }, { "dynamic-routing-vrf-id": "10" });
  await gateway.advertise("172.16.10.2");
  await gateway.advertise("2001:db8::/64");
  await gateway.advertise("10.0.0.0/24", "lsp-gw");
  const all = ["blackhole 10.0.0.0/24 proto 84 metric 100", "blackhole 172.16.10.2/32 proto 84 metric 1000", "blackhole 2001:db8::/64 proto 84 metric 1000"];
  await untilShown(bench, 10, all);
  assert.deepEqual([...bench.routing.vrfs.keys()], ["ovnvrf10"]);

  // Somebody takes a route away; it comes back.
  const [first] = bench.routing.tables.get(10) ?? [];
  if (first !== undefined) await bench.routing.change({ id: 10, vrf: "ovnvrf10" }, [first], []);
  await untilShown(bench, 10, all);

  await bench.inSb((txn) => void [...bench.sb.tables.Advertised_Route].filter((r) => r.ip_prefix === "172.16.10.2").forEach((r) => txn.delete(r)));
  await untilShown(bench, 10, [all[0] ?? "", all[2] ?? ""]);
  await bench.controller?.commands.find((c) => c.name === "exit")?.run([]);
  assert.deepEqual([bench.routing.vrfs.size, shown(bench, 10)], [0, []]);
}));

test("a restart loses no route and takes away what is no longer wanted", () => withBench(async (bench) => {
  const gateway = new GatewayRouter(bench, "gw");
  await gateway.create(5);
  await gateway.advertise("10.1.0.0/24");
  await gateway.advertise("10.2.0.0/24");
  const both = ["blackhole 10.1.0.0/24 proto 84 metric 1000", "blackhole 10.2.0.0/24 proto 84 metric 1000"];
  await untilShown(bench, 5, both);
  await bench.stopController();
  await bench.inSb((txn) => void [...bench.sb.tables.Advertised_Route].filter((r) => r.ip_prefix === "10.2.0.0/24").forEach((r) => txn.delete(r)));
  let fewest = 2;
  const stop = bench.routing.watch({ id: 5, vrf: "ovnvrf5" }, () => {
    if (!shown(bench, 5).includes(both[0] ?? "")) fewest = 0;
  });
  bench.startController();
  await untilShown(bench, 5, [both[0] ?? ""]);
  stop();
  assert.equal(fewest, 2);
}));

test("next hops for prefixes; a VRF's own name; tables that two routers share", () => withBench(async (bench) => {
  const gateway = new GatewayRouter(bench, "gw");
  await gateway.create(5, { "dynamic-routing-vrf-name": "blue" }, {
    "dynamic-routing-vrf-id": "77", "dynamic-routing-v4-prefix-nexthop": "fe80::1", "dynamic-routing-v6-prefix-nexthop": "not an address",
  });
  await gateway.advertise("10.1.0.0/24");
  await gateway.advertise("2001:db8::1");
  const own = ["10.1.0.0/24 via fe80::1 proto 84 metric 1000", "blackhole 2001:db8::1/128 proto 84 metric 1000"];
  await untilShown(bench, 77, own);
  // Not ours to make.
  assert.equal(bench.routing.vrfs.size, 0);
  const second = new GatewayRouter(bench, "gw2");
  await second.create(7, {}, { "dynamic-routing-vrf-id": "77" });
  await second.advertise("10.9.0.0/24");
  await bench.settle();
  await untilShown(bench, 77, own);
}));

test("learned routes: what a routing daemon wrote, for the ports that learn, and no longer than it stands there", () => withBench(async (bench) => {
  const table = { id: 5, vrf: "ovnvrf5" };
  await bench.routing.change(table, [], [
    bgp("0.0.0.0/0", "fe80::1", "ext0"), bgp("10.7.0.0/24", "10.0.0.1", "ext1"), bgp("10.8.0.1/32", "10.0.0.1", "ext0"),
    // The kernel's own, an administrator's, and a link's: none of them.
    { ...bgp("10.6.0.0/24", "10.0.0.1", "ext0"), protocol: 2 }, { ...bgp("10.5.0.0/24", "10.0.0.1", "ext0"), protocol: 4 }, bgp("169.254.3.0/24", "10.0.0.1", "ext0"),
  ]);
  const gateway = new GatewayRouter(bench, "gw");
  await gateway.create(5);
  const all = ["0.0.0.0/0 fe80::1", "10.7.0.0/24 10.0.0.1", "10.8.0.1 10.0.0.1"];
  await bench.until("learned", () => JSON.stringify(learned(bench)) === JSON.stringify(all));
  await bench.routing.change(table, [bgp("10.7.0.0/24", "10.0.0.1", "ext1")], []);
  await bench.until("one gone", () => JSON.stringify(learned(bench)) === JSON.stringify([all[0], all[2]]));
  await bench.routing.change(table, [], [bgp("10.7.0.0/24", "10.0.0.1", "ext1")]);
  await bench.until("back", () => learned(bench).length === 3);

  // A restart writes nothing anew and takes nothing away.
  const before = [...bench.sb.tables.Learned_Route].map((r) => r._uuid).sort();
  await bench.stopController();
  bench.startController();
  await bench.settle();
  assert.deepEqual([...bench.sb.tables.Learned_Route].map((r) => r._uuid).sort(), before);

  const port = [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === "lrp-gw") ?? assert.fail();
  await bench.inSb((txn) => txn.mutate(port, "options", "insert", { "dynamic-routing-port-name": "speaker" }));
  await bench.until("only those of ext0", () => JSON.stringify(learned(bench)) === JSON.stringify([all[0], all[2]]));
  await bench.inSb((txn) => txn.mutate(port, "options", "insert", { "dynamic-routing-no-learning": "true" }));
  await bench.until("none", () => learned(bench).length === 0);
}, { "dynamic-routing-port-mapping": "other=ext9,speaker=ext0" }));
