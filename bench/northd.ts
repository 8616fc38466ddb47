/**
 * northd at 5,000 ports: 100 switches of 50 ports each, on one router. Prints the time of the first build and of single
 * changes, from the northbound change to the southbound commit, as a client with `--wait=sb` sees it, less an empty sync.
 * With --services also 200 load balancers in a group that every switch has, and a port group of one port of each switch with
 * 50 access control lists.
 *
 *     npm run bench -- northd [SWITCHES] [PORTS] [--services] [--server=PROGRAM] [--northd=PROGRAM]
 *
 * Server and northd run in this process, unless another program of the same command line is given. Figures of CPU are
 * this process's (and, of another northd, that process's).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { startNorthd } from "../src/northd/index.ts";
import { DatabaseFile, startOvsdbServer } from "../src/ovsdb/index.ts";
import { northbound, southbound } from "../src/schemas/index.ts";
import { DatabaseClient } from "../test/northd-oracle/database-client.ts";
import type { JsonValue } from "../test/northd-oracle/columns.ts";
import type { Insert } from "../test/northd-oracle/network.ts";

const [switches = 100, ports = 50] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);

const hasServices = process.argv.includes("--services");

const map = (entries: { readonly [key: string]: string }): JsonValue => ["map", Object.entries(entries)];
const refs = (uuids: readonly string[]): JsonValue => ["set", uuids.map((u) => ["uuid", u])];
let counter = 0;
const uuid = (): string => `00000000-0000-4000-8000-${(++counter).toString(16).padStart(12, "0")}`;
const hex = (n: number): string => n.toString(16).padStart(2, "0");

const groupUuid = uuid();

function makeServices(rows: Insert[], firstPorts: readonly string[]): void {
  const balancers = Array.from({ length: 200 }, (_, i) => {
    const row = { name: `lb${i}`, protocol: "tcp", vips: map({ [`30.0.${i}.1:80`]: "10.0.0.2:80,10.0.0.3:80" }) };
    rows.push({ table: "Load_Balancer", uuid: uuid(), row });
    return rows.at(-1)?.uuid ?? "";
  });
  rows.push({ table: "Load_Balancer_Group", uuid: groupUuid, row: { name: "all", load_balancer: refs(balancers) } });
  const lists = Array.from({ length: 50 }, (_, i) => {
    rows.push({ table: "ACL", uuid: uuid(), row: { action: "allow-related", direction: "to-lport", priority: 1000 + i, match: `outport == @all && ip4.src == 20.0.0.${i}` } });
    return rows.at(-1)?.uuid ?? "";
  });
  rows.push({ table: "Port_Group", uuid: uuid(), row: { name: "all", ports: refs(firstPorts), acls: refs(lists) } });
}

function build(): Insert[] {
  const rows: Insert[] = [{ table: "NB_Global", uuid: uuid(), row: {} }];
  const firstPorts: string[] = [];
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
    rows.push({ table: "Logical_Switch", uuid: uuid(), row: { name: `sw${s}`, ports: refs(own), ...(hasServices ? { load_balancer_group: refs([groupUuid]) } : {}) } });
    firstPorts.push(...own.slice(0, 1));
    const port = uuid();
    routerPorts.push(port);
    rows.push({ table: "Logical_Router_Port", uuid: port, row: { name: `lr-sw${s}`, mac: `0a:00:00:00:00:${hex(s & 255)}`, networks: `10.${s >> 8}.${s & 255}.1/24` } });
  }
  rows.push({ table: "Logical_Router", uuid: uuid(), row: { name: "lr", ports: refs(routerPorts) } });
  if (hasServices) makeServices(rows, firstPorts);
  return rows;
}

const programOf = (option: string): string | undefined => process.argv.find((a) => a.startsWith(`--${option}=`))?.slice(option.length + 3);
const folder = mkdtempSync(join(tmpdir(), "bench-northd-"));
const host = nodeHost(silentLog);
const files = [["nb.db", northbound], ["sb.db", southbound]] as const;
for (const [file, schema] of files) DatabaseFile.create(host.disk, join(folder, file), schema);
const paths = files.map(([file]) => join(folder, file));
const remote = `unix:${folder}/db.sock`;
const children: ChildProcess[] = [];
const start = (program: string, ...args: string[]): ChildProcess => {
  const child = spawn(program, args, { stdio: "ignore" });
  children.push(child);
  return child;
};
const server = programOf("server");
if (server === undefined) await startOvsdbServer(host, { files: paths, remotes: [`p${remote}`] }).ready;
else start(server, `--remote=p${remote}`, `--unixctl=${folder}/server.ctl`, "-vconsole:off", ...paths);
process.on("exit", () => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true, force: true });
});
const connect = async (): Promise<DatabaseClient> => {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const opened = existsSync(`${folder}/db.sock`) ? await DatabaseClient.open(`${folder}/db.sock`).catch(() => undefined) : undefined;
    if (opened !== undefined) return opened;
  }
};
const client = await connect();
// All in one transaction: ports that no switch has yet would be collected as garbage.
await client.insert("OVN_Northbound", build());

let measured: number | undefined;
/** User and system time so far, of this process or of the other northd. */
const cpuMs = (): number => {
  if (measured !== undefined) {
    const fields = readFileSync(`/proc/${measured}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
  const usage = process.cpuUsage();
  return (usage.user + usage.system) / 1000;
};
const startedAt = performance.now();
const cpuAtStart = cpuMs();
const program = programOf("northd");
if (program === undefined) startNorthd(host, { northbound: remote, southbound: remote, isPaused: false });
else measured = start(program, `--ovnnb-db=${remote}`, `--ovnsb-db=${remote}`, `--unixctl=${folder}/northd.ctl`, "-vconsole:off").pid;
await client.sync(300_000);
const builtMs = performance.now() - startedAt;
const builtCpuMs = cpuMs() - (measured === undefined ? cpuAtStart : 0);
const memory = measured === undefined ? process.memoryUsage().rss / 2 ** 20 : Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${measured}/status`, "utf8"))?.[1]) / 1024;
console.log(`first build: ${builtMs.toFixed(0)} ms, ${builtCpuMs.toFixed(0)} ms of CPU, ${memory.toFixed(0)} MB`);

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

