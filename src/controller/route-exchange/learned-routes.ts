/**
 * Routes that a routing daemon put into the kernel, written to Learned_Route for every port that learns from their table, and
 * taken out again when they have gone there (ovn-sb(5), Learned_Route).
 */
import { relation, rule } from "../../engine/index.ts";
import type { DatapathUuid, Node } from "../node.ts";
import type { PortBinding } from "../rows.ts";
import { SouthboundRepair } from "../repairs.ts";
import { tableKey } from "./exchange-table.ts";

interface WantedLearnedRoute {
  readonly datapath: DatapathUuid;
  readonly port: PortBinding;
  readonly prefix: string;
  readonly nextHop: string;
}

const WantedLearnedRoute = relation<WantedLearnedRoute>("WantedLearnedRoute", (r) => learnedKey(r.datapath, r.port._uuid, r.prefix, r.nextHop));

const learnedKey = (...parts: readonly string[]): string => parts.join(" ");

export const wishedLearnedRoutes = rule("wished-learned-routes", (node: Node) => node.kernelRoutes, function* (node, route) {
  for (const { datapath, port, device, learns } of node.exchangePortsByTable.get(route.table)) {
    if (!learns || (device !== undefined && device !== route.device)) continue;
    yield WantedLearnedRoute({ datapath, port, prefix: route.prefix, nextHop: route.nextHop });
  }
});

export const missingLearnedRoutes = rule("missing-learned-routes", (node: Node) => node.engine.facts(WantedLearnedRoute), function* (node, wish) {
  const key = learnedKey(wish.datapath, wish.port._uuid, wish.prefix, wish.nextHop);
  if (node.learnedRoutesByKey.first(key) !== undefined) return;
  yield SouthboundRepair({
    key: `Learned_Route ${key}`,
    apply: (txn) => void txn.insert("Learned_Route", { datapath: wish.datapath, logical_port: wish.port._uuid, ip_prefix: wish.prefix, nexthop: wish.nextHop }),
  });
});

/** Only of ports that learn here: of others some other chassis knows better. */
export const staleLearnedRoutes = rule("stale-learned-routes", (node: Node) => node.sb.tables.Learned_Route, function* (node, row) {
  if (node.engine.facts(WantedLearnedRoute).get(learnedKey(row.datapath, row.logical_port, row.ip_prefix, row.nexthop)) !== undefined) return;
  const exchange = node.exchangePortsOf.first(row.logical_port);
  if (exchange === undefined || !node.kernelRoutes.isKnown(tableKey(exchange.table))) return;
  yield SouthboundRepair({ key: `no Learned_Route ${row._uuid}`, apply: (txn) => txn.delete(row) });
});
