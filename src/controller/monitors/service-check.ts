/**
 * Whether one service answers: it is asked at intervals, and said to be online or offline after so many successes or failures
 * (ovn-nb(5), Load_Balancer_Health_Check). A state machine without I/O. TCP is asked by a SYN and online if it accepts; UDP
 * offline if its host says that the port is closed; ICMP online if the echo comes back.
 */
export interface CheckTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly successCount: number;
  readonly failureCount: number;
}

export type ServiceStatus = "online" | "offline";

export class ServiceCheck {
  timing: CheckTiming;
  readonly #silenceIsGood: boolean;
  #isWaiting = false;
  /** While waiting: when that ends; else: when to ask next. */
  #wakesMs: number;
  #successes = 0;
  #failures = 0;
  #status: ServiceStatus | undefined;

  /** `silenceIsGood`: of UDP nothing is heard unless something is wrong. */
  constructor(timing: CheckTiming, silenceIsGood: boolean, nowMs: number) {
    this.timing = timing;
    this.#silenceIsGood = silenceIsGood;
    this.#wakesMs = nowMs;
  }

  /** Undefined: not known yet. */
  get status(): ServiceStatus | undefined {
    return this.#status;
  }

  get wakesMs(): number {
    return this.#wakesMs;
  }

  /** Time has passed. Whether to ask now. */
  run(nowMs: number): boolean {
    if (nowMs < this.#wakesMs) return false;
    if (this.#isWaiting) {
      this.answered(this.#silenceIsGood, nowMs);
      return false;
    }
    this.#isWaiting = true;
    this.#wakesMs = nowMs + this.timing.timeoutMs;
    return true;
  }

  answered(isGood: boolean, nowMs: number): void {
    this.#isWaiting = false;
    this.#wakesMs = nowMs + this.timing.intervalMs;
    if (isGood) this.#successes++;
    else this.#failures++;
    if (isGood ? this.#successes < this.timing.successCount : this.#failures < this.timing.failureCount) return;
    this.#status = isGood ? "online" : "offline";
    this.#successes = 0;
    this.#failures = 0;
  }
}
