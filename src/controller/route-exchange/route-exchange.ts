/**
 * Keeps the kernel's tables as the rules want them, and tells the rules what there is to learn from them.
 *
 * A table is looked at, compared, and corrected by the difference: at the start, whenever the wishes change, and whenever the
 * kernel says that something changed. So a restart loses no route (what is in place already is left alone), and what somebody
 * else took away comes back. Nothing is taken away before every row of the database has come.
 */
import type { CollectionWatcher, Sink } from "../../engine/index.ts";
import type { Host, KernelRoute, KernelRouting, Log, RoutingTable, Timer } from "../../host/index.ts";
import { formatIp, formatPrefix, isLinkLocalIpv4, isLinkLocalIpv6, networkOf, parsePrefix } from "../../net/index.ts";
import { ovnProtocol, type WantedRoute } from "./advertised-routes.ts";
import { type ExchangeTable, tableKey } from "./exchange-table.ts";
import type { KernelRoutes, LearnableRoute } from "./kernel-routes.ts";

/** Protocols up to this one (RTPROT_STATIC) are the kernel's own and administrators'. */
const lastStaticProtocol = 4;
/** A routing daemon writes many routes at a time: the table is looked at once for them all. */
const gatherMs = 20;
const firstRetryMs = 100;
const lastRetryMs = 8000;

class TableState {
  readonly table: RoutingTable;
  readonly routers = new Set<ExchangeTable>();
  stopWatching: (() => void) | undefined;
  /** The VRF was made, or found, in this run. */
  hasVrf = false;
  isBusy = false;
  /** Something changed since it was looked at. */
  isStale = true;
  retryMs = firstRetryMs;
  timer: Timer | undefined;
  constructor(table: RoutingTable) {
    this.table = table;
  }
}

export interface RouteExchangePlace {
  readonly host: Host;
  readonly kernelRoutes: KernelRoutes;
  /** Every row that matters has come: what is not wanted may go. */
  isGrown(): boolean;
  /** The rules are to be run. */
  changed(): void;
}

export class RouteExchange implements Sink<ExchangeTable> {
  readonly #place: RouteExchangePlace;
  readonly #kernel: KernelRouting | undefined;
  readonly #log: Log;
  readonly #tables = new Map<string, TableState>();
  readonly #wanted = new Map<string, Set<WantedRoute>>();
  #isStopped = false;

  constructor(place: RouteExchangePlace) {
    this.#place = place;
    this.#kernel = place.host.routing;
    this.#log = place.host.log.module("route_exchange");
  }

  added(router: ExchangeTable): void {
    const key = tableKey(router.table);
    const state = this.#tables.get(key) ?? new TableState(router.table);
    this.#tables.set(key, state);
    state.routers.add(router);
    this.#stale(state);
  }

  removed(router: ExchangeTable): void {
    const state = this.#tables.get(tableKey(router.table));
    if (state === undefined) return;
    state.routers.delete(router);
    this.#stale(state);
  }

  /** For the relation of wanted routes. */
  readonly routes: CollectionWatcher<WantedRoute> = {
    added: (route) => {
      const of = this.#wanted.get(route.datapath) ?? new Set();
      this.#wanted.set(route.datapath, of.add(route));
      this.#routesChanged(route);
    },
    removed: (route) => {
      const of = this.#wanted.get(route.datapath);
      of?.delete(route);
      if (of?.size === 0) this.#wanted.delete(route.datapath);
      this.#routesChanged(route);
    },
  };

  /** What had to wait until every row had come. */
  grown(): void {
    for (const state of this.#tables.values()) this.#stale(state);
  }

  stop(): void {
    this.#isStopped = true;
    for (const state of this.#tables.values()) {
      state.timer?.cancel();
      state.stopWatching?.();
    }
  }

  /** The controller goes for good: its routes and VRFs with it. */
  async withdraw(): Promise<void> {
    this.stop();
    for (const state of this.#tables.values()) await this.#remove(state).catch(() => undefined);
  }

  #routesChanged(route: WantedRoute): void {
    for (const state of this.#tables.values()) {
      for (const router of state.routers) if (router.datapath === route.datapath) this.#stale(state);
    }
  }

  #stale(state: TableState): void {
    state.isStale = true;
    this.#schedule(state, 0);
  }

