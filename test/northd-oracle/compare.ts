/**
 * Holds our northd against OVN's own, on random northbound databases:
 *
 *     node scripts/northd-oracle.mjs [FAMILY] [FIRST] [COUNT] [--record]
 *
 * OVN_SRC and OVS_SRC name built source trees of OVN and Open vSwitch. For each seed a fresh pair of databases for either
 * northd; the same rows in both; then claims of ports, as chassis make them, and random changes; at the end ours is started anew
 * on either, and finds nothing to do. Prints what differs. `--record`
 * keeps what OVN's made of the networks as the family's recordings, for the test run.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { makeLog } from "../../src/host/index.ts";
import { nodeHost } from "../../src/host/node/index.ts";
import { type Northd, startNorthd } from "../../src/northd/index.ts";
import { SeededRandom } from "../../src/std/index.ts";
import { addressChangeOf, claimsOf } from "./changes.ts";
import { DatabaseClient } from "./database-client.ts";
import { changesOfFamily, type Family, familyNamed } from "./families.ts";
import type { Network } from "./network.ts";
import { isAccident, isChoice, type Row } from "./normalize.ts";
import { allRows, differences, mayChangeAfterOvn } from "./unchanged.ts";
import { linesOf, type Recording, recordingsFile, without, writeRecordings } from "./recordings.ts";

const ovn = process.env["OVN_SRC"] ?? "/usr/src/ovn";
const ovs = process.env["OVS_SRC"] ?? "/usr/src/ovs";
const scratch = process.env["SCRATCH"] ?? `/tmp/northd-oracle-${process.pid}`;

/** Daemons that outlive this process unless they are told. */
const running = new Set<number>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const pid of running) process.kill(pid, "SIGTERM");
    process.exit(1);
  });
}

interface Side {
  readonly client: DatabaseClient;
  readonly socket: string;
  /** The northd alone; the databases stay. */
  stopNorthd(): Promise<void>;
  hasEnded(): boolean;
  /** Works everything out from the start, as a new process. */
  startAnew(withoutFlows: boolean): Promise<void>;
  stop(): Promise<void>;
}

function startDatabases(folder: string): { readonly socket: string; stop(): void } {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, schema] of [["nb", "ovn-nb"], ["sb", "ovn-sb"]]) {
    execFileSync(`${ovs}/ovsdb/ovsdb-tool`, ["create", `${folder}/${name}.db`, `${ovn}/${schema}.ovsschema`]);
  }
  execFileSync(`${ovs}/ovsdb/ovsdb-server`, [
    "-vconsole:off", "--detach", "--no-chdir", `--pidfile=${folder}/db.pid`, `--unixctl=${folder}/db.ctl`, `--log-file=${folder}/db.log`,
    `--remote=punix:${folder}/db.sock`, `${folder}/nb.db`, `${folder}/sb.db`,
  ]);
  const pid = Number(readFileSync(`${folder}/db.pid`, "utf8"));
  running.add(pid);
  const stop = (): void => {
    running.delete(pid);
    process.kill(pid, "SIGTERM");
  };
  return { socket: `${folder}/db.sock`, stop };
}

async function fill(socket: string, { nb, sb }: Network): Promise<DatabaseClient> {
  const client = await DatabaseClient.open(socket);
  await client.insert("OVN_Southbound", sb);
  await client.insert("OVN_Northbound", nb);
  return client;
}

async function startTheirs(folder: string, network: Network): Promise<Side> {
  const databases = startDatabases(folder);
  const client = await fill(databases.socket, network);
  const remote = `unix:${databases.socket}`;
  const start = (): ChildProcess => {
    const started = spawn(`${ovn}/northd/ovn-northd`, [`--ovnnb-db=${remote}`, `--ovnsb-db=${remote}`, `--unixctl=${folder}/n.ctl`, "-vconsole:off", `--log-file=${folder}/n.log`], { stdio: "ignore" });
    const { pid } = started;
    if (pid !== undefined) running.add(pid);
    started.once("exit", () => running.delete(pid ?? 0));
    return started;
  };
  let child = start();
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stopNorthd = async (): Promise<void> => {
    if (hasEnded()) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  };
  return {
    client, socket: databases.socket, hasEnded, stopNorthd,
    startAnew: async (withoutFlows) => {
      await stopNorthd();
      if (withoutFlows) await client.transact("OVN_Southbound", [{ op: "delete", table: "Logical_Flow", where: [] }]);
      child = start();
    },
    stop: async () => {
      client.close();
      await stopNorthd();
      databases.stop();
    },
  };
}

async function startOurs(folder: string, network: Network): Promise<Side> {
  const databases = startDatabases(folder);
  const client = await fill(databases.socket, network);
  const northd = startOurNorthd(databases.socket);
  return {
    client, socket: databases.socket,
    hasEnded: () => false,
    startAnew: () => Promise.resolve(),
    stopNorthd: () => northd.stop(),
    stop: async () => {
      client.close();
      await northd.stop();
      databases.stop();
    },
  };
}

function startOurNorthd(socket: string): Northd {
  const remote = `unix:${socket}`;
  const log = makeLog((entry) => {
    if (process.env["VERBOSE"] !== undefined || entry.text.includes("transaction error")) console.log(`  ${entry.level} ${entry.module} ${entry.text}`);
  });
  return startNorthd(nodeHost(log), { northbound: remote, southbound: remote });
}

const lines = ({ client }: Side): Promise<string[]> => linesOf(client);

