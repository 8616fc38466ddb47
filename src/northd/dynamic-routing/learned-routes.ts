/**
 * Learned_Route: what routers outside have told a chassis (ovn-sb(5)). Such a route is taken while the port it was learned on
 * belongs to a router that routes dynamically and, if that is a gateway port, is on some chassis; others are deleted.
 */
import { derived, rule, type Rule } from "../../engine/index.ts";
import { memberAddress, parseCidr } from "../port-addresses.ts";
import { bindingOf } from "../sync/port-bindings.ts";
import { Stale } from "../sync/stale-rows.ts";
import { Routed } from "../topology/route-order.ts";
import { isGatewayPort, networksOf, redirectName, routerOf } from "../topology/router-ports.ts";
import type { ParsedRoute } from "../topology/routes.ts";
import { type LearnedRoute, type LogicalRouter, northboundUuidOf, type RouterPort, type Topology } from "../topology/topology.ts";
import { routesDynamically } from "./redistribution.ts";

interface LearnedAt {
  readonly port: RouterPort;
  readonly router: LogicalRouter;
}

const learnedAt = derived("learned at", ({ topology: t, row }: LearnedRoute): LearnedAt | undefined => {
  const binding = t.sb.Port_Binding.get(row.logical_port);
  const port = binding === undefined ? undefined : t.routerPortsByName.first(binding.logical_port);
  const router = port === undefined ? undefined : routerOf(port);
  if (port === undefined || router === undefined || !routesDynamically(router)) return undefined;
  if (bindingOf(t, router, port.row.name) !== binding) return undefined;
  return isGatewayPort(port) && bindingOf(t, router, redirectName(port.row.name))?.chassis === undefined ? undefined : { port, router };
});

const unlearned = rule("unlearned-routes", (t: Topology) => t.learnedRoutes, function* (_, route) {
  if (learnedAt(route) === undefined) yield Stale(route.row);
});

export const parsedLearnedRoute = derived("learned route", (route: LearnedRoute): ParsedRoute | undefined => {
  const { topology: t, row } = route;
  const at = learnedAt(route);
  if (at === undefined) return undefined;
  const refuse = (why: string): undefined => {
    t.warn(`${why} in learned route ${row._uuid}`);
    return undefined;
  };
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  if (datapath === undefined || northboundUuidOf(datapath) !== at.router.row._uuid) return undefined;
  const nextHop = parseCidr(row.nexthop);
  if (nextHop === undefined) return refuse(`bad 'nexthop' ${row.nexthop}`);
  if (nextHop.length !== (nextHop.family === 4 ? 32 : 128)) return refuse(`bad next hop mask ${row.nexthop}`);
  const prefix = parseCidr(row.ip_prefix);
  if (prefix === undefined) return refuse(`bad 'ip_prefix' ${row.ip_prefix}`);
  const networks = networksOf(at.port);
  // A next hop outside the port's networks is tried all the same, from the port's first address.
  const ownAddress = memberAddress(networks, row.nexthop) ?? (nextHop.family === 4 ? networks.ipv4 : networks.ipv6)[0]?.text;
  return {
    route, router: at.router, isDiscard: false,
    prefix: prefix.family === 4 ? { family: 4, address: prefix.address, length: prefix.length } : { family: 6, address: prefix.address, length: prefix.length },
    nextHop: nextHop.family === 4 ? { family: 4, address: nextHop.address } : { family: 6, address: nextHop.address },
    isSource: false, table: "", source: "learned", overridesConnected: false, isSymmetric: false, selection: [],
    outPort: at.port, ownAddress,
  };
});

const routedByLearning = rule("routed-by-learning", (t: Topology) => t.learnedRoutes, function* (_, route) {
  const parsed = parsedLearnedRoute(route);
  if (parsed !== undefined) yield Routed({ kind: "learned", router: parsed.router.row._uuid, route: route.row._uuid });
});

export const learnedRouteRules: readonly Rule<Topology>[] = [unlearned, routedByLearning];
