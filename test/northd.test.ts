/** northd as a whole, on databases of our own: held against recordings of OVN's, against itself, and against its own haste. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { SeededRandom } from "../src/std/index.ts";
import { addressChangeOf } from "./northd-oracle/changes.ts";
import type { JsonValue } from "./northd-oracle/columns.ts";
import type { DatabaseClient } from "./northd-oracle/database-client.ts";
import { changesOfFamily, type Family, families } from "./northd-oracle/families.ts";
import { balancerNetwork } from "./northd-oracle/load-balancers.ts";
import { type Network, NetworkGenerator } from "./northd-oracle/network.ts";
import type { Row } from "./northd-oracle/normalize.ts";
import { type OwnDatabases, openOwnDatabases } from "./northd-oracle/own-databases.ts";
import { linesOf, readRecordings, recordingsFile, without } from "./northd-oracle/recordings.ts";
import { allRows, differences } from "./northd-oracle/unchanged.ts";

async function sync(databases: OwnDatabases): Promise<void> {
  // What is written back to the northbound database may give rise to more.
  await databases.client.sync();
  await databases.client.sync();
}

async function withDatabases(seed: number | undefined, story: (databases: OwnDatabases) => Promise<void>): Promise<void> {
  const databases = await openOwnDatabases(seed === undefined ? undefined : new NetworkGenerator(seed).generate());
  try {
    await story(databases);
  } finally {
    await databases.close();
  }
}

for (const family of Object.keys(families)) {
  test(`random networks of family ${family} give the rows that OVN's northd made of them`, async () => {
    const recordings = readRecordings(join(process.cwd(), recordingsFile(family)));
    assert.ok(recordings.length >= 20);
    for (const { seed, network, expected } of recordings) {
      const databases = await openOwnDatabases(network);
      try {
        databases.startNorthd();
        await sync(databases);
        const lines = await linesOf(databases.client);
        assert.deepEqual({ missing: without(expected, lines), extra: without(lines, expected) }, { missing: [], extra: [] }, `seed ${seed}`);
      } finally {
        await databases.close();
      }
    }
  });
}

const allTables = [
  "NB_Global", "Logical_Switch", "Logical_Switch_Port", "Logical_Router", "Logical_Router_Port", "Logical_Router_Static_Route", "DHCP_Options", "DNS",
  "HA_Chassis_Group", "HA_Chassis", "Gateway_Chassis", "Port_Group", "Address_Set", "Static_MAC_Binding", "Meter", "Meter_Band", "Copp",
];

/** The northbound database as it is now, with a northd that has never seen another. */
async function fromScratch(client: DatabaseClient, network: Network): Promise<string[]> {
  const tables = [...new Set([...allTables, ...network.nb.map(({ table }) => table)])];
  const dump = await client.dump("OVN_Northbound", tables);
  const nb = tables.flatMap((table) => (dump[table] ?? []).map(({ _uuid, _version, ...row }) => ({ table, uuid: (_uuid as string[])[1] ?? "", row: row as never })));
  const databases = await openOwnDatabases({ nb, sb: network.sb });
  try {
    databases.startNorthd();
    await sync(databases);
    return await linesOf(databases.client);
  } finally {
    await databases.close();
  }
}

const withoutConfigNumbers = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith("NB NB_Global") && !line.startsWith("SB_Global"));

const seedsOf = (family: string): number => (family === "base" ? 12 : 5);

for (const [name, family] of Object.entries(families)) {
  test(`after any changes in networks of family ${name} all is as if it had been so from the start`, async () => {
    for (let seed = 1; seed <= seedsOf(name); seed++) await afterChanges(family, seed);
  });
}

async function afterChanges(family: Family, seed: number): Promise<void> {
  const network = family.generate(seed);
  const databases = await openOwnDatabases(network);
  try {
    databases.startNorthd();
    for (let round = 0; round < 5; round++) {
      await sync(databases);
      const random = new SeededRandom(1000 * seed + round);
      await databases.client.transact("OVN_Northbound", changesOfFamily(family, network, random));
      await databases.client.transact("OVN_Northbound", addressChangeOf(network, random, `more${round}`));
    }
    await sync(databases);
    const have = withoutConfigNumbers(await linesOf(databases.client));
    const want = withoutConfigNumbers(await fromScratch(databases.client, network));
    assert.deepEqual({ missing: without(want, have), extra: without(have, want) }, { missing: [], extra: [] }, `seed ${seed}`);
  } finally {
    await databases.close();
  }
}

/** Runs a northd, stops it, lets `meanwhile` happen, and runs another, which has nothing to do. */
async function unchangedByRestart(network: Network, meanwhile: (client: DatabaseClient) => Promise<void>): Promise<void> {
  const databases = await openOwnDatabases(network);
  try {
    const first = databases.startNorthd();
    await sync(databases);
    await first.stop();
    await meanwhile(databases.client);
    const before = await allRows(databases.client, () => false);
    databases.startNorthd();
    await sync(databases);
    assert.deepEqual(differences(before, await allRows(databases.client, () => false), () => false), []);
  } finally {
    await databases.close();
  }
}

for (const [name, family] of Object.entries(families)) {
  test(`a restart changes nothing, row by row, in networks of family ${name}`, async () => {
    for (const seed of [3, 4]) await unchangedByRestart(family.generate(seed), async () => undefined);
  });
}

