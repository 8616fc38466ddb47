/**
 * put_arp, put_nd and put_fdb: what packets tell of their senders, on its way into the southbound database. A request that
 * reaches many chassis is written after a short random pause, so that most of them find it done.
 */
import type { Host } from "../host/index.ts";
import { formatIp, formatMac, type Ip, type Mac } from "../net/index.ts";
import { Pending } from "./pending.ts";
import type { Fdb, MacBinding } from "./rows.ts";

export interface LearnedNeighbor {
  readonly datapathKey: number;
  readonly portKey: number;
  readonly ip: Ip;
  readonly mac: Mac;
}

export interface LearnedAddress {
  readonly datapathKey: number;
  readonly portKey: number;
  readonly mac: Mac;
}

/** A packet by which a virtual port shows who has it now. */
export interface VirtualClaim {
  readonly datapathKey: number;
  readonly portKey: number;
  readonly parentKey: number;
}

/** A packet for a load balancer without servers. */
export interface EmptyBalancer {
  readonly vip: string;
  readonly protocol: string;
  readonly load_balancer: string;
}

/** A binding or an FDB entry that packets still bear out. */
export interface Sighting {
  readonly row: MacBinding | Fdb;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const multicastPauseMs = 50;
/** Within this time it is written, or was not meant to be. */
const lifetimeMs = 1000;
/** What is said once and then gone may wait for a database that is slow, or away for a moment. */
const patienceMs = 10_000;
const maxPending = 1024;

export class Learning {
  readonly neighbors = new Pending<LearnedNeighbor>("learned neighbors");
  readonly addresses = new Pending<LearnedAddress>("learned addresses");
  readonly sightings = new Pending<Sighting>("sightings");
  readonly virtualClaims = new Pending<VirtualClaim>("virtual claims");
  readonly emptyBalancers = new Pending<EmptyBalancer>("balancers without servers");
  /** Controller_Event.seq_num of the last one. */
  eventCount = 0;
  readonly #latestNeighbors = new Map<string, LearnedNeighbor>();
  readonly #latestAddresses = new Map<string, LearnedAddress>();
  readonly #host: Host;
  readonly #changed: () => void;

  /** `changed`: there is something to be written. */
  constructor(host: Host, changed: () => void) {
    this.#host = host;
    this.#changed = changed;
  }

  learnNeighbor(neighbor: LearnedNeighbor, wasMulticast: boolean): void {
    const { datapathKey, portKey, ip } = neighbor;
    const pauseMs = wasMulticast ? (this.#host.random.next32() % multicastPauseMs) + 1 : 0;
    this.#learnLatest(this.neighbors, this.#latestNeighbors, `${datapathKey} ${portKey} ${formatIp(ip)}`, neighbor, pauseMs);
  }

  learnAddress(address: LearnedAddress): void {
    this.#learnLatest(this.addresses, this.#latestAddresses, `${address.datapathKey} ${formatMac(address.mac)}`, address, 0);
  }

  claimVirtual(claim: VirtualClaim): void {
    this.#learn(this.virtualClaims, claim, 0);
  }

  noteEmptyBalancer(event: EmptyBalancer): void {
    for (const { vip, protocol, load_balancer } of this.emptyBalancers) {
      if (vip === event.vip && protocol === event.protocol && load_balancer === event.load_balancer) return;
    }
    this.#learn(this.emptyBalancers, event, 0);
  }

  /** What packets told has gone elsewhere, and rules are to see it. */
  somethingHappened(): void {
    this.#changed();
  }

  saw(sighting: Sighting): void {
    this.#learn(this.sightings, sighting, 0);
  }

  /** What an earlier packet told of the same is no longer so: side by side, the two would take turns in the database. */
  #learnLatest<T>(pending: Pending<T>, latest: Map<string, T>, key: string, item: T, delayMs: number): void {
    if (pending.size >= maxPending) return;
    const before = latest.get(key);
    if (before !== undefined) pending.remove(before);
    latest.set(key, item);
    const isCurrent = (): boolean => latest.get(key) === item;
    this.#host.clock.after(delayMs + patienceMs, () => isCurrent() && latest.delete(key));
    this.#learn(pending, item, delayMs, patienceMs, isCurrent);
  }

  #learn<T>(pending: Pending<T>, item: T, delayMs: number, forMs = lifetimeMs, isCurrent: () => boolean = () => true): void {
    if (pending.size >= maxPending) return;
    const add = (): void => {
      if (!isCurrent()) return;
      pending.add(item);
      this.#host.clock.after(forMs, () => pending.remove(item));
      this.#changed();
    };
    if (delayMs === 0) add();
    else this.#host.clock.after(delayMs, add);
  }
}
