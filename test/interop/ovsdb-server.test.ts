/** Our database server as a process of its own: killed at any moment it keeps what it acknowledged; the real programs find in it what they find in theirs. */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { silentLog } from "../../src/host/index.ts";
import { nodeStreams } from "../../src/host/node/index.ts";
import { isJsonArray, isJsonObject, type Json, JsonRpcSession, printJson, printJsonSorted, schemaToJson } from "../../src/ovsdb/index.ts";
import { northbound, openVSwitch } from "../../src/schemas/index.ts";
import { operation, operationJson, schemaJson } from "../random-transactions.ts";

function findRoot(from: string): string {
  return existsSync(join(from, "package.json")) && existsSync(join(from, "bin")) ? from : findRoot(dirname(from));
}
const root = findRoot(dirname(fileURLToPath(import.meta.url)));
const ours = { server: join(root, "bin/ovsdb-server"), tool: join(root, "bin/ovsdb-tool"), client: join(root, "bin/ovsdb-client") };
const theirs = { server: "/usr/sbin/ovsdb-server", tool: "/usr/bin/ovsdb-tool", client: "/usr/bin/ovsdb-client" };
const notBuilt = existsSync(join(root, "dist/ovsdb-server.js")) ? false : "ovsdb-server is not built";
const noReal = notBuilt !== false ? notBuilt : existsSync(theirs.server) && existsSync("/usr/bin/ovn-nbctl") ? false : "no real ovsdb-server or ovn-nbctl here";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Served {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-ovsdb-"));
  readonly path = join(this.folder, "db.sock");
  readonly remote = `unix:${this.path}`;
  readonly file = join(this.folder, "db");
  readonly #program: string;
  #child: ChildProcess | undefined;

  constructor(programs: { readonly server: string; readonly tool: string }, schema: Json) {
    this.#program = programs.server;
    writeFileSync(join(this.folder, "schema"), printJson(schema));
    execFileSync(programs.tool, ["create", this.file, join(this.folder, "schema")]);
  }

  async start(program = this.#program): Promise<void> {
    rmSync(this.path, { force: true });
    this.#child = spawn(program, [`--remote=punix:${this.path}`, `--unixctl=${this.folder}/ctl`, this.file], { stdio: "ignore" });
    // The socket's file is there a moment before anybody listens.
    for (let i = 0; i < 2000; i++) {
      const stream = await nodeStreams.connect({ kind: "unix", path: this.path }).catch(() => undefined);
      stream?.close();
      if (stream !== undefined) return;
      await pause(5);
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  }

  async remove(): Promise<void> {
    await this.end("SIGTERM");
    rmSync(this.folder, { recursive: true });
  }
}

interface Connected {
  readonly session: JsonRpcSession;
  /** Printed with sorted members. */
  readonly updates: string[];
  readonly ended: Promise<undefined>;
  call(method: string, params: readonly Json[]): Promise<Json>;
}

async function connect(path: string): Promise<Connected> {
  const session = new JsonRpcSession(await nodeStreams.connect({ kind: "unix", path }), silentLog);
  const waiting = new Map<number, (result: Json) => void>();
  const updates: string[] = [];
  let next = 0;
  let end = (_: undefined): void => {};
  const ended = new Promise<undefined>((resolve) => {
    end = resolve;
  });
  session.attach({
    message: (m) => {
      if (m.kind === "notification") updates.push(printJsonSorted([m.method, m.params]));
      if (m.kind === "reply") waiting.get(Number(m.id))?.(m.result);
      if (m.kind === "error") waiting.get(Number(m.id))?.(m.error);
    },
    closed: () => end(undefined),
  });
  const call = (method: string, params: readonly Json[]): Promise<Json> =>
    new Promise((resolve) => {
      const id = next++;
      waiting.set(id, resolve);
      session.send({ kind: "request", method, params, id });
    });
  return { session, updates, ended, call };
}

const small: Json = { name: "S", version: "1.0.0", tables: { T: { isRoot: true, indexes: [["n"]], columns: { n: { type: "integer" } } } } };

async function numbers(path: string): Promise<Set<number>> {
  const client = await connect(path);
  const [result] = (await client.call("transact", ["S", { op: "select", table: "T", where: [], columns: ["n"] }])) as Json[];
  client.session.close();
  const rows = isJsonObject(result) ? result["rows"] : undefined;
  return new Set(isJsonArray(rows) ? rows.map((row) => Number(isJsonObject(row) ? row["n"] : Number.NaN)) : []);
}

test("kill -9 at any moment: whatever was acknowledged is there again", { skip: notBuilt }, async () => {
  const served = new Served(ours, small);
  try {
    const acknowledged = new Set<number>();
    let n = 0;
    // Killed after so many acknowledgements, while others are on their way.
    for (const enough of [1, 40, 7, 150, 400]) {
      await served.start();
      const client = await connect(served.path);
      const goal = acknowledged.size + enough;
      let isUp = true;
      const lane = async (durable: boolean): Promise<void> => {
        while (isUp) {
          const mine = n++;
          const result = await Promise.race([client.call("transact", ["S", { op: "insert", table: "T", row: { n: mine } }, { op: "commit", durable }]), client.ended]);
          if (isJsonArray(result)) acknowledged.add(mine);
          if (acknowledged.size >= goal) isUp = false;
        }
      };
      const lanes = Array.from({ length: 20 }, (_, i) => lane(i % 2 === 0));
      await Promise.race(lanes);
      await served.end("SIGKILL");
      await Promise.all(lanes);
    }
    await served.start();
    const found = await numbers(served.path);
    assert.ok(acknowledged.size >= 598, `${acknowledged.size} acknowledged`);
    assert.deepEqual([...acknowledged].filter((a) => !found.has(a)), []);
  } finally {
    await served.remove();
  }
});

test("each server goes on with the other's file", { skip: noReal }, async () => {
  const served = new Served(theirs, small);
  try {
    let n = 0;
    for (const program of [theirs.server, ours.server, theirs.server, ours.server]) {
      await served.start(program);
      const client = await connect(served.path);
      for (let i = 0; i < 3; i++) await client.call("transact", ["S", { op: "insert", table: "T", row: { n: n++ } }]);
      await client.call("transact", ["S", { op: "update", table: "T", where: [["n", "==", 0]], row: { n: 1000 } }, { op: "update", table: "T", where: [["n", "==", 1000]], row: { n: 0 } }]);
      client.session.close();
      assert.equal((await numbers(served.path)).size, n);
      await served.end("SIGTERM");
    }
    assert.match(execFileSync(theirs.tool, ["query", served.file, '["S",{"op":"select","table":"T","where":[["n","==",11]],"columns":["n"]}]'], { encoding: "utf8" }), /"n":11/);
    execFileSync(ours.tool, ["compact", served.file]);
    assert.equal(execFileSync(theirs.tool, ["db-version", served.file], { encoding: "utf8" }), "1.0.0\n");
  } finally {
    await served.remove();
  }
});

const uuidPattern = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** UUIDs by the order in which they first appear; lines sorted, as the order of rows is nobody's promise. */
const plain = (output: string): string => output.replace(uuidPattern, "UUID").split("\n").map((line) => line.trimEnd()).sort().join("\n");

const nb: readonly string[] = [
  "init", "ls-add s1 -- lsp-add s1 p1 -- lsp-set-addresses p1 dynamic", "ls-add s1", "--may-exist ls-add s1", "lr-add r1", "lrp-add r1 r1-s1 00:00:00:00:01:01 10.0.0.1/24",
  "lsp-add s1 s1-r1 -- set Logical_Switch_Port s1-r1 type=router options:router-port=r1-s1 addresses=router", "set Logical_Switch s1 other_config:subnet=10.0.0.0/24", "show",
  "acl-add s1 from-lport 100 ip4 allow", "acl-list s1", "lr-route-add r1 0.0.0.0/0 10.0.0.254", "lr-route-list r1", "lb-add lb1 1.1.1.1:80 10.0.0.5:80", "ls-lb-add s1 lb1", "lb-list",
  "lrp-set-gateway-chassis r1-s1 ch1 20", "lsp-del p1", "show", "find Logical_Switch_Port type=router", "--columns=name,ports list Logical_Switch", "set NB_Global . name=east", "get NB_Global . name",
  "lrp-add r1 r1-s1 00:00:00:00:01:02 10.0.0.1/24", "set Logical_Switch nosuch name=x", "lr-del r1", "lb-del lb1", "destroy Logical_Switch s1", "show",
];
const vs: readonly string[] = [
  "--no-wait init", "--no-wait add-br br-int -- set bridge br-int fail_mode=secure", "--no-wait add-port br-int vif1 -- set interface vif1 external_ids:iface-id=p1", "show", "list-ports br-int",
  "get interface vif1 external_ids", "--no-wait set open . external_ids:ovn-remote=tcp:1.2.3.4:6642", "get open . external_ids:ovn-remote", "--no-wait del-port vif1", "show", "--no-wait set bridge br-int fail_mode=foo",
];

function outputs(command: string, remote: string, lines: readonly string[]): string[] {
  return lines.map((line) => {
    try {
      return plain(execFileSync(command, [`--db=${remote}`, ...line.split(" ")], { encoding: "utf8", stdio: "pipe", timeout: 60_000 }));
    } catch (error) {
      const { status, stderr } = error as { status: number | null; stderr: string };
      return `${status} ${plain(stderr)}`;
    }
  });
}

test("the real ovn-nbctl, ovs-vsctl and ovsdb-client find the same in either server", { skip: noReal }, async () => {
  for (const [command, lines, schema] of [["/usr/bin/ovn-nbctl", nb, northbound], ["/usr/bin/ovs-vsctl", vs, openVSwitch]] as const) {
    const seen: string[][] = [];
    for (const programs of [theirs, ours]) {
      const served = new Served(programs, schemaToJson(schema));
      try {
        await served.start();
        const client = (...args: string[]): string => plain(execFileSync(programs.client, args, { encoding: "utf8", timeout: 60_000 }));
        seen.push([
          ...outputs(command, served.remote, lines),
          client("dump", served.remote, schema.name), client("-f", "csv", "dump", served.remote, schema.name), client("list-tables", served.remote, schema.name),
        ]);
        const backup = execFileSync(programs.client, ["backup", served.remote, schema.name], { encoding: "utf8" });
        // The real client wants to seek in it.
        writeFileSync(join(served.folder, "backup"), backup);
        execFileSync("/bin/sh", ["-c", `exec ${programs.client} restore ${served.remote} ${schema.name} < ${served.folder}/backup`]);
      } finally {
        await served.remove();
      }
    }
    assert.deepEqual(seen[1], seen[0]);
  }
});

test("the file says what show-log of either tool shows", { skip: noReal }, async () => {
  const served = new Served(ours, schemaToJson(northbound));
  try {
    await served.start();
    outputs("/usr/bin/ovn-nbctl", served.remote, nb.slice(0, 8));
    await served.end("SIGTERM");
    const show = (tool: string): string[] => execFileSync(tool, ["-m", "show-log", served.file], { encoding: "utf8" }).split("\n").sort();
    assert.deepEqual(show(ours.tool).map(plain).sort(), show(theirs.tool).map(plain).sort());
    assert.ok(readFileSync(served.file, "latin1").startsWith("OVSDB JSON "));
  } finally {
    await served.remove();
  }
});

/** Which of several offending rows is named, and in which order, is chance. */
const withoutDetails = (reply: Json): string => printJsonSorted(reply).replace(/"details":"(?:[^"\\]|\\.)*"/g, "DETAILS");

