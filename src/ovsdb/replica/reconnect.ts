/**
 * When to connect, when to give up, how long to wait: the state machine of Open vSwitch's lib/reconnect.h, with the time
 * handed in. It does no I/O: `run` says what to do now, the caller says what came of it.
 *
 *     backoff --connect--> connecting --connected()--> active --silence--> idle --silence--> (disconnect) --> backoff
 */
import type { Log } from "../../host/index.ts";

export type ReconnectState = "void" | "backoff" | "connecting" | "active" | "idle" | "reconnect";
export type ReconnectAction = "connect" | "disconnect" | "probe" | undefined;

export interface ReconnectLimits {
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Silence before a probe, and again before the connection counts as dead; 0: no probes. */
  readonly probeIntervalMs: number;
}

export const reconnectDefaults: ReconnectLimits = { minBackoffMs: 1000, maxBackoffMs: 8000, probeIntervalMs: 5000 };

const seconds = (ms: number): string => String(Number((ms / 1000).toPrecision(3)));

export class Reconnect {
  readonly #log: Log;
  #limits: ReconnectLimits;
  #state: ReconnectState = "void";
  #stateEntered = 0;
  #backoffMs = 0;
  #freeTries = 0;
  #lastActivity = 0;
  #lastConnected = 0;
  /** For logs; the remote that is being tried. */
  name: string;

  constructor(name: string, log: Log, limits: Partial<ReconnectLimits> = {}) {
    this.name = name;
    this.#log = log.module("reconnect");
    this.#limits = { ...reconnectDefaults, ...limits };
  }

  get state(): ReconnectState {
    return this.#state;
  }

  get isConnected(): boolean {
    return this.#state === "active" || this.#state === "idle" || this.#state === "reconnect";
  }

  setLimits(limits: Partial<ReconnectLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#backoffMs = Math.min(this.#backoffMs, this.#limits.maxBackoffMs);
  }

  /** That many attempts follow one another without a pause: one for each remote of a list. */
  setFreeTries(tries: number): void {
    this.#freeTries = tries;
  }

  enable(now: number): void {
    if (this.#state === "void") this.#enter("backoff", now, 0);
  }

  disable(now: number): void {
    this.#enter("void", now);
  }

  /** Drops the connection, if any, and connects again at once. */
  force(now: number): void {
    if (this.#state === "connecting" || this.isConnected) this.#enter("reconnect", now);
    else if (this.#state === "backoff") this.#enter("backoff", now, 0);
  }

  connecting(now: number): void {
    if (this.#state === "connecting") return;
    if (this.#backoffMs < this.#limits.maxBackoffMs) this.#log.info(`${this.name}: connecting...`);
    this.#enter("connecting", now);
  }

  connected(now: number): void {
    if (this.isConnected) return;
    this.connecting(now);
    this.#log.info(`${this.name}: connected`);
    this.#enter("active", now);
    this.#lastConnected = now;
    this.#lastActivity = now;
  }

  activity(now: number): void {
    this.#lastActivity = now;
    if (this.#state === "idle") this.#enter("active", now);
  }

  /** The attempt failed or the connection ended; `reason` is the system's, undefined after an orderly end. */
  disconnected(now: number, reason: string | undefined): void {
    if (this.#state === "backoff" || this.#state === "void") return;
    this.#report(reason);
    const { minBackoffMs, maxBackoffMs } = this.#limits;
    if (this.#freeTries > 1) {
      this.#freeTries--;
      this.#enter("backoff", now, 0);
    } else if (this.isConnected && this.#state !== "reconnect" && this.#lastActivity - this.#lastConnected >= this.#backoffMs) {
      this.#enter("backoff", now, minBackoffMs);
    } else {
      const was = this.#backoffMs;
      const wait = was < minBackoffMs ? minBackoffMs : Math.min(was * 2, maxBackoffMs);
      if (wait < maxBackoffMs) this.#log.info(`${this.name}: waiting ${seconds(wait)} seconds before reconnect`);
      else if (was < maxBackoffMs) this.#log.info(`${this.name}: continuing to reconnect in the background but suppressing further logging`);
      this.#enter("backoff", now, wait);
    }
  }

  /** When `run` will have something to say; Infinity for never. */
  deadline(): number {
    const { probeIntervalMs } = this.#limits;
    switch (this.#state) {
      case "void":
        return Infinity;
      case "backoff":
        return this.#stateEntered + this.#backoffMs;
      case "connecting":
        return this.#stateEntered + Math.max(1000, this.#backoffMs);
      case "active":
        return probeIntervalMs === 0 ? Infinity : Math.max(this.#lastActivity, this.#stateEntered) + probeIntervalMs;
      case "idle":
        return probeIntervalMs === 0 ? Infinity : this.#stateEntered + probeIntervalMs;
      case "reconnect":
        return this.#stateEntered;
    }
  }

  run(now: number): ReconnectAction {
    if (now < this.deadline()) return undefined;
    switch (this.#state) {
      case "void":
        return undefined;
      case "backoff":
        return "connect";
      case "connecting":
      case "reconnect":
        return "disconnect";
      case "active":
        this.#log.dbg(() => `${this.name}: idle ${Math.round(now - Math.max(this.#lastActivity, this.#stateEntered))} ms, sending inactivity probe`);
        this.#enter("idle", now);
        return "probe";
      case "idle":
        this.#log.err(`${this.name}: no response to inactivity probe after ${seconds(now - this.#stateEntered)} seconds, disconnecting`);
        return "disconnect";
    }
  }

  #report(reason: string | undefined): void {
    const { name } = this;
    // Once the longest pause is reached, every further attempt would say the same.
    const isQuiet = this.#backoffMs >= this.#limits.maxBackoffMs;
    if (this.isConnected) {
      if (this.#state === "reconnect") this.#log.info(`${name}: connection closed by client`);
      else if (reason === undefined) this.#log.info(`${name}: connection closed by peer`);
      else this.#log.warn(`${name}: connection dropped (${reason})`);
    } else if (!isQuiet) this.#log.info(`${name}: connection attempt ${reason === undefined ? "timed out" : `failed (${reason})`}`);
  }

  #enter(state: ReconnectState, now: number, backoffMs = this.#backoffMs): void {
    this.#log.dbg(() => `${this.name}: entering ${state.toUpperCase()}`);
    this.#state = state;
    this.#stateEntered = now;
    this.#backoffMs = backoffMs;
  }
}
