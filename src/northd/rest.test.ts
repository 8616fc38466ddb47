/** How long northd rests after a step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../host/index.ts";
import { Rest } from "./rest.ts";

/** When somebody who asks at these moments after a step's end may work: at once, or when called. */
function check(step: { readonly stepMs: number; readonly limitMs: number }, askedAtMs: readonly number[], worksAtMs: readonly number[]): void {
  const clock = new VirtualClock();
  const began = clock.now();
  const works: number[] = [];
  const work = (): void => void works.push(clock.now() - began);
  const rest = new Rest(clock, work);
  rest.begin(step.stepMs, step.limitMs);
  for (const at of askedAtMs) {
    clock.advance(began + at - clock.now());
    if (!rest.defers()) work();
  }
  clock.advance(10_000);
  assert.deepEqual(works, worksAtMs);
}

test("northd rests as long as a step took, up to a limit, and does in one what comes meanwhile", () => {
  check({ stepMs: 200, limitMs: 0 }, [0, 1], [0, 1]);
  check({ stepMs: 200, limitMs: 300 }, [0, 50, 199], [200]);
  check({ stepMs: 200, limitMs: 80 }, [10, 79, 80], [80, 80]);
  check({ stepMs: 200, limitMs: 80 }, [], []);
});
