/**
 * What a machine knows of its network: its addresses, and the routes that follow from them or were given. A route has one hop or
 * several of equal cost; which of these a packet takes is for its flow's hash to say (RFC 2992), so that a flow keeps its path.
 */
import { contains, type Ip, ipv4Of, isLinkLocalIpv6, networkOf, type Prefix } from "../../net/index.ts";

export type Origin = "static" | "dhcp" | "slaac" | "kernel";

export interface Address {
  readonly prefix: Prefix;
  /** The network device that has it. */
  readonly device: string;
  readonly origin: Origin;
  /** When it ends, by the clock, in milliseconds; undefined: never. */
  readonly validUntil: number | undefined;
  readonly preferredUntil: number | undefined;
  /** Shown beside it, where whoever set it named one. */
  readonly broadcast?: Ip;
}

export interface Hop {
  /** undefined: on the link. */
  readonly via: Ip | undefined;
  readonly device: string;
  readonly weight: number;
}

export interface Route {
  readonly destination: Prefix;
  /** None: packets there are thrown away (`blackhole`). */
  readonly hops: readonly Hop[];
  readonly origin: "kernel" | "static" | "dhcp" | "ra";
  readonly metric: number;
  /** The address that packets of this machine's own come from on this route. */
  readonly source?: Ip;
}

/** Where a packet goes next. */
export interface NextHop extends Hop {
  readonly route: Route;
}

export interface RouteQuery {
  /** Of the packet's flow. */
  readonly hash?: number;
  /** It has to leave by this device. */
  readonly device?: string;
}

export const sameIp = (a: Ip, b: Ip): boolean => a.family === b.family && a.address === b.address;
export const samePrefix = (a: Prefix, b: Prefix): boolean => sameIp(a, b) && a.length === b.length;
const sameVia = (a: Ip | undefined, b: Ip | undefined): boolean => (a === undefined || b === undefined ? a === b : sameIp(a, b));
const sameHops = (a: readonly Hop[], b: readonly Hop[]): boolean =>
  a.length === b.length && a.every((hop, i) => hop.device === b[i]?.device && sameVia(hop.via, b[i]?.via));

/** The one hop of a plain route. */
export const oneHop = (via: Ip | undefined, device: string): readonly Hop[] => [{ via, device, weight: 1 }];

/** Bounds what a peer, a router's announcements or a script can make a machine remember. */
const maxRoutes = 10_000;

export class NetworkState {
  #addresses: Address[] = [];
  #routes: Route[] = [];
  readonly #isUsable: (hop: Hop) => boolean;
  #changed: () => void = () => {};

  /** `isUsable`: whether a hop's device is up and its neighbor known to be alive. */
  constructor(isUsable: (hop: Hop) => boolean = () => true) {
    this.#isUsable = isUsable;
  }

  /** Called after every change. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  get addresses(): readonly Address[] {
    return this.#addresses;
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  /** Adds it, or gives it new times; with its network's route. */
  setAddress(address: Address): void {
    const at = this.#addresses.findIndex((a) => sameIp(a.prefix, address.prefix) && (a.device === address.device || !isScopedToLink(address.prefix)));
    if (at >= 0) this.#addresses[at] = address;
    else this.#addresses.push(address);
    const { prefix, device } = address;
    const full = prefix.family === 4 ? 32 : 128;
    if (prefix.length < full) this.addRoute({ destination: networkOf(prefix), hops: oneHop(undefined, device), origin: "kernel", metric: prefix.family === 4 ? 0 : 256 });
    this.#changed();
  }

  /** Of the device, if one is named. */
  removeAddress(ip: Ip, device?: string): boolean {
    const gone = this.#addresses.find((a) => sameIp(a.prefix, ip) && (device === undefined || a.device === device));
    if (gone === undefined) return false;
    this.#addresses = this.#addresses.filter((a) => a !== gone);
    const network = networkOf(gone.prefix);
    const isShared = this.#addresses.some((a) => a.device === gone.device && samePrefix(networkOf(a.prefix), network));
    if (!isShared) this.#routes = this.#routes.filter((r) => !isOnLink(r, gone.device) || !samePrefix(r.destination, network));
    this.#changed();
    return true;
  }

