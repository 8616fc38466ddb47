/**
 * Tells whether the other side of a session still lives: after a silent interval it is asked for an echo, after another one
 * it counts as dead (RFC 7047, section 4.1.11; lib/reconnect.h has the client's side of it).
 */
import type { Clock, Log, Timer } from "../../host/index.ts";
import type { JsonRpcSession } from "../json/json-rpc.ts";

export class InactivityProbe {
  readonly #rpc: JsonRpcSession;
  readonly #clock: Clock;
  readonly #log: Log;
  #intervalMs = 0;
  #timer: Timer | undefined;
  #heardSize = 0;
  #owedSize = 0;
  #isWaiting = false;

  constructor(rpc: JsonRpcSession, clock: Clock, log: Log) {
    this.#rpc = rpc;
    this.#clock = clock;
    this.#log = log.module("reconnect");
  }

  /** 0: no probes. */
  start(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#isWaiting = false;
    this.#watch();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    this.stop();
    if (this.#intervalMs <= 0) return;
    this.#heardSize = this.#rpc.receivedSize;
    this.#owedSize = this.#rpc.backlogSize;
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#look());
  }

  #look(): void {
    // A client that still reads what it was sent is alive.
    const isAlive = this.#rpc.receivedSize !== this.#heardSize || this.#rpc.backlogSize < this.#owedSize;
    if (this.#isWaiting && !isAlive) {
      this.#log.err(`${this.#rpc.name}: no response to inactivity probe after ${this.#intervalMs / 1000} seconds, disconnecting`);
      this.#rpc.close();
      return;
    }
    this.#isWaiting = !isAlive;
    // Before the probe is sent: that it is on its way must not count as the client's doing.
    this.#watch();
    if (this.#isWaiting) this.#rpc.send({ kind: "request", method: "echo", params: [], id: "echo" });
  }
}
