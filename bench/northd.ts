/**
 * northd at 5,000 ports: 100 switches of 50 ports each, on one router. Prints the time of the first build and of single
 * changes, from the northbound change to the southbound commit, as a client with `--wait=sb` sees it, less an empty sync.
 *
 *     npx esbuild bench/northd.ts --bundle --platform=node --format=esm --sourcemap=inline --outfile=/tmp/bench-northd.mjs && node /tmp/bench-northd.mjs [SWITCHES] [PORTS]
 */
import type { JsonValue, Insert } from "../test/northd-oracle/network.ts";
import { openOwnDatabases } from "../test/northd-oracle/own-databases.ts";

const [switches = 100, ports = 50] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);

const map = (entries: { readonly [key: string]: string }): JsonValue => ["map", Object.entries(entries)];
const refs = (uuids: readonly string[]): JsonValue => ["set", uuids.map((u) => ["uuid", u])];
let counter = 0;
const uuid = (): string => `00000000-0000-4000-8000-${(++counter).toString(16).padStart(12, "0")}`;
const hex = (n: number): string => n.toString(16).padStart(2, "0");

function build(): Insert[] {
  const rows: Insert[] = [{ table: "NB_Global", uuid: uuid(), row: {} }];
  const routerPorts: string[] = [];
  for (let s = 0; s < switches; s++) {
    const own: string[] = [];
    const add = (name: string, row: Insert["row"]): void => {
      const id = uuid();
      own.push(id);
      rows.push({ table: "Logical_Switch_Port", uuid: id, row: { name, ...row } });
    };
    for (let p = 0; p < ports; p++) add(`sw${s}-p${p}`, { addresses: `02:00:00:00:${hex(s)}:${hex(p)} 10.${s >> 8}.${s & 255}.${p + 2}`, port_security: `02:00:00:00:${hex(s)}:${hex(p)}` });
    add(`sw${s}-lr`, { type: "router", addresses: "router", options: map({ "router-port": `lr-sw${s}` }) });
    rows.push({ table: "Logical_Switch", uuid: uuid(), row: { name: `sw${s}`, ports: refs(own) } });
    const port = uuid();
    routerPorts.push(port);
    rows.push({ table: "Logical_Router_Port", uuid: port, row: { name: `lr-sw${s}`, mac: `0a:00:00:00:00:${hex(s & 255)}`, networks: `10.${s >> 8}.${s & 255}.1/24` } });
  }
  rows.push({ table: "Logical_Router", uuid: uuid(), row: { name: "lr", ports: refs(routerPorts) } });
  return rows;
}

const databases = await openOwnDatabases();
const { client } = databases;
for (const rows = build(); rows.length > 0; ) {
  // Ports before what refers to them would be collected as garbage: all in one transaction.
  await client.insert("OVN_Northbound", rows.splice(0));
}
const cpuMs = (since?: NodeJS.CpuUsage): number => { const u = process.cpuUsage(since); return (u.user + u.system) / 1000; };
const cpuAtStart = process.cpuUsage();
const startedAt = performance.now();
const northd = databases.startNorthd();
await client.sync(120_000);
console.log(`first build: ${(performance.now() - startedAt).toFixed(0)} ms (${cpuMs(cpuAtStart).toFixed(0)} ms of CPU, the server's too), ${northd.zone?.flows.size} rows of Logical_Flow, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB with the server`);

const lsp = (name: string, row: Insert["row"], sw = "sw0"): JsonValue[] => [
  { op: "insert", table: "Logical_Switch_Port", "uuid-name": "p", row: { name, ...row } },
  { op: "mutate", table: "Logical_Switch", where: [["name", "==", sw]], mutations: [["ports", "insert", ["named-uuid", "p"]]] },
];

const changes: readonly (readonly [string, (i: number) => JsonValue[]])[] = [
  ["empty sync", () => []],
  ["LSP add: VIF", (i) => lsp(`new${i}`, { addresses: `02:00:00:01:00:${hex(i)} 10.0.0.${100 + i}` })],
  ["LSP add: unknown address", (i) => lsp(`unk${i}`, { addresses: "unknown" })],
  ["LSP add: localnet", (i) => lsp(`ln${i}`, { type: "localnet", addresses: "unknown", options: map({ network_name: "p" }) }, `sw${50 + i}`)],
  ["LSP change: addresses", (i) => [{ op: "update", table: "Logical_Switch_Port", where: [["name", "==", `sw1-p${i}`]], row: { addresses: `02:00:00:02:00:${hex(i)} 10.0.1.${100 + i}` } }]],
  ["LSP change: enabled", (i) => [{ op: "update", table: "Logical_Switch_Port", where: [["name", "==", `sw2-p${i}`]], row: { enabled: false } }]],
  ["LS add (empty)", (i) => [{ op: "insert", table: "Logical_Switch", row: { name: `empty${i}` } }]],
  ["LS change: other_config", (i) => [{ op: "update", table: "Logical_Switch", where: [["name", "==", `sw${10 + i}`]], row: { other_config: map({ mcast_snoop: "true" }) } }]],
  ["LR add (empty)", (i) => [{ op: "insert", table: "Logical_Router", row: { name: `empty${i}` } }]],
  ["LRP add (no peer)", (i) => [
    { op: "insert", table: "Logical_Router_Port", "uuid-name": "p", row: { name: `lrp${i}`, mac: "02:00:00:00:00:01", networks: `20.0.${i}.1/24` } },
    { op: "mutate", table: "Logical_Router", where: [["name", "==", "lr"]], mutations: [["ports", "insert", ["named-uuid", "p"]]] },
  ]],
  ["LRP change: options", (i) => [{ op: "update", table: "Logical_Router_Port", where: [["name", "==", `lr-sw${i}`]], row: { options: map({ mcast_flood: "true" }) } }]],
  ["static route add", (i) => [
    { op: "insert", table: "Logical_Router_Static_Route", "uuid-name": "r", row: { ip_prefix: `30.0.${i}.0/24`, nexthop: `10.0.0.${200 + i}` } },
    { op: "mutate", table: "Logical_Router", where: [["name", "==", "lr"]], mutations: [["static_routes", "insert", ["named-uuid", "r"]]] },
  ]],
  ["NB_Global: unknown option", (i) => [{ op: "mutate", table: "NB_Global", where: [], mutations: [["options", "insert", map({ [`x${i}`]: "y" })]] }]],
];

for (const [title, operations] of changes) {
  const times: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < 7; i++) {
    const ops = operations(i);
    const begun = performance.now();
    const cpuAtBegin = process.cpuUsage();
    if (ops.length > 0) await client.transact("OVN_Northbound", ops);
    await client.sync();
    times.push(performance.now() - begun);
    cpu.push(cpuMs(cpuAtBegin));
  }
  const middle = (figures: number[]): string => (figures.sort((a, b) => a - b)[3] ?? 0).toFixed(1).padStart(7);
  console.log(`${title.padEnd(28)} ${middle(times)} ms ${middle(cpu)} ms of CPU`);
}
await databases.close();
process.exit(0);
