/** A ctl that waits outlives its database server's restart, as OVN's and OVS's own do; one that does not wait says what is wrong. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ProgramName, runProgram, timedOutCode } from "../src/ctl/index.ts";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { DatabaseFile, startOvsdbServer } from "../src/ovsdb/index.ts";
import { northbound } from "../src/schemas/index.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-ctl-waiting-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const host = nodeHost(silentLog);
const file = join(folder, "nb.db");
const socket = join(folder, "nb.sock");
DatabaseFile.create(host.disk, file, northbound);

const serve = async (): Promise<ReturnType<typeof startOvsdbServer>> => {
  const server = startOvsdbServer(host, { files: [file], remotes: [`punix:${socket}`] });
  await server.ready;
  return server;
};

async function nbctl(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const program: ProgramName = "ovn-nbctl";
  const code = await runProgram(program, [`--db=unix:${socket}`, ...args], {
    host,
    environment: { folder, variable: () => undefined },
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
  });
  return { code, ...said };
}

/** Until the counter of changes has this value. */
async function counted(goal: string): Promise<void> {
  while ((await nbctl("get", "NB_Global", ".", "nb_cfg")).out !== `${goal}\n`) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("waiting goes on after the database server was restarted", async () => {
  const first = await serve();
  await nbctl("init");
  const waiting = nbctl("--timeout=30", "--wait=sb", "ls-add", "a");
  await counted("1");
  await first.stop();
  const second = await serve();
  assert.equal((await nbctl("set", "NB_Global", ".", "sb_cfg=1")).code, 0);
  assert.deepEqual(await waiting, { code: 0, out: "", err: "" });
  await second.stop();
});

test("waiting for a server that does not come back ends with the time", async () => {
  const server = await serve();
  const waiting = nbctl("--timeout=3", "--wait=sb", "ls-add", "b");
  await counted("2");
  await server.stop();
  const { code } = await waiting;
  assert.equal(code, timedOutCode);
});

test("beyond 2^53 one waits for the exact number", async () => {
  const server = await serve();
  const [before, goal] = ["9223372036854775800", "9223372036854775801"];
  const set = async (column: string, value: string): Promise<void> => assert.equal((await nbctl("set", "NB_Global", ".", `${column}=${value}`)).code, 0);
  await set("nb_cfg", before);
  let isOver = false;
  const waiting = nbctl("--timeout=30", "--wait=sb", "sync").finally(() => (isOver = true));
  await counted(goal);
  await set("sb_cfg", before);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(isOver, false);
  await set("sb_cfg", goal);
  assert.deepEqual(await waiting, { code: 0, out: "", err: "" });
  await server.stop();
});

test("without waiting, a server that is not there is an error", async () => {
  const { code, err } = await nbctl("show");
  assert.equal(code, 1);
  assert.match(err, /^ovn-nbctl: unix:.*: database connection failed \((No such file or directory|Connection refused)\)\n$/);
});