  /** Adds it unless there is one like it; true if it was added. */
  addRoute(route: Route): boolean {
    const isThere = this.#routes.some((r) => samePrefix(r.destination, route.destination) && r.metric === route.metric && sameHops(r.hops, route.hops));
    if (isThere || this.#routes.length >= maxRoutes) return false;
    this.#routes.push(route);
    return true;
  }

  removeRoute(matches: (route: Route) => boolean): boolean {
    const kept = this.#routes.filter((r) => !matches(r));
    const isGone = kept.length < this.#routes.length;
    this.#routes = kept;
    return isGone;
  }

  isOwn(ip: Ip): boolean {
    return isLoopback(ip) || this.#addresses.some((a) => sameIp(a.prefix, ip));
  }

  /** The device that has an address of this machine. */
  deviceOf(ip: Ip): string | undefined {
    return this.#addresses.find((a) => sameIp(a.prefix, ip))?.device;
  }

  isUsable(hop: Hop): boolean {
    return this.#isUsable(hop);
  }

  /** The longest prefix wins, then the lowest metric; of routes whose hops are all dead, none. */
  routeTo(ip: Ip, { hash = 0, device }: RouteQuery = {}): NextHop | undefined {
    let best: Route | undefined;
    let bestHops: readonly Hop[] = [];
    for (const route of this.#routes) {
      if (!contains(route.destination, ip)) continue;
      const isBetter = best === undefined || route.destination.length > best.destination.length || (route.destination.length === best.destination.length && route.metric < best.metric);
      if (!isBetter) continue;
      const hops = route.hops.filter((hop) => (device === undefined || hop.device === device) && this.#isUsable(hop));
      // A blackhole has no hops and takes its packets all the same.
      if (hops.length === 0 && (route.hops.length > 0 || device !== undefined)) continue;
      [best, bestHops] = [route, hops];
    }
    const hop = chooseHop(bestHops, hash);
    return best === undefined || hop === undefined ? undefined : { ...hop, route: best };
  }

  /** The address that packets to `ip` come from: on the next hop's network if there is one, else the first of fitting scope. */
  sourceFor(ip: Ip, query: RouteQuery = {}): Ip | undefined {
    if (this.isOwn(ip)) return ip;
    const next = this.routeTo(ip, query);
    if (next?.route.source !== undefined) return next.route.source;
    const hop = next?.via ?? ip;
    const device = query.device ?? next?.device;
    const all = this.#addresses.filter((a) => a.prefix.family === ip.family);
    const near = all.filter((a) => device === undefined || a.device === device);
    const own = (near.length > 0 ? near : all).map((a) => a.prefix);
    if (ip.family === 4) return own.find((p) => contains(p, hop)) ?? own[0];
    const wantsLinkLocal = isLinkLocalIpv6(ip.address) || ip.address >> 112n === 0xff02n;
    const isFitting = (p: Prefix): boolean => p.family === 6 && isLinkLocalIpv6(p.address) === wantsLinkLocal;
    const scoped = own.some(isFitting) ? own.filter(isFitting) : all.map((a) => a.prefix).filter(isFitting);
    return scoped.find((p) => contains(p, ip)) ?? scoped.find((p) => contains(p, hop)) ?? scoped[0] ?? own[0];
  }
}

function chooseHop(hops: readonly Hop[], hash: number): Hop | undefined {
  if (hops.length <= 1) return hops[0];
  const total = hops.reduce((sum, hop) => sum + hop.weight, 0);
  let at = (hash / 2 ** 32) * total;
  return hops.find((hop) => (at -= hop.weight) < 0) ?? hops.at(-1);
}

/** The address of everyone on the prefix's network. */
export function broadcastOf(prefix: Prefix): Ip {
  if (prefix.family !== 4) return prefix;
  const hostBits = prefix.length === 32 ? 0 : 0xffffffff >>> prefix.length;
  return { family: 4, address: ipv4Of((prefix.address | hostBits) >>> 0) };
}

const isOnLink = (route: Route, device: string): boolean => route.hops.some((hop) => hop.via === undefined && hop.device === device);
const isScopedToLink = (prefix: Prefix): boolean => prefix.family === 6 && isLinkLocalIpv6(prefix.address);

export const isLoopback = (ip: Ip): boolean => (ip.family === 4 ? ip.address >>> 24 === 127 : ip.address === 1n);
