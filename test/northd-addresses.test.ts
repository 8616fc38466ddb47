/** What northd gives out to ports, addresses and VLAN tags: what stays when something changes, and what does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonValue, map, refs } from "./northd-oracle/columns.ts";
import { openOwnDatabases } from "./northd-oracle/own-databases.ts";

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

interface Story {
  /** Adds a port to the switch. */
  add(name: string, row: { readonly [column: string]: JsonValue }): Promise<void>;
  set(table: string, column: string, entries: { readonly [key: string]: string }): Promise<void>;
  /** `NAME: COLUMN` of every port that has it. */
  given(column: string): Promise<readonly string[]>;
}

async function tell(otherConfig: { readonly [key: string]: string }, story: (story: Story) => Promise<void>): Promise<void> {
  const databases = await openOwnDatabases({
    sb: [],
    nb: [
      { table: "NB_Global", uuid: uuid(1), row: { options: map({ mac_prefix: "0a:0b:0c" }) } },
      { table: "Logical_Switch", uuid: uuid(2), row: { name: "ls", ports: refs([]), other_config: map(otherConfig) } },
    ],
  });
  try {
    databases.startNorthd();
    const transact = async (operations: readonly JsonValue[]): Promise<void> => {
      await databases.client.transact("OVN_Northbound", operations);
      for (let i = 0; i < 2; i++) await databases.client.sync();
    };
    await story({
      add: (name, row) => transact([
        { op: "insert", table: "Logical_Switch_Port", "uuid-name": "p", row: { name, ...row } },
        { op: "mutate", table: "Logical_Switch", where: [], mutations: [["ports", "insert", ["named-uuid", "p"]]] },
      ]),
      set: (table, column, entries) => transact([{ op: "mutate", table, where: [], mutations: [[column, "delete", ["set", Object.keys(entries)]], [column, "insert", map(entries)]] }]),
      given: async (column) => ((await databases.client.dump("OVN_Northbound", ["Logical_Switch_Port"]))["Logical_Switch_Port"] ?? [])
        .filter((row) => !Array.isArray(row[column])).map((row) => `${String(row["name"])}: ${String(row[column])}`).sort(),
    });
  } finally {
    await databases.close();
  }
}

test("a MAC that was given out stays when the port gets one more address, though somebody has taken it meanwhile", () =>
  tell({ subnet: "10.0.0.0/24" }, async ({ add, set, given }) => {
    for (const name of ["a", "b"]) await add(name, { addresses: "dynamic" });
    assert.deepEqual(await given("dynamic_addresses"), ["a: 0a:0b:0c:00:00:03 10.0.0.2", "b: 0a:0b:0c:00:00:04 10.0.0.3"]);
    await add("thief", { addresses: "0a:0b:0c:00:00:03" });
    await set("Logical_Switch", "other_config", { ipv6_prefix: "fd00::" });
    assert.deepEqual(await given("dynamic_addresses"), ["a: 0a:0b:0c:00:00:03 10.0.0.2 fd00::80b:cff:fe00:3", "b: 0a:0b:0c:00:00:04 10.0.0.3 fd00::80b:cff:fe00:4"]);
  }));

test("with another mac_prefix, ports get other MACs at once, but for those that asked for theirs", () =>
  tell({ mac_only: "true" }, async ({ add, set, given }) => {
    await add("a", { addresses: "dynamic" });
    await add("b", { addresses: "02:00:00:00:00:01 dynamic" });
    assert.deepEqual(await given("dynamic_addresses"), ["a: 0a:0b:0c:00:00:01", "b: 02:00:00:00:00:01"]);
    await set("NB_Global", "options", { mac_prefix: "00:11:22" });
    assert.deepEqual(await given("dynamic_addresses"), ["a: 00:11:22:00:00:01", "b: 02:00:00:00:00:01"]);
    await add("c", { addresses: "dynamic" });
    assert.deepEqual((await given("dynamic_addresses"))[2], "c: 00:11:22:00:00:02");
  }));

test("a tag that a container asks for is given to no other one of its parent", () =>
  tell({}, async ({ add, given }) => {
    await add("parent", {});
    await add("asks", { parent_name: "parent", tag_request: 2 });
    for (const name of ["c1", "c2"]) await add(name, { parent_name: "parent", tag_request: 0 });
    await add("elsewhere", { parent_name: "other", tag_request: 0 });
    await add("also", { parent_name: "parent", tag_request: 2 });
    assert.deepEqual(await given("tag"), ["also: 2", "asks: 2", "c1: 1", "c2: 3", "elsewhere: 1"]);
  }));
