/**
 * Routes learned: what other routers advertise on a transit switch becomes a static route of every router of this zone that
 * has a port there, unless something of this zone's own says otherwise.
 *
 * A load balancer of the router keeps out the route to its own address alone. In ovn-ic it also keeps out every wider prefix
 * that happens to contain the address, the default route included.
 */
import { derived, rule } from "../engine/index.ts";
import { type Ip, parsePrefix, type Prefix } from "../net/index.ts";
import { entries } from "../ovsdb/index.ts";
import { addressOfVip, type Routing } from "./route-advertise.ts";
import { isWanted } from "./route-filter.ts";
import { isOnLink, isOwnMakingIpv6, transitPort, type TransitPort } from "./transit-port.ts";
import { Complaint, LearnedRoute } from "./wishes.ts";
import { type IcSb, isOn, isOwn, type Nb, type Zone, zoneName, zoneOptions } from "./zone.ts";

export const learnRoute = rule("learn-route", ({ zone }: Routing) => zone.icSb.tables.Route, function* ({ zone, ports }, route) {
  if (zoneName(zone) === "") return;
  for (const binding of ports.ofSwitch.get(route.transit_switch)) {
    const port = transitPort(binding, zone);
    if (port === undefined || port.address === "" || isFromSelf(zone, route, port.router)) continue;
    const tag = route.external_ids.get("ic-route-tag");
    if (tag !== undefined && tag === (port.routerPort?.options.get("ic-route-filter-tag") ?? "")) continue;
    if (route.route_table !== "" && route.route_table !== port.routeTable) continue;
    const [prefix, nexthop] = [parsePrefix(route.ip_prefix), parsePrefix(route.nexthop)];
    if (prefix === undefined || nexthop === undefined || isOwnMakingIpv6(nexthop)) {
      yield Complaint({ text: `Bad route format in IC-SB: ${route.ip_prefix} -> ${route.nexthop}. Ignored.` });
      continue;
    }
    if (!isLearned(zone, route, port, prefix, nexthop)) continue;
    const overrides = isOn(route.options, "override-connected") ? "true" : undefined;
    yield LearnedRoute({
      key: `${port.router._uuid} ${route._uuid}`, parent: port.router._uuid,
      columns: {
        ip_prefix: route.ip_prefix, nexthop: route.nexthop, route_table: route.route_table,
        external_ids: entries({ "ic-learned-route": route._uuid }), options: entries({ origin: route.origin, "override-connected": overrides }),
      },
    });
  }
});

/** Rows of older versions do not say which router they come from; then all of this zone's are its own. */
function isFromSelf(zone: Zone, route: IcSb<"Route">, router: Nb<"Logical_Router">): boolean {
  const origin = route.external_ids.get("lr-id");
  return origin === undefined ? isOwn(zone, route) : origin === router._uuid;
}

function isLearned(zone: Zone, route: IcSb<"Route">, { router, routerPort }: TransitPort, prefix: Prefix, nexthop: Ip): boolean {
  if (routerPort === undefined || router.enabled === false) return false;
  if (!isWanted(zone, "learn", prefix, router, routerPort)) return false;
  if (route.origin === "loadbalancer" && !isOn(zoneOptions(zone), "ic-route-learn-lb")) return false;
  return (
    isOnLink(routerPort, nexthop) && !ownStaticRoutes(router, zone).has(`${route.route_table} ${route.ip_prefix}`) &&
    !isOwnVip(zone, router, prefix) && !isLearnedDynamically(zone, router, route.ip_prefix)
  );
}

/** Table and prefix, as written, of the router's routes that ovn-ic did not bring. */
const ownStaticRoutes = derived("own static routes", (router: Nb<"Logical_Router">, zone: Zone): ReadonlySet<string> => {
  const result = new Set<string>();
  for (const uuid of router.static_routes) {
    const route = zone.nb.tables.Logical_Router_Static_Route.get(uuid);
    if (route !== undefined && !route.external_ids.has("ic-learned-route")) result.add(`${route.route_table} ${route.ip_prefix}`);
  }
  return result;
});

const balancersOf = derived("load balancers", (router: Nb<"Logical_Router">, zone: Zone): ReadonlySet<string> => {
  const result = new Set<string>(router.load_balancer);
  for (const group of router.load_balancer_group) {
    for (const balancer of zone.nb.tables.Load_Balancer_Group.get(group)?.load_balancer ?? []) result.add(balancer);
  }
  return result;
});

const vipsOf = derived("own VIPs", (router: Nb<"Logical_Router">, zone: Zone): ReadonlySet<Ip["address"]> => {
  const wanted = balancersOf(router, zone);
  const result = new Set<Ip["address"]>();
  if (wanted.size === 0) return result;
  for (const balancer of zone.nb.tables.Load_Balancer) {
    if (!wanted.has(balancer._uuid)) continue;
    for (const vip of balancer.vips.keys()) {
      const address = addressOfVip(vip);
      if (address !== undefined) result.add(address.address);
    }
  }
  return result;
});

const isOwnVip = (zone: Zone, router: Nb<"Logical_Router">, prefix: Prefix): boolean =>
  prefix.length === (prefix.family === 4 ? 32 : 128) && vipsOf(router, zone).has(prefix.address);

function isLearnedDynamically(zone: Zone, router: Nb<"Logical_Router">, prefix: string): boolean {
  const datapath = zone.datapathByNbUuid.first(router._uuid);
  return datapath !== undefined && zone.learnedRoutesOf.first(`${datapath._uuid} ${prefix}`) !== undefined;
}

export const identifyRoute = (zone: Zone) => (row: IcSb<"Route">): string | undefined =>
  isOwn(zone, row) ? [row.transit_switch, row.route_table, row.ip_prefix, row.nexthop].join(" ") : undefined;

export function identifyLearnedRoute(zone: Zone) {
  return (row: Nb<"Logical_Router_Static_Route">): string | undefined => {
    const learned = row.external_ids.get("ic-learned-route");
    return learned === undefined ? undefined : `${zone.routerOfRoute.first(row._uuid)?._uuid ?? ""} ${learned}`;
  };
}
