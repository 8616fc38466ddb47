/** The control socket between our own client and server, over streams in memory, and against peers that make no sense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Host, memoryStreamPair, silentLog, type Stream } from "../host/index.ts";
import { SeededRandom } from "../std/index.ts";
import { Coverage } from "./coverage.ts";
import { connectUnixctl } from "./unixctl-client.ts";
import { type UnixctlCommand, UnixctlError } from "./unixctl-command.ts";
import { serveUnixctl } from "./unixctl-server.ts";

/** One listener; whoever connects reaches it. */
function oneSocketHost(): Host {
  let accept: ((stream: Stream) => void) | undefined;
  return {
    log: silentLog, random: new SeededRandom(1), clock: { now: () => 0, wall: () => 0, after: () => ({ cancel: () => {} }) },
    streams: {
      connect: async () => {
        const [near, far] = memoryStreamPair("ctl");
        accept?.(far);
        return near;
      },
      listen: async (_, take) => {
        accept = take;
        return { name: "punix:x", port: undefined, close: () => {} };
      },
    },
    datagrams: { bind: () => Promise.reject(new Error("none")) },
    disk: {} as Host["disk"],
  };
}

const commands: readonly UnixctlCommand[] = [
  { name: "echo", usage: "WORD...", minArgs: 1, maxArgs: 2, run: (args) => args.join(" ") },
  { name: "slow", usage: "", minArgs: 0, maxArgs: 0, run: () => new Promise((resolve) => setImmediate(() => resolve("slow"))) },
  { name: "refuse", usage: "", minArgs: 0, maxArgs: 0, run: () => { throw new UnixctlError("no entry found"); } },
];

async function connected() {
  const host = oneSocketHost();
  const server = await serveUnixctl(host, "/ctl", () => new Map(commands.map((c) => [c.name, c])));
  return { host, server, client: await connectUnixctl(host, "/ctl") };
}

for (const [call, expected] of [
  ["echo a b", "result: a b"],
  ["echo", 'error: "echo" command requires at least 1 arguments'],
  ["echo a b c", 'error: "echo" command takes at most 2 arguments'],
  ["refuse", "error: no entry found"],
  ["foo", 'error: "foo" is not a valid command (use "list-commands" to see a list of valid commands)'],
] as const) {
  test(`unixctl: ${call}`, async () => {
    const { client } = await connected();
    const [command = "", ...args] = call.split(" ");
    const { kind, text } = await client.call(command, args);
    assert.equal(`${kind}: ${text}`, expected);
  });
}

test("replies come in the order of requests, whatever each takes", async () => {
  const { client } = await connected();
  const order: string[] = [];
  await Promise.all([["slow"], ["echo", "fast"]].map(async ([c = "", ...args]) => order.push((await client.call(c, args)).text)));
  assert.deepEqual(order, ["slow", "fast"]);
});

test("format json dresses replies", async () => {
  const { host } = await connected();
  const client = await connectUnixctl(host, "/ctl");
  await client.call("set-options", ["--format", "json"]);
  assert.equal((await client.call("set-options", ["--format", "xml"])).text, "option format has invalid value xml");
});

test("garbage ends the connection it comes on, and no other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
      const { host, client } = await connected();
      const stream = await host.streams.connect({ kind: "unix", path: "/ctl" });
      stream.attach({ data: () => {}, closed: () => {} });
      stream.write(bytes);
      assert.equal((await client.call("echo", ["still", "here"])).text, "still here");
    }),
    { numRuns: 50 },
  );
});

test("a daemon that goes away leaves nobody waiting", async () => {
  const { server, client } = await connected();
  const waiting = client.call("slow", []);
  server.close();
  await assert.rejects(waiting);
});

test("coverage: totals and rates over the last five seconds, minute and hour", () => {
  let now = 1000;
  const coverage = new Coverage({ now: () => now, wall: () => now, after: () => ({ cancel: () => {} }) }, ["never"]);
  for (let i = 0; i < 10; i++) coverage.count("lflow_run");
  now = 6000;
  assert.match(coverage.show(), /^lflow_run +2\.0\/sec +0\.167\/sec +0\.0000\/sec   total: 10\n1 events never hit$/m);
  now = 60_000;
  assert.match(coverage.show(), /^lflow_run +0\.0\/sec +0\.167\/sec +0\.0028\/sec   total: 10$/m);
});
