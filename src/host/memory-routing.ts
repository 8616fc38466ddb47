/** Routing tables in memory: the kernel of a simulated machine. Behaves as Linux where a controller or `ip route` can tell. */
import type { KernelRoute, KernelRouting, RouteFailure, RoutingTable } from "./kernel-routing.ts";

export interface MemoryRouting extends KernelRouting {
  /** The VRFs there are, by name. */
  readonly vrfs: ReadonlyMap<string, RoutingTable>;
  readonly tables: ReadonlyMap<number, readonly KernelRoute[]>;
}

export function memoryRouting(): MemoryRouting {
  const vrfs = new Map<string, RoutingTable>();
  const tables = new Map<number, KernelRoute[]>();
  const watchers = new Map<number, Set<() => void>>();
  // Of routes to one destination, IPv4 tells apart by metric, IPv6 by next hop too.
  const isSame = (a: KernelRoute, b: KernelRoute): boolean =>
    a.destination === b.destination && a.metric === b.metric && a.kind === b.kind && JSON.stringify(a.nextHops) === JSON.stringify(b.nextHops);
  const isTaken = (a: KernelRoute, b: KernelRoute): boolean => a.destination === b.destination && a.metric === b.metric;
  const tell = (table: number): void => {
    for (const changed of watchers.get(table) ?? []) changed();
  };
  return {
    vrfs,
    tables,
    async createVrf(table) {
      if (!vrfs.has(table.vrf)) vrfs.set(table.vrf, table);
    },
    async deleteVrf({ vrf }) {
      const table = vrfs.get(vrf);
      if (table === undefined) return;
      vrfs.delete(vrf);
      // A VRF takes the routes that hang on it along; those of no device stay until somebody removes them.
      tables.delete(table.id);
      tell(table.id);
    },
    routes: async ({ id }) => [...(tables.get(id) ?? [])],
    async change({ id }, remove, add) {
      const routes = tables.get(id) ?? [];
      const failures: RouteFailure[] = [];
      for (const route of remove) {
        const at = routes.findIndex((r) => isSame(r, route) && r.protocol === route.protocol);
        if (at < 0) failures.push({ route, reason: "No such process" });
        else routes.splice(at, 1);
      }
      for (const route of add) {
        if (routes.some((r) => isTaken(r, route))) failures.push({ route, reason: "File exists" });
        else routes.push(route);
      }
      if (routes.length > 0) tables.set(id, routes);
      else tables.delete(id);
      tell(id);
      return failures;
    },
    watch({ id }, changed) {
      const of = watchers.get(id) ?? new Set();
      watchers.set(id, of);
      of.add(changed);
      return () => void of.delete(changed);
    },
    deviceName: async () => undefined,
  };
}
