/**
 * Who has which address behind a bridge, for tunnels that this switch carries itself ("tnl/neigh" commands, tnl-neigh-cache.c in
 * OVS). What was asked for and not answered yet is kept for a moment, so that it is not asked for with every packet.
 */
import { formatIp, type Ip, type Mac } from "../../net/index.ts";

export interface Neighbour {
  readonly bridge: string;
  readonly ip: Ip;
  /** Undefined: asked for. */
  mac: Mac | undefined;
  expiresMs: number;
}

const defaultAgingMs = 15 * 60 * 1000;
const defaultRetransmitMs = 200;

export class NeighbourTable {
  readonly #nowMs: () => number;
  readonly #byAddress = new Map<string, Neighbour>();
  agingMs = defaultAgingMs;
  retransmitMs = defaultRetransmitMs;
  changed: () => void = () => undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** `waiting`: it has been asked for. Somebody who is used stays. */
  lookup(bridge: string, ip: Ip): Mac | "waiting" | undefined {
    const known = this.#byAddress.get(keyOf(bridge, ip));
    if (known === undefined || known.expiresMs <= this.#nowMs()) return undefined;
    if (known.mac !== undefined) known.expiresMs = this.#nowMs() + this.agingMs;
    return known.mac ?? "waiting";
  }

  /** Notes that it is asked for. */
  expect(bridge: string, ip: Ip): void {
    if (this.retransmitMs > 0) this.#byAddress.set(keyOf(bridge, ip), { bridge, ip, mac: undefined, expiresMs: this.#nowMs() + this.retransmitMs });
  }

  set(bridge: string, ip: Ip, mac: Mac): void {
    const key = keyOf(bridge, ip);
    const known = this.#byAddress.get(key);
    const expiresMs = this.#nowMs() + this.agingMs;
    if (known?.mac === mac && known.expiresMs > this.#nowMs()) {
      known.expiresMs = expiresMs;
      return;
    }
    this.#byAddress.set(key, { bridge, ip, mac, expiresMs });
    this.changed();
  }

  [Symbol.iterator](): Iterator<Neighbour> {
    return this.#byAddress.values();
  }

  isExpired(neighbour: Neighbour): boolean {
    return neighbour.expiresMs <= this.#nowMs();
  }

  /** What is asked for, or known, is not longer so than these times say from now on. */
  shorten(): void {
    for (const neighbour of this.#byAddress.values()) {
      neighbour.expiresMs = Math.min(neighbour.expiresMs, this.#nowMs() + (neighbour.mac === undefined ? this.retransmitMs : this.agingMs));
    }
  }

  sweep(): void {
    this.#removeWhere((neighbour) => this.isExpired(neighbour));
  }

  flush(bridge?: string): void {
    this.#removeWhere((neighbour) => bridge === undefined || neighbour.bridge === bridge);
  }

  #removeWhere(isGone: (neighbour: Neighbour) => boolean): void {
    let isOther = false;
    for (const [key, neighbour] of this.#byAddress) if (isGone(neighbour)) isOther = this.#byAddress.delete(key);
    if (isOther) this.changed();
  }
}

const keyOf = (bridge: string, ip: Ip): string => `${bridge} ${formatIp(ip)}`;
