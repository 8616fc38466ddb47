/** Time that passes only as far as something is due: a world of state machines runs on it as fast as it can be computed, and the same every time. */
import { Heap } from "../std/index.ts";
import type { Clock, Timer } from "./clock.ts";

interface Due {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** How many turns promises get between two moments: each `await` on the way takes one. */
const turns = 5;

export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #due = new Heap<Due>((a, b) => a.at - b.at || a.order - b.order);

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(delayMs: number, action: () => void): Timer {
    const due: Due = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run: action };
    this.#due.push(due);
    return {
      cancel: () => {
        due.run = undefined;
      },
    };
  }

  /** Does the next thing that is due, if there is any. */
  step(): boolean {
    const next = this.#due.pop();
    if (next === undefined) return false;
    this.#now = Math.max(this.#now, next.at);
    next.run?.();
    return true;
  }

  /** Lets so much time pass. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#due.peek(); next !== undefined && next.at <= end; next = this.#due.peek()) this.step();
    this.#now = end;
  }

  /** Until `until` settles; promises get their turn after every step. Throws when nothing is due any more, or `limitMs` have passed. */
  async run<T>(until: Promise<T>, limitMs = 600_000): Promise<T> {
    const end = this.#now + limitMs;
    let result: { readonly value: T } | undefined;
    let failure: { readonly error: unknown } | undefined;
    until.then((value) => (result = { value }), (error: unknown) => (failure = { error }));
    for (;;) {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      if (result !== undefined) return result.value;
      if (failure !== undefined) throw failure.error;
      if (this.#now > end || !this.step()) throw new Error("nothing is due any more");
    }
  }
}
