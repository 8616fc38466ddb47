/**
 * Who is at an address on the link: ARP and neighbor discovery behind one table, with the states of RFC 4861, section 7.3.2.
 *
 *     incomplete --answer--> reachable --30 s--> stale --used--> delay --5 s--> probe --no answer--> failed
 *
 * Three questions, a second apart; up to three packets wait for an answer, as Linux keeps them, and are handed back if none comes.
 */
import type { Clock, Timer } from "../../host/index.ts";
import type { Ip, Mac } from "../../net/index.ts";

export type NeighborState = "incomplete" | "reachable" | "stale" | "delay" | "probe" | "failed";

interface Waiting {
  readonly send: (mac: Mac) => void;
  readonly fail: () => void;
}

export interface Neighbor {
  readonly ip: Ip;
  readonly mac: Mac | undefined;
  readonly state: NeighborState;
  readonly isRouter: boolean;
}

interface Entry {
  readonly ip: Ip;
  mac: Mac | undefined;
  state: NeighborState;
  isRouter: boolean;
  reachableUntil: number;
  probes: number;
  timer: Timer | undefined;
  askedAt: number;
  waiting: Waiting[];
}

const reachableMs = 30_000;
const delayMs = 5_000;
const retransmitMs = 1_000;
const maxProbes = 3;
const maxWaiting = 3;
const maxEntries = 1024;

export class Neighbors {
  readonly #clock: Clock;
  /** Asks for `ip`: of everyone, or of `mac` alone. */
  readonly #ask: (ip: Ip, mac: Mac | undefined) => void;
  /** IPv4 addresses are numbers and IPv6 addresses bigints: they never meet. */
  readonly #entries = new Map<number | bigint, Entry>();

  constructor(clock: Clock, ask: (ip: Ip, mac: Mac | undefined) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  list(): readonly Neighbor[] {
    return [...this.#entries.values()].map((e) => ({ ip: e.ip, mac: e.mac, state: this.#stateOf(e), isRouter: e.isRouter }));
  }

  #stateOf(e: Entry): NeighborState {
    return e.state === "reachable" && this.#clock.now() > e.reachableUntil ? "stale" : e.state;
  }

  /** Calls `send` with the MAC address of `ip`, now or when it is known, or `fail` when nobody answers. */
  resolve(ip: Ip, waiting: Waiting): void {
    const e = this.#entry(ip);
    const state = this.#stateOf(e);
    if (e.mac !== undefined && state !== "failed" && state !== "incomplete") {
      waiting.send(e.mac);
      if (state === "stale") this.#delay(e);
      return;
    }
    e.waiting.push(waiting);
    while (e.waiting.length > maxWaiting) e.waiting.shift();
    if (state !== "incomplete" || e.timer === undefined) this.#begin(e, "incomplete");
  }

  /** Asks again at once (but not twice within 10 ms) if nobody has answered for `ip` yet: for who cannot wait a second. */
  hurry(ip: Ip): void {
    const e = this.#entries.get(ip.address);
    if (e?.state === "incomplete" && this.#clock.now() - e.askedAt >= 10) {
      e.askedAt = this.#clock.now();
      this.#ask(ip, undefined);
    }
  }

  /** `ip` was heard to be at `mac`. `solicited`: it answered us, so it hears us too. `create`: even if nobody asked. */
  heard(ip: Ip, mac: Mac, { solicited, create, override = true, isRouter }: { solicited: boolean; create: boolean; override?: boolean; isRouter?: boolean }): void {
    const known = this.#entries.get(ip.address);
    if (known === undefined && !create) return;
    const e = known ?? this.#entry(ip);
    if (isRouter !== undefined) e.isRouter = isRouter;
    if (e.mac !== undefined && e.mac !== mac && !override && e.state !== "incomplete") return;
    const isNew = e.mac !== mac || e.state === "incomplete" || e.state === "failed";
    e.mac = mac;
    if (solicited || e.waiting.length > 0) {
      e.timer?.cancel();
      e.timer = undefined;
      e.state = "reachable";
      e.reachableUntil = this.#clock.now() + reachableMs;
    } else if (isNew) {
      e.timer?.cancel();
      e.timer = undefined;
      e.state = "stale";
    }
    const waiting = e.waiting;
    e.waiting = [];
    for (const w of waiting) w.send(mac);
  }

  forget(): void {
    for (const e of this.#entries.values()) e.timer?.cancel();
    this.#entries.clear();
  }

  #entry(ip: Ip): Entry {
    const known = this.#entries.get(ip.address);
    if (known !== undefined) return known;
    if (this.#entries.size >= maxEntries) this.#dropOne();
    const e: Entry = { ip, mac: undefined, state: "failed", isRouter: false, reachableUntil: 0, probes: 0, timer: undefined, askedAt: -1e9, waiting: [] };
    this.#entries.set(ip.address, e);
    return e;
  }

  #dropOne(): void {
    for (const [key, e] of this.#entries) {
      if (e.timer === undefined) {
        this.#entries.delete(key);
        return;
      }
    }
    const [first] = this.#entries;
    if (first !== undefined) {
      first[1].timer?.cancel();
      this.#entries.delete(first[0]);
    }
  }

  #delay(e: Entry): void {
    e.state = "delay";
    e.timer?.cancel();
    e.timer = this.#clock.after(delayMs, () => this.#begin(e, "probe"));
  }

  #begin(e: Entry, state: "incomplete" | "probe"): void {
    e.state = state;
    e.probes = 0;
    this.#probe(e);
  }

  #probe(e: Entry): void {
    if (e.probes >= maxProbes) {
      e.state = "failed";
      e.timer = undefined;
      const waiting = e.waiting;
      e.waiting = [];
      for (const w of waiting) w.fail();
      return;
    }
    e.probes++;
    e.askedAt = this.#clock.now();
    e.timer?.cancel();
    e.timer = this.#clock.after(retransmitMs, () => this.#probe(e));
    this.#ask(e.ip, e.state === "probe" ? e.mac : undefined);
  }
}
