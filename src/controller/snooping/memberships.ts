/**
 * Who listens to which multicast group on one switch, and behind which ports routers are: what IGMP and MLD have told, with
 * its age (RFC 4541). A state machine without I/O; the number of groups has a bound, and the one longest unheard of goes first.
 */
import type { Igmp, Mld } from "../../packet/index.ts";
import { formatIpv4, formatIpv6, type Ipv4, type Ipv6 } from "../../net/index.ts";

export type SnoopedProtocol = "IGMPv1" | "IGMPv2" | "IGMPv3" | "MLDv1" | "MLDv2";

export interface Listeners {
  readonly protocol: SnoopedProtocol;
  /** By port key; milliseconds. */
  readonly expiresAt: ReadonlyMap<number, number>;
}

const routerIdleMs = 180_000;
/** Types of group records, the same in IGMPv3 and MLDv2. */
const records = { isInclude: 1, toInclude: 3, last: 6 } as const;

export class Memberships {
  readonly #groups = new Map<string, { protocol: SnoopedProtocol; expiresAt: Map<number, number> }>();
  readonly #routers = new Map<number, number>();
  maxGroups: number;
  idleMs: number;

  constructor(maxGroups: number, idleMs: number) {
    this.maxGroups = maxGroups;
    this.idleMs = idleMs;
  }

  get groups(): ReadonlyMap<string, Listeners> {
    return this.#groups;
  }

  get routerPorts(): Iterable<number> {
    return this.#routers.keys();
  }

  /** When the next listener or router has been silent for too long. */
  get nextExpiry(): number | undefined {
    let next = Infinity;
    for (const { expiresAt } of this.#groups.values()) for (const at of expiresAt.values()) next = Math.min(next, at);
    for (const at of this.#routers.values()) next = Math.min(next, at);
    return next === Infinity ? undefined : next;
  }

  clear(): void {
    this.#groups.clear();
    this.#routers.clear();
  }

  heardIgmp(message: Igmp, port: number, now: number): void {
    switch (message.kind) {
      case "report1":
        return this.#join(formatIpv4(message.group), "IGMPv1", port, now);
      case "report2":
        return this.#join(formatIpv4(message.group), "IGMPv2", port, now);
      case "leave":
        return this.#leave(formatIpv4(message.group), port);
      case "report3":
        return this.#report(message.records, formatIpv4, "IGMPv3", port, now);
      default:
        return this.#heardRouter(port, now);
    }
  }

  heardMld(message: Mld, src: Ipv6, port: number, now: number): void {
    switch (message.kind) {
      case "report":
        return this.#join(formatIpv6(message.group), "MLDv1", port, now);
      case "done":
        return this.#leave(formatIpv6(message.group), port);
      case "report2":
        return this.#report(message.records, formatIpv6, "MLDv2", port, now);
      default:
        if (src !== 0n) this.#heardRouter(port, now);
    }
  }

  expire(now: number): void {
    for (const [group, { expiresAt }] of this.#groups) {
      for (const [port, at] of expiresAt) if (at <= now) expiresAt.delete(port);
      if (expiresAt.size === 0) this.#groups.delete(group);
    }
    for (const [port, at] of this.#routers) if (at <= now) this.#routers.delete(port);
  }

  #report<A extends Ipv4 | Ipv6>(
    reported: readonly { readonly type: number; readonly group: A; readonly sources: readonly A[] }[], format: (group: A) => string,
    protocol: SnoopedProtocol, port: number, now: number,
  ): void {
    for (const { type, group, sources } of reported) {
      if (type < 1 || type > records.last) continue;
      // To listen to no source at all is to leave.
      if (sources.length === 0 && (type === records.isInclude || type === records.toInclude)) this.#leave(format(group), port);
      else this.#join(format(group), protocol, port, now);
    }
  }

  #join(group: string, protocol: SnoopedProtocol, port: number, now: number): void {
    // A router's port gets everything anyway.
    if (this.#routers.has(port)) return;
    const known = this.#groups.get(group);
    if (known === undefined && this.#groups.size >= this.maxGroups) {
      for (const oldest of this.#groups.keys()) {
        this.#groups.delete(oldest);
        break;
      }
    }
    // Moves to the end: the map is in the order in which groups were last heard of.
    this.#groups.delete(group);
    this.#groups.set(group, { protocol, expiresAt: (known?.expiresAt ?? new Map<number, number>()).set(port, now + this.idleMs) });
  }

  #leave(group: string, port: number): void {
    const known = this.#groups.get(group);
    known?.expiresAt.delete(port);
    if (known?.expiresAt.size === 0) this.#groups.delete(group);
  }

  #heardRouter(port: number, now: number): void {
    this.#routers.set(port, now + routerIdleMs);
  }
}
