import assert from "node:assert/strict";
import { test } from "node:test";
import { Stopwatches } from "./stopwatch.ts";
import { UnixctlError } from "./unixctl-command.ts";

function opened(): { readonly stopwatches: Stopwatches; readonly ask: (...words: string[]) => Promise<string> } {
  const stopwatches = new Stopwatches(["loop", "lflow"]);
  const commands = stopwatches.commands();
  return { stopwatches, ask: async (name, ...args) => (await commands.find((command) => command.name === `stopwatch/${name}`)?.run(args)) ?? "no such command" };
}

const shown = (name: string, samples: number, most: number, least: number, percentile: string, short: string, long: string): string =>
  `Statistics for '${name}'\n  Total samples: ${samples}\n  Maximum: ${most} msec\n  Minimum: ${least} msec\n  95th percentile: ${percentile} msec\n` +
  `  Short term average: ${short} msec\n  Long term average: ${long} msec\n`;

test("samples of a stopwatch", async () => {
  const { stopwatches, ask } = opened();
  assert.equal(await ask("show", "loop"), shown("loop", 0, 0, 0, "0.000000", "0.000000", "0.000000"));
  stopwatches.add("loop", 9.7);
  assert.equal(await ask("show", "loop"), shown("loop", 1, 10, 10, "10.000000", "10.000000", "10.000000"));
  stopwatches.add("loop", 20);
  assert.equal(await ask("show", "loop"), shown("loop", 2, 20, 10, "20.000000", "15.000000", "10.100000"));
  for (let i = 0; i < 98; i++) stopwatches.add("loop", 2);
  assert.match(await ask("show", "loop"), /samples: 100\n {2}Maximum: 20 msec\n {2}Minimum: 2 msec\n {2}95th percentile: 2\.0/);
  for (let i = 0; i < 5; i++) stopwatches.add("loop", 7);
  assert.match(await ask("show", "loop"), /95th percentile: 7\.0/);
});

test("all stopwatches, and none", async () => {
  const { stopwatches, ask } = opened();
  assert.equal(await ask("show"), "2 stopwatches with no samples\n");
  stopwatches.add("lflow", 3);
  stopwatches.add("nobody's", 3);
  assert.equal(await ask("show"), `${shown("lflow", 1, 3, 3, "3.000000", "3.000000", "3.000000")}1 stopwatches with no samples\n`);
  await ask("reset", "loop");
  assert.match(await ask("show", "lflow"), /samples: 1/);
  await ask("reset");
  assert.match(await ask("show", "lflow"), /samples: 0/);
  assert.equal(await ask("reset", "nonsense"), "");
  await assert.rejects(() => ask("show", "nonsense"), new UnixctlError("No such stopwatch"));
});
