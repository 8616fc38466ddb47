/**
 * The order in which OVN's northd meets routers, routes and policies: it numbers route tables, ECMP groups and chains of policies
 * as it comes upon them. The numbers are seen in flows (reg7, reg8, reg9), so ours are the same.
 *
 * It walks hash maps (OVS's hmap): by the low bits of the first word of an UUID, as many as the number of items asks for. Within
 * a bucket the latest comes first, and each growth of the map turns the order round. Routers go into such a map, then, router by
 * router and sorted by UUID, their static routes, followed by the networks of their ports, into another.
 *
 * Learned routes have a map of their own, and come when static ones have. Policies have one in which all of a router share a bucket.
 *
 * So the numbers follow from the northbound database, but for one thing: routers that share a bucket come in the order in which
 * their datapaths got there, which depends on random southbound UUIDs, and so do learned routes. Here they come by UUID.
 */
import { Cell, relation, type Sink } from "../../engine/index.ts";
import { ValuesByKey } from "../values-by-key.ts";

export type Routed =
  | { readonly kind: "router"; readonly router: string }
  | { readonly kind: "static"; readonly router: string; readonly route: string }
  | { readonly kind: "policy"; readonly router: string; readonly policy: string }
  /** Row of Learned_Route. */
  | { readonly kind: "learned"; readonly router: string; readonly route: string }
  /** Routes to the networks of a port. */
  | { readonly kind: "connected"; readonly router: string; readonly port: string; readonly count: number };

export const Routed = relation<Routed>("routed", (item) => {
  switch (item.kind) {
    case "router": return item.router;
    case "static": return `${item.router} ${item.route}`;
    case "policy": return `${item.router} ${item.policy}`;
    case "learned": return `learned ${item.route}`;
    case "connected": return `${item.router} ${item.port} ${item.count}`;
  }
});

/** Whether a map of so many items, which has just got the last of them, grows. */
const grows = (count: number): boolean => count === 2 || (count >= 8 && (count & (count - 1)) === 0);

const maskOf = (count: number): number => (count < 2 ? 0 : count < 8 ? 3 : 2 ** Math.floor(Math.log2(count)) - 1);

const bucketOf = (uuid: string, mask: number): number => (Number.parseInt(uuid.slice(0, 8), 16) & mask) >>> 0;

/** What has to be known of a router to tell in which order two of its items come that share a bucket. */
interface Growth {
  /** Of the whole map. */
  readonly mask: number;
  /** The map grew when the item with this UUID had come: once for each of them. */
  readonly after: readonly string[];
  /** How often it grew when all of the router's were in. */
  readonly later: number;
}

interface ItemsOfRouter {
  /** By UUID. */
  readonly items: string[];
  /** More that come after them. */
  more: number;
  /** How many were there before when the growth was last worked out; undefined if it has to be again. */
  start: number | undefined;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One hash map that is filled router by router. */
class FilledMap {
  readonly #routers = new Map<string, ItemsOfRouter>();
  readonly #growths: ValuesByKey<Growth>;
  #growthsSoFar = 0;
  isStale = false;

  constructor(name: string) {
    this.#growths = new ValuesByKey(name);
  }

  change(router: string, item: string | undefined, more: 1 | -1, count = 0): void {
    this.isStale = true;
    const of = this.#routers.get(router) ?? { items: [], more: 0, start: undefined };
    this.#routers.set(router, of);
    of.start = undefined;
    of.more += more * count;
    if (item !== undefined) of.items.splice(placeOf(of.items, item), more === 1 ? 0 : 1, ...(more === 1 ? [item] : []));
    if (of.items.length > 0 || of.more > 0) return;
    this.#routers.delete(router);
    this.#growths.clear(router);
  }

  settle(routers: readonly string[]): void {
    this.isStale = false;
    let total = 0;
    for (const { items, more } of this.#routers.values()) total += items.length + more;
    const mask = maskOf(total);
    const growths = growthsBetween(0, total);
    const hasGrown = growths !== this.#growthsSoFar;
    this.#growthsSoFar = growths;
    let start = 0;
    for (const router of routers) {
      const of = this.#routers.get(router);
      if (of === undefined) continue;
      const { items, more } = of;
      if (hasGrown || of.start !== start) this.#growths.set(router, { mask, after: grownAfter(start, items), later: growths - growthsBetween(0, start + items.length) });
      of.start = start;
      start += items.length + more;
    }
  }

  compare(router: string, a: string, b: string, bucket: (uuid: string, mask: number) => number): number {
    const { mask, after, later } = this.#growths.get(router) ?? { mask: 0, after: [], later: 0 };
    const buckets = bucket(a, mask) - bucket(b, mask);
    if (buckets !== 0 || a === b) return buckets;
    const second = a < b ? b : a;
    const turns = later + after.filter((grown) => grown >= second).length;
    return turns % 2 === 0 ? compare(b, a) : compare(a, b);
  }
}

export interface RouteOrder {
  /** Tracked reads, all of them. */
  compareRouters(a: string, b: string): number;
  compareRoutes(router: string, a: string, b: string): number;
  comparePolicies(router: string, a: string, b: string): number;
  compareLearned(a: string, b: string): number;
}

export class RouteCensus implements Sink<Routed>, RouteOrder {
  readonly #routers = new Set<string>();
  #inOrder: readonly string[] = [];
  readonly #routerMask = new Cell("buckets of routers", 0);
  readonly #learnedMask = new Cell("buckets of learned routes", 0);
  readonly #routes = new FilledMap("growth of the map of routes");
  readonly #policies = new FilledMap("growth of the map of policies");
  #learned = 0;
  #hasOtherRouters = false;

  added(item: Routed): void {
    this.#change(item, 1);
  }

  removed(item: Routed): void {
    this.#change(item, -1);
  }

  #change(item: Routed, by: 1 | -1): void {
    switch (item.kind) {
      case "router":
        this.#hasOtherRouters = true;
        if (by === 1) this.#routers.add(item.router);
        else this.#routers.delete(item.router);
        return;
      case "static":
        return this.#routes.change(item.router, item.route, by);
      case "connected":
        return this.#routes.change(item.router, undefined, by, item.count);
      case "policy":
        return this.#policies.change(item.router, item.policy, by);
      case "learned":
        this.#learned += by;
    }
  }

  settle(): void {
    this.#learnedMask.set(maskOf(this.#learned));
    const stale = [this.#routes, this.#policies].filter((map) => map.isStale || this.#hasOtherRouters);
    if (stale.length === 0) return;
    if (this.#hasOtherRouters) this.#sortRouters();
    for (const map of stale) map.settle(this.#inOrder);
  }

  #sortRouters(): void {
    this.#hasOtherRouters = false;
    const mask = maskOf(this.#routers.size);
    this.#routerMask.set(mask);
    this.#inOrder = [...this.#routers].sort((a, b) => bucketOf(a, mask) - bucketOf(b, mask) || compare(a, b));
  }

  compareRouters(a: string, b: string): number {
    const mask = this.#routerMask.get();
    return bucketOf(a, mask) - bucketOf(b, mask) || compare(a, b);
  }

  compareRoutes(router: string, a: string, b: string): number {
    return this.#routes.compare(router, a, b, bucketOf);
  }

  comparePolicies(router: string, a: string, b: string): number {
    return this.#policies.compare(router, a, b, () => 0);
  }

  compareLearned(a: string, b: string): number {
    const mask = this.#learnedMask.get();
    return bucketOf(a, mask) - bucketOf(b, mask) || compare(a, b);
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
