/**
 * For programs whose first second counts. V8 spends about a third of it on optimising code that has run a few times and will
 * hardly run again, and on emptying a nursery that is too small for a start; both are put off until the start is over.
 *
 * The two flags are numbers that V8 reads anew each time it needs them, so that they may change while it runs.
 */
import { setFlagsFromString } from "node:v8";

/** V8 complains aloud of flags it does not know: only where these are known to exist. */
const knowsFlags = /^v2[02]\./.test(process.version);

const start = ["--interrupt-budget=1000000", "--semi-space-growth-factor=16"];
const usual = ["--interrupt-budget=67584", "--semi-space-growth-factor=2"];

/** Until `durationMs` have passed, less is spent on what pays off later only. */
export function eagerStart(durationMs: number): void {
  if (!knowsFlags) return;
  for (const flag of start) setFlagsFromString(flag);
  setTimeout(() => {
    for (const flag of usual) setFlagsFromString(flag);
  }, durationMs).unref();
}
