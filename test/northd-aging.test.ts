/** What chassis have learned and nobody has used for too long is deleted; what is younger, or has no limit, stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { map, refs } from "./northd-oracle/columns.ts";
import { openOwnDatabases } from "./northd-oracle/own-databases.ts";

const uuid = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

const nb = [
  { table: "NB_Global", uuid: uuid(1), row: {} },
  { table: "Logical_Router", uuid: uuid(2), row: { name: "lr", ports: refs([uuid(3)]), options: map({ mac_binding_age_threshold: "10.0.0.0/24:100;10.0.0.7/32:0;1000" }) } },
  { table: "Logical_Router_Port", uuid: uuid(3), row: { name: "lrp", mac: "02:00:00:00:00:01", networks: "10.0.0.1/24" } },
  { table: "Logical_Switch", uuid: uuid(4), row: { name: "ls", ports: refs([uuid(5)]), other_config: map({ fdb_age_threshold: 60 }) } },
  { table: "Logical_Switch_Port", uuid: uuid(5), row: { name: "lsp" } },
];

test("rows that are too old are deleted", async () => {
  const databases = await openOwnDatabases({ nb, sb: [] });
  try {
    databases.startNorthd();
    await databases.client.sync();
    const { Datapath_Binding: datapaths = [], Port_Binding: ports = [] } = await databases.client.dump("OVN_Southbound", ["Datapath_Binding", "Port_Binding"]);
    const routerOf = datapaths.find((row) => row["type"] === "logical-router");
    const switchOf = datapaths.find((row) => row["type"] === "logical-switch");
    const lsp = ports.find((row) => row["logical_port"] === "lsp");
    const now = Date.now();
    const macBinding = (ip: string, age: number) =>
      ({ op: "insert", table: "MAC_Binding", row: { logical_port: "lrp", ip, mac: "02:00:00:00:00:02", datapath: routerOf?.["_uuid"] as string[], timestamp: now - 1000 * age } });
    const fdb = (mac: string, age: number) =>
      ({ op: "insert", table: "FDB", row: { mac, dp_key: Number(switchOf?.["tunnel_key"]), port_key: Number(lsp?.["tunnel_key"]), timestamp: now - 1000 * age } });
    await databases.client.transact("OVN_Southbound", [
      macBinding("10.0.0.2", 101), macBinding("10.0.0.3", 50), macBinding("10.0.0.7", 1_000_000), macBinding("10.9.9.9", 500), macBinding("10.9.9.8", 1001), macBinding("fd00::2", 5000),
      fdb("02:00:00:00:00:03", 61), fdb("02:00:00:00:00:04", 1),
    ]);
    for (let i = 0; i < 2; i++) await databases.client.sync();
    const { MAC_Binding: bindings = [], FDB: fdbs = [] } = await databases.client.dump("OVN_Southbound", ["MAC_Binding", "FDB"]);
    assert.deepEqual(bindings.map((row) => row["ip"]).sort(), ["10.0.0.3", "10.0.0.7", "10.9.9.9"]);
    assert.deepEqual(fdbs.map((row) => row["mac"]), ["02:00:00:00:00:04"]);
  } finally {
    await databases.close();
  }
});
