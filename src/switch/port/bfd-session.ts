/**
 * One BFD session (RFC 5880), as OVS keeps them on interfaces: asynchronous mode, no echo, no authentication. A state
 * machine without I/O: it is told the time and what came, and says what to send and when to ask it again.
 */
import { type Bfd, bfdStates } from "../../packet/index.ts";

/** Interface.bfd (vswitchd.conf.db(5), "Bidirectional Forwarding Detection"). Milliseconds. */
export interface BfdSettings {
  readonly minRxMs: number;
  readonly minTxMs: number;
  /** The longest wait while nothing else comes through the interface; 0: no such thing. */
  readonly decayMinRxMs: number;
  readonly multiplier: number;
  readonly isPathDown: boolean;
  /** Only packets with tunnel key 0 are ours. */
  readonly checksTunnelKey: boolean;
}

export type BfdState = (typeof bfdStates)[number];

const diagnostics = [
  "No Diagnostic", "Control Detection Time Expired", "Echo Function Failed", "Neighbor Signaled Session Down", "Forwarding Plane Reset",
  "Path Down", "Concatenated Path Down", "Administratively Down", "Reverse Concatenated Path Down",
] as const;
const diagnosticText = (number: number): string => diagnostics[number] ?? "Unknown Diagnostic";
const expired = 1;
const neighbourDown = 3;
const pathsDown: ReadonlySet<number> = new Set([5, 6, 8]);
const concatenatedPathDown = 6;
/** Section 6.8.3: no faster than this while the session is not up. */
const slowMs = 1000;

export class BfdSession {
  readonly settings: BfdSettings;
  readonly #discriminator: number;
  readonly #random: () => number;
  #state: BfdState = "down";
  #diagnostic = 0;
  #flaps = 0;
  #wasForwarding = false;
  /** What is in force; settings come into force at the end of a poll sequence. */
  #minTxMs: number;
  #minRxMs: number;
  #isPolling = false;
  #mustFinish = false;
  #isDecayed = false;
  #remote = { state: "down" as BfdState, diagnostic: 0, discriminator: 0, minRxMs: 1, minTxMs: 0, multiplier: 0 };
  #nextSendMs = 0;
  #detectMs = 0;
  #decayCheckMs = 0;
  #decayPackets = 0;
  #controlPackets = 0;

  /** `random`: from 0 to below 1. */
  constructor(settings: BfdSettings, discriminator: number, random: () => number) {
    this.settings = settings;
    this.#discriminator = discriminator;
    this.#random = random;
    this.#minTxMs = settings.minTxMs;
    this.#minRxMs = settings.minRxMs;
    if (settings.isPathDown) this.#diagnostic = concatenatedPathDown;
  }

  get state(): BfdState {
    return this.#state;
  }

  get isForwarding(): boolean {
    return this.#state === "up" && !pathsDown.has(this.#remote.diagnostic);
  }

  /** When `run` wants to be called at the latest. */
  get wakesMs(): number {
    return this.#state === "init" || this.#state === "up" ? Math.min(this.#nextSendMs, this.#detectMs) : this.#nextSendMs;
  }

