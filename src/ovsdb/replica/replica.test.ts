/** A replica and a server that is played by the test: what goes over the wire, and what happens when it makes no sense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Host, memoryStreamPair, silentLog, type Stream } from "../../host/index.ts";
import { SeededRandom } from "../../std/index.ts";
import type { Json } from "../json/json.ts";
import { JsonRpcSession } from "../json/json-rpc.ts";
import { openReplica, type ReplicaOptions } from "./open-replica.ts";
import { schemaToJson } from "../schema/schema-json.ts";
import { counter, database, integer, map, optional, set, string, table, type Uuid } from "../schema/typed-schema.ts";

const sample = database("Sample", "1.0.0", {
  Thing: table({ isRoot: true, columns: { name: string(), tags: set(integer()), options: map(string(), string()), size: optional(integer()) } }),
});

class FakeClock {
  #now = 0;
  #timers: { readonly at: number; readonly action: () => void }[] = [];
  now = (): number => this.#now;
  wall = (): number => this.#now;
  after(delayMs: number, action: () => void) {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((t) => t !== timer)) };
  }
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter((t) => t.at <= this.#now);
    this.#timers = this.#timers.filter((t) => t.at > this.#now);
    for (const { action } of due) action();
  }
}

/** Answers as it is told; `connections` counts how often it was asked for a stream. */
class FakeServer {
  readonly clock = new FakeClock();
  readonly requests: { method: string; params: readonly Json[] }[] = [];
  session: JsonRpcSession | undefined;
  connections = 0;
  refuses = false;
  answers: { [method: string]: (params: readonly Json[]) => Json | undefined } = {
    get_schema: () => schemaToJson(sample) as Json, set_db_change_aware: () => ({}), lock: () => ({ locked: true }),
    monitor_cond: ([name]) => (name === "_Server" ? { Database: { a: { initial: { name: "Sample", model: "standalone", connected: true, leader: true } } } } : {}),
    monitor_cond_since: () => [false, "00000000-0000-0000-0000-00000000000a", { Thing: { u1: { initial: { name: "one" } } } }],
  };

  readonly host: Host = {
    clock: this.clock, log: silentLog, random: new SeededRandom(1),
    streams: {
      connect: async () => {
        this.connections++;
        if (this.refuses) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
        const [near, far] = memoryStreamPair("pipe");
        this.#serve(far);
        return near;
      },
      listen: () => Promise.reject(new Error("no")),
    },
    datagrams: { bind: () => Promise.reject(new Error("no")) },
    disk: new Proxy({} as Host["disk"], {}),
  };

  #serve(stream: Stream): void {
    const session = new JsonRpcSession(stream, silentLog);
    this.session = session;
    session.attach({
      message: (message) => {
        if (message.kind !== "request") return;
        this.requests.push({ method: message.method, params: message.params });
        const result = this.answers[message.method]?.(message.params);
        if (result !== undefined) session.send({ kind: "reply", result, id: message.id });
        else session.send({ kind: "error", error: "unknown method", id: message.id });
      },
      closed: () => undefined,
    });
  }

  open(options: ReplicaOptions<typeof sample> = {}) {
    return openReplica(this.host, sample, "unix:/fake", options);
  }

  notify(method: string, ...params: Json[]): void {
    this.session?.send({ kind: "notification", method, params });
  }

  requested(method: string): readonly (readonly Json[])[] {
    return this.requests.filter((r) => r.method === method).map((r) => r.params);
  }
}

const turns = async (n = 12): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

const shown = (replica: ReturnType<FakeServer["open"]>): string[] =>
  [...replica.tables.Thing].map((row) => `${row.name} tags=${[...row.tags].sort()} options=${[...row.options].join(" ")} size=${row.size}`).sort();

test("the handshake, contents, and each kind of update", async () => {
  const server = new FakeServer();
  let changes = 0;
  const replica = server.open({ changed: () => changes++ });
  await replica.synced;
  assert.deepEqual(shown(replica), ["one tags= options= size=undefined"]);
  assert.deepEqual(server.requested("monitor_cond_since"), [["Sample", ["monid", "Sample"], { Thing: [{ columns: ["name", "tags", "options", "size"] }] }, "00000000-0000-0000-0000-000000000000"]]);
  const [one] = replica.tables.Thing;
  await turns();
  changes = 0;
  const id: Json = ["monid", "Sample"];
  server.notify("update3", id, "00000000-0000-0000-0000-00000000000b", { Thing: { u1: { modify: { tags: ["set", [1, 2]], size: 7 } }, u2: { insert: { name: "two", options: ["map", [["a", "b"], ["c", "d"]]] } } } });
  server.notify("update2", id, { Thing: { u1: { modify: { tags: ["set", [2, 3]], size: ["set", []] } }, u2: { modify: { options: ["map", [["a", "b"], ["c", "e"]]] } } } });
  await turns();
  assert.deepEqual(shown(replica), ["one tags=1,3 options= size=undefined", "two tags= options=c,e size=undefined"]);
  assert.equal(changes, 1, "messages that come together are one batch");
  assert.equal(one, [...replica.tables.Thing][0]);
  server.notify("update", id, { Thing: { u2: { old: { name: "two" } }, u3: { new: { name: "three", tags: 5, options: ["map", []], size: 1 } } } });
  await turns();
  assert.deepEqual(shown(replica), ["one tags=1,3 options= size=undefined", "three tags=5 options= size=1"]);
  replica.close();
});

