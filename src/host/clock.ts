/** Time. Nothing outside `host` asks the machine for it, so that a simulated world can run in virtual time. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back; may have a fraction. */
  now(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z, for logs and timestamps that others read. */
  wall(): number;
  /** Calls `action` once, `delayMs` from now (0: as soon as the current work is done). */
  after(delayMs: number, action: () => void): Timer;
}

export interface Timer {
  /** Has no effect once the action has run. */
  cancel(): void;
}
