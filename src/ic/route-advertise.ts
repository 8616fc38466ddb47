/**
 * Routes advertised: whatever a router with a port on a transit switch can reach is written to IC-SB for the other zones, with
 * the router's address on that switch as next hop. Origins: its networks (`connected`), its static routes (`static`), its load
 * balancers' addresses (`loadbalancer`), and what it learned from its neighbours (`connected-dynamic`).
 *
 * An IPv6 prefix is not advertised from a port without an IPv6 address: ovn-ic offers the link-local one, which no learner
 * accepts, so that the row is made, refused and deleted in every run.
 */
import { derived, rule } from "../engine/index.ts";
import { formatIp, formatPrefix, parseIp, parsePrefix, type Prefix } from "../net/index.ts";
import { entries } from "../ovsdb/index.ts";
import { isWanted } from "./route-filter.ts";
import { addressesOf, isOwnMakingIpv6, transitPort, type TransitPort, type TransitPorts } from "./transit-port.ts";
import { ownZone, WantedRoute } from "./wishes.ts";
import { type Nb, isOn, nbUuidOf, type Zone, zoneName, zoneOptions } from "./zone.ts";

type Origin = "connected" | "static" | "loadbalancer" | "connected-dynamic";

/** In the order in which they take precedence where the unique index of Route allows but one. */
const ranks: { readonly [O in Origin]: number } = { connected: 0, static: 1, "connected-dynamic": 2, loadbalancer: 3 };

export interface Routing {
  readonly zone: Zone;
  readonly ports: TransitPorts;
}

/** The ports through which `router` advertises. */
function* portsOf({ zone, ports }: Routing, router: string): Iterable<TransitPort> {
  if (zoneName(zone) === "") return;
  for (const binding of ports.ofRouter.get(router)) {
    const port = transitPort(binding, zone);
    if (port !== undefined) yield port;
  }
}

const nextHopIpv6Option = "ic-route-ipv4-next-hop-ipv6";

/** The port's first address of the prefix's family; or its IPv6 one for both, where that is asked for. */
function nextHopFor(prefix: Prefix, port: TransitPort): string | undefined {
  const addresses = addressesOf(port.address) ?? [];
  const first = (family: 4 | 6): Prefix | undefined => addresses.find((address) => address.family === family);
  const onPort = port.routerPort?.options;
  const options = onPort?.has(nextHopIpv6Option) ? onPort : port.router.options;
  const hop = prefix.family === 4 ? ((isOn(options, nextHopIpv6Option) ? first(6) : undefined) ?? first(4)) : first(6);
  return hop === undefined ? undefined : formatIp(hop);
}

interface Advertisement {
  readonly prefix: Prefix;
  readonly origin: Origin;
  readonly routeTable: string;
  readonly overrides: boolean;
  /** The row in NB that it stems from, and what it is called in the log. */
  readonly source: string;
  readonly kind: "lrp" | "route" | "loadbalancer" | "lr";
}

function* advertise({ zone }: Routing, port: TransitPort, { prefix, origin, routeTable, overrides, source, kind }: Advertisement) {
  if (!isWanted(zone, "adv", prefix, port.router, port.routerPort)) return;
  const nexthop = nextHopFor(prefix, port);
  if (nexthop === undefined) return;
  const ip_prefix = formatPrefix(prefix);
  const tag = port.routerPort?.options.get("ic-route-tag");
  yield WantedRoute({
    key: [port.transitSwitch, routeTable, ip_prefix, nexthop].join(" "), rank: ranks[origin], origin, source: `${kind} uuid: ${source}`,
    initial: { transit_switch: port.transitSwitch, availability_zone: ownZone, route_table: routeTable, ip_prefix, nexthop },
    columns: {
      origin, options: overrides ? { "override-connected": "true" } : {},
      external_ids: entries({ "nb-id": source, "lr-id": port.router._uuid, "ic-route-tag": tag === "" ? undefined : tag }),
    },
  });
}

/**
 * A network goes to the main table, and once more to the table of the transit port if that has one: as a route that takes
 * precedence over connected ones, which a database of before 24.09 has no way to say.
 */