  /** Interface.bfd_status. */
  status(): ReadonlyMap<string, string> {
    return new Map([
      ["diagnostic", diagnosticText(this.#diagnostic)], ["flap_count", String(this.#flaps)], ["forwarding", String(this.isForwarding)],
      ["remote_diagnostic", diagnosticText(this.#remote.diagnostic)], ["remote_state", this.#remote.state], ["state", this.#state],
    ]);
  }

  /** Time has passed; `received`: packets that came through the interface so far. The packet to send now, if there is one. */
  run(nowMs: number, received: number): Bfd | undefined {
    if ((this.#state === "init" || this.#state === "up") && nowMs >= this.#detectMs) this.#become("down", expired);
    this.#noteForwarding();
    if (this.#state === "up" && this.settings.decayMinRxMs > 0 && nowMs >= this.#decayCheckMs) this.#decay(nowMs, received);
    if (nowMs < this.#nextSendMs && !this.#mustFinish) return undefined;
    const packet = this.#packet();
    this.#mustFinish = false;
    this.#scheduleSend(nowMs);
    return packet;
  }

  /** A control packet that is for this session came (section 6.8.6); what is answered at once comes from `run`. */
  receive(packet: Bfd, nowMs: number): void {
    if (packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== this.#discriminator) return;
    this.#controlPackets++;
    if (packet.final && this.#isPolling) this.#endPoll();
    if (packet.poll) {
      this.#isPolling = false;
      this.#mustFinish = true;
    }
    const minRxMs = Math.max(1, Math.floor(packet.requiredMinRx / 1000));
    const hasNewPace = minRxMs !== this.#remote.minRxMs;
    this.#remote = {
      state: packet.state, diagnostic: packet.diagnostic, discriminator: packet.myDiscriminator, minRxMs,
      minTxMs: Math.max(1, Math.floor(packet.desiredMinTx / 1000)), multiplier: packet.multiplier,
    };
    if (hasNewPace && this.#nextSendMs > nowMs) this.#scheduleSend(nowMs);
    this.#detectMs = nowMs + Math.max(this.#minRxMs, this.#remote.minTxMs) * packet.multiplier;
    if (packet.state === "admin_down") {
      if (this.#state !== "down") this.#become("down", neighbourDown);
    } else if (this.#state === "down") {
      if (packet.state === "down") this.#become("init", this.#diagnostic);
      else if (packet.state === "init") this.#become("up", this.#diagnostic);
    } else if (this.#state === "init") {
      if (packet.state !== "down") this.#become("up", this.#diagnostic);
    } else if (packet.state === "down") this.#become("down", neighbourDown);
    this.#noteForwarding();
  }

  #become(state: BfdState, diagnostic: number): void {
    this.#state = state;
    this.#diagnostic = this.settings.isPathDown ? concatenatedPathDown : diagnostic;
    if (state === "down") {
      this.#remote = { ...this.#remote, state: "down", diagnostic: 0, discriminator: 0, minRxMs: 1, minTxMs: 0 };
      if (this.#isDecayed) [this.#minRxMs, this.#isDecayed] = [this.settings.minRxMs, false];
    }
    // A state is news that the other side should not wait for.
    this.#nextSendMs = 0;
  }

  #noteForwarding(): void {
    if (this.isForwarding === this.#wasForwarding) return;
    this.#wasForwarding = this.isForwarding;
    this.#flaps++;
  }

  /** Nothing but our own packets came: ask for fewer; or traffic came: ask for as many as configured. */
  #decay(nowMs: number, received: number): void {
    const isQuiet = received - this.#decayPackets <= 2 * Math.max(this.#controlPackets, 1);
    this.#decayPackets = received;
    this.#controlPackets = 0;
    this.#decayCheckMs = nowMs + Math.max(this.settings.decayMinRxMs, 2000);
    if (isQuiet === this.#isDecayed) return;
    this.#isDecayed = isQuiet;
    this.#isPolling = true;
    this.#nextSendMs = 0;
  }

  #endPoll(): void {
    this.#isPolling = false;
    this.#minTxMs = this.settings.minTxMs;
    this.#minRxMs = this.#wantedMinRxMs;
  }

  get #wantedMinRxMs(): number {
    return this.#isDecayed ? this.settings.decayMinRxMs : this.settings.minRxMs;
  }

  get #sendMs(): number {
    return this.#state === "up" ? this.#minTxMs : Math.max(slowMs, this.#minTxMs);
  }

  #scheduleSend(nowMs: number): void {
    const interval = Math.max(this.#sendMs, this.#remote.minRxMs);
    const jitter = this.settings.multiplier === 1 ? 0.1 + 0.15 * this.#random() : 0.25 * this.#random();
    this.#nextSendMs = nowMs + interval * (1 - jitter);
  }

  #packet(): Bfd {
    return {
      diagnostic: this.#diagnostic, state: this.#state, poll: this.#isPolling && !this.#mustFinish, final: this.#mustFinish,
      controlPlaneIndependent: false, demand: false, multiplier: this.settings.multiplier, myDiscriminator: this.#discriminator,
      yourDiscriminator: this.#remote.discriminator, desiredMinTx: this.#sendMs * 1000,
      requiredMinRx: (this.#isPolling ? this.#wantedMinRxMs : this.#minRxMs) * 1000, requiredMinEchoRx: 0,
    };
  }
}

/** Undefined: no session is wanted. */
export function readBfdSettings(bfd: ReadonlyMap<string, string>): BfdSettings | undefined {
  if (bfd.get("enable") !== "true") return undefined;
  const number = (key: string, otherwise: number, min: number): number => {
    const value = Number(bfd.get(key) ?? otherwise);
    return Number.isInteger(value) && value >= min ? value : otherwise;
  };
  const multiplier = number("mult", 3, 1);
  return {
    minRxMs: number("min_rx", 1000, 1), minTxMs: number("min_tx", 100, 1), decayMinRxMs: number("decay_min_rx", 0, 0),
    multiplier: multiplier > 255 ? 3 : multiplier, isPathDown: bfd.get("cpath_down") === "true", checksTunnelKey: bfd.get("check_tnl_key") === "true",
  };
}
