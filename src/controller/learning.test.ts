/** Whose word counts for where an address is, and how often it is said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cell, Engine } from "../engine/index.ts";
import { silentLog, VirtualClock } from "../host/index.ts";
import { macOf, parseIp } from "../net/index.ts";
import { present } from "../std/index.ts";
import { addressWrites, neighborWrites } from "./learning.ts";
import type { LearnedAddress, LearnedNeighbor } from "./learning-queue.ts";
import type { Node } from "./node.ts";
import { Pending } from "./pending.ts";
import { type Repair, RepairCrew, SouthboundRepair } from "./repairs.ts";
import type { SouthboundTransaction } from "./rows.ts";

const types: { readonly [key: number]: string } = { 1: "localnet", 2: "", 3: "", 4: "localnet" };

/** What is done when the address is heard by one port while the database has it at another. */
function check(existingKey: number | undefined, heardKey: number, expected: readonly string[]): void {
  const engine = new Engine();
  const addresses = new Pending<LearnedAddress>("learned addresses");
  const node = {
    learning: { addresses }, host: { clock: { wall: () => 7 } },
    datapathsByKey: { first: () => ({ _uuid: "d", tunnel_key: 5 }) },
    portsByKey: { first: (text: string) => ({ type: types[Number(text.split(" ")[1])] ?? "none" }) },
    fdbByAddress: { get: () => (existingKey === undefined ? [] : [{ _uuid: "f", dp_key: 5, port_key: existingKey }]) },
  } as unknown as Node;
  const done: string[] = [];
  const txn = { insert: () => done.push("insert"), update: () => done.push("update"), verify: () => done.push("verify") } as unknown as SouthboundTransaction;
  engine.install(node, [addressWrites]);
  engine.sink(SouthboundRepair, { added: (repair: Repair<SouthboundTransaction>) => void repair.apply(txn), removed: () => {} });
  addresses.add({ datapathKey: 5, portKey: heardKey, mac: macOf(1) });
  engine.flush();
  assert.deepEqual(done, expected, `${existingKey} ${heardKey}`);
}

test("an address that comes back from the physical network stays with the port that has it", () => {
  check(undefined, 1, ["insert"]);
  check(2, 2, []);
  check(2, 3, ["update"]);
  check(1, 2, ["update"]);
  check(2, 1, []);
  check(4, 1, ["verify", "update"]);
});

/** What a chassis that hears `heard` makes of a row that has `mac`, and of what another chassis makes of it later. */
async function tellsOnce(mac: string, heard: number, expected: readonly string[]): Promise<void> {
  const engine = new Engine();
  const clock = new VirtualClock();
  const neighbors = new Pending<LearnedNeighbor>("learned neighbors");
  const stored = new Cell("mac", mac);
  const row = { _uuid: "m", ip: "10.0.0.5", get mac() { return stored.get(); } };
  const node = {
    learning: { neighbors }, host: { clock },
    datapathsByKey: { first: () => ({ _uuid: "d" }) }, portsByKey: { first: () => ({ logical_port: "lrp" }) }, macBindingsByPort: { get: () => [row] },
  } as unknown as Node;
  const updates: string[] = [];
  const begin = (): SouthboundTransaction => {
    const changes: string[] = [];
    return {
      update: (_row: unknown, { mac: to }: { mac: string }) => changes.push(to),
      commit: () => {
        for (const to of changes) {
          updates.push(to);
          stored.set(to);
        }
        return Promise.resolve({ kind: changes.length === 0 ? "unchanged" : "committed" });
      },
    } as unknown as SouthboundTransaction;
  };
  engine.install(node, [neighborWrites]);
  engine.sink(SouthboundRepair, new RepairCrew(clock, silentLog.module("test"), begin));
  const settle = async (): Promise<void> => {
    engine.flush();
    await new Promise((resolve) => setImmediate(resolve));
  };
  neighbors.add({ datapathKey: 1, portKey: 1, ip: present(parseIp("10.0.0.5")), mac: macOf(heard) });
  await settle();
  stored.set("00:00:00:00:00:09");
  await settle();
  await settle();
  assert.deepEqual(updates, expected);
  assert.equal(neighbors.size, 0);
}

test("chassis that hear different things of a neighbor do not take turns: each says it once", async () => {
  await tellsOnce("00:00:00:00:00:07", 1, ["00:00:00:00:00:01"]);
  await tellsOnce("00:00:00:00:00:01", 1, []);
});
