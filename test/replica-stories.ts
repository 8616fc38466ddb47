/** Stories of replicas: what it shows is what the server holds, through restarts and condition changes. */
import assert from "node:assert/strict";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { openReplica, type Replica, type RowOf } from "../src/ovsdb/index.ts";
import { SeededRandom } from "../src/std/index.ts";
import { type BenchServer, sample, until } from "./client-bench.ts";

const host = nodeHost(silentLog);
type Sample = Replica<typeof sample>;

/** Everything the replica shows, in an order of its own. */
function picture(replica: Sample): unknown {
  const plain = (value: unknown): unknown =>
    value instanceof Set ? [...value].sort() : value instanceof Map ? [...value].sort() : value === undefined ? "-" : value;
  const rows = (name: "Switch" | "Port") =>
    [...replica.tables[name]].map((row) => [row._uuid, ...Object.keys(sample.tables[name].columns).map((c) => plain(Reflect.get(row, c)))]).sort();
  return { switches: rows("Switch"), ports: rows("Port") };
}

async function randomChange(replica: Sample, random: SeededRandom): Promise<void> {
  const switches = [...replica.tables.Switch];
  const txn = replica.transaction();
  const some = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  const text = () => random.pick(["x", "y", "zz", "ü", "\u{1f600}", "q\"\\"]);
  const columns = () => ({
    numbers: some(() => random.below(5)), options: new Map(some(() => [text(), text()] as const)), up: random.chance(0.5),
    mode: random.chance(0.3) ? undefined : random.pick(["a", "b"] as const),
  });
  const one = switches.length === 0 ? undefined : random.pick(switches);
  if (one === undefined || random.chance(0.25)) {
    const port = txn.insert("Port", { name: text(), tag: random.below(9) });
    txn.insert("Switch", { name: random.uuid(), ports: [port], lead: port, by_name: { p: port }, ...columns() });
  } else if (random.chance(0.15)) txn.delete(one);
  else if (random.chance(0.3)) {
    txn.mutate(one, "numbers", random.pick(["insert", "delete"]), some(() => random.below(5)));
    txn.mutate(one, "options", "insert", new Map(some(() => [text(), text()] as const)));
  } else if (random.chance(0.3)) txn.update(one, { ports: [...one.ports, txn.insert("Port", { name: text(), tag: 1 })] });
  else if (random.chance(0.3)) txn.update(one, { ports: [...one.ports].slice(1), by_name: {} });
  else txn.update(one, columns());
  const result = await txn.commit();
  assert.ok(result.kind === "committed" || result.kind === "unchanged", JSON.stringify(result));
}

export async function replicaFollows(server: BenchServer): Promise<void> {
  const replicas: Sample[] = [];
  try {
    await server.start();
    const [writer, reader] = [openReplica(host, sample, server.remote), openReplica(host, sample, server.remote, { minBackoffMs: 10, maxBackoffMs: 20 })];
    replicas.push(writer, reader);
    await Promise.all([writer.synced, reader.synced]);
    const random = new SeededRandom(1);
    const agree = async () => {
      const fresh = openReplica(host, sample, server.remote);
      replicas.push(fresh);
      await fresh.synced;
      const expected = picture(fresh);
      assert.deepEqual(picture(writer), expected);
      await until("the reader has caught up", () => JSON.stringify(picture(reader)) === JSON.stringify(expected));
      fresh.close();
    };
    for (let i = 0; i < 150; i++) await randomChange(writer, random);
    await agree();
    const before = new Map([...reader.tables.Switch].map((row) => [row._uuid, row]));
    await server.stop();
    await until("the reader sees the end", () => !reader.status.isConnected && !writer.status.isConnected);
    assert.equal(reader.status.isSynced, true);
    await server.start();
    writer.reconnect();
    await until("both are back", () => reader.status.areConditionsInForce && writer.status.areConditionsInForce);
    for (const row of reader.tables.Switch) assert.equal(row, before.get(row._uuid), "rows keep their identity");
    for (let i = 0; i < 50; i++) await randomChange(writer, random);
    await agree();
  } finally {
    for (const replica of replicas) replica.close();
    await server.remove();
  }
}

export async function conditionsLocksAndVerification(server: BenchServer): Promise<void> {
  const replicas: Sample[] = [];
  try {
    await server.start();
    const open = (options: Parameters<typeof openReplica<typeof sample>>[3]) => {
      const replica = openReplica(host, sample, server.remote, options);
      replicas.push(replica);
      return replica;
    };
    const [first, second] = [open({ lock: "l" }), open({ monitor: { Switch: { condition: [["name", "==", "one"]] }, Port: true } })];
    await Promise.all([first.synced, second.synced]);
    await until("the lock is held", () => first.status.hasLock);
    second.setLock("l");
    await until("the other sees it is taken", () => second.status.isLockContended);
    const names = (replica: Sample) => [...replica.tables.Switch].map((row) => row.name).sort();
    const txn = first.transaction();
    txn.assertLock();
    const inserted = ["one", "two", "three"].map((name) => txn.insert("Switch", { name }));
    const result = await txn.commit();
    assert.equal(result.kind, "committed");
    const one: RowOf<typeof sample, "Switch"> | undefined = result.kind === "committed" && inserted[0] !== undefined ? first.tables.Switch.get(result.uuidOf(inserted[0])) : undefined;
    assert.equal(String(one), "Switch one");
    assert.ok(one !== undefined);
    await until("one is seen", () => names(second).join() === "one");
    second.setCondition("Switch", [["name", "==", "two"], ["name", "==", "three"]]);
    await until("two and three are seen", () => second.status.areConditionsInForce);
    assert.deepEqual(names(second), ["three", "two"]);
    const unlocked = second.transaction();
    unlocked.assertLock();
    unlocked.insert("Switch", { name: "four" });
    assert.deepEqual(await unlocked.commit(), { kind: "notLocked" });
    const duplicate = second.transaction();
    duplicate.insert("Switch", { name: "one" });
    assert.equal((await duplicate.commit()).kind, "error");
    const verified = first.transaction();
    verified.verify(one, ["up"]);
    verified.update(one, { numbers: [1] });
    const stale = first.transaction();
    stale.verify(one, ["numbers"]);
    stale.update(one, { up: true });
    assert.deepEqual([(await verified.commit()).kind, (await stale.commit()).kind], ["committed", "tryAgain"]);
    const nothing = first.transaction();
    nothing.update(one, { numbers: [1], up: false });
    assert.equal((await nothing.commit()).kind, "unchanged");
    first.setLock(undefined);
    await until("the lock passes on", () => second.status.hasLock);
  } finally {
    for (const replica of replicas) replica.close();
    await server.remove();
  }
}