  #schedule(state: TableState, delayMs: number): void {
    if (this.#isStopped || this.#kernel === undefined || state.isBusy || state.timer !== undefined) return;
    state.timer = this.#place.host.clock.after(delayMs, () => {
      state.timer = undefined;
      void this.#work(state);
    });
  }

  async #work(state: TableState): Promise<void> {
    state.isBusy = true;
    state.isStale = false;
    let isDone = false;
    try {
      isDone = state.routers.size > 0 ? await this.#sync(state) : await this.#release(state);
    } catch (error) {
      this.#log.warn(`routing table ${state.table.id}: ${error instanceof Error ? error.message : String(error)}`);
    }
    state.isBusy = false;
    if (isDone) state.retryMs = firstRetryMs;
    else {
      this.#schedule(state, state.retryMs);
      state.retryMs = Math.min(2 * state.retryMs, lastRetryMs);
      return;
    }
    if (state.isStale) this.#schedule(state, 0);
  }

  /** Whether everything is as it should be now. */
  async #sync(state: TableState): Promise<boolean> {
    const kernel = this.#kernel;
    if (kernel === undefined || !(await this.#makeVrf(state, kernel))) return false;
    const { table } = state;
    state.stopWatching ??= kernel.watch(table, () => {
      state.isStale = true;
      this.#schedule(state, gatherMs);
    });
    const routers = this.#routersOf(table.id);
    if (routers.filter((datapath) => (this.#wanted.get(datapath)?.size ?? 0) > 0).length > 1) {
      this.#log.warn(`Multiple datapaths are distributing routes on routing table ${table.id}`);
      return true;
    }
    const present = await kernel.routes(table);
    if (this.#isStopped) return true;
    this.#learn(table, present);
    const wanted = new Map(routers.flatMap((datapath) => [...(this.#wanted.get(datapath) ?? [])]).map((route) => [identityOf(asKernelRoute(route)), asKernelRoute(route)]));
    const stale: KernelRoute[] = [];
    for (const route of present.filter((r) => r.protocol === ovnProtocol)) if (!wanted.delete(identityOf(route))) stale.push(route);
    const failures = await kernel.change(table, this.#place.isGrown() ? stale : [], [...wanted.values()]);
    for (const { route, reason } of failures) {
      this.#log.warn(`${stale.includes(route) ? "Delete" : "Add"} route ${describe(table, route)} failed: ${reason}`);
    }
    return failures.length === 0;
  }

  async #makeVrf(state: TableState, kernel: KernelRouting): Promise<boolean> {
    const owner = [...state.routers].find((router) => router.maintainsVrf);
    // What its owner no longer wants maintained is not ours to remove either.
    if (owner === undefined) state.hasVrf = false;
    if (owner === undefined || state.hasVrf) return true;
    try {
      await kernel.createVrf(state.table);
      state.hasVrf = true;
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn(`Unable to create VRF ${state.table.vrf} for datapath ${owner.datapath}: ${reason}.`);
      return false;
    }
  }

  #routersOf(id: number): readonly WantedRoute["datapath"][] {
    return [...this.#tables.values()].filter(({ table }) => table.id === id).flatMap(({ routers }) => [...routers].map((router) => router.datapath));
  }

  #learn(table: RoutingTable, routes: readonly KernelRoute[]): void {
    const key = tableKey(table);
    this.#place.kernelRoutes.set(key, routes.flatMap((route) => learnable(key, route)));
    this.#place.changed();
  }

  /** No router uses the table any more. */
  async #release(state: TableState): Promise<boolean> {
    // Until every row has come, its router may just not be known yet.
    if (!this.#place.isGrown()) return true;
    await this.#remove(state);
    if (state.routers.size > 0) return true;
    state.stopWatching?.();
    this.#tables.delete(tableKey(state.table));
    this.#place.kernelRoutes.forget(tableKey(state.table));
    this.#place.changed();
    return true;
  }

  async #remove(state: TableState): Promise<void> {
    const kernel = this.#kernel;
    if (kernel === undefined) return;
    const own = (await kernel.routes(state.table)).filter((route) => route.protocol === ovnProtocol);
    await kernel.change(state.table, own, []);
    if (state.hasVrf) await kernel.deleteVrf(state.table);
    state.hasVrf = false;
  }
}

const asKernelRoute = ({ destination, metric, nextHop }: WantedRoute): KernelRoute => ({
  kind: nextHop === undefined ? "blackhole" : "unicast", destination, protocol: ovnProtocol, metric,
  nextHops: nextHop === undefined ? [] : [{ address: nextHop, device: undefined }],
});

/** What tells one of our routes from another; the device by which a next hop is reached is the kernel's to find. */
const identityOf = ({ kind, destination, metric, nextHops }: KernelRoute): string =>
  `${destination} ${metric} ${kind === "blackhole" ? "" : nextHops[0]?.address ?? ""}`;

const describe = (table: RoutingTable, { destination, kind, nextHops }: KernelRoute): string => {
  const [address = "", length = ""] = destination.split("/");
  return `table_id=${table.id} dst=${address} plen=${length} nexthop=${kind === "blackhole" ? "(blackhole)" : nextHops[0]?.address ?? ""}`;
};

/** Nothing of one's own link, and nothing that stands there by hand. */
function learnable(table: string, route: KernelRoute): readonly LearnableRoute[] {
  const destination = parsePrefix(route.destination);
  if (destination === undefined || route.protocol === ovnProtocol || route.protocol <= lastStaticProtocol) return [];
  if (destination.family === 4 ? isLinkLocalIpv4(destination.address) : isLinkLocalIpv6(destination.address)) return [];
  const network = networkOf(destination);
  const prefix = network.length === (network.family === 4 ? 32 : 128) ? formatIp(network) : formatPrefix(network);
  return route.nextHops.flatMap(({ address, device }) => (address === undefined ? [] : [{ table, prefix, nextHop: address, device }]));
}
