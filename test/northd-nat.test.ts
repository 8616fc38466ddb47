/** Floating IPs, one by one: each costs as many flows as the one before, and the rules of no other run for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "./northd-oracle/columns.ts";
import { map, refs } from "./northd-oracle/columns.ts";
import type { Insert, Network } from "./northd-oracle/network.ts";
import { openOwnDatabases } from "./northd-oracle/own-databases.ts";

const machines = 60;
const hex = (n: number): string => n.toString(16).padStart(2, "0");

/** Machines on a switch, a router, and a physical network behind its gateway port. */
function network(): Network {
  let count = 0;
  const nb: Insert[] = [];
  const add = (table: string, row: Insert["row"]): string => {
    const uuid = `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`;
    nb.push({ table, uuid, row });
    return uuid;
  };
  const port = (name: string, row: Insert["row"]): string => add("Logical_Switch_Port", { name, ...row });
  const toRouter = (name: string, peer: string): string => port(name, { type: "router", addresses: "router", options: map({ "router-port": peer, "nat-addresses": "router" }) });
  add("NB_Global", {});
  const vms = Array.from({ length: machines }, (_, i) => port(`vm${i}`, { addresses: `50:54:00:00:00:${hex(i)} 10.0.1.${i}` }));
  add("Logical_Switch", { name: "inside", ports: refs([...vms, toRouter("inside-lr", "lr-inside")]) });
  add("Logical_Switch", { name: "public", ports: refs([toRouter("public-lr", "lr-public"), port("ln", { type: "localnet", addresses: "unknown", options: map({ network_name: "physical" }) })]) });
  const gateway = add("Gateway_Chassis", { name: "lr-public-gw", chassis_name: "gw", priority: 1 });
  const inside = add("Logical_Router_Port", { name: "lr-inside", mac: "50:54:00:00:ff:01", networks: "10.0.0.1/16" });
  const outside = add("Logical_Router_Port", { name: "lr-public", mac: "50:54:00:00:ff:02", networks: "172.16.0.1/16", gateway_chassis: refs([gateway]) });
  add("Logical_Router", { name: "lr", ports: refs([inside, outside]) });
  return { nb, sb: [] };
}

const floatingIp = (i: number): readonly JsonValue[] => [
  { op: "insert", table: "NAT", "uuid-name": "n", row: { type: "dnat_and_snat", external_ip: `172.16.1.${i}`, logical_ip: `10.0.1.${i}`, logical_port: `vm${i}`, external_mac: `f0:00:00:00:00:${hex(i)}` } },
  { op: "mutate", table: "Logical_Router", where: [["name", "==", "lr"]], mutations: [["nat", "insert", ["named-uuid", "n"]]] },
];

// What OVN's northd (26.03.90) writes for each, where chassis can all that it asks for; 14 where they cannot track in zones.
const flowsOfEach = 17;

test("each floating IP costs the same flows, and the rules of no other run", async () => {
  const databases = await openOwnDatabases(network());
  try {
    const northd = databases.startNorthd();
    const { client } = databases;
    await client.sync();
    const { zone } = northd;
    assert.ok(zone !== undefined);
    const flows = async (): Promise<number> => (await client.dump("OVN_Southbound", ["Logical_Flow"]))["Logical_Flow"]?.length ?? 0;
    const without = await flows();
    zone.engine.recordsRuns = true;
    let ran: string[] = [];
    const flush = zone.engine.flush.bind(zone.engine);
    zone.engine.flush = () => {
      flush();
      ran.push(...zone.engine.ran);
    };
    for (let i = 0; i < machines; i++) {
      ran = [];
      await client.transact("OVN_Northbound", floatingIp(i));
      await client.sync();
      assert.equal(await flows(), without + flowsOfEach * (i + 1));
      const ofNats = ran.filter((run) => /^l[sr]-nat\(/.test(run));
      assert.equal(new Set(ofNats).size, 2, ofNats.join());
      assert.ok(new Set(ran).size < 20, [...new Set(ran)].join());
    }
    await client.transact("OVN_Northbound", [{ op: "update", table: "Logical_Router", where: [], row: { nat: ["set", []] } }]);
    await client.sync();
    assert.equal(await flows(), without);
  } finally {
    await databases.close();
  }
});
