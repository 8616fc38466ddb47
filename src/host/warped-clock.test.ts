import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./virtual-clock.ts";
import { WarpedClock } from "./warped-clock.ts";

test("goes like the clock below it, stands still when stopped, and jumps", () => {
  const below = new VirtualClock();
  const clock = new WarpedClock(below);
  const seen: string[] = [];
  const after = (ms: number, name: string) => clock.after(ms, () => seen.push(`${name}@${clock.now()}`));
  after(10, "a");
  after(30, "b");
  after(20, "gone").cancel();
  below.advance(15);
  assert.deepEqual(seen, ["a@10"]);
  clock.stop();
  after(0, "now");
  below.advance(1000);
  assert.deepEqual(seen, ["a@10", "now@15"]);
  after(5, "c");
  clock.warp(10);
  assert.deepEqual(seen, ["a@10", "now@15", "c@25"]);
  clock.warp(10);
  assert.deepEqual(seen, ["a@10", "now@15", "c@25", "b@35"]);
});

test("a jump while it goes brings forward what was due later", async () => {
  const below = new VirtualClock();
  const clock = new WarpedClock(below);
  const seen: number[] = [];
  const tick = (): void => {
    seen.push(clock.now());
    clock.after(100, tick);
  };
  clock.after(100, tick);
  const warped = clock.warpInSteps(300, 100);
  for (let i = 0; i < 5; i++) {
    below.advance(0);
    await Promise.resolve();
  }
  await warped;
  assert.deepEqual(seen, [100, 200, 300]);
  below.advance(100);
  assert.deepEqual(seen, [100, 200, 300, 400]);
});
