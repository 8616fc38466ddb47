import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Clock, type Host, makeLog, memoryStreamPair, type Stream, type Timer } from "../../host/index.ts";
import { isJsonArray, isJsonObject, type Json, printJson } from "../json/json.ts";
import { JsonFramer } from "../json/json-framing.ts";
import { DatabaseFile } from "../file/database-file.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import { schemaFromJson } from "../schema/schema-json.ts";
import { startOvsdbServer } from "./start-server.ts";

/** Time that moves when told to; a delay of nothing is the next turn, as everywhere. */
class FakeClock implements Clock {
  #now = 0;
  #timers: { at: number; action: () => void }[] = [];
  now = () => this.#now;
  wall = () => 1_000_000 + this.#now;
  after(delayMs: number, action: () => void): Timer {
    if (delayMs <= 0) {
      const immediate = setImmediate(action);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((t) => t !== timer)) };
  }
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      this.#timers = this.#timers.filter((t) => t !== next);
      next.action();
      await turns();
    }
    this.#now = end;
    await turns();
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve));
};

const schemaJson: Json = {
  name: "D", version: "1.0.0",
  tables: {
    T: { isRoot: true, indexes: [["name"]], columns: { name: { type: "string" }, n: { type: "integer" } } },
    Conn: { isRoot: true, columns: { target: { type: "string" }, inactivity_probe: { type: { key: "integer", min: 0 } }, read_only: { type: { key: "boolean", min: 0 } }, is_connected: { type: "boolean", ephemeral: true }, status: { type: { key: "string", value: "string", min: 0, max: "unlimited" }, ephemeral: true } } },
    Global: { isRoot: true, maxRows: 1, columns: { connections: { type: { key: { type: "uuid", refTable: "Conn" }, min: 0, max: "unlimited" } } } },
  },
};

class World {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  readonly #listeners = new Map<string, (stream: Stream) => void>();
  readonly #files = new Map<string, Buffer>();
  readonly host: Host;
  readonly server;

