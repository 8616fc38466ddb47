/**
 * Numbers of route tables, of ECMP groups and of their members, as flows have them in registers: in the order in which OVN's
 * northd comes upon them (route-order.ts). A router's ports name their tables first, then its static routes.
 */
import { derived, type Index, type Rule, rule } from "../../engine/index.ts";
import { isRouterEnabled, networksOf, routerOf } from "./router-ports.ts";
import { Routed } from "./route-order.ts";
import { parsedLearnedRoute } from "../dynamic-routing/learned-routes.ts";
import { groupKeyOf, isEcmp, type ParsedRoute, parsedRoute } from "./routes.ts";
import type { LearnedRoute, LogicalRouter, RouterPort, StaticRoute, Topology } from "./topology.ts";

/** The routes by the group that shares their traffic; and by router what has to be numbered. */
export interface RouteIndexes extends RouteGroups {
  readonly topology: Topology;
  /** Groups that have more than one member, or may get more. */
  readonly ecmpGroupsOf: Index<string, string>;
  readonly learnedEcmpGroupsOf: Index<string, string>;
  readonly portsWithTable: Index<string, RouterPort>;
  readonly routesWithTable: Index<string, StaticRoute>;
  readonly routersWithTables: Index<"", LogicalRouter>;
}

/** A group has static routes or learned ones, never both. */
interface RouteGroups {
  readonly groups: Index<string, StaticRoute>;
  readonly learnedGroups: Index<string, LearnedRoute>;
}

/** The members of a group, in the order of their UUIDs. */
const membersOf = ({ groups, learnedGroups }: RouteGroups, key: string): readonly ParsedRoute[] =>
  [...[...groups.get(key)].map((route) => parsedRoute(route)), ...[...learnedGroups.get(key)].map((route) => parsedLearnedRoute(route))]
    .filter((parsed) => parsed !== undefined)
    .sort((a, b) => byUuid(a.route, b.route));

const groupOf = (parsed: ParsedRoute | undefined): readonly string[] => (parsed === undefined ? [] : [groupKeyOf(parsed)]);

export function routeIndexes(t: Topology): RouteIndexes {
  const { engine } = t;
  const all: RouteGroups = {
    groups: engine.index("routes by group", t.staticRoutes, (route) => groupOf(parsedRoute(route))),
    learnedGroups: engine.index("learned routes by group", t.learnedRoutes, (route) => groupOf(parsedLearnedRoute(route))),
  };
  const routerOfGroup = (key: string): readonly string[] => {
    const members = membersOf(all, key);
    const [first] = members;
    return first !== undefined && isEcmp(members) ? [first.router.row._uuid] : [];
  };
  const ecmpGroupsOf = engine.index("ecmp groups of router", all.groups.keys, routerOfGroup);
  const learnedEcmpGroupsOf = engine.index("learned ecmp groups of router", all.learnedGroups.keys, routerOfGroup);
  const portsWithTable = engine.index("ports with a route table", t.routerPorts, (port: RouterPort): string[] => {
    const router = routeTableOf(port) === "" ? undefined : t.routersOfPort.first(port.row._uuid);
    return router === undefined ? [] : [router.row._uuid];
  });
  const routesWithTable = engine.index("routes with a route table", t.staticRoutes, (route: StaticRoute): string[] => {
    const parsed = parsedRoute(route);
    return parsed === undefined || parsed.table === "" ? [] : [parsed.router.row._uuid];
  });
  const routersWithTables = engine.index("routers with route tables", t.routers, (router: LogicalRouter): "" [] => {
    const { _uuid: uuid } = router.row;
    const hasTables = portsWithTable.first(uuid) !== undefined || routesWithTable.first(uuid) !== undefined;
    return hasTables && isRouterEnabled(router) ? [""] : [];
  });
  return { topology: t, ...all, ecmpGroupsOf, learnedEcmpGroupsOf, portsWithTable, routesWithTable, routersWithTables };
}

export const routeTableOf = derived("route table of port", (port: RouterPort): string => port.row.options.get("route_table") ?? "");

