/**
 * How the number of logical flows grows while something is done again and again: `ovn-nbctl lr-nat-add ... 172.24.4.$i ...` for
 * i from 1 on. After each command northd's answer is awaited, so that every count is exact.
 */
import type { CommandPlace, CommandRunner } from "../command-runner.ts";
import { runScript } from "../script/run.ts";
import { parseScript } from "../script/syntax.ts";
import type { FlowCounter, StageCount } from "./stage-counts.ts";

export interface GrowthPoint {
  readonly i: number;
  readonly counts: readonly StageCount[];
}

/** Throws ScriptError if a command fails. `each` is told of every point. */
export async function growFlows(
  place: CommandPlace, commands: CommandRunner, counter: FlowCounter, line: string, count: number, each: (point: GrowthPoint) => void,
): Promise<void> {
  const script = parseScript(line);
  for (let i = 1; i <= count; i++) {
    await runScript(script, { execute: (argv) => commands.run(place, argv), random: () => 0 }, new Map([["i", String(i)]]));
    const synced = await commands.run(place, ["ovn-nbctl", "--wait=sb", "sync"]);
    if (synced.exitCode !== 0) throw new Error(`northd does not answer: ${synced.stderr.trim()}`);
    const { stdout } = await commands.run(place, ["ovn-nbctl", "get", "NB_Global", ".", "nb_cfg"]);
    await counter.caughtUp(Number(stdout.trim()));
    each({ i, counts: counter.counts() });
  }
}