test("after a lost connection it asks for what it has missed; rows stay the rows they were", async () => {
  const server = new FakeServer();
  const replica = server.open();
  await replica.synced;
  const [one] = replica.tables.Thing;
  server.session?.close();
  await turns();
  assert.deepEqual([replica.status.isConnected, replica.status.isSynced], [false, true]);
  server.clock.advance(1000);
  await turns();
  assert.equal(server.requested("monitor_cond_since").at(-1)?.[3], "00000000-0000-0000-0000-00000000000a");
  assert.equal([...replica.tables.Thing][0], one);
  server.answers["monitor_cond_since"] = () => [true, "00000000-0000-0000-0000-00000000000c", { Thing: { u1: { modify: { name: "uno" } } } }];
  server.session?.close();
  await turns();
  server.clock.advance(9000);
  await turns();
  assert.equal(one?.name, "uno");
  replica.close();
});

test("an older server is asked in older words", async () => {
  const server = new FakeServer();
  delete server.answers["monitor_cond_since"];
  delete server.answers["set_db_change_aware"];
  server.answers["monitor_cond"] = () => undefined;
  server.answers["monitor"] = () => ({ Thing: { u1: { new: { name: "one", tags: ["set", [4]], options: ["map", []], size: ["set", []] } } } });
  const replica = server.open({ monitor: { Thing: { condition: [["name", "==", "one"]] } } });
  await replica.synced;
  assert.deepEqual(shown(replica), ["one tags=4 options= size=undefined"]);
  assert.deepEqual(server.requested("monitor").at(-1)?.[2], { Thing: [{ columns: ["name", "tags", "options", "size"] }] });
  replica.close();
});

test("columns and tables that the server lacks read as empty and are not written", async () => {
  const server = new FakeServer();
  const { Thing, ...rest } = sample.tables;
  const { size, ...columns } = Thing.columns;
  server.answers["get_schema"] = () => schemaToJson({ ...sample, tables: { ...rest, Thing: { ...Thing, columns } } }) as Json;
  server.answers["transact"] = ([, ...operations]) => operations.map(() => ({ count: 1 }));
  const replica = server.open();
  await replica.synced;
  assert.deepEqual([replica.hasColumn("Thing", "size"), replica.hasColumn("Thing", "name"), size.type.min], [false, true, 0]);
  const [one] = replica.tables.Thing;
  assert.ok(one !== undefined && one.size === undefined);
  const txn = replica.transaction();
  txn.update(one, { name: "uno", size: 3 });
  assert.equal((await txn.commit()).kind, "committed");
  assert.deepEqual(server.requested("transact").at(-1), ["Sample", { op: "update", table: "Thing", where: [["_uuid", "==", ["uuid", "u1"]]], row: { name: "uno" } }]);
  replica.close();
});

test("a schema edited under an unchanged version and checksum is taken at its word", async () => {
  const server = new FakeServer();
  const replica = openReplica(server.host, { ...sample, cksum: "1 2" }, "unix:x", {});
  const { Thing, ...rest } = sample.tables;
  const { options, size, tags, ...columns } = Thing.columns;
  const edited = { ...columns, options, tags: { ...tags, type: { ...tags.type, max: 3 } } };
  server.answers["get_schema"] = () => schemaToJson({ ...sample, cksum: "1 2", tables: { ...rest, Thing: { ...Thing, columns: edited } } }) as Json;
  assert.deepEqual([replica.maxMembers("Thing", "tags"), replica.maxMembers("Thing", "size")], [tags.type.max, size.type.max]);
  await replica.synced;
  assert.deepEqual([replica.maxMembers("Thing", "tags"), replica.maxMembers("Thing", "size"), replica.maxMembers("Thing", "options")], [3, 0, options.type.max]);
  replica.close();
});

test("a counter beyond 2^53 is read and written exactly; another integer is read as the nearest number", async () => {
  const server = new FakeServer();
  const counted = database("Counted", "1.0.0", { Global: table({ isRoot: true, columns: { cfg: counter(), stamp: integer() } }) });
  const big = 2n ** 63n - 1n;
  server.answers["get_schema"] = () => schemaToJson(counted) as Json;
  server.answers["monitor_cond_since"] = () => [false, "00000000-0000-0000-0000-00000000000a", { Global: { u1: { initial: { cfg: big, stamp: big } } } }];
  server.answers["transact"] = () => [{ count: 1 }];
  const replica = openReplica(server.host, counted, "unix:/fake", {});
  await replica.synced;
  const [global] = replica.tables.Global;
  assert.ok(global);
  assert.deepEqual([global.cfg, global.stamp], [big, Number(big)]);
  const txn = replica.transaction();
  txn.update(global, { cfg: big });
  assert.ok(txn.isEmpty);
  txn.update(global, { cfg: big - 1n });
  await txn.commit();
  assert.deepEqual(server.requested("transact").at(-1)?.[1], { op: "update", table: "Global", where: [["_uuid", "==", ["uuid", "u1"]]], row: { cfg: big - 1n } });
  replica.close();
});