const byUuid = (a: { readonly row: { readonly _uuid: string } }, b: { readonly row: { readonly _uuid: string } }): number => (a.row._uuid < b.row._uuid ? -1 : 1);

const tablesOf = derived("route tables of router", (indexes: RouteIndexes, router: LogicalRouter): readonly string[] => [
  ...[...indexes.portsWithTable.get(router.row._uuid)].sort(byUuid).map((port) => routeTableOf(port)),
  ...[...indexes.routesWithTable.get(router.row._uuid)].sort(byUuid).map((route) => route.row.route_table),
]);

const tableIds = derived("route tables", (indexes: RouteIndexes): ReadonlyMap<string, number> => {
  const { routeOrder } = indexes.topology;
  const routers = [...indexes.routersWithTables.get("")].sort((a, b) => routeOrder.compareRouters(a.row._uuid, b.row._uuid));
  const names = new Set(routers.flatMap((router) => tablesOf(indexes, router)));
  return new Map([...names].map((name, i) => [name, i + 1]));
});

/** A register's half holds it. */
const maxTable = 0xfffe;

/** 0 is the main table, which has no name. */
export const routeTableId = derived("route table id", (indexes: RouteIndexes, name: string): number => {
  const id = tableIds(indexes).get(name) ?? 0;
  if (id <= maxTable) return id;
  indexes.topology.warn("too many route tables for Logical Router.");
  return 0;
});

/** Members of a group in the order of their numbers. */
export const numberedMembers = (indexes: RouteIndexes, key: string): readonly ParsedRoute[] =>
  [...membersOf(indexes, key)].sort((a, b) => compareRoutes(indexes.topology, a, b));

const compareRoutes = ({ routeOrder }: Topology, a: ParsedRoute, b: ParsedRoute): number => {
  const [left, right] = [a.route.row._uuid, b.route.row._uuid];
  return a.source === "learned" ? routeOrder.compareLearned(left, right) : routeOrder.compareRoutes(a.router.row._uuid, left, right);
};

/** What makes a group of the routes to a prefix: the second of them, or one that is symmetric. */
function founderOf(indexes: RouteIndexes, key: string): ParsedRoute | undefined {
  const [first, second] = numberedMembers(indexes, key);
  return first?.isSymmetric === true ? first : (second ?? first);
}

const groupIds = derived("ecmp groups", (indexes: RouteIndexes, router: LogicalRouter): ReadonlyMap<string, number> => {
  const inOrder = (keys: Iterable<string>): readonly string[] =>
    [...keys]
      .flatMap((key) => {
        const founder = founderOf(indexes, key);
        return founder === undefined ? [] : [{ key, founder }];
      })
      .sort((a, b) => compareRoutes(indexes.topology, a.founder, b.founder))
      .map(({ key }) => key);
  const { _uuid: uuid } = router.row;
  const keys = [...inOrder(indexes.ecmpGroupsOf.get(uuid)), ...inOrder(indexes.learnedEcmpGroupsOf.get(uuid))];
  return new Map(keys.map((key, i) => [key, i + 1]));
});

export const groupId = derived("ecmp group id", (indexes: RouteIndexes, router: LogicalRouter, key: string): number => groupIds(indexes, router).get(key) ?? 0);

const routedRouters = rule("routed-routers", (t: Topology) => t.routers, function* (_, router) {
  if (isRouterEnabled(router)) yield Routed({ kind: "router", router: router.row._uuid });
});

const routedStatically = rule("routed-statically", (t: Topology) => t.staticRoutes, function* (_, route) {
  const parsed = parsedRoute(route);
  if (parsed !== undefined) yield Routed({ kind: "static", router: parsed.router.row._uuid, route: route.row._uuid });
});

const routedDirectly = rule("routed-directly", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  const { ipv4, ipv6 } = networksOf(port);
  if (router !== undefined) yield Routed({ kind: "connected", router: router.row._uuid, port: port.row._uuid, count: ipv4.length + ipv6.length });
});

export const routedThings: readonly Rule<Topology>[] = [routedRouters, routedStatically, routedDirectly];