test("random transactions: the same answers, and the same told to monitors of both kinds", { skip: noReal }, async () => {
  const servers = [new Served(theirs, schemaJson), new Served(ours, schemaJson)];
  try {
    const clients = await Promise.all(servers.map(async (served) => {
      await served.start();
      const client = await connect(served.path);
      const where = [["n", ">", 4], ["name", "==", "x"]];
      await client.call("monitor_cond", ["D", "m", { R: [{ columns: ["name", "n", "kids", "likes", "tags"], where }], K: [{ columns: ["label", "next"], where: [["label", "==", "x"]] }], W: [{ columns: ["target", "e"] }] }]);
      await client.call("monitor", ["D", "v1", { R: { columns: ["name", "n", "kids", "likes", "tags"] }, K: { columns: ["label", "next"] }, W: { columns: ["target"] } }]);
      return client;
    }));
    // The real server may keep weak references to rows that go in the same transaction: there one operation at a time.
    const [singles, several] = [fc.array(operation, { minLength: 1, maxLength: 1 }), fc.array(operation, { minLength: 2, maxLength: 5 })];
    const plainOnes = several.map((ops) => ops.filter((o) => !("table" in o && o.table === "W") && !("columns" in o && "likes" in o.columns) && !("column" in o && o.column === "likes")));
    for (const operations of [...fc.sample(plainOnes, 400), ...fc.sample(singles, 400)]) {
      const params: Json[] = ["D", ...operations.map(operationJson)];
      const told: string[] = [];
      for (const client of clients) {
        const reply = await client.call("transact", params);
        await client.call("echo", []);
        told.push(`${withoutDetails(reply)}\n${client.updates.splice(0).sort().join("\n")}`);
      }
      assert.equal(told[1], told[0], printJson(params));
    }
  } finally {
    for (const served of servers) await served.remove();
  }
});

