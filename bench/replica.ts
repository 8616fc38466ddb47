/**
 * What a replica costs: 50,000 logical flows from a server in a process of its own, time and memory.
 *
 *     npm run bench -- replica [REMOTE]
 *
 * Without a remote (`unix:/tmp/sb.sock`) an ovsdb-server of ours is started for it.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { Engine, relation, rule } from "../src/engine/index.ts";
import { DatabaseFile, openProjector, openReplica, wished, wishRelation, type Wish } from "../src/ovsdb/index.ts";
import { southbound } from "../src/schemas/index.ts";
import { root } from "../test/lab-fixture.ts";

const count = 50_000;
const host = nodeHost(silentLog);
const scratch = mkdtempSync(join(tmpdir(), "isthmus-replica-"));

/** A server of ours on an empty southbound database; the replica connects as soon as it listens. */
function ownServer(): string {
  DatabaseFile.create(host.disk, join(scratch, "sb.db"), southbound);
  const server = spawn(join(root, "bin/ovsdb-server"), [`--remote=punix:${scratch}/sb.sock`, "--unixctl=none", join(scratch, "sb.db")], { stdio: "ignore" });
  process.on("exit", () => {
    server.kill();
    rmSync(scratch, { recursive: true, force: true });
  });
  return `unix:${scratch}/sb.sock`;
}

const remote = process.argv[2] ?? ownServer();
const say = (what: string, from: number): void => void process.stdout.write(`${what.padEnd(52)} ${(performance.now() - from).toFixed(0)} ms, heap ${heap()} MB\n`);
const heap = (): string => {
  globalThis.gc?.();
  return (process.memoryUsage().heapUsed / 1e6).toFixed(0);
};

type Flow = Wish<typeof southbound, "Logical_Flow">;
const WantedFlow = relation("Logical_Flow", (flow: Flow) => flow.key);
const WantedDatapath = wishRelation(southbound, "Datapath_Binding");

const writer = openReplica(host, southbound, remote, { changed: () => step() });
const engine = new Engine();
let done: () => void = () => undefined;
const projector = openProjector(host, engine, writer, { committed: () => host.clock.after(0, () => step()) });
projector.project("Datapath_Binding", { relation: WantedDatapath, identify: (row) => row.external_ids.get("name") });
projector.project("Logical_Flow", { relation: WantedFlow, identify: (row) => `${row.table_id} ${row.priority} ${row.match}` });
const numbers = { name: "numbers", items: new Set<number>(), [Symbol.iterator]: () => numbers.items.values(), size: 0, watch: (w: { added(n: number): void }) => (watchers.push(w), () => undefined) };
const watchers: { added(n: number): void }[] = [];
engine.install(undefined, [
  rule("flows", () => numbers, function* (_, n) {
    for (let i = 0; i < 50; i++) {
      const match = `inport == "port-${n}" && eth.dst == 00:00:00:00:${n}:${i} && ip4.dst == 10.${n}.${i}.1`;
      yield WantedFlow({
        key: `${i % 24} 100 ${match}`,
        columns: {
          logical_datapath: wished("Datapath_Binding", "dp"), pipeline: "ingress", table_id: i % 24, priority: 100, match,
          actions: `outport = "port-${i}"; output;`, external_ids: { "stage-name": "ls_in_l2_lkup", source: "northd.c:1234", "stage-hint": "abcdef01" },
        },
      });
    }
    if (n === 0) yield WantedDatapath({ key: "dp", columns: { external_ids: { name: "dp" }, tunnel_key: 1 } });
  }),
]);
const step = (): void => {
  engine.flush();
  projector.commit();
  if (projector.isSettled) done();
};
const settled = (): Promise<void> => new Promise((resolve) => {
  done = resolve;
});
await writer.synced;
let from = performance.now();
const first = settled();
for (let n = 0; n < count / 50; n++) for (const w of watchers) w.added(n);
step();
await first;
say(`${count} flows wished, written and read back`, from);
const one = settled();
from = performance.now();
for (const w of watchers) w.added(99_999);
step();
await one;
say("50 more", from);
from = performance.now();
const reader = openReplica(host, southbound, remote, { monitor: { Logical_Flow: true, Datapath_Binding: true } });
await reader.synced;
say("another replica of them", from);
let sum = 0;
from = performance.now();
for (const row of reader.tables.Logical_Flow) sum += row.match.length + row.external_ids.size;
say(`each looked at (${sum})`, from);
projector.close();
writer.close();
reader.close();
process.exit(0);
