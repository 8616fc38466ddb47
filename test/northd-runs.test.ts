/** A change makes those rules run that read what has changed, for the things it is about, and no others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../src/engine/index.ts";
import type { DatabaseClient } from "./northd-oracle/database-client.ts";
import { type OwnDatabases, openOwnDatabases } from "./northd-oracle/own-databases.ts";
import type { JsonValue } from "./northd-oracle/columns.ts";
import type { Insert, Network } from "./northd-oracle/network.ts";

const map = (entries: { readonly [key: string]: string }): JsonValue => ["map", Object.entries(entries)];
const refs = (uuids: readonly string[]): JsonValue => ["set", uuids.map((u) => ["uuid", u])];

/** Four switches of four ports on one router. */
function network(): Network {
  let count = 0;
  const uuid = (): string => `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`;
  const nb: Insert[] = [{ table: "NB_Global", uuid: uuid(), row: {} }];
  const add = (table: string, row: Insert["row"]): string => {
    const id = uuid();
    nb.push({ table, uuid: id, row });
    return id;
  };
  const routerPorts = [0, 1, 2, 3].map((s) => {
    const ports = [1, 2, 3, 4].map((p) => add("Logical_Switch_Port", { name: `sw${s}-p${p}`, addresses: `02:00:00:00:0${s}:0${p} 10.0.${s}.${p + 1}` }));
    ports.push(add("Logical_Switch_Port", { name: `sw${s}-lr`, type: "router", addresses: "router", options: map({ "router-port": `lr-sw${s}` }) }));
    add("Logical_Switch", { name: `sw${s}`, ports: refs(ports) });
    return add("Logical_Router_Port", { name: `lr-sw${s}`, mac: `0a:00:00:00:00:0${s}`, networks: `10.0.${s}.1/24` });
  });
  add("Logical_Router", { name: "lr", ports: refs(routerPorts) });
  return { nb, sb: [] };
}