/** What a program says and how it ends. */
function told(program: string, args: readonly string[], folder: string): string {
  try {
    return plain(execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: "pipe", timeout: 60_000 }));
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
    return plain(`exit ${status}\n${stdout}${stderr.replace(/^\d{4}-\S+\|/gm, "")}`);
  }
}

test("ovsdb-tool does and says what the real one does and says", { skip: noReal }, () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-tool-"));
  try {
    writeFileSync(join(folder, "schema"), printJson(small));
    writeFileSync(join(folder, "wider"), printJson({ name: "S", version: "1.1.0", cksum: "1 2", tables: { T: { isRoot: true, columns: { n: { type: "integer" }, m: { type: "string" } } } } }));
    writeFileSync(join(folder, "broken"), "{");
    const commands = [
      ["create", "db", "schema"], ["create", "db", "schema"], ["create", "x", "nothing"], ["create", "x", "broken"], ["db-name", "db"], ["db-version", "db"], ["db-cksum", "db"], ["schema-name", "wider"],
      ["schema-version", "wider"], ["schema-cksum", "wider"], ["db-version", "nothing"], ["needs-conversion", "db", "schema"], ["needs-conversion", "db", "wider"],
      ["transact", "db", '["S",{"op":"insert","table":"T","row":{"n":1}},{"op":"comment","comment":"one"}]'],
      ["transact", "db", '["X"]'], ["transact", "db", "{}"],
      ["query", "db", '["S",{"op":"select","table":"T","where":[],"columns":["n"]}]'], ["compact", "db"], ["convert", "db", "wider"], ["query", "db", '["S",{"op":"select","table":"T","where":[],"columns":["n","m"]}]'], ["db-version", "db"],
      ["compare-versions", "1.2.3", "<", "1.10.0"], ["compare-versions", "1.2.3", "==", "1.2.4"], ["compare-versions", "1.2.3", "~", "1.2.4"], ["db-is-standalone", "db"], ["db-is-clustered", "db"], ["db-cid", "db"], ["frob"], [], ["db-name", "a", "b"],
    ];
    const run = (tool: string): string[] => {
      rmSync(join(folder, "db"), { force: true });
      return commands.map((args) => `${args.join(" ")}: ${told(tool, args, folder)}`);
    };
    assert.deepEqual(run(ours.tool), run(theirs.tool));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
