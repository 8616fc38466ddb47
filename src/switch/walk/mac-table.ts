/** Learned Ethernet addresses of a bridge, for the NORMAL action: bounded, aged; the oldest make room. */
import type { SwitchPort } from "../port/switch-port.ts";

export interface LearnedMac {
  readonly vlan: number;
  readonly mac: number;
  port: SwitchPort;
  seenMs: number;
}

export class MacTable {
  maxEntries = 8192;
  agingMs = 300_000;
  /** By vlan and address; the least recently seen first. */
  readonly #entries = new Map<string, LearnedMac>();

  get(vlan: number, mac: number, nowMs: number): LearnedMac | undefined {
    const entry = this.#entries.get(keyOf(vlan, mac));
    return entry !== undefined && nowMs - entry.seenMs < this.agingMs ? entry : undefined;
  }

  /** True if what is known has changed by it. */
  learn(vlan: number, mac: number, port: SwitchPort, nowMs: number): boolean {
    const key = keyOf(vlan, mac);
    const entry = this.#entries.get(key);
    const isNews = entry === undefined || entry.port !== port || nowMs - entry.seenMs >= this.agingMs;
    this.#entries.delete(key);
    this.#entries.set(key, { vlan, mac, port, seenMs: nowMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.maxEntries) break;
      this.#entries.delete(oldest);
    }
    return isNews;
  }

  /** Drops what has aged; true if something has. */
  expire(nowMs: number): boolean {
    let hasExpired = false;
    for (const [key, entry] of this.#entries) {
      if (nowMs - entry.seenMs < this.agingMs) break;
      this.#entries.delete(key);
      hasExpired = true;
    }
    return hasExpired;
  }

  forget(port: SwitchPort): void {
    for (const [key, entry] of this.#entries) if (entry.port === port) this.#entries.delete(key);
  }

  flush(): void {
    this.#entries.clear();
  }

  [Symbol.iterator](): Iterator<LearnedMac> {
    return this.#entries.values();
  }
}

const keyOf = (vlan: number, mac: number): string => `${vlan}/${mac}`;
