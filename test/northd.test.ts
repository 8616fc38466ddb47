/** northd as a whole, on databases of our own: held against recordings of OVN's, against itself, and against its own haste. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "../src/std/index.ts";
import { addressChangeOf } from "./northd-oracle/changes.ts";
import type { DatabaseClient } from "./northd-oracle/database-client.ts";
import { changesOfFamily, type Family, families } from "./northd-oracle/families.ts";
import { type Network, NetworkGenerator } from "./northd-oracle/network.ts";
import { type OwnDatabases, openOwnDatabases } from "./northd-oracle/own-databases.ts";
import { linesOf, readRecordings, recordingsFile, without } from "./northd-oracle/recordings.ts";

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

const southbound = ["Datapath_Binding", "Port_Binding", "Logical_Flow", "Logical_DP_Group", "Multicast_Group", "SB_Global", "HA_Chassis", "HA_Chassis_Group", "RBAC_Role"];

test("a restart changes nothing, row by row", () =>
  withDatabases(3, async (databases) => {
    const first = databases.startNorthd();
    await sync(databases);
    const before = await databases.client.dump("OVN_Southbound", southbound);
    await first.stop();
    databases.startNorthd();
    await databases.client.sync();
    const after = await databases.client.dump("OVN_Southbound", southbound);
    const stable = (dump: typeof before) => ({ ...dump, SB_Global: [] });
    assert.deepEqual(stable(after), stable(before));
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
