/**
 * What a database server does in a second: inserts one after the other, pipelined, durable; one row's update to many
 * clients; a large database loaded, fetched and dumped. The same for any server of the same command line.
 *
 *     npm run bench -- ovsdb-server [PATH-OF-A-SERVER...]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/host/index.ts";
import { nodeDisk, nodeStreams } from "../src/host/node/index.ts";
import { DatabaseFile, type Json, JsonRpcSession, type OvsdbError, schemaFromJson } from "../src/ovsdb/index.ts";
import { root } from "../test/lab-fixture.ts";

const flowColumns = { logical_datapath: "string", pipeline: "string", table_id: "integer", priority: "integer", match: "string", actions: "string" };
const schema = schemaFromJson({
  name: "Bench",
  version: "1.0.0",
  tables: {
    Item: { isRoot: true, indexes: [["name"]], columns: { name: { type: "string" }, n: { type: "integer" }, m: { type: { key: "string", value: "string", min: 0, max: "unlimited" } } } },
    Flow: { isRoot: true, columns: { ...Object.fromEntries(Object.entries(flowColumns).map(([k, type]) => [k, { type }])), external_ids: { type: { key: "string", value: "string", min: 0, max: "unlimited" } } } },
  },
});

class Client {
  readonly session: JsonRpcSession;
  #next = 0;
  readonly #waiting = new Map<number, (result: Json) => void>();
  onUpdate: () => void = () => {};

  constructor(session: JsonRpcSession) {
    this.session = session;
    session.attach({
      message: (message) => {
        if (message.kind === "reply") {
          const done = this.#waiting.get(Number(message.id));
          this.#waiting.delete(Number(message.id));
          done?.(message.result);
        } else if (message.kind === "notification") this.onUpdate();
        else if (message.kind === "request") session.send({ kind: "reply", id: message.id, result: message.params });
        else throw new Error(JSON.stringify(message));
      },
      closed: () => {},
    });
  }

  static async open(path: string): Promise<Client> {
    for (;;) {
      try {
        return new Client(new JsonRpcSession(await nodeStreams.connect({ kind: "unix", path }), silentLog));
      } catch (error) {
        // The C server lets few wait in line.
        if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
        await pause(10);
      }
    }
  }

  call(method: string, params: readonly Json[]): Promise<Json> {
    return new Promise((resolve) => {
      const id = this.#next++;
      this.#waiting.set(id, resolve);
      this.session.send({ kind: "request", method, params, id });
    });
  }
}

const insert = (name: string): Json => ({ op: "insert", table: "Item", row: { name, n: 5, m: ["map", [["key", "value"], ["other", "thing"]]] } });
const now = (): number => performance.now();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function rate(count: number, work: (i: number) => Promise<unknown>, inFlight: number): Promise<number> {
  const start = now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (count / (now() - start)) * 1000;
}

async function fanOut(path: string, count: number): Promise<number> {
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) clients.push(await Client.open(path));
  const requests = { Item: [{ columns: ["name", "n", "m"] }] };
  for (const client of clients) await client.call("monitor_cond_since", ["Bench", null, requests, "00000000-0000-0000-0000-000000000000"]);
  const writer = await Client.open(path);
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    let left = count;
    const all = new Promise<void>((resolve) => {
      for (const client of clients) client.onUpdate = () => --left === 0 && resolve();
    });
    const start = now();
    void writer.call("transact", ["Bench", { op: "update", table: "Item", where: [["name", "==", "serial1"]], row: { n: 1000 + i } }]);
    await all;
    times.push(now() - start);
    await pause(5);
  }
  for (const client of [...clients, writer]) client.session.close();
  return times.sort((a, b) => a - b)[30] ?? 0;
}

async function fill(client: Client, flows: number): Promise<void> {
  for (let at = 0; at < flows; at += 1000) {
    const operations = Array.from({ length: 1000 }, (_, i): Json => {
      const n = at + i;
      const row = {
        logical_datapath: `dp${n % 100}`, pipeline: "ingress", table_id: n % 30, priority: n % 100,
        match: `inport == "port-${n}" && eth.src == 0a:00:00:00:00:01 && ip4.src == 10.0.${n % 250}.7`,
        actions: `next; reg0 = ${n}; outport = "somewhere"; output;`,
        external_ids: ["map", [["source", "northd.c:1234"], ["stage-name", "ls_in_acl_eval"]]],
      };
      return { op: "insert", table: "Flow", row };
    });
    await client.call("transact", ["Bench", ...operations]);
  }
}

async function start(program: string, folder: string): Promise<{ server: ChildProcess; path: string; listenMs: number }> {
  const path = join(folder, "sock");
  rmSync(path, { force: true });
  const began = now();
  const server = spawn(program, [`--remote=punix:${path}`, `--unixctl=${folder}/ctl`, join(folder, "db")], { stdio: "ignore" });
  while (!existsSync(path)) await pause(2);
  const probe = await Client.open(path);
  while (!JSON.stringify(await probe.call("list_dbs", [])).includes("Bench")) await pause(5);
  probe.session.close();
  return { server, path, listenMs: now() - began };
}

const residentMb = (pid: number | undefined): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

async function bench(program: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ovsdb-bench-"));
  const say = (what: string, value: number, unit: string): void => console.log(`${what.padEnd(44)} ${value.toFixed(value < 10 ? 2 : 0).padStart(9)} ${unit}`);
  const bad: OvsdbError | undefined = "tables" in schema ? DatabaseFile.create(nodeDisk, join(folder, "db"), schema) : schema;
  if (bad !== undefined) throw new Error(String(bad));
  console.log(`\n${program}`);
  let { server, path, listenMs } = await start(program, folder);
  say("start to first answer, empty", listenMs, "ms");
  const client = await Client.open(path);
  const transact = (name: string, ...more: Json[]) => client.call("transact", ["Bench", insert(name), ...more]);
  await rate(3000, (i) => transact(`warm${i}`), 10);
  say("insert, one after the other", await rate(10_000, (i) => transact(`serial${i}`), 1), "txn/s");
  say("insert, 100 in flight", await rate(20_000, (i) => transact(`piped${i}`), 100), "txn/s");
  say("insert, durable, one after the other", await rate(1000, (i) => transact(`durable${i}`, { op: "commit", durable: true }), 1), "txn/s");
  say("insert, durable, 100 in flight", await rate(5000, (i) => transact(`both${i}`, { op: "commit", durable: true }), 100), "txn/s");
  // What follows measures changes, not first copies.
  await client.call("transact", ["Bench", { op: "delete", table: "Item", where: [] }, insert("serial1")]);
  for (const count of [1, 50, 500]) say(`one row's update to ${count} clients, the last`, await fanOut(path, count), "ms");
  let began = now();
  await fill(client, 200_000);
  say("200,000 flows inserted, 1,000 at a time", now() - began, "ms");
  began = now();
  await client.call("monitor_cond_since", ["Bench", "m", { Flow: [{}] }, "00000000-0000-0000-0000-000000000000"]);
  say("all of them to a new client", now() - began, "ms");
  say("memory", residentMb(server.pid), "MB");
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill();
  await gone;
  say("file", statSync(join(folder, "db")).size / 1e6, "MB");
  ({ server, listenMs } = await start(program, folder));
  say("start to first answer, 200,000 flows", listenMs, "ms");
  say("memory after the start", residentMb(server.pid), "MB");
  server.kill();
  await pause(300);
  rmSync(folder, { recursive: true, force: true });
}

const programs = process.argv.slice(2);
for (const program of programs.length > 0 ? programs : [join(root, "bin/ovsdb-server")]) await bench(program);
process.exit(0);
