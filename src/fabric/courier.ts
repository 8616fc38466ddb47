/**
 * Carries frames from one end of the fabric to the other, one at a time and in order: a frame that causes another never runs
 * inside it. A storm (a loop of bridges without a spanning tree) therefore costs neither the stack nor the rest of the
 * process: after so many frames at a stretch everybody else gets a turn, and beyond so many waiting they are lost, as a
 * network's buffers lose them.
 */
import type { Clock } from "../host/index.ts";

const maxAtAStretch = 512;
const maxWaiting = 4096;

export class Courier {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #isCarrying = false;
  #isScheduled = false;
  lost = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `deliver` is called before this returns, unless something is being delivered already. */
  carry(deliver: () => void): void {
    if (this.#waiting.length >= maxWaiting) {
      this.lost++;
      return;
    }
    this.#waiting.push(deliver);
    if (!this.#isCarrying && !this.#isScheduled) this.#carryOn();
  }

  #carryOn(): void {
    this.#isCarrying = true;
    let at = 0;
    try {
      for (; at < this.#waiting.length && at < maxAtAStretch; at++) this.#waiting[at]?.();
    } finally {
      this.#isCarrying = false;
      this.#waiting = this.#waiting.slice(at);
    }
    if (this.#waiting.length === 0) return;
    this.#isScheduled = true;
    this.#clock.after(0, () => {
      this.#isScheduled = false;
      this.#carryOn();
    });
  }
}
