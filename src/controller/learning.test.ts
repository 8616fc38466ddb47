/** Whose word counts for where an address is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../engine/index.ts";
import { macOf } from "../net/index.ts";
import { addressWrites } from "./learning.ts";
import type { LearnedAddress } from "./learning-queue.ts";
import type { Node } from "./node.ts";
import { Pending } from "./pending.ts";
import { type Repair, SouthboundRepair } from "./repairs.ts";
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
