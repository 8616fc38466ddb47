/**
 * A pause after each step, so that what comes in a burst is done in one (`options:northd-backoff-interval-ms` of NB_Global, ovn-nb(5)):
 * as long as the step took, but no longer than that option says; without it there is none.
 */
import type { Clock, Timer } from "../host/index.ts";

export class Rest {
  readonly #clock: Clock;
  /** The pause is over, and somebody has wanted to work meanwhile. */
  readonly #resume: () => void;
  #untilMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(clock: Clock, resume: () => void) {
    this.#clock = clock;
    this.#resume = resume;
  }

  /** From now on, after a step that took `stepMs`. */
  begin(stepMs: number, limitMs: number): void {
    this.end();
    this.#untilMs = this.#clock.now() + Math.min(stepMs, limitMs);
  }

  /** Asked by who would work now: if so, they are called when the time has come. */
  defers(): boolean {
    const leftMs = this.#untilMs - this.#clock.now();
    if (leftMs <= 0) return false;
    this.#timer ??= this.#clock.after(leftMs, () => {
      this.end();
      this.#resume();
    });
    return true;
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}
