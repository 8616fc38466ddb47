/**
 * One BFD session of a logical router (RFC 5880), as OVN keeps them: asynchronous, no echo, no authentication. A state
 * machine without I/O: it is told the time and what came, and says what to send and when to ask it again.
 */
import type { Bfd, bfdStates } from "../../packet/index.ts";

export type BfdState = (typeof bfdStates)[number];

export interface BfdTiming {
  readonly minTxMs: number;
  readonly minRxMs: number;
  readonly multiplier: number;
}

/** Until the first packet says better. */
const firstDetectionMs = 30_000;

export class BfdSession {
  timing: BfdTiming;
  readonly #discriminator: number;
  readonly #random: () => number;
  #state: BfdState = "down";
  #peer = { discriminator: 0, minRxMs: 1, isOnDemand: false };
  #detectionMs = firstDetectionMs;
  #lastReceivedMs: number;
  #nextSendMs: number;

  /** `random`: from 0 to below 1. */
  constructor(timing: BfdTiming, discriminator: number, random: () => number, nowMs: number) {
    this.timing = timing;
    this.#discriminator = discriminator;
    this.#random = random;
    this.#lastReceivedMs = nowMs;
    this.#nextSendMs = nowMs;
  }

  get state(): BfdState {
    return this.#state;
  }

  /** The administrator's word. */
  allow(isAllowed: boolean): void {
    if (isAllowed === (this.#state !== "admin_down")) return;
    this.#become(isAllowed ? "down" : "admin_down");
  }

  /** When `run` wants to be called at the latest; undefined: not at all. */
  get wakesMs(): number | undefined {
    const detection = this.#isExpecting ? this.#lastReceivedMs + this.#detectionMs : undefined;
    const send = this.#isSending ? this.#nextSendMs : undefined;
    return detection === undefined || send === undefined ? (detection ?? send) : Math.min(detection, send);
  }

  /** Time has passed. The packet to send now, if there is one. */
  run(nowMs: number): Bfd | undefined {
    if (this.#isExpecting && nowMs >= this.#lastReceivedMs + this.#detectionMs) this.#become("down");
    if (!this.#isSending || nowMs < this.#nextSendMs) return undefined;
    const pauseMs = Math.max(this.timing.minTxMs, this.#peer.minRxMs);
    // Section 6.8.7: up to a quarter less, so that many sessions do not march in step.
    this.#nextSendMs = nowMs + pauseMs * (1 - 0.25 * this.#random());
    return this.#packet(false);
  }

  /** A packet for this session came; the answer to send at once, if it asks for one. */
  receive(packet: Bfd, nowMs: number): Bfd | undefined {
    this.#peer = {
      discriminator: packet.myDiscriminator, minRxMs: Math.floor(packet.requiredMinRx / 1000),
      isOnDemand: this.#peer.isOnDemand || (this.#state === "up" && packet.demand),
    };
    this.#detectionMs = packet.multiplier * Math.max(Math.floor(packet.desiredMinTx / 1000), this.timing.minRxMs);
    if (this.#state !== "admin_down") {
      this.#lastReceivedMs = nowMs;
      this.#become(stateAfter(this.#state, packet.state));
    }
    return packet.poll ? this.#packet(true) : undefined;
  }

  get #isExpecting(): boolean {
    return (this.#state === "init" || this.#state === "up") && this.#detectionMs > 0;
  }

  get #isSending(): boolean {
    return this.#state !== "admin_down" && this.#peer.minRxMs > 0 && !this.#peer.isOnDemand;
  }

  #become(state: BfdState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === "down" || state === "admin_down") this.#peer = { discriminator: 0, minRxMs: 1, isOnDemand: false };
  }

  #packet(isFinal: boolean): Bfd {
    return {
      diagnostic: 0, state: this.#state, poll: false, final: isFinal, controlPlaneIndependent: false, demand: false, multiplier: this.timing.multiplier,
      myDiscriminator: this.#discriminator, yourDiscriminator: this.#peer.discriminator, desiredMinTx: 1000 * this.timing.minTxMs,
      requiredMinRx: 1000 * this.timing.minRxMs, requiredMinEchoRx: 0,
    };
  }
}

/** Section 6.8.6. */
function stateAfter(own: BfdState, theirs: BfdState): BfdState {
  if (theirs === "admin_down") return "down";
  if (own === "down") return theirs === "down" ? "init" : theirs === "init" ? "up" : own;
  if (own === "init") return theirs === "down" ? own : "up";
  return theirs === "down" ? "down" : own;
}
