/** ovsdb-server, ovsdb-tool and ovsdb-client as programs, among themselves. */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

function findRoot(from: string): string {
  return existsSync(join(from, "package.json")) && existsSync(join(from, "bin")) ? from : findRoot(dirname(from));
}
const bin = join(findRoot(dirname(fileURLToPath(import.meta.url))), "bin");
const skip = existsSync(join(bin, "../dist/ovsdb-client.js")) ? false : "not built";

const schema = {
  name: "Zoo", version: "1.2.3", cksum: "1 2",
  tables: {
    Animal: { isRoot: true, indexes: [["name"]], columns: { name: { type: "string" }, legs: { type: { key: "integer", min: 0, max: 1 } }, food: { type: { key: { type: "uuid", refTable: "Food" }, min: 0, max: "unlimited" } } } },
    Food: { columns: { what: { type: "string" }, tags: { type: { key: "string", value: "string", min: 0, max: "unlimited" } } } },
  },
};
const uuids = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

class Zoo {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-zoo-"));
  readonly remote = `unix:${this.folder}/sock`;
  #server: ChildProcess | undefined;

  constructor() {
    writeFileSync(join(this.folder, "schema"), JSON.stringify(schema));
  }
  /** Standard output; a failure reads `CODE: standard error`. */
  run(program: string, ...args: string[]): string {
    try {
      return execFileSync(join(bin, program), args, { cwd: this.folder, encoding: "utf8", stdio: "pipe", timeout: 60_000, env: { ...process.env, OVS_RUNDIR: this.folder, TZ: "UTC" } });
    } catch (error) {
      const { status, stderr } = error as { status: number | null; stderr: string };
      return `${status}: ${stderr}`;
    }
  }
  tool = (...args: string[]): string => this.run("ovsdb-tool", ...args);
  client = (command: string, ...args: string[]): string => this.run("ovsdb-client", command, this.remote, ...args);

