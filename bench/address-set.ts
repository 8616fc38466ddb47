/**
 * What one address more or less in an address set costs the controller of a chassis where a logical flow names the set, from the
 * transaction until the switch's barrier came back (less that of a change of nothing).
 *
 *     npm run bench -- address-set [ADDRESSES...]
 */
import { ChassisBench } from "../test/chassis-bench.ts";

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1000, 10_000];
const rounds = 30;
const addressOf = (n: number): string => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

const bench = await ChassisBench.open();
await bench.until("chassis", () => bench.sb.tables.Chassis.size === 1);
await bench.inSb((txn) => {
  const datapath = txn.insert("Datapath_Binding", { tunnel_key: 1, type: "logical-switch", external_ids: { name: "ls", "logical-switch": "x" } });
  txn.insert("Port_Binding", { logical_port: "p", datapath, tunnel_key: 1, type: "", mac: ["0a:00:00:00:00:01"], up: false });
  txn.insert("Address_Set", { name: "many" });
  txn.insert("Logical_Flow", { logical_datapath: datapath, pipeline: "ingress", table_id: 8, priority: 2002, match: "ip4.src == $many && tcp.dst == 80", actions: "next;" });
});
await bench.plug("tap", "p");
await bench.settle();

async function median(change: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    await change(round);
    await bench.settle();
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[rounds / 2] ?? 0;
}

for (const size of sizes) {
  const [global] = bench.sb.tables.SB_Global;
  const [set] = bench.sb.tables.Address_Set;
  if (global === undefined || set === undefined) break;
  await bench.inSb((txn) => txn.update(set, { addresses: Array.from({ length: size }, (_, n) => addressOf(n)) }));
  await bench.settle();
  const nothing = await median((round) => bench.inSb((txn) => txn.update(global, { external_ids: { round: String(round) } })));
  const elsewhere = await median((round) => bench.inSb((txn) => txn.mutate(set, "addresses", round % 2 === 0 ? "insert" : "delete", [addressOf(1_000_000)])));
  console.log(`${String(size).padStart(6)} addresses: ${(elsewhere - nothing).toFixed(2)} ms for one more or one less`);
}
await bench.close();