test("a transaction of which the connection is lost is to be tried again", async () => {
  const server = new FakeServer();
  server.answers["transact"] = () => {
    server.session?.close();
    return {};
  };
  const replica = server.open();
  await replica.synced;
  const txn = replica.transaction();
  txn.insert("Thing", { name: "x" }, { uuid: "11111111-1111-1111-1111-111111111111" as Uuid<"Thing"> });
  assert.deepEqual(await txn.commit(), { kind: "tryAgain" });
  const again = replica.transaction();
  again.insert("Thing", { name: "x" });
  assert.deepEqual(await again.commit(), { kind: "tryAgain" }, "also while there is no connection");
  replica.close();
});

test("a member of a cluster that is not its leader is left for another", async () => {
  const server = new FakeServer();
  let leader = false;
  server.answers["monitor_cond"] = () => ({ Database: { a: { initial: { name: "Sample", model: "clustered", connected: true, leader } } } });
  const replica = server.open();
  await turns();
  assert.equal(server.requested("monitor_cond_since").length, 0);
  leader = true;
  server.clock.advance(1000);
  await replica.synced;
  server.notify("update2", ["isthmus", "_Server"], { Database: { a: { modify: { leader: false } } } });
  await turns();
  assert.equal(server.connections, 3);
  replica.close();
});

test("a lock that has been asked for is given up even before the answer", async () => {
  const server = new FakeServer();
  let isAsked = false;
  server.answers["lock"] = () => {
    isAsked = true;
    return { locked: false };
  };
  server.answers["monitor_cond_since"] = () => {
    replica.setLock(undefined);
    return [false, "00000000-0000-0000-0000-00000000000a", {}];
  };
  server.answers["unlock"] = () => ({});
  const replica = server.open({ lock: "l" });
  await replica.synced;
  await turns();
  assert.ok(isAsked);
  assert.deepEqual(server.requested("unlock"), [["l"]]);
  assert.equal(replica.status.isLockContended, false, "an answer that comes late says nothing");
  replica.close();
});

test("silence is probed", async () => {
  const server = new FakeServer();
  const replica = server.open({ probeIntervalMs: 5000 });
  await replica.synced;
  await turns();
  server.clock.advance(5000);
  await turns();
  assert.equal(server.requested("echo").length, 1);
  replica.close();
});

test("probes as they are asked for: not more than one a second", async () => {
  const asksAfter = async (intervalMs: number, ...silencesMs: readonly number[]): Promise<readonly number[]> => {
    const server = new FakeServer();
    const replica = server.open({ probeIntervalMs: 5000 });
    await replica.synced;
    await turns();
    replica.setProbeInterval(intervalMs);
    const asked: number[] = [];
    for (const ms of silencesMs) {
      server.clock.advance(ms);
      await turns();
      asked.push(server.requested("echo").length);
    }
    replica.close();
    return asked;
  };
  assert.deepEqual(await asksAfter(10, 999, 1), [0, 1]);
  assert.deepEqual(await asksAfter(3000, 2999, 1), [0, 1]);
  assert.deepEqual(await asksAfter(0, 60_000), [0]);
});

test("whatever the server says, the replica lives, and is right again once the server is", async () => {
  const garbage = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record({ Thing: fc.dictionary(fc.constantFrom("u1", "u2"), fc.dictionary(fc.constantFrom("initial", "insert", "modify", "delete", "new", "old"),
      fc.oneof(fc.constant(null), fc.dictionary(fc.constantFrom("name", "tags", "options", "size", "x"), fc.jsonValue({ maxDepth: 3 }))))) }),
  );
  const method = fc.constantFrom("update", "update2", "update3", "locked", "stolen", "monitor_canceled", "nonsense");
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(method, garbage, fc.boolean()), { maxLength: 5 }), fc.constantFrom("none", "get_schema", "monitor_cond", "monitor_cond_since", "lock"), garbage, async (notices, broken, answer) => {
    const server = new FakeServer();
    const good = { ...server.answers };
    if (broken !== "none") server.answers[broken] = () => (answer === null ? {} : (answer as Json));
    const replica = server.open({ lock: "l" });
    await turns(6);
    for (const [name, json, isWrapped] of notices) {
      if (isWrapped) server.notify(name, ["monid", "Sample"], "00000000-0000-0000-0000-00000000000d", json as Json);
      else server.notify(name, ["monid", "Sample"], json as Json);
    }
    await turns(6);
    for (const row of replica.tables.Thing) String(row) + [row.tags, row.options, row.size].map(String).join();
    server.answers = good;
    server.session?.close();
    await turns(4);
    for (let i = 0; i < 20 && !(replica.status.areConditionsInForce && replica.tables.Thing.size === 1); i++) {
      server.clock.advance(10_000);
      await turns(6);
    }
    assert.deepEqual(shown(replica), ["one tags= options= size=undefined"]);
    replica.close();
  }), { numRuns: 150 });
});