function* advertiseNetwork(routing: Routing, port: TransitPort, prefix: Prefix, origin: Origin, source: string) {
  const kind = origin === "connected" ? "lrp" : "lr";
  const canOverride = routing.zone.icSb.hasColumn("Route", "options");
  if (port.routeTable !== "" && canOverride) yield* advertise(routing, port, { prefix, origin: "connected", routeTable: port.routeTable, overrides: true, source, kind });
  yield* advertise(routing, port, { prefix, origin, routeTable: "", overrides: false, source, kind });
}

const isTransitPort = derived("is transit port", (port: Nb<"Logical_Router_Port">, routing: Routing): boolean => {
  const router = routing.zone.routerOfPort.first(port._uuid);
  if (router === undefined) return false;
  for (const { routerPortName } of portsOf(routing, router._uuid)) if (routerPortName === port.name) return true;
  return false;
});

export const advertiseConnected = rule("advertise-connected", ({ zone }: Routing) => zone.nb.tables.Logical_Router_Port, function* (routing, port) {
  const router = routing.zone.routerOfPort.first(port._uuid);
  if (router === undefined || isTransitPort(port, routing)) return;
  for (const transit of portsOf(routing, router._uuid)) {
    for (const network of port.networks) {
      const prefix = parsePrefix(network);
      if (prefix !== undefined) yield* advertiseNetwork(routing, transit, prefix, "connected", port._uuid);
    }
  }
});

export const advertiseStatic = rule("advertise-static", ({ zone }: Routing) => zone.nb.tables.Logical_Router_Static_Route, function* (routing, route) {
  if (route.policy === "src-ip" || route.external_ids.has("ic-learned-route")) return;
  const router = routing.zone.routerOfRoute.first(route._uuid);
  const prefix = parsePrefix(route.ip_prefix);
  const nexthop = route.nexthop === "discard" ? undefined : parsePrefix(route.nexthop);
  if (router === undefined || prefix === undefined || (route.nexthop !== "discard" && (nexthop === undefined || isOwnMakingIpv6(nexthop)))) return;
  const overrides = isOn(route.options, "override-connected");
  for (const transit of portsOf(routing, router._uuid)) {
    if (transit.routeTable !== route.route_table) continue;
    yield* advertise(routing, transit, { prefix, origin: "static", routeTable: route.route_table, overrides, source: route._uuid, kind: "route" });
  }
});

/** The address of a load balancer's key: `IP`, `IP:PORT`, `[IP6]:PORT`. */
export function addressOfVip(key: string): Prefix | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(key)?.[1];
  const ip = parseIp(bracketed ?? key) ?? parseIp(key.replace(/:\d+$/, ""));
  return ip === undefined ? undefined : { ...ip, length: ip.family === 4 ? 32 : 128 };
}

export const advertiseBalancer = rule("advertise-balancer", ({ zone }: Routing) => zone.nb.tables.Load_Balancer, function* (routing, balancer) {
  if (!isOn(zoneOptions(routing.zone), "ic-route-adv-lb")) return;
  for (const router of routing.zone.routersOfBalancer.get(balancer._uuid)) {
    for (const transit of portsOf(routing, router._uuid)) {
      for (const vip of balancer.vips.keys()) {
        const prefix = addressOfVip(vip);
        if (prefix === undefined) continue;
        yield* advertise(routing, transit, { prefix, origin: "loadbalancer", routeTable: "", overrides: false, source: balancer._uuid, kind: "loadbalancer" });
      }
    }
  }
});

export const advertiseDynamic = rule("advertise-dynamic", ({ zone }: Routing) => zone.sb.tables.Learned_Route, function* (routing, route) {
  const datapath = routing.zone.sb.tables.Datapath_Binding.get(route.datapath);
  const router = datapath === undefined ? undefined : nbUuidOf(datapath);
  const prefix = parsePrefix(route.ip_prefix);
  if (router === undefined || prefix === undefined) return;
  for (const transit of portsOf(routing, router)) yield* advertiseNetwork(routing, transit, prefix, "connected-dynamic", router);
});

export const advertising = [advertiseConnected, advertiseStatic, advertiseBalancer, advertiseDynamic];
