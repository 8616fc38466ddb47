/** What a host knows of its network: its addresses, and the routes that follow from them or were given. */
import { contains, type Ip, isLinkLocalIpv6, networkOf, type Prefix } from "../../net/index.ts";

export type Origin = "static" | "dhcp" | "slaac" | "kernel";

export interface Address {
  readonly prefix: Prefix;
  readonly origin: Origin;
  /** When it ends, by the clock, in milliseconds; undefined: never. */
  readonly validUntil: number | undefined;
  readonly preferredUntil: number | undefined;
}

export interface Route {
  readonly destination: Prefix;
  /** undefined: on the link. */
  readonly via: Ip | undefined;
  readonly origin: "kernel" | "static" | "dhcp" | "ra";
  readonly metric: number;
}

export const sameIp = (a: Ip, b: Ip): boolean => a.family === b.family && a.address === b.address;
const samePrefix = (a: Prefix, b: Prefix): boolean => sameIp(a, b) && a.length === b.length;

export class NetworkState {
  #addresses: Address[] = [];
  #routes: Route[] = [];
  #changed: () => void = () => {};

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
    const at = this.#addresses.findIndex((a) => sameIp(a.prefix, address.prefix));
    if (at >= 0) this.#addresses[at] = address;
    else this.#addresses.push(address);
    const { prefix } = address;
    const full = prefix.family === 4 ? 32 : 128;
    if (prefix.length < full) this.addRoute({ destination: networkOf(prefix), via: undefined, origin: "kernel", metric: prefix.family === 4 ? 0 : 256 });
    this.#changed();
  }

  removeAddress(ip: Ip): boolean {
    const gone = this.#addresses.find((a) => sameIp(a.prefix, ip));
    if (gone === undefined) return false;
    this.#addresses = this.#addresses.filter((a) => a !== gone);
    const network = networkOf(gone.prefix);
    const isShared = this.#addresses.some((a) => samePrefix(networkOf(a.prefix), network));
    if (!isShared) this.#routes = this.#routes.filter((r) => r.via !== undefined || !samePrefix(r.destination, network));
    this.#changed();
    return true;
  }

  /** Adds it unless there is one like it; true if it was added. */
  addRoute(route: Route): boolean {
    const isThere = this.#routes.some((r) => samePrefix(r.destination, route.destination) && r.metric === route.metric && sameVia(r.via, route.via));
    if (!isThere) this.#routes.push(route);
    return !isThere;
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

  /** The longest prefix wins, then the lowest metric. */
  routeTo(ip: Ip): Route | undefined {
    let best: Route | undefined;
    for (const route of this.#routes) {
      if (!contains(route.destination, ip)) continue;
      const isBetter = best === undefined || route.destination.length > best.destination.length || (route.destination.length === best.destination.length && route.metric < best.metric);
      if (isBetter) best = route;
    }
    return best;
  }

  /** The address that packets to `ip` come from: on the next hop's network if there is one, else the first of fitting scope. */
  sourceFor(ip: Ip): Ip | undefined {
    if (this.isOwn(ip)) return ip;
    const hop = this.routeTo(ip)?.via ?? ip;
    const own = this.#addresses.map((a) => a.prefix).filter((p) => p.family === ip.family);
    if (ip.family === 4) return own.find((p) => contains(p, hop)) ?? own[0];
    const wantsLinkLocal = isLinkLocalIpv6(ip.address) || ip.address >> 112n === 0xff02n;
    const scoped = own.filter((p) => p.family === 6 && isLinkLocalIpv6(p.address) === wantsLinkLocal);
    return scoped.find((p) => contains(p, ip)) ?? scoped.find((p) => contains(p, hop)) ?? scoped[0] ?? own[0];
  }
}

const sameVia = (a: Ip | undefined, b: Ip | undefined): boolean => (a === undefined || b === undefined ? a === b : sameIp(a, b));

export const isLoopback = (ip: Ip): boolean => (ip.family === 4 ? ip.address >>> 24 === 127 : ip.address === 1n);