async function compareSeed(family: Family, seed: number, recordings: Recording[] | undefined): Promise<number> {
  const network = family.generate(seed);
  const [theirs, ours] = await Promise.all([startTheirs(`${scratch}/c`, network), startOurs(`${scratch}/o`, network)]);
  try {
    let differing = await difference(`seed ${seed}`, theirs, ours);
    if (recordings !== undefined) recordings.push({ seed, network, expected: await lines(theirs) });
    for (let round = 1; round <= 3 && differing === 0; round++) {
      for (const { client } of [theirs, ours]) {
        const random = new SeededRandom(seed * 10 + round);
        await client.transact("OVN_Southbound", claimsOf(await client.dump("OVN_Southbound", ["Port_Binding", "Chassis", "Service_Monitor"]), random));
        const seen = family.southbound === undefined ? undefined : await client.dump("OVN_Southbound", family.southbound.seen);
        if (seen !== undefined) await client.transact("OVN_Southbound", family.southbound?.operations(seen, random) ?? []);
        await client.transact("OVN_Northbound", changesOfFamily(family, network, random));
      }
      differing += await difference(`seed ${seed} round ${round}`, theirs, ours);
    }
    for (let step = 1; step <= 8 && differing === 0; step++) {
      const change = addressChangeOf(network, new SeededRandom(seed * 10 + step), `more${step}`);
      if (change.length === 0) continue;
      for (const { client } of [theirs, ours]) await client.transact("OVN_Northbound", change);
      differing += await difference(`seed ${seed} address ${step} ${JSON.stringify(change)}`, theirs, ours);
    }
    if (differing === 0) differing += await afterRestart(`seed ${seed}: our northd once more`, ours, () => false, () => false);
    if (differing === 0) differing += await afterRestart(`seed ${seed}: our northd after OVN's`, theirs, mayChangeAfterOvn, (flow) => isAccident(flow) || isChoice(flow));
    return differing;
  } catch (error) {
    // It may still be about to.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // Some changes are more than it can take: it dies, or tries for ever to write what the database refuses.
    if (theirs.hasEnded()) crashes++;
    else if (await follows(theirs)) throw error;
    else stuck++;
    return 0;
  } finally {
    await Promise.all([theirs.stop(), ours.stop()]);
  }
}

/** Another northd of ours finds nothing to do. */
async function afterRestart(title: string, { client, socket, stopNorthd }: Side, mayChange: (column: string, row: Row) => boolean, isLeftOut: (flow: Row) => boolean): Promise<number> {
  await stopNorthd();
  const before = await allRows(client, isLeftOut);
  const northd = startOurNorthd(socket);
  try {
    for (let i = 0; i < 2; i++) await client.sync();
    const changed = differences(before, await allRows(client, isLeftOut), mayChange);
    if (changed.length > 0) console.log([`${title}: ${changed.length} rows differ`, ...changed.slice(0, 8).map((line) => `  ${line}`)].join("\n"));
    return changed.length;
  } finally {
    await northd.stop();
  }
}

interface Difference {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

const follows = ({ client }: Side): Promise<boolean> => client.sync(3000).then(() => true, () => false);

async function difference(title: string, theirs: Side, ours: Side): Promise<number> {
  const compare = async (): Promise<Difference> => {
    for (let i = 0; i < 2; i++) await Promise.all([theirs.client.sync(), ours.client.sync()]);
    const [want, have] = await Promise.all([lines(theirs), lines(ours)]);
    return { missing: without(want, have), extra: without(have, want) };
  };
  const isEqual = ({ missing, extra }: Difference): boolean => missing.length + extra.length === 0;
  const first = await compare();
  if (isEqual(first)) return 0;
  // What goes away when it starts from scratch is what it has overlooked in a change. Flows whose groups of datapaths it has confused it must not find.
  let now = first;
  for (let i = 0; i < 3 && !isEqual(now); i++) {
    await theirs.startAnew(i > 0);
    now = await compare();
  }
  if (isEqual(now)) {
    oversights++;
    if (process.env["VERBOSE"] !== undefined) print(`${title}, overlooked`, first);
    return 0;
  }
  print(title, now);
  return now.missing.length + now.extra.length;
}

function print(title: string, { missing, extra }: Difference): void {
  console.log(`${title}: ${missing.length} missing, ${extra.length} too many`);
  for (const line of missing.slice(0, 8)) console.log(`  - ${line}`);
  for (const line of extra.slice(0, 8)) console.log(`  + ${line}`);
}

const args = process.argv.slice(2);
const isRecording = args.includes("--record");
const familyName = args.find((a) => /^[a-z]/.test(a)) ?? "base";
const family = familyNamed(familyName);
const [first = 1, count = 10] = args.filter((a) => /^\d+$/.test(a)).map(Number);
const recordings: Recording[] | undefined = isRecording ? [] : undefined;
let bad = 0;
let crashes = 0;
let stuck = 0;
let oversights = 0;
for (let seed = first; seed < first + count; seed++) {
  if (process.env["PROGRESS"] !== undefined) console.log(`seed ${seed}`);
  const differing = await compareSeed(family, seed, recordings).catch((error: unknown) => {
    console.log(`seed ${seed}: ${String(error)}`);
    return 1;
  });
  if (differing > 0) bad++;
  if (bad >= 5) break;
}
console.log(`${familyName}: ${count} seeds from ${first}: ${bad} differ, in ${crashes} OVN's own northd has crashed, in ${stuck} it got stuck, ${oversights} times it has overlooked something`);
if (recordings !== undefined) writeRecordings(recordingsFile(familyName), recordings);
rmSync(scratch, { recursive: true, force: true });
process.exit(bad > 0 ? 1 : 0);