  async serve(): Promise<void> {
    this.#server = spawn(join(bin, "ovsdb-server"), ["--remote=punix:sock", `--unixctl=${this.folder}/ctl`, "db"], { cwd: this.folder, stdio: "ignore", env: { ...process.env, OVS_RUNDIR: this.folder } });
    // The socket's file is there a moment before anybody listens.
    for (let i = 0; i < 200 && this.client("list-dbs") !== "Zoo\n_Server\n"; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  async end(): Promise<void> {
    const server = this.#server;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const gone = new Promise((resolve) => server.once("exit", resolve));
      server.kill();
      await gone;
    }
    rmSync(this.folder, { recursive: true });
  }
}

const insertion = '["Zoo",{"op":"insert","table":"Animal","row":{"name":"cow","legs":4,"food":["named-uuid","hay"]}},{"op":"insert","table":"Food","uuid-name":"hay","row":{"what":"hay","tags":["map",[["dry","very much"]]]}},{"op":"insert","table":"Animal","row":{"name":"snake"}}]';

test("a file without a server", { skip }, async () => {
  const zoo = new Zoo();
  try {
    assert.equal(zoo.tool("create", "db", "schema"), "");
    assert.match(zoo.tool("create", "db", "schema"), /^1: ovsdb-tool: I\/O error: db: create failed \(File exists\)\n$/);
    assert.equal(zoo.tool("db-version", "db") + zoo.tool("db-cksum", "db") + zoo.tool("db-name", "db"), "1.2.3\n1 2\nZoo\n");
    assert.equal(zoo.tool("transact", "db", insertion).replace(uuids, "U"), '[{"uuid":["uuid","U"]},{"uuid":["uuid","U"]},{"uuid":["uuid","U"]}]\n');
    assert.equal(zoo.tool("query", "db", '["Zoo",{"op":"select","table":"Animal","where":[["legs","==",4]],"columns":["name"]}]'), '[{"rows":[{"name":"cow"}]}]\n');
    assert.match(zoo.tool("-mm", "show-log", "db"), /record 0: "Zoo" schema, version="1.2.3", cksum="1 2"\n\nrecord 1: [-0-9]+ [:.0-9]+\n(.*\n)* {2}table Food insert row [0-9a-f]{8}:\n {4}what=hay\n {4}tags=\{dry="very much"\}\n/);
    assert.match(zoo.tool("create-cluster", "x", "schema", "tcp:1.2.3.4:5"), /^1: ovsdb-tool: clustered databases are not supported/);
    assert.equal(zoo.tool("compare-versions", "1.2.3", "<", "1.10.0") + zoo.tool("compare-versions", "1.2.3", ">", "1.10.0"), "2: ");
    assert.equal(zoo.tool("frob"), "1: ovsdb-tool: unknown command 'frob'; use --help for help\n");
  } finally {
    await zoo.end();
  }
});

const waitForEel = '["Zoo",{"op":"wait","table":"Animal","where":[["name","==","eel"]],"columns":["name"],"until":"==","rows":[{"name":"eel"}]}]';

/** A shell, as the output of what stays in the background goes on into a file. */
test("a monitor and a lock in the background", { skip }, async () => {
  const zoo = new Zoo();
  const shell = (line: string): string => {
    const env = { ...process.env, OVS_RUNDIR: zoo.folder, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    return execFileSync("/bin/sh", ["-ec", line], { cwd: zoo.folder, encoding: "utf8", timeout: 60_000, env });
  };
  const printed = async (file: string, wanted: RegExp): Promise<void> => {
    for (let i = 0; i < 200 && !wanted.test(shell(`cat ${file}`)); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(shell(`cat ${file}`), wanted);
  };
  const insert = (name: string): string => zoo.client("transact", `["Zoo",{"op":"insert","table":"Animal","row":{"name":"${name}"}}]`);
  try {
    zoo.tool("create", "db", "schema");
    await zoo.serve();
    shell(`ovsdb-client --detach --no-chdir --pidfile -f csv --no-headings monitor ${zoo.remote} Zoo Animal name >seen 2>&1`);
    insert("ant");
    await printed("seen", /,insert,ant\n$/);
    shell("ovs-appctl -t ovsdb-client ovsdb-client/block");
    insert("bee");
    assert.equal(shell("ovs-appctl -t ovsdb-client ovsdb-client/block"), "already blocking\n");
    assert.doesNotMatch(shell("cat seen"), /bee/);
    shell("ovs-appctl -t ovsdb-client ovsdb-client/unblock");
    await printed("seen", /,insert,bee\n$/);
    shell("ovs-appctl -t ovsdb-client exit");
    shell(`ovsdb-client --detach --no-chdir --pidfile=cond -f csv --no-headings monitor-cond ${zoo.remote} Zoo '[["name","==","ant"]]' Animal name >some 2>&1`);
    assert.equal(shell(`ovs-appctl -t $PWD/ovsdb-client.$(cat cond).ctl ovsdb-client/cond_change Animal '[["name","==","bee"]]'`), "condition changed\n");
    await printed("some", /,initial,ant\n[^]*,delete,[^]*,insert,bee|,initial,ant\n[^]*,insert,bee[^]*,delete,/);
    shell("ovs-appctl -t $PWD/ovsdb-client.$(cat cond).ctl exit");
    for (let i = 0; i < 200 && existsSync(join(zoo.folder, "ovsdb-client.pid")); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(!existsSync(join(zoo.folder, "ovsdb-client.pid")));
    shell(`ovsdb-client --detach --no-chdir --pidfile=lock lock ${zoo.remote} one >locks 2>&1`);
    assert.equal(shell("cat locks"), '{"locked":true}\n');
    shell("ovs-appctl -t $PWD/ovsdb-client.$(cat lock).ctl unlock one; ovs-appctl -t $PWD/ovsdb-client.$(cat lock).ctl steal two");
    await printed("locks", /^\{"locked":true\}\n\{\}\n\{"locked":true\}\n$/);
    shell("ovs-appctl -t $PWD/ovsdb-client.$(cat lock).ctl exit");
    shell(`ovsdb-client --detach --pidfile=waits transact ${zoo.remote} '${waitForEel}' >waited 2>&1`);
    assert.ok(existsSync(join(zoo.folder, "waits")));
    insert("eel");
    await printed("waited", /^\[\{\}\]\n$/);
  } finally {
    await zoo.end();
  }
});

test("a server and what its clients see", { skip }, async () => {
  const zoo = new Zoo();
  try {
    zoo.tool("create", "db", "schema");
    await zoo.serve();
    zoo.client("transact", insertion);
    assert.equal(zoo.client("list-dbs"), "Zoo\n_Server\n");
    assert.equal(zoo.client("get-schema-version", "Zoo"), "1.2.3\n");
    assert.equal(zoo.client("list-tables"), "Table\n------\nAnimal\nFood\n");
    assert.equal(zoo.client("dump", "Zoo", "Animal", "name", "legs"), "Animal table\nlegs name\n---- -----\n[]   snake\n4    cow\n");
    assert.equal(zoo.run("ovsdb-client", "-f", "csv", "--no-headings", "dump", zoo.remote, "Food", "what"), "Food table\nhay\n");
    // Not by UUID, which would be another order each time.
    assert.match(zoo.client("dump", "Zoo", "Animal", "_uuid", "name"), /cow[^]*snake/);
    assert.equal(zoo.client("query", '["Zoo",{"op":"delete","table":"Animal","where":[]}]'), '[{"count":2}]\n');
    assert.equal(zoo.client("wait", "Zoo", "connected"), "");
    assert.equal(zoo.client("needs-conversion", "schema"), "no\n");
    const backup = zoo.client("backup");
    writeFileSync(join(zoo.folder, "backup"), backup);
    zoo.client("transact", '["Zoo",{"op":"delete","table":"Animal","where":[]}]');
    assert.equal(execFileSync(join(bin, "ovsdb-client"), ["restore", zoo.remote], { input: backup, encoding: "utf8" }), "");
    assert.equal(zoo.client("dump", "Zoo", "Animal", "name"), "Animal table\nname\n-----\ncow\nsnake\n");
    assert.equal(zoo.tool("query", "backup", '["Zoo",{"op":"select","table":"Food","where":[],"columns":["what"]}]'), '[{"rows":[{"what":"hay"}]}]\n');
    assert.match(zoo.client("transact", '["Nozoo"]'), /^1: ovsdb-client: transaction returned error: .*unknown database/);
    assert.match(zoo.run("ovsdb-client", "list-dbs", "unix:/nowhere"), /^1: ovsdb-client: failed to connect to "unix:\/nowhere" \(No such file or directory\)\n$/);
    assert.match(zoo.run("ovsdb-client", "--timeout=1", "monitor", zoo.remote, "Food", "what,!insert"), /^(null|142): /);
    assert.equal(zoo.run("ovs-appctl", "-t", join(zoo.folder, "ctl"), "ovsdb-server/list-dbs"), "Zoo\n_Server\n");
    assert.equal(zoo.run("ovs-appctl", "-t", join(zoo.folder, "ctl"), "ovsdb-server/sync-status"), "state: active\n");
  } finally {
    await zoo.end();
  }
});