test("several rows of the same datapaths, as OVN's northd makes them, stay what they are", () =>
  unchangedByRestart(balancerNetwork(4), async (client) => {
    const { Logical_DP_Group: groups = [], Logical_Flow: flows = [], Load_Balancer: balancers = [] } = await client.dump("OVN_Southbound", ["Logical_DP_Group", "Logical_Flow", "Load_Balancer"]);
    const copied = groups.map((group, i) => ({ op: "insert", table: "Logical_DP_Group", "uuid-name": `copy${i}`, row: { datapaths: group["datapaths"] } }));
    const copyOf = (group: unknown): JsonValue | undefined => {
      const place = groups.findIndex((row) => isDeepStrictEqual(row["_uuid"], group));
      return place < 0 ? undefined : ["named-uuid", `copy${place}`];
    };
    const moved = (table: string, column: string, rows: readonly Row[]) => rows.filter((_, i) => i % 2 === 0).flatMap((row) => {
      const copy = copyOf(row[column]);
      return copy === undefined ? [] : [{ op: "update", table, where: [["_uuid", "==", row["_uuid"]]], row: { [column]: copy } }];
    });
    const operations = [...copied, ...moved("Logical_Flow", "logical_dp_group", flows), ...moved("Load_Balancer", "ls_datapath_group", balancers)];
    assert.ok(operations.length > groups.length);
    await client.transact("OVN_Southbound", operations as unknown as readonly JsonValue[]);
  }));

test("whatever happens to the southbound database, it becomes what it should be", () =>
  withDatabases(7, async (databases) => {
    const northd = databases.startNorthd();
    await sync(databases);
    const want = withoutConfigNumbers(await linesOf(databases.client));
    const { zone } = northd;
    const hold = async (what: string): Promise<void> => {
      await databases.client.sync(20_000);
      await sync(databases);
      const have = withoutConfigNumbers(await linesOf(databases.client));
      assert.deepEqual({ missing: without(want, have), extra: without(have, want) }, { missing: [], extra: [] }, what);
    };
    await databases.client.transact("OVN_Southbound", [
      { op: "delete", table: "Logical_Flow", where: [["priority", "==", 0]] },
      { op: "delete", table: "Multicast_Group", where: [] },
      { op: "update", table: "Logical_Flow", where: [["priority", "==", 100]], row: { actions: "drop;" } },
      { op: "update", table: "Port_Binding", where: [["type", "==", "patch"]], row: { options: ["map", []] } },
      { op: "insert", table: "Logical_Flow", row: { pipeline: "ingress", table_id: 1, priority: 7, match: "1", actions: "next;" } },
    ]);
    await hold("somebody else has written into it");
    await databases.restartServer();
    await hold("the server was started anew");
    assert.equal(northd.zone, zone);
    await databases.restartServer("southbound");
    await databases.client.insert("OVN_Southbound", new NetworkGenerator(7).generate().sb);
    await hold("it has been lost");
  }));

test("of two northds one is active; when it is paused or stops, the other takes over", () =>
  withDatabases(4, async (databases) => {
    const first = databases.startNorthd();
    await databases.client.sync();
    const second = databases.startNorthd();
    const run = (northd: typeof first, name: string) => northd.commands.find((c) => c.name === name)?.run([]);
    const until = async (condition: () => boolean): Promise<void> => {
      for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.ok(condition());
    };
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual([first.status, second.status], ["active", "standby"]);
    assert.equal(run(first, "status"), "Status: active\n");
    await run(first, "pause");
    assert.equal(run(first, "is-paused"), "true");
    await until(() => second.status === "active");
    assert.equal(run(first, "status"), "Status: paused\n");
    await databases.client.sync();
    await run(first, "resume");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(first.status, "standby");
    await second.stop();
    await until(() => first.status === "active");
    await databases.client.sync();
  }));

test("options:northd_probe_interval", () =>
  withDatabases(4, async (databases) => {
    databases.startNorthd();
    await databases.client.sync();
    const [global] = (await databases.client.dump("OVN_Northbound", ["NB_Global"]))["NB_Global"] ?? [];
    await databases.client.transact("OVN_Northbound", [{ op: "mutate", table: "NB_Global", where: [["_uuid", "==", global?.["_uuid"] as JsonValue]], mutations: [["options", "insert", ["map", [["northd_probe_interval", "1"]]]]] }]);
    const probes = () => databases.log.filter(({ text }) => text.includes("sending inactivity probe")).length;
    for (let i = 0; i < 100 && probes() < 2; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(probes() >= 2, "both databases are asked for signs of life, though they are local");
  }));

test("options:northd-backoff-interval-ms: what comes while northd rests is done after it", () =>
  withDatabases(4, async (databases) => {
    databases.startNorthd();
    await databases.client.sync();
    await databases.client.transact("OVN_Northbound", [{ op: "mutate", table: "NB_Global", where: [], mutations: [["options", "insert", ["map", [["northd-backoff-interval-ms", "500"]]]]] }]);
    await databases.client.sync();
    const names = ["late1", "late2", "late3"];
    for (const name of names) await databases.client.transact("OVN_Northbound", [{ op: "insert", table: "Logical_Switch", row: { name } }]);
    await databases.client.sync();
    const rows = (await databases.client.dump("OVN_Southbound", ["Datapath_Binding"]))["Datapath_Binding"] ?? [];
    const text = JSON.stringify(rows);
    for (const name of names) assert.ok(text.includes(`"${name}"`), name);
  }));
