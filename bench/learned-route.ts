/**
 * How long a route needs into the other zone: from the acknowledged transaction in az1's northbound database to the learned
 * route in az2's, and to its removal there after it has gone. Against a running lab:
 *
 *     bin/isthmus up examples/az1-az2.lab.yml --dir /tmp/az --detach
 *     npm run bench -- learned-route /tmp/az 30
 */
import { existsSync } from "node:fs";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { openReplica } from "../src/ovsdb/index.ts";
import { northbound } from "../src/schemas/index.ts";

const [folder = "az1-az2", rounds = "30"] = process.argv.slice(2);
if (!existsSync(`${folder}/h0/ovnnb_db.sock`)) throw new Error(`no lab runs in ${folder}: bin/isthmus up examples/az1-az2.lab.yml --dir ${folder} --detach`);
const host = nodeHost(silentLog);
let noticed = (): void => {};
const [az1, az2] = ["h0", "h1"].map((node) => openReplica(host, northbound, `unix:${folder}/${node}/ovnnb_db.sock`, { changed: () => noticed() }));
if (az1 === undefined || az2 === undefined) throw new Error("unreachable");
await Promise.all([az1.synced, az2.synced]);

const isThere = (prefix: string): boolean => [...az2.tables.Logical_Router_Static_Route].some((route) => route.ip_prefix === prefix);
const until = (condition: () => boolean): Promise<number> =>
  new Promise((resolve) => {
    noticed = () => {
      if (condition()) resolve(performance.now());
    };
    noticed();
  });

const added: number[] = [];
const removed: number[] = [];
const router = [...az1.tables.Logical_Router].find((row) => row.name === "lr1");
if (router === undefined) throw new Error(`no router lr1 in ${folder}/h0: is that a lab of examples/az1-az2.lab.yml?`);
for (let i = 0; i < Number(rounds); i++) {
  const prefix = `10.77.${i}.0/24`;
  const add = az1.transaction();
  add.mutate(router, "static_routes", "insert", [add.insert("Logical_Router_Static_Route", { ip_prefix: prefix, nexthop: "172.16.1.7" })]);
  await add.commit();
  let from = performance.now();
  added.push((await until(() => isThere(prefix))) - from);
  const row = [...az1.tables.Logical_Router_Static_Route].find((route) => route.ip_prefix === prefix);
  if (row === undefined) throw new Error(`${prefix} is not in az1`);
  const remove = az1.transaction();
  remove.mutate(router, "static_routes", "delete", [row._uuid]);
  await remove.commit();
  from = performance.now();
  removed.push((await until(() => !isThere(prefix))) - from);
}

const told = (values: number[]): string => {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  return `median ${at(0.5)} ms, 90 % ${at(0.9)} ms, longest ${at(1)} ms`;
};
process.stdout.write(`learned after: ${told(added)}\ngone after:    ${told(removed)}\n`);
az1.close();
az2.close();