/** The rules that run for a change, without those that keep the numbers of configurations. */
async function runsOf(databases: OwnDatabases, record: () => readonly string[], operations: readonly JsonValue[]): Promise<readonly string[]> {
  await databases.client.sync();
  record();
  await databases.client.transact("OVN_Northbound", operations);
  await databases.client.sync();
  return [...new Set(record())].filter((run) => !/^(sb|nb)-global\(/.test(run)).map((run) => run.replace(/\(Logical_\w+ /, "(")).sort();
}

/** Does a change, and tells what ran for it. */
function recorder(databases: OwnDatabases, engine: Engine): (operations: readonly JsonValue[]) => Promise<readonly string[]> {
  engine.recordsRuns = true;
  let ran: string[] = [];
  const flush = engine.flush.bind(engine);
  engine.flush = () => {
    flush();
    ran.push(...engine.ran);
  };
  const record = (): readonly string[] => {
    const before = ran;
    ran = [];
    return before;
  };
  return (operations) => runsOf(databases, record, operations);
}

const portChange = (name: string, row: Insert["row"]): JsonValue[] => [{ op: "update", table: "Logical_Switch_Port", where: [["name", "==", name]], row }];

test("a change runs what reads it", async () => {
  const databases = await openOwnDatabases(network());
  try {
    const northd = databases.startNorthd();
    await databases.client.sync();
    const { zone } = northd;
    assert.ok(zone !== undefined);
    const run = recorder(databases, zone.engine);

    assert.deepEqual(await run([]), []);
    assert.deepEqual(await run([{ op: "mutate", table: "NB_Global", where: [], mutations: [["options", "insert", map({ nobody: "knows" })]] }]), ["zone-settings(zone)"]);
    assert.deepEqual(await run(portChange("sw1-p1", { external_ids: map({ a: "b" }) })), ["port-binding-of-switch-port(sw1-p1)"]);
    assert.deepEqual(await run(portChange("sw1-p1", { addresses: "02:00:00:00:01:01 10.0.1.77" })), [
      "address-use(sw1-p1)", "lr-arp-resolve-of-switch-port(sw1-p1)", "ls-arp-responder(sw1-p1)", "ls-too-big-errors(sw1-p1)", "ls-unicast(sw1-p1)",
      "port-binding-of-switch-port(sw1-p1)",
    ]);
    const ofRoute = await run([
      { op: "insert", table: "Logical_Router_Static_Route", "uuid-name": "r", row: { ip_prefix: "30.0.0.0/24", nexthop: "10.0.0.200" } },
      { op: "mutate", table: "Logical_Router", where: [["name", "==", "lr"]], mutations: [["static_routes", "insert", ["named-uuid", "r"]]] },
    ]);
    assert.ok(ofRoute.length <= 6 && ofRoute.every((name) => /rout|arp|nexthop/.test(name)), ofRoute.join());
    const ofSwitch = await run([{ op: "insert", table: "Logical_Switch", row: { name: "sw9" } }]);
    assert.ok(ofSwitch.every((name) => name.endsWith("(sw9)") || !/\(sw\d/.test(name)), ofSwitch.join());
  } finally {
    await databases.close();
  }
});

test("a load balancer or an access control list more touches those who have it", async () => {
  const databases = await openOwnDatabases(network());
  try {
    const northd = databases.startNorthd();
    await databases.client.sync();
    const engine = northd.zone?.engine;
    assert.ok(engine !== undefined);
    const run = recorder(databases, engine);
    const named = (table: string, name: string): JsonValue => ({ op: "insert", table, "uuid-name": "x", row: { name } });
    const give = (table: string, name: string, column: string): JsonValue => ({ op: "mutate", table, where: [["name", "==", name]], mutations: [[column, "insert", ["named-uuid", "x"]]] });
    const balancer = (name: string, vip: string): JsonValue => ({ op: "insert", table: "Load_Balancer", "uuid-name": "x", row: { name, vips: map({ [vip]: "10.0.0.2:80" }) } });

    await run([named("Load_Balancer_Group", "group"), ...["sw0", "sw1"].map((name) => give("Logical_Switch", name, "load_balancer_group"))]);
    await run([balancer("first", "30.0.0.1:80"), give("Load_Balancer_Group", "group", "load_balancer")]);
    const ofSecond = await run([balancer("second", "30.0.0.2:80"), give("Load_Balancer_Group", "group", "load_balancer")]);
    assert.ok(ofSecond.every((name) => /second|load-balancers-of-groups/.test(name)), ofSecond.join());
    const ofBackend = await run([{ op: "update", table: "Load_Balancer", where: [["name", "==", "first"]], row: { vips: map({ "30.0.0.1:80": "10.0.0.3:80" }) } }]);
    assert.ok(ofBackend.every((name) => name.includes("first")), ofBackend.join());
    const ofUser = await run([{ op: "mutate", table: "Logical_Switch", where: [["name", "==", "sw2"]], mutations: [["load_balancer_group", "insert", refs([await uuidOf(databases.client, "Load_Balancer_Group", "group")])]] }]);
    assert.ok(ofUser.every((name) => name.includes("sw2")), ofUser.join());

    const ports = await Promise.all(["sw0-p1", "sw1-p1"].map((name) => uuidOf(databases.client, "Logical_Switch_Port", name)));
    const list = (match: string): JsonValue => ({ op: "insert", table: "ACL", "uuid-name": "x", row: { action: "allow-related", direction: "to-lport", priority: 1, match } });
    await run([{ op: "insert", table: "Port_Group", row: { name: "pg", ports: refs(ports) } }]);
    await run([list("ip4"), give("Port_Group", "pg", "acls")]);
    const ofList = await run([list("ip6"), give("Port_Group", "pg", "acls")]);
    const perList = ofList.filter((name) => /^ls-acl\(/.test(name));
    assert.equal(perList.length, 2, ofList.join());
    assert.ok(ofList.every((name) => /^(ls-acl|acls-of-port-groups|port-group-address-sets|acl-ids|meter-shares)\(/.test(name)), ofList.join());
  } finally {
    await databases.close();
  }
});

test("what has gone leaves nothing behind", async () => {
  const databases = await openOwnDatabases(network());
  try {
    const northd = databases.startNorthd();
    await databases.client.sync();
    const { zone } = northd;
    assert.ok(zone !== undefined);
    const sizes = (): readonly number[] => [zone.flows.size, zone.topology.switchPorts.size];
    const before = sizes();
    for (let i = 0; i < 3; i++) {
      await databases.client.transact("OVN_Northbound", [
        { op: "insert", table: "Logical_Switch_Port", "uuid-name": "p", row: { name: `new${i}`, addresses: "dynamic" } },
        { op: "insert", table: "Logical_Switch", row: { name: `sw-new${i}`, ports: ["named-uuid", "p"], other_config: map({ subnet: "10.9.0.0/24" }) } },
      ]);
      await databases.client.sync();
      assert.notDeepEqual(sizes(), before);
      await databases.client.transact("OVN_Northbound", [{ op: "delete", table: "Logical_Switch", where: [["name", "==", `sw-new${i}`]] }]);
      await databases.client.sync();
      await databases.client.sync();
      assert.deepEqual(sizes(), before);
    }
  } finally {
    await databases.close();
  }
});

test("what chassis have learned about what is no more goes, and nothing else", async () => {
  const databases = await openOwnDatabases(network());
  try {
    const { client } = databases;
    databases.startNorthd();
    await client.sync();
    const bindings = (await client.dump("OVN_Southbound", ["Port_Binding", "Datapath_Binding"]));
    const port = (name: string) => bindings["Port_Binding"]?.find((row) => row["logical_port"] === name) ?? {};
    const key = (name: string): JsonValue => bindings["Datapath_Binding"]?.find((row) => JSON.stringify(row["_uuid"]) === JSON.stringify(port(name)["datapath"]))?.["tunnel_key"] as number;
    const learn = (i: number): JsonValue[] => [
      { op: "insert", table: "MAC_Binding", row: { logical_port: `lr-sw${i}`, ip: "10.0.0.9", mac: "02:00:00:00:09:09", datapath: port(`lr-sw${i}`)["datapath"] as JsonValue } },
      { op: "insert", table: "FDB", row: { mac: `02:00:00:00:09:0${i}`, dp_key: key(`sw${i}-p1`), port_key: port(`sw${i}-p1`)["tunnel_key"] as number } },
    ];
    await client.transact("OVN_Southbound", [...learn(0), ...learn(1)]);
    await client.transact("OVN_Northbound", [
      { op: "mutate", table: "Logical_Switch", where: [["name", "==", "sw0"]], mutations: [["ports", "delete", ["uuid", await uuidOf(client, "Logical_Switch_Port", "sw0-p1")]]] },
      { op: "mutate", table: "Logical_Router", where: [["name", "==", "lr"]], mutations: [["ports", "delete", ["uuid", await uuidOf(client, "Logical_Router_Port", "lr-sw0")]]] },
    ]);
    await client.sync();
    await client.sync();
    const left = await client.dump("OVN_Southbound", ["MAC_Binding", "FDB"]);
    assert.deepEqual(left["MAC_Binding"]?.map((row) => row["logical_port"]), ["lr-sw1"]);
    assert.deepEqual(left["FDB"]?.map((row) => row["mac"]), ["02:00:00:00:09:01"]);
  } finally {
    await databases.close();
  }
});

async function uuidOf(client: DatabaseClient, table: string, name: string): Promise<string> {
  const rows = (await client.dump("OVN_Northbound", [table]))[table] ?? [];
  return (rows.find((row) => row["name"] === name)?.["_uuid"] as string[])[1] ?? "";
}