  constructor(remotes: readonly string[] = ["punix:/s", "db:D,Global,connections"], readOnly = false) {
    let uuids = 0;
    const files = this.#files;
    this.host = {
      clock: this.clock,
      random: { next32: () => 4, uuid: () => `00000000-0000-0000-0000-${String(uuids++).padStart(12, "0")}` },
      streams: {
        connect: () => Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" })),
        listen: async (target, accept) => {
          const name = target.kind === "punix" ? target.path : String(target.port);
          this.#listeners.set(name, accept);
          return { name, port: target.kind === "punix" ? undefined : target.port, close: () => void this.#listeners.delete(name) };
        },
      },
      datagrams: { bind: () => Promise.reject(new Error("none")) },
      disk: {
        exists: (path) => files.has(path), isFolder: () => false, read: (path) => files.get(path) ?? assert.fail(), readText: (path) => String(files.get(path)),
        replace: (path, content) => void files.set(path, Buffer.from(content as string)), write: (path, content) => void files.set(path, Buffer.from(content as string)),
        remove: (path) => void files.delete(path), makeFolder() {}, list: () => [],
        openAppend: (path) => ({
          get size() {
            return files.get(path)?.length ?? 0;
          },
          append: (content) => void files.set(path, Buffer.concat([files.get(path) ?? Buffer.alloc(0), Buffer.from(content as string)])),
          sync() {}, truncate() {}, close() {},
        }),
      },
      log: makeLog(({ level, text }) => this.log.push(`${level} ${text}`), (_module, level) => level !== "DBG"),
    };
    const schema = schemaFromJson(schemaJson);
    assert.ok(!(schema instanceof OvsdbError));
    DatabaseFile.create(this.host.disk, "/db", schema);
    this.server = startOvsdbServer(this.host, { files: ["/db"], remotes, readOnly });
  }

  listens = (name: string): boolean => this.#listeners.has(name);
  connect(name = "/s"): TestClient {
    const [ours, theirs] = memoryStreamPair(`unix:${name}`);
    (this.#listeners.get(name) ?? assert.fail(`nobody listens at ${name}`))(theirs);
    return new TestClient(ours);
  }
}

class TestClient {
  readonly stream: Stream;
  readonly received: Json[] = [];
  isClosed = false;
  #id = 0;
  readonly #framer = new JsonFramer();

  constructor(stream: Stream) {
    this.stream = stream;
    stream.attach({
      data: (bytes) => void this.#framer.feed(bytes, (json) => this.received.push(json)),
      closed: () => {
        this.isClosed = true;
      },
    });
  }
  send(message: Json): void {
    this.stream.write(Buffer.from(printJson(message)));
  }
  async call(method: string, params: Json): Promise<Json> {
    const id = this.#id++;
    this.send({ id, method, params });
    await turns();
    const reply = this.take((m) => m["id"] === id && m["method"] === undefined);
    return reply === undefined ? "no reply" : (reply["error"] ?? reply["result"] ?? null);
  }
  take(fits: (message: { readonly [member: string]: Json | undefined }) => boolean): { readonly [member: string]: Json | undefined } | undefined {
    const at = this.received.findIndex((m) => isJsonObject(m) && fits(m));
    const [message] = at < 0 ? [] : this.received.splice(at, 1);
    return isJsonObject(message) ? message : undefined;
  }
  notifications(): Json[] {
    const all = this.received.filter((m) => isJsonObject(m) && m["method"] !== undefined && (m["id"] ?? null) === null);
    this.received.length = 0;
    return all.map((m) => (isJsonObject(m) ? [m["method"] ?? null, m["params"] ?? null] : null));
  }
}

const insert = (name: string, n = 0): Json => ({ op: "insert", table: "T", row: { name, n } });
const isError = (json: Json, pattern: RegExp): void => assert.match(printJson(json), pattern);

test("requests and their errors", async () => {
  const client = new World().connect();
  assert.deepEqual(await client.call("list_dbs", []), ["_Server", "D"]);
  assert.deepEqual(await client.call("echo", [1, "x"]), [1, "x"]);
  isError(await client.call("get_schema", ["X"]), /"get_schema request specifies unknown database X","error":"unknown database"|unknown database/);
  isError(await client.call("nonsense", []), /^"unknown method"$/);
  isError(await client.call("transact", ["D", { op: "insert", table: "T", row: { x: 1 } }]), /No column x in table T/);
  isError(await client.call("transact", ["D", { op: "frob" }]), /Parsing ovsdb operation 1 of 1 failed: No operation \\"frob\\"/);
  isError(await client.call("transact", ["D", insert("a"), insert("a")]), /Transaction causes multiple rows in \\"T\\" table to have identical values \(a\) for index on column \\"name\\"/);
  isError(await client.call("transact", ["D", insert("a"), { op: "abort" }, insert("b")]), /aborted by request.*null\]$/);
  isError(await client.call("transact", ["_Server", { op: "delete", table: "Database", where: [] }]), /operation not allowed on table in reserved database _Server/);
  isError(await client.call("monitor_cond_change", [1, 1, {}]), /unknown monitor session/);
});

test("updates come before the reply that caused them, merged by turn", async () => {
  const world = new World();
  const [writer, reader] = [world.connect(), world.connect()];
  await reader.call("monitor_cond", ["D", "m", { T: { columns: ["name", "n"], where: [["n", ">", 2]] } }]);
  await writer.call("monitor", ["D", null, { T: { columns: ["n"], select: { initial: false } } }]);
  await writer.call("transact", ["D", insert("a", 1), insert("b", 5)]);
  const [[method, params]] = writer.notifications() as [[Json, Json]];
  assert.equal(method, "update");
  assert.equal(Object.keys((params as [null, { T: object }])[1].T).length, 2);
  const [seen] = reader.notifications();
  assert.match(printJson(seen ?? null), /"update2",\["m",\{"T":\{"[-0-9]+":\{"insert":\{"name":"b","n":5\}\}\}\}\]/);
  for (const n of [7, 8, 9]) writer.send({ id: n, method: "transact", params: ["D", { op: "update", table: "T", where: [["name", "==", "a"]], row: { n } }] });
  await turns();
  assert.match(printJson(reader.notifications()), /^\[\["update2",\["m",\{"T":\{"[-0-9]+":\{"insert":\{"name":"a","n":9\}\}\}\}\]\]\]$/);
  assert.deepEqual(await reader.call("monitor_cond_change", ["m", "m2", { T: [{ where: [["name", "==", "b"]] }] }]), {});
  assert.match(printJson(reader.notifications()), /"update2",\["m2",\{"T":\{"[-0-9]+":\{"delete":null\}\}\}\]/);
  assert.deepEqual(await reader.call("monitor_cancel", ["m2"]), {});
  await writer.call("transact", ["D", { op: "delete", table: "T", where: [] }]);
  assert.deepEqual(reader.notifications(), []);
});

test("a client that was away for a moment gets what it missed", async () => {
  const world = new World();
  const writer = world.connect();
  const ask = async (lastId: Json): Promise<readonly Json[]> => {
    const reply = await world.connect().call("monitor_cond_since", ["D", null, { T: [{ columns: ["name"] }] }, lastId]);
    return isJsonArray(reply) ? reply : assert.fail(printJson(reply));
  };
  await writer.call("transact", ["D", insert("a")]);
  const [found, id = null, rows] = await ask("00000000-0000-0000-0000-00000000ffff");
  assert.equal(found, false);
  assert.match(printJson(rows ?? null), /"initial":\{"name":"a"\}/);
  await writer.call("transact", ["D", insert("b"), { op: "update", table: "T", where: [["name", "==", "a"]], row: { name: "c" } }]);
  const [foundNow, , missed] = await ask(id);
  assert.equal(foundNow, true);
  assert.match(printJson(missed ?? null), /"insert":\{"name":"b"\}/);
  assert.match(printJson(missed ?? null), /"modify":\{"name":"c"\}/);
});

test("wait: satisfied by another's change, timed out, canceled, and gone with its client", async () => {
  const world = new World();
  const [a, b, c] = [world.connect(), world.connect(), world.connect()];
  const wait = (timeout?: number): Json => ({ op: "wait", table: "T", where: [["name", "==", "x"]], columns: ["n"], until: "==", rows: [{ n: 3 }], ...(timeout === undefined ? {} : { timeout }) });
  isError(await a.call("transact", ["D", wait(0)]), /"details":"\\"where\\" clause test failed"/);
  assert.equal(await a.call("transact", ["D", wait(), insert("after")]), "no reply");
  assert.equal(await b.call("transact", ["D", wait(500)]), "no reply");
  assert.equal(await b.call("transact", ["D", wait()]), "no reply");
  assert.equal(await c.call("transact", ["D", wait(), insert("never")]), "no reply");
  c.stream.close();
  await world.clock.pass(600);
  assert.match(printJson(b.received.shift() ?? null), /"\\"wait\\" timed out after 500 ms"/);
  b.send({ method: "cancel", params: [1], id: null });
  await turns();
  assert.match(printJson(b.received.shift() ?? null), /"error":"canceled"/);
  await b.call("transact", ["D", insert("x", 3)]);
  assert.match(printJson(a.received.shift() ?? null), /"result":\[\{\},\{"uuid"/);
  assert.match(printJson(await b.call("transact", ["D", { op: "select", table: "T", where: [], columns: ["name"] }])), /after.*x|x.*after/);
});

test("locks: in line, stolen, given back, and held by what asserts them", async () => {
  const world = new World();
  const [a, b] = [world.connect(), world.connect()];
  const guarded: Json = ["D", { op: "assert", lock: "l" }, insert("guarded")];
  assert.deepEqual(await a.call("lock", ["l"]), { locked: true });
  assert.deepEqual(await b.call("lock", ["l"]), { locked: false });
  isError(await b.call("transact", guarded), /Asserted lock l not held/);
  isError(await b.call("lock", ["l"]), /must issue \\"unlock\\" before new \\"lock\\"/);
  a.stream.close();
  await turns();
  assert.deepEqual(b.notifications(), [["locked", ["l"]]]);
  assert.match(printJson(await b.call("transact", guarded)), /uuid/);
  const thief = world.connect();
  assert.deepEqual(await thief.call("steal", ["l"]), { locked: true });
  assert.deepEqual(b.notifications(), [["stolen", ["l"]]]);
  assert.deepEqual(await thief.call("unlock", ["l"]), {});
  assert.deepEqual(b.notifications(), [["locked", ["l"]]]);
});

test("read only", async () => {
  const client = new World(["punix:/s"], true).connect();
  isError(await client.call("transact", ["D", insert("a")]), /"details":"insert operation not allowed when database server is in read only mode"/);
  isError(await client.call("lock", ["l"]), /lock and unlock methods not allowed, DB server is read only\./);
});

test("remotes from the database: opened, described, reconfigured, closed", async () => {
  const world = new World();
  await world.server.ready;
  const client = world.connect();
  const connection: Json = { op: "insert", table: "Conn", "uuid-name": "c", row: { target: "ptcp:6000:0.0.0.0", inactivity_probe: 1000, read_only: true } };
  await client.call("transact", ["D", connection, { op: "insert", table: "Global", row: { connections: ["named-uuid", "c"] } }]);
  assert.ok(world.listens("6000"));
  const remote = world.connect("6000");
  isError(await remote.call("transact", ["D", insert("a")]), /read only mode/);
  await world.clock.pass(2500);
  const rows = printJson(await client.call("transact", ["D", { op: "select", table: "Conn", where: [], columns: ["is_connected", "status"] }]));
  assert.match(rows, /"is_connected":true.*\["bound_port","6000"\].*\["state","ACTIVE"\]/);
  await world.clock.pass(1000);
  // It has been probed meanwhile, and as it says nothing it is dropped.
  assert.ok(remote.received.some((m) => printJson(m).includes('"echo"')));
  assert.ok(remote.isClosed);
  assert.ok(world.log.some((line) => line.includes("no response to inactivity probe after 1 seconds, disconnecting")));
  await client.call("transact", ["D", { op: "update", table: "Global", where: [], row: { connections: ["set", []] } }]);
  assert.ok(!world.listens("6000"));
});

test("a client that does not read gets the changes merged once it does, and loses nothing", async () => {
  const world = new World();
  const [writer, slow] = [world.connect(), world.connect()];
  await slow.call("monitor_cond", ["D", "m", { T: [{ columns: ["name", "n"] }] }]);
  slow.stream.pause(true);
  const long = "x".repeat(100_000);
  for (let i = 0; i < 30; i++) await writer.call("transact", ["D", insert(`${i}${long}`), { op: "update", table: "T", where: [["name", "==", `0${long}`]], row: { n: i } }]);
  slow.stream.pause(false);
  await turns();
  const updates = slow.notifications();
  assert.ok(updates.length < 10, `${updates.length} updates`);
  const inserted = printJson(updates).match(/"insert"/g)?.length;
  assert.equal(inserted, 30);
  assert.match(printJson(updates.at(-1) ?? null), /"modify":\{"n":29\}/);
});

test("a client that asks for more than it reads is read no further until it does", async () => {
  const world = new World();
  const [writer, greedy] = [world.connect(), world.connect()];
  for (let i = 0; i < 20; i++) await writer.call("transact", ["D", insert(`${i}${"x".repeat(100_000)}`)]);
  greedy.stream.pause(true);
  const all: Json = { op: "select", table: "T", where: [], columns: ["name"] };
  const requests = Array.from({ length: 100 }, (_, id) => printJson({ id, method: "transact", params: ["D", all] }));
  greedy.stream.write(Buffer.from(requests.join("")));
  await turns();
  // Two megabytes each: a few replies are on their way, not all.
  assert.ok(greedy.stream.pendingSize === 0);
  const waiting = (): number => greedy.received.length;
  assert.equal(waiting(), 0);
  greedy.stream.pause(false);
  for (let i = 0; i < 200 && waiting() < 100; i++) await turns();
  assert.equal(waiting(), 100);
  assert.deepEqual(greedy.received.map((m) => (isJsonObject(m) ? m["id"] : null)), requests.map((_, id) => id));
});

test("a database added, removed and converted while clients look on", async () => {
  const world = new World();
  const [aware, unaware] = [world.connect(), world.connect()];
  await aware.call("set_db_change_aware", [true]);
  await aware.call("monitor", ["D", "m", { T: {} }]);
  const wider: Json = { name: "D", version: "2.0.0", tables: { T: { isRoot: true, columns: { name: { type: "string" }, more: { type: "string" } } } } };
  await aware.call("transact", ["D", insert("kept")]);
  aware.received.length = 0;
  assert.deepEqual(await aware.call("convert", ["D", wider]), {});
  assert.deepEqual(aware.notifications(), [["monitor_canceled", ["m"]]]);
  assert.ok(unaware.isClosed);
  assert.match(printJson(await aware.call("transact", ["D", { op: "select", table: "T", where: [], columns: ["name", "more"] }])), /"name":"kept","more":""/);
  const run = (name: string, ...args: string[]): string => world.server.commands.find((c) => c.name === `ovsdb-server/${name}`)?.run(args) ?? assert.fail(name);
  assert.equal(run("list-dbs"), "D\n_Server\n");
  assert.equal(run("list-remotes"), "db:D,Global,connections\npunix:/s\n");
  assert.throws(() => run("add-remote", "db:X,Y,Z"), /"db:X,Y,Z": no database named X/);
  run("remove-db", "D");
  assert.deepEqual(await aware.call("list_dbs", []), ["_Server"]);
  assert.throws(() => run("add-db", "/nothing"));
});

const method = fc.constantFrom("transact", "monitor", "monitor_cond", "monitor_cond_since", "monitor_cond_change", "monitor_cancel", "lock", "steal", "unlock", "echo", "get_schema", "convert", "set_db_change_aware");
const pieces = fc.constantFrom<Json>("D", "T", "_uuid", "name", "==", "includes", [], {}, null, true, -1, 1e300, ["uuid", "x"], ["set", [1]], ["map", []], { op: "insert" }, { op: "mutate", table: "T", where: [["name", "<", 1]] }, { T: [{ where: [[]] }] });
const shape = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, pieces, fc.array(tie("value"), { maxLength: 4 }), fc.dictionary(fc.constantFrom("op", "table", "where", "row", "columns", "T", "rows", "until", "mutations", "__proto__"), tie("value"), { maxKeys: 5 })),
})).value;

test("whatever clients say, the server stays and serves the others", async () => {
  const world = new World();
  const steady = world.connect();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.record({ method, params: fc.array(fc.oneof(pieces, shape), { maxLength: 5 }), id: fc.nat() })), { maxLength: 8 }), async (inputs) => {
      const wild = world.connect();
      for (const input of inputs) wild.stream.write(input instanceof Uint8Array ? input : Buffer.from(printJson(input as Json)));
      await turns();
      wild.stream.close();
      assert.deepEqual(await steady.call("echo", ["still"]), ["still"]);
    }),
    { numRuns: 150 },
  );
});
