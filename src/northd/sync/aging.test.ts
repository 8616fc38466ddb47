import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../host/index.ts";
import { Aging } from "./aging.ts";

/** A clock that is set by hand. */
class HandClock implements Clock {
  time = 1_000_000;
  waiting: { readonly at: number; readonly action: () => void } | undefined;

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void) {
    const waiting = { at: this.time + delayMs, action };
    this.waiting = waiting;
    return { cancel: () => {
      if (this.waiting === waiting) this.waiting = undefined;
    } };
  }

  /** To the next alarm; how long it took. */
  sleep(): number {
    const { waiting } = this;
    if (waiting === undefined) throw new Error("nothing to wait for");
    const slept = waiting.at - this.time;
    this.time = waiting.at;
    this.waiting = undefined;
    waiting.action();
    return slept;
  }
}

function makeAging() {
  const clock = new HandClock();
  const aging: Aging = new Aging(clock, () => aging.settle());
  const add = (row: string, inMs: number, limit = 0) => {
    const expiry = { table: "MAC_Binding", row, at: clock.time + inMs, limit } as const;
    aging.added(expiry);
    aging.settle();
    return expiry;
  };
  const gone = (...rows: readonly string[]): readonly boolean[] => rows.map((row) => aging.get(row) !== undefined);
  return { clock, aging, add, gone };
}

test("a row expires when its time has come, and not before", () => {
  const { clock, add, gone } = makeAging();
  add("b", 3000);
  add("a", 1000);
  assert.deepEqual(gone("a", "b"), [false, false]);
  assert.equal(clock.sleep(), 1000);
  assert.deepEqual(gone("a", "b"), [true, false]);
  assert.equal(clock.sleep(), 2000);
  assert.deepEqual(gone("a", "b"), [true, true]);
  assert.equal(clock.waiting, undefined);
});

test("a row that has been used lives on", () => {
  const { clock, aging, add, gone } = makeAging();
  const before = add("a", 1000);
  add("a", 1500);
  aging.removed(before);
  clock.sleep();
  assert.deepEqual(gone("a"), [false]);
  clock.sleep();
  assert.deepEqual(gone("a"), [true]);
});

test("no more than the limit at a time", () => {
  const { clock, add, gone } = makeAging();
  const rows = ["a", "b", "c", "d", "e"];
  for (const row of rows) add(row, 1000, 2);
  clock.sleep();
  assert.equal(gone(...rows).filter(Boolean).length, 2);
  assert.equal(clock.sleep(), 5000);
  assert.equal(gone(...rows).filter(Boolean).length, 4);
  assert.equal(clock.sleep(), 5000);
  assert.deepEqual(gone(...rows), [true, true, true, true, true]);
});

test("what is gone is not waited for", () => {
  const { clock, aging, add } = makeAging();
  aging.removed(add("a", 1000));
  clock.sleep();
  assert.equal(clock.waiting, undefined);
  assert.equal(aging.get("a"), undefined);
  add("b", 1000);
  aging.close();
  assert.equal(clock.waiting, undefined);
});