const joined = (table: string, row: Insert["row"], to: string, name: string, column: string): JsonValue[] => [
  { op: "insert", table, "uuid-name": "x", row },
  { op: "mutate", table: to, where: [["name", "==", name]], mutations: [[column, "insert", ["named-uuid", "x"]]] },
];
const balancer = (i: number, net: number): Insert["row"] => ({ name: `new${net}-${i}`, protocol: "tcp", vips: map({ [`${net}.0.0.${i + 1}:80`]: "10.0.0.2:80" }) });
const serviceChanges: typeof changes = [
  ["LB add: in the group of all", (i) => joined("Load_Balancer", balancer(i, 31), "Load_Balancer_Group", "all", "load_balancer")],
  ["LB add: on one switch", (i) => joined("Load_Balancer", balancer(i, 32), "Logical_Switch", `sw${i}`, "load_balancer")],
  ["LB change: backends", (i) => [{ op: "update", table: "Load_Balancer", where: [["name", "==", `lb${i}`]], row: { vips: map({ [`30.0.${i}.1:80`]: "10.0.0.4:80" }) } }]],
  ["LS add: with the group", (i) => [{ op: "insert", table: "Logical_Switch", row: { name: `more${i}`, load_balancer_group: refs([groupUuid]) } }]],
  ["ACL add: in the port group", (i) => joined("ACL", { action: "drop", direction: "to-lport", priority: i, match: `outport == @all && ip6.dst == fd00::${i}` }, "Port_Group", "all", "acls")],
  ["LSP add: in the port group", (i) => [...lsp(`grouped${i}`, {}, `sw${20 + i}`), { op: "mutate", table: "Port_Group", where: [["name", "==", "all"]], mutations: [["ports", "insert", ["named-uuid", "p"]]] }]],
];

for (const [title, operations] of hasServices ? [...changes.slice(0, 2), ...serviceChanges] : changes) {
  const times: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < 7; i++) {
    const ops = operations(i);
    const begun = performance.now();
    const cpuAtBegin = cpuMs();
    if (ops.length > 0) await client.transact("OVN_Northbound", ops);
    await client.sync();
    times.push(performance.now() - begun);
    cpu.push(cpuMs() - cpuAtBegin);
  }
  const middle = (figures: number[]): string => (figures.sort((a, b) => a - b)[3] ?? 0).toFixed(1).padStart(7);
  console.log(`${title.padEnd(28)} ${middle(times)} ms ${middle(cpu)} ms of CPU`);
}
process.exit(0);
