/**
 * The order in which OVN's northd meets routers and routes: it numbers route tables and ECMP groups as it comes upon them. The
 * numbers are seen in flows (reg7, reg8), so ours are the same.
 *
 * It walks hash maps (OVS's hmap): by the low bits of the first word of an UUID, as many as the number of items asks for. Within
 * a bucket the latest comes first, and each growth of the map turns the order round. Routers go into such a map, then, router by
 * router and sorted by UUID, their static routes, followed by the networks of their ports, into another.
 *
 * Learned routes have a map of their own, and come when static ones have.
 *
 * So the numbers follow from the northbound database, but for one thing: routers that share a bucket come in the order in which
 * their datapaths got there, which depends on random southbound UUIDs, and so do learned routes. Here they come by UUID.
 */
import { Cell, relation, type Sink } from "../../engine/index.ts";
import { ValuesByKey } from "../values-by-key.ts";

export type Routed =
  | { readonly kind: "router"; readonly router: string }
  | { readonly kind: "static"; readonly router: string; readonly route: string }
  /** Row of Learned_Route. */
  | { readonly kind: "learned"; readonly router: string; readonly route: string }
  /** Routes to the networks of a port. */
  | { readonly kind: "connected"; readonly router: string; readonly port: string; readonly count: number };

export const Routed = relation<Routed>("routed", (item) => {
  switch (item.kind) {
    case "router": return item.router;
    case "static": return `${item.router} ${item.route}`;
    case "learned": return `learned ${item.route}`;
    case "connected": return `${item.router} ${item.port} ${item.count}`;
  }
});

/** Whether a map of so many items, which has just got the last of them, grows. */
const grows = (count: number): boolean => count === 2 || (count >= 8 && (count & (count - 1)) === 0);

const maskOf = (count: number): number => (count < 2 ? 0 : count < 8 ? 3 : 2 ** Math.floor(Math.log2(count)) - 1);

const bucketOf = (uuid: string, mask: number): number => (Number.parseInt(uuid.slice(0, 8), 16) & mask) >>> 0;

/** What has to be known of a router to tell in which order two of its routes come that share a bucket. */
export interface Growth {
  /** Of the whole map. */
  readonly mask: number;
  /** The map grew when the route with this UUID had come: once for each of them. */
  readonly after: readonly string[];
  /** How often it grew when all of them were in. */
  readonly later: number;
}

interface RouterRoutes {
  /** By UUID. */
  readonly routes: string[];
  connected: number;
  isThere: boolean;
}

export interface RouteOrder {
  /** A tracked read. */
  compareRouters(a: string, b: string): number;
  compareRoutes(router: string, a: string, b: string): number;
  compareLearned(a: string, b: string): number;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export class RouteCensus implements Sink<Routed>, RouteOrder {
  readonly #routers = new Map<string, RouterRoutes>();
  readonly #routerMask = new Cell("buckets of routers", 0);
  readonly #growths = new ValuesByKey<Growth>("growth of the map of routes");
  readonly #learnedMask = new Cell("buckets of learned routes", 0);
  #learned = 0;
  #isStale = false;

  added(item: Routed): void {
    this.#isStale = true;
    if (item.kind === "learned") {
      this.#learned++;
      return;
    }
    const of = this.#of(item.router);
    if (item.kind === "router") of.isThere = true;
    else if (item.kind === "connected") of.connected += item.count;
    else of.routes.splice(placeOf(of.routes, item.route), 0, item.route);
  }

  removed(item: Routed): void {
    this.#isStale = true;
    if (item.kind === "learned") {
      this.#learned--;
      return;
    }
    const of = this.#of(item.router);
    if (item.kind === "router") of.isThere = false;
    else if (item.kind === "connected") of.connected -= item.count;
    else of.routes.splice(placeOf(of.routes, item.route), 1);
    if (!of.isThere && of.connected === 0 && of.routes.length === 0) {
      this.#routers.delete(item.router);
      this.#growths.clear(item.router);
    }
  }

  settle(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const present = [...this.#routers].filter(([, of]) => of.isThere);
    const mask = maskOf(present.length);
    this.#routerMask.set(mask);
    this.#learnedMask.set(maskOf(this.#learned));
    const total = present.reduce((sum, [, of]) => sum + of.routes.length + of.connected, 0);
    const routeMask = maskOf(total);
    let start = 0;
    for (const [router, { routes, connected }] of present.sort(([a], [b]) => bucketOf(a, mask) - bucketOf(b, mask) || compare(a, b))) {
      this.#growths.set(router, { mask: routeMask, after: grownAfter(start, routes), later: growthsBetween(start + routes.length, total) });
      start += routes.length + connected;
    }
  }

  compareRouters(a: string, b: string): number {
    const mask = this.#routerMask.get();
    return bucketOf(a, mask) - bucketOf(b, mask) || compare(a, b);
  }

  compareRoutes(router: string, a: string, b: string): number {
    const { mask, after, later } = this.#growths.get(router) ?? { mask: 0, after: [], later: 0 };
    const buckets = bucketOf(a, mask) - bucketOf(b, mask);
    if (buckets !== 0 || a === b) return buckets;
    const second = a < b ? b : a;
    const turns = later + after.filter((grown) => grown >= second).length;
    return turns % 2 === 0 ? compare(b, a) : compare(a, b);
  }

  compareLearned(a: string, b: string): number {
    const mask = this.#learnedMask.get();
    return bucketOf(a, mask) - bucketOf(b, mask) || compare(a, b);
  }

  #of(router: string): RouterRoutes {
    let of = this.#routers.get(router);
    if (of === undefined) {
      of = { routes: [], connected: 0, isThere: false };
      this.#routers.set(router, of);
    }
    return of;
  }
}

/** How often the map grows from `start` items, exclusive, to `end` of them. */
function growthsBetween(start: number, end: number): number {
  const growthsTo = (count: number): number => (count < 2 ? 0 : count < 8 ? 1 : Math.floor(Math.log2(count)) - 1);
  return growthsTo(end) - growthsTo(start);
}

function grownAfter(start: number, routes: readonly string[]): readonly string[] {
  const after: string[] = [];
  for (let count = 2; count <= start + routes.length; count = count === 2 ? 8 : 2 * count) {
    const route = grows(count) && count > start ? routes[count - start - 1] : undefined;
    if (route !== undefined) after.push(route);
  }
  return after;
}

/** Where `route` is among sorted ones, or belongs. */
function placeOf(routes: readonly string[], route: string): number {
  let low = 0;
  let high = routes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((routes[middle] ?? "") < route) low = middle + 1;
    else high = middle;
  }
  return low;
}
