/** Zones that find one another: ovn-ic between databases of our own, northd's and the chassis' part played by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeLog } from "../src/host/index.ts";
import { type BenchZone, ZonesBench } from "./zones-bench.ts";

async function withZones(names: readonly string[], story: (bench: ZonesBench) => Promise<void>, lines: string[] = []): Promise<void> {
  const log = makeLog(({ level, text }) => void lines.push(`${level} ${text}`), (_, level) => level !== "DBG");
  const bench = await ZonesBench.open(names, log);
  try {
    await story(bench);
  } finally {
    await bench.close();
  }
}

const zoneNames = (bench: ZonesBench): string => [...bench.icSb.tables.Availability_Zone].map((row) => row.name).sort().join();

test("a zone is registered under its name, keeps its row through a change of name, and leaves with all that is its own", () =>
  withZones(["east", "west"], async (bench) => {
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    for (const zone of bench.zones) {
      await zone.addGateway();
      zone.startIc();
      await zone.addRouter();
    }
    await bench.until("both are there", () => zoneNames(bench) === "east,west" && bench.zone(1).remotePorts.join() === "ts1-lr1");
    const row = [...bench.icSb.tables.Availability_Zone].find((r) => r.name === "east");
    await bench.zone(0).inNb((txn) => { for (const global of bench.zone(0).nb.tables.NB_Global) txn.update(global, { name: "orient" }); });
    await bench.until("east is orient", () => zoneNames(bench) === "orient,west");
    assert.equal([...bench.icSb.tables.Availability_Zone].find((r) => r.name === "orient"), row);
    await bench.zone(0).inNb((txn) => { for (const global of bench.zone(0).nb.tables.NB_Global) txn.update(global, { name: "" }); });
    await bench.until("it has left", () => zoneNames(bench) === "west" && bench.icSb.tables.Gateway.size === 1 && bench.icSb.tables.Port_Binding.size === 1);
    await bench.until("the other has noticed", () => bench.zone(1).remotePorts.length === 0 && [...bench.zone(1).sb.tables.Chassis].length === 1);
  }));

test("a transit switch is mirrored with a key of the global range, by one zone for all", () =>
  withZones(["east", "west"], async (bench) => {
    for (const zone of bench.zones) zone.startIc();
    await bench.inIcNb((txn) => ["ts1", "ts2"].forEach((name) => txn.insert("Transit_Switch", { name })));
    const keys = (zone: BenchZone) => [...zone.nb.tables.Logical_Switch].map((row) => row.other_config.get("requested-tnl-key") ?? "").sort().join();
    await bench.until("both have both", () => bench.zones.every((zone) => keys(zone) === "16711682,16711683"));
    assert.equal(bench.icSb.tables.Datapath_Binding.size, 2);
    for (const row of bench.zone(0).nb.tables.Logical_Switch) assert.equal(row.other_config.get("ic-vxlan_mode"), "false");
    await bench.inIcNb((txn) => { for (const row of bench.icNb.tables.Transit_Switch) if (row.name === "ts1") txn.delete(row); });
    await bench.until("one is left", () => bench.zones.every((zone) => keys(zone) === "16711683") && bench.icSb.tables.Datapath_Binding.size === 1);
  }));

test("VXLAN between zones brings keys of 12 bits, and back", () =>
  withZones(["east"], async (bench) => {
    const zone = bench.zone(0);
    zone.startIc();
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    const key = () => zone.transit?.other_config.get("requested-tnl-key");
    await bench.until("a key", () => key() === "16711682");
    await zone.inSb((txn) => {
      const encap = txn.insert("Encap", { type: "vxlan", ip: "10.0.0.9", chassis_name: "gw" });
      txn.insert("Chassis", { name: "gw", encaps: [encap], other_config: { "is-interconn": "true" } });
    });
    await bench.until("the global row", () => bench.icNb.tables.IC_NB_Global.size === 1);
    const setMode = (options: { [key: string]: string }) => bench.inIcNb((txn) => { for (const row of bench.icNb.tables.IC_NB_Global) txn.update(row, { options }); });
    await setMode({ vxlan_mode: "true" });
    await bench.until("a short key", () => key() === "1025" && zone.transit?.other_config.get("ic-vxlan_mode") === "true");
    await setMode({});
    await bench.until("a long key", () => key() === "16711682" && zone.transit?.other_config.get("ic-vxlan_mode") === "false");
  }));

test("gateways become remote chassis; what collides is left out, and the rest goes on", async () => {
  const lines: string[] = [];
  await withZones(["east", "west"], async (bench) => {
    const [east, west] = [bench.zone(0), bench.zone(1)];
    await east.addGateway();
    await east.addGateway("twin", "10.0.0.50");
    await west.addGateway();
    await west.inSb((txn) => {
      const encap = txn.insert("Encap", { type: "geneve", ip: "10.9.9.9", chassis_name: "twin" });
      txn.insert("Chassis", { name: "twin", encaps: [encap] });
    });
    for (const zone of bench.zones) zone.startIc();
    const chassis = (zone: BenchZone) => [...zone.sb.tables.Chassis].map((row) => `${row.name}${row.other_config.get("is-remote") === "true" ? "*" : ""}`).sort().join();
    await bench.until("they know each other", () => chassis(east) === "gw1,gw2*,twin" && chassis(west) === "gw1*,gw2,twin");
    assert.ok(lines.some((line) => line.includes("remote gateway twin is ignored: a chassis of this zone has that name")), lines.join("\n"));
    const remote = [...west.sb.tables.Chassis].find((row) => row.name === "gw1");
    assert.equal(remote?.hostname, "host-gw1");
    await east.inSb((txn) => { for (const encap of east.sb.tables.Encap) if (encap.chassis_name === "gw1") txn.update(encap, { ip: "10.0.0.77" }); });
    await bench.until("it has moved", () => [...west.sb.tables.Encap].some((row) => row.chassis_name === "gw1" && row.ip === "10.0.0.77"));
    await east.inSb((txn) => { for (const row of east.sb.tables.Chassis) if (row.name === "gw1") txn.delete(row); });
    await bench.until("it is gone", () => chassis(west) === "gw2,twin");
    assert.ok(![...west.sb.tables.Encap].some((row) => row.chassis_name === "gw1"));
  }, lines);
});

test("ports of both zones get different keys, and each zone sees the other's where its gateway is", () =>
  withZones(["east", "west"], async (bench) => {
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    for (const zone of bench.zones) {
      await zone.addGateway();
      zone.startIc();
    }
    // At the same moment: whoever is second finds its key taken and takes another.
    await Promise.all(bench.zones.map((zone) => zone.addRouter()));
    await bench.until("they see each other", () => bench.zone(0).remotePorts.join() === "ts1-lr2" && bench.zone(1).remotePorts.join() === "ts1-lr1");
    assert.deepEqual([...bench.icSb.tables.Port_Binding].map((row) => row.tunnel_key).sort(), [1, 2]);
    const west = bench.zone(1);
    const port = [...west.nb.tables.Logical_Switch_Port].find((row) => row.type === "remote");
    assert.deepEqual([...(port?.addresses ?? [])], ["aa:aa:aa:aa:aa:01 169.254.100.1/24"]);
    await west.inSb((txn) => {
      const datapath = txn.insert("Datapath_Binding", { tunnel_key: 999 });
      txn.insert("Port_Binding", { logical_port: "ts1-lr1", type: "remote", datapath, tunnel_key: 5 });
    });
    const chassisOf = () => west.sb.tables.Chassis.get([...west.sb.tables.Port_Binding].find((row) => row.logical_port === "ts1-lr1")?.chassis)?.name;
    await bench.until("it is at the gateway", () => chassisOf() === "gw1");
    const local = () => [...west.nb.tables.Logical_Switch_Port].find((row) => row.name === "ts1-lr2")?.options.get("requested-tnl-key");
    await bench.until("the local port knows its key", () => local() !== undefined);
    await bench.zone(0).inNb((txn) => {
      const { transit } = bench.zone(0);
      const gone = [...bench.zone(0).nb.tables.Logical_Switch_Port].find((row) => row.name === "ts1-lr1");
      if (transit !== undefined && gone !== undefined) txn.mutate(transit, "ports", "delete", [gone._uuid]);
    });
    await bench.until("it is gone", () => west.remotePorts.length === 0);
  }));

test("routes are there soon after they are made, and go when they go", () =>
  withZones(["east", "west"], async (bench) => {
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    const routers = [];
    for (const zone of bench.zones) {
      await zone.addGateway();
      zone.startIc();
      await zone.setOptions({ "ic-route-adv": "true", "ic-route-learn": "true" });
      routers.push(await zone.addRouter());
    }
    const [east, west] = [bench.zone(0), bench.zone(1)];
    await bench.until("the routers are known", () => bench.icSb.tables.Port_Binding.size === 2);
    const router = [...east.nb.tables.Logical_Router][0];
    assert.ok(router !== undefined);
    await east.inNb((txn) => {
      const route = txn.insert("Logical_Router_Static_Route", { ip_prefix: "10.1.0.0/16", nexthop: "192.168.1.9" });
      const port = txn.insert("Logical_Router_Port", { name: "net", mac: "00:00:00:00:00:01", networks: ["192.168.1.1/24", "fd00::1/64"] });
      txn.mutate(router, "static_routes", "insert", [route]);
      txn.mutate(router, "ports", "insert", [port]);
    });
    // The port on the transit switch has no IPv6 address, so no IPv6 route is offered through it.
    await bench.until("learned", () => west.learned.join() === "10.1.0.0/16 169.254.100.1,192.168.1.1/24 169.254.100.1");
    assert.deepEqual([...bench.icSb.tables.Route].map((row) => row.origin).sort(), ["connected", "static"]);
    await east.inNb((txn) => txn.update(router, { static_routes: [] }));
    await bench.until("gone", () => west.learned.join() === "192.168.1.1/24 169.254.100.1");
    await west.setOptions({ "ic-route-learn": "true", "ic-route-denylist": "192.168.0.0/16" });
    await bench.until("denied", () => west.learned.length === 0);
  }));

test("a load balancer keeps out its own address alone", () =>
  withZones(["east", "west"], async (bench) => {
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    for (const zone of bench.zones) {
      await zone.addGateway();
      zone.startIc();
      await zone.setOptions({ "ic-route-adv": "true", "ic-route-learn": "true", "ic-route-adv-lb": "true", "ic-route-learn-lb": "true" });
      await zone.addRouter();
    }
    const [east, west] = [bench.zone(0), bench.zone(1)];
    const [mine, theirs] = [east, west].map((zone) => [...zone.nb.tables.Logical_Router][0]);
    assert.ok(mine !== undefined && theirs !== undefined);
    await west.inNb((txn) => txn.update(theirs, { load_balancer: [txn.insert("Load_Balancer", { name: "lb", vips: { "10.5.0.1:80": "" } })] }));
    await east.inNb((txn) => {
      const routes = ["10.0.0.0/8", "10.5.0.0/24"].map((ip_prefix) => txn.insert("Logical_Router_Static_Route", { ip_prefix, nexthop: "192.168.1.9" }));
      txn.update(mine, { static_routes: routes, load_balancer: [txn.insert("Load_Balancer", { name: "lb", vips: { "10.5.0.1:443": "", "[fd00::1]:80": "" } })] });
    });
    await bench.until("learned", () => west.learned.join() === "10.0.0.0/8 169.254.100.1,10.5.0.0/24 169.254.100.1");
    assert.ok([...bench.icSb.tables.Route].some((row) => row.origin === "loadbalancer" && row.ip_prefix === "10.5.0.1/32"));
  }));

test("a second ovn-ic of a zone stands by, takes over, and finds nothing to do", () =>
  withZones(["east"], async (bench) => {
    const zone = bench.zone(0);
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    const first = zone.startIc();
    const status = (ic: typeof first) => String(ic.commands.find((c) => c.name === "status")?.run([]));
    await bench.until("the first is active", () => status(first) === "Status: active\n");
    const second = zone.startIc();
    await zone.addGateway();
    await zone.addRouter();
    await bench.until("all is written", () => bench.icSb.tables.Port_Binding.size === 1 && bench.icSb.tables.Gateway.size === 1);
    assert.equal(status(second), "Status: standby\n");
    const pause = first.commands.find((c) => c.name === "pause");
    pause?.run([]);
    await bench.until("the second is active", () => status(second) === "Status: active\n");
    assert.equal(status(first), "Status: paused\n");
    assert.equal(first.commands.find((c) => c.name === "is-paused")?.run([]), "true");
    assert.equal(second.commands.find((c) => c.name === "ic-sb-connection-status")?.run([]), "connected");
    await zone.inSb((txn) => { for (const row of zone.sb.tables.Chassis) txn.update(row, { hostname: "renamed" }); });
    await bench.until("the second is at work", () => [...bench.icSb.tables.Gateway].some((row) => row.hostname === "renamed"));
    first.commands.find((c) => c.name === "resume")?.run([]);
    await second.stop();
    await bench.until("the first is back", () => status(first) === "Status: active\n");
  }));

test("sequence numbers follow in every zone, also after a restart", () =>
  withZones(["east", "west"], async (bench) => {
    for (const zone of bench.zones) zone.startIc();
    await bench.until("there is a global row", () => bench.icNb.tables.IC_NB_Global.size === 1 && bench.icSb.tables.IC_SB_Global.size === 1);
    const sync = async (value: number) => {
      await bench.inIcNb((txn) => { for (const row of bench.icNb.tables.IC_NB_Global) txn.update(row, { nb_ic_cfg: value }); });
      await bench.until(`${value} is everywhere`, () => [...bench.icNb.tables.IC_NB_Global].every((row) => row.sb_ic_cfg === value));
      assert.ok([...bench.icSb.tables.Availability_Zone].every((row) => row.nb_ic_cfg === value));
      assert.ok([...bench.icSb.tables.IC_SB_Global].every((row) => row.nb_ic_cfg === value));
    };
    await sync(1);
    await sync(7);
    await bench.zone(0).stopIc();
    bench.zone(0).startIc();
    await sync(8);
  }));

test("two reasons for one route make one row and one warning", async () => {
  const lines: string[] = [];
  await withZones(["east"], async (bench) => {
    const zone = bench.zone(0);
    await bench.inIcNb((txn) => txn.insert("Transit_Switch", { name: "ts1" }));
    await zone.addGateway();
    zone.startIc();
    await zone.setOptions({ "ic-route-adv": "true" });
    await zone.addRouter();
    const [router] = zone.nb.tables.Logical_Router;
    assert.ok(router !== undefined);
    await zone.inNb((txn) => {
      const ports = ["a", "b"].map((name, i) => txn.insert("Logical_Router_Port", { name, mac: `00:00:00:00:00:0${i}`, networks: ["10.1.0.1/24"] }));
      txn.mutate(router, "ports", "insert", ports);
    });
    await bench.until("it is advertised", () => bench.icSb.tables.Route.size === 1);
    await bench.until("it is told", () => lines.some((line) => /Duplicate connected route advertisement was suppressed! NB lrp uuid: /.test(line)));
    const [first] = [...zone.nb.tables.Logical_Router_Port].filter((row) => row.name === "a");
    assert.ok(first !== undefined);
    await zone.inNb((txn) => txn.mutate(router, "ports", "delete", [first._uuid]));
    await bench.until("the other one stands", () => [...bench.icSb.tables.Route].some((row) => row.external_ids.get("nb-id") !== first._uuid));
    assert.equal(lines.filter((line) => line.includes("Duplicate")).length, 1);
  }, lines);
});

test("ports and routers that IC-NB itself has appear in every zone", () =>
  withZones(["east", "west"], async (bench) => {
    for (const zone of bench.zones) {
      await zone.addGateway();
      zone.startIc();
    }
    await bench.inIcNb((txn) => {
      const ports = ["", "gw1", "gw2"].map((chassis, i) => txn.insert("Transit_Switch_Port", { name: `tsp${i}`, chassis, addresses: [`00:00:00:00:00:0${i}`] }));
      txn.insert("Transit_Switch", { name: "ts1", ports });
      const port = txn.insert("Transit_Router_Port", { name: "trp1", mac: "00:00:00:00:01:01", networks: ["10.0.0.1/24"], chassis: "gw1" });
      txn.insert("Transit_Router", { name: "tr1", ports: [port] });
    });
    const ports = (zone: BenchZone) => [...zone.nb.tables.Logical_Switch_Port].map((row) => `${row.name}:${row.type}:${row.options.get("requested-chassis") ?? ""}`).sort().join(" ");
    await bench.until("the ports are there", () => ports(bench.zone(0)) === "tsp0:: tsp1::gw1 tsp2:remote:gw2" && ports(bench.zone(1)) === "tsp0:: tsp1:remote:gw1 tsp2::gw2");
    const routers = (zone: BenchZone) => [...zone.nb.tables.Logical_Router_Port].map((row) => `${row.name} ${[...row.networks].join()} ${row.options.get("requested-tnl-key")}`).join();
    await bench.until("the router port is there", () => bench.zones.every((zone) => routers(zone) === "trp1 10.0.0.1/24 1"));
    assert.deepEqual([...bench.icSb.tables.Datapath_Binding].map((row) => row.type).sort(), ["transit-router", "transit-switch"]);
    await bench.inIcNb((txn) => {
      for (const row of bench.icNb.tables.Transit_Switch) txn.delete(row);
      for (const row of bench.icNb.tables.Transit_Router) txn.delete(row);
    });
    await bench.until("all is gone", () => bench.icSb.tables.Port_Binding.size === 0 && bench.zones.every(({ nb }) => nb.tables.Logical_Switch.size + nb.tables.Logical_Router.size === 0));
  }));

test("address sets are shared, and one's own is left as it is", () =>
  withZones(["east", "west"], async (bench) => {
    const [east, west] = [bench.zone(0), bench.zone(1)];
    for (const zone of bench.zones) {
      zone.startIc();
      await zone.setOptions({ "ic-as-adv": "true", "ic-as-learn": "true" });
    }
    await east.inSb((txn) => ["web", "own"].forEach((name) => txn.insert("Address_Set", { name, addresses: ["10.0.0.1"], options: { "ic-adv": "true" } })));
    await west.inNb((txn) => txn.insert("Address_Set", { name: "own", addresses: ["10.9.9.9"] }));
    const sets = () => [...west.nb.tables.Address_Set].map((row) => `${row.name}: ${[...row.addresses].join()}`).sort().join("; ");
    await bench.until("web is learned", () => sets() === "own: 10.9.9.9; web: 10.0.0.1");
    await east.inSb((txn) => { for (const row of east.sb.tables.Address_Set) if (row.name === "web") txn.update(row, { addresses: ["10.0.0.2", "10.0.0.3"] }); });
    await bench.until("it has changed", () => sets() === "own: 10.9.9.9; web: 10.0.0.2,10.0.0.3");
    await west.setOptions({});
    await bench.until("it is forgotten", () => sets() === "own: 10.9.9.9");
  }));
