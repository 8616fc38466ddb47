/**
 * A clock that can be stopped and pushed forward, over one that goes by itself: for tests that want minutes to pass at once
 * (ovs-appctl time/stop and time/warp, which a daemon has that was started with --enable-dummy).
 */
import { Heap } from "../std/index.ts";
import type { Clock, Timer } from "./clock.ts";

interface Due {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export class WarpedClock implements Clock {
  readonly #base: Clock;
  readonly #due = new Heap<Due>((a, b) => a.atMs - b.atMs || a.order - b.order);
  #order = 0;
  /** How far this clock is ahead of the one below it, as long as it goes. */
  #aheadMs = 0;
  /** What it shows while it stands still. */
  #stoppedMs: number | undefined;
  #wake: Timer | undefined;
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): number {
    return this.#stoppedMs ?? this.#base.now() + this.#aheadMs;
  }

  wall(): number {
    return this.#base.wall();
  }

  after(delayMs: number, action: () => void): Timer {
    // What is to come as soon as possible comes, whether time passes or not.
    if (delayMs <= 0) return this.#base.after(0, action);
    const due: Due = { atMs: this.now() + delayMs, order: this.#order++, run: action };
    this.#due.push(due);
    this.#sleep();
    return {
      cancel: () => {
        due.run = undefined;
      },
    };
  }

  stop(): void {
    this.#stoppedMs ??= this.now();
    this.#sleep();
  }

  /** Lets so much time pass at once: what falls due within is done, and what was done sees the end of it. */
  warp(ms: number): void {
    if (this.#stoppedMs === undefined) this.#aheadMs += ms;
    else this.#stoppedMs += ms;
    this.#runDue();
  }

  /** In steps of `stepMs`, with a turn for everything else between them. */
  async warpInSteps(totalMs: number, stepMs: number): Promise<void> {
    for (let left = totalMs; left > 0; left -= stepMs) {
      this.warp(Math.min(left, stepMs));
      await new Promise<void>((resolve) => void this.#base.after(0, resolve));
    }
  }

  #runDue(): void {
    // Not those that are added meanwhile: each turn runs what was due when it began.
    const nowMs = this.now();
    const ready: Due[] = [];
    for (let next = this.#due.peek(); next !== undefined && next.atMs <= nowMs; next = this.#due.peek()) {
      this.#due.pop();
      ready.push(next);
    }
    for (const due of ready) due.run?.();
    this.#sleep();
  }

  #sleep(): void {
    const next = this.#stoppedMs === undefined ? (this.#due.peek()?.atMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    if (this.#wake !== undefined && this.#wakeMs === next) return;
    this.#wake?.cancel();
    this.#wakeMs = next;
    this.#wake = next === Number.POSITIVE_INFINITY ? undefined : this.#base.after(Math.max(1, next - this.now()), () => {
      this.#wake = undefined;
      this.#runDue();
    });
  }
}
