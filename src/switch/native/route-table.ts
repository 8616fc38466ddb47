/**
 * Routes of tunnels that this switch carries itself, over its own bridges ("ovs/route" commands, ovs-router.c in OVS). A route leads
 * to a device, which is a bridge's own port; its source is the device's address in the same network.
 *
 * Tables as Linux has them: "local" is asked first, then "main", then "default". Within a table the longest prefix wins.
 */
import { contains, formatIp, type Ip, networkOf, type Prefix } from "../../net/index.ts";

export interface Route {
  /** A network: host bits are zero. */
  readonly prefix: Prefix;
  readonly mark: number;
  readonly device: string;
  readonly gateway: Ip | undefined;
  readonly source: Ip;
  readonly isUser: boolean;
}

export interface RouteFound {
  readonly device: string;
  readonly gateway: Ip | undefined;
  readonly source: Ip;
}

export const routeTables = { local: 255, main: 254, default: 253 } as const;
const asked: readonly number[] = [routeTables.local, routeTables.main, routeTables.default];

export class RouteTable {
  readonly #addressesOf: (device: string) => readonly Prefix[];
  readonly #tables = new Map<number, Map<string, Route>>();
  #markedCount = 0;
  changed: () => void = () => undefined;

  constructor(addressesOf: (device: string) => readonly Prefix[]) {
    this.#addressesOf = addressesOf;
  }

  /** False if the device has no address for it. */
  add(table: number, route: Omit<Route, "source">, source?: Ip): boolean {
    const near = [route.prefix, ...(route.gateway === undefined ? [] : [route.gateway])];
    const own = near.map((ip) => (source === undefined ? this.sourceTowards(ip, route.device) : this.#verified(source, ip, route.device))).find((ip) => ip !== undefined);
    if (own === undefined) return false;
    const routes = this.#tables.get(table) ?? new Map<string, Route>();
    this.#tables.set(table, routes);
    const prefix = networkOf(route.prefix);
    if (route.mark !== 0 && !routes.has(keyOf(prefix, route.mark))) this.#markedCount++;
    routes.set(keyOf(prefix, route.mark), { ...route, prefix, source: own });
    this.changed();
    return true;
  }

  /** Only routes that were added by command. */
  remove(table: number, prefix: Prefix, mark: number): boolean {
    const key = keyOf(networkOf(prefix), mark);
    const routes = this.#tables.get(table);
    if (routes?.get(key)?.isUser !== true) return false;
    if (mark !== 0) this.#markedCount--;
    routes.delete(key);
    this.changed();
    return true;
  }

  get usesMarks(): boolean {
    return this.#markedCount > 0;
  }

  hasTable(table: number): boolean {
    return this.#tables.has(table);
  }

  list(table: number): readonly Route[] {
    return [...(this.#tables.get(table)?.values() ?? [])].sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /** `source`: what the packet's source address is to be, which must be one of this machine's; undefined: the route's. */
  lookup(to: Ip, source: Ip | undefined, mark = 0): RouteFound | undefined {
    if (source !== undefined && this.#lookupIn(routeTables.local, source, mark) === undefined) return undefined;
    for (const table of asked) {
      const found = this.#lookupIn(table, to, mark);
      if (found !== undefined) return { device: found.device, gateway: found.gateway, source: source ?? found.source };
    }
    return undefined;
  }

  #lookupIn(table: number, to: Ip, mark: number): Route | undefined {
    let best: Route | undefined;
    for (const route of this.#tables.get(table)?.values() ?? []) {
      if (route.mark === mark && contains(route.prefix, to) && (best === undefined || route.prefix.length > best.prefix.length)) best = route;
    }
    return best;
  }

  /** The device's address in the smallest network that `to` is in. */
  sourceTowards(to: Ip, device: string): Ip | undefined {
    let best: Prefix | undefined;
    for (const own of this.#addressesOf(device)) if (contains(own, to) && (best === undefined || own.length > best.length)) best = own;
    return best === undefined ? undefined : addressOf(best);
  }

  #verified(source: Ip, to: Ip, device: string): Ip | undefined {
    const isOwn = this.#addressesOf(device).some((own) => formatIp(own) === formatIp(source) && contains(own, to));
    return isOwn ? source : undefined;
  }
}

const addressOf = (prefix: Prefix): Ip => (prefix.family === 4 ? { family: 4, address: prefix.address } : { family: 6, address: prefix.address });
const keyOf = (prefix: Prefix, mark: number): string => `${formatIp(prefix)}/${prefix.length} ${mark}`;
