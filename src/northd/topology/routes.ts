/** Routes, parsed: where they lead, by which port, and with which others they share traffic. */
import { derived } from "../../engine/index.ts";
import { formatIp, type Ip, type Prefix } from "../../net/index.ts";
import { isReachable, sessionKey } from "../bfd/sessions.ts";
import { boolOption } from "../options.ts";
import { compareBytes, memberAddress, parseCidr } from "../port-addresses.ts";
import { isRouterEnabled, networksOf, routerOf, routerPortsOf } from "./router-ports.ts";
import type { LearnedRoute, LogicalRouter, NbRow, RouterPort, StaticRoute } from "./topology.ts";

/** Where a route comes from: it decides between routes to the same prefix. */
export type RouteSource = "connected" | "interconnected" | "static" | "learned";

export interface ParsedRoute {
  readonly route: StaticRoute | LearnedRoute;
  readonly router: LogicalRouter;
  /** As written: with host bits. */
  readonly prefix: Prefix;
  readonly nextHop: Ip | undefined;
  readonly isDiscard: boolean;
  /** By the source address instead of the destination. */
  readonly isSource: boolean;
  /** The main table has no name. */
  readonly table: string;
  readonly source: RouteSource;
  readonly overridesConnected: boolean;
  /** Replies leave by the port that their requests came in by. */
  readonly isSymmetric: boolean;
  readonly selection: readonly string[];
  /** Both absent for a route that discards. */
  readonly outPort: RouterPort | undefined;
  readonly ownAddress: string | undefined;
}

/** The route, unless the BFD session that it relies on says that its next hop is not there. */
export const parsedRoute = derived("route", (route: StaticRoute): ParsedRoute | undefined => {
  const session = sessionOfRoute(route);
  return session === undefined || isReachable(route.topology, sessionKey(session)) ? routeAsWritten(route) : undefined;
});

/** The BFD session with the route's next hop. */
export const sessionOfRoute = derived("session of route", (route: StaticRoute): NbRow<"BFD"> | undefined => {
  const session = route.topology.nb.BFD.get(route.row.bfd);
  return session?.dst_ip === route.row.nexthop && routeAsWritten(route) !== undefined ? session : undefined;
});

const routeAsWritten = derived("route as written", (route: StaticRoute): ParsedRoute | undefined => {
  const { topology: t, row } = route;
  const router = t.routersOfRoute.first(row._uuid);
  if (router === undefined || !isRouterEnabled(router)) return undefined;
  const isDiscard = row.nexthop === "discard";
  const nextHop = isDiscard || row.nexthop === "" ? undefined : parseCidr(row.nexthop);
  if (nextHop === undefined && !isDiscard && row.nexthop !== "") return refuse(route, `bad 'nexthop' ${row.nexthop}`);
  if (nextHop !== undefined && nextHop.length !== (nextHop.family === 4 ? 32 : 128)) return refuse(route, `bad next hop mask ${row.nexthop}`);
  const prefix = parseCidr(row.ip_prefix);
  if (prefix === undefined) return refuse(route, `bad 'ip_prefix' ${row.ip_prefix}`);
  const out = isDiscard ? undefined : outPortOf(route, router, (nextHop ?? prefix).family === 4);
  if (out === undefined && !isDiscard) return undefined;
  const origin = row.options.get("origin");
  const selection = new Set<string>(row.selection_fields);
  if (selection.has("tp_src") || selection.has("tp_dst")) selection.add("ip_proto");
  return {
    route, router, isDiscard,
    prefix: prefix.family === 4 ? { family: 4, address: prefix.address, length: prefix.length } : { family: 6, address: prefix.address, length: prefix.length },
    nextHop: nextHop === undefined ? undefined : nextHop.family === 4 ? { family: 4, address: nextHop.address } : { family: 6, address: nextHop.address },
    isSource: row.policy === "src-ip",
    table: row.route_table,
    source: origin === "connected" ? "connected" : origin === "connected-dynamic" ? "interconnected" : "static",
    overridesConnected: boolOption(row.options, "override-connected", false),
    isSymmetric: boolOption(row.options, "ecmp_symmetric_reply", false),
    selection: [...selection].sort(compareBytes),
    outPort: out?.port,
    ownAddress: out?.address,
  };
});

function refuse(route: StaticRoute, why: string): undefined {
  route.topology.warn(`${why} in static route ${route.row._uuid}`);
  return undefined;
}

/** The port that the route names, or the one that has the next hop in one of its networks; and the router's address there. */
function outPortOf(route: StaticRoute, router: LogicalRouter, isIpv4: boolean): { readonly port: RouterPort; readonly address: string } | undefined {
  const { topology: t, row } = route;
  if (row.output_port !== undefined) {
    const port = t.routerPortsByName.first(row.output_port);
    if (port === undefined || routerOf(port) === undefined) {
      t.warn(`Bad out port ${row.output_port} for static route ${row.ip_prefix}`);
      return undefined;
    }
    const networks = networksOf(port);
    // A next hop outside the port's networks is tried all the same, from the port's first address.
    const address = (row.nexthop === "" ? undefined : memberAddress(networks, row.nexthop)) ?? (isIpv4 ? networks.ipv4 : networks.ipv6)[0]?.text;
    if (address !== undefined) return { port, address };
  } else if (row.nexthop !== "") {
    for (const port of routerPortsOf(router)) {
      const address = memberAddress(networksOf(port), row.nexthop);
      if (address !== undefined) return { port, address };
    }
  }
  t.warn(`No path for static route ${row.ip_prefix} on router ${router.row.name}; next hop ${row.nexthop}`);
  return undefined;
}

/** Routes of one group share the traffic of their prefix. Routes to connected networks never share. */
export function groupKeyOf(parsed: ParsedRoute): string {
  const { router, prefix, source, table, isSource, route } = parsed;
  const key = `${router.row._uuid} ${isSource ? "src" : "dst"} ${source} ${formatIp(prefix)}/${prefix.length} ${table}`;
  return source === "connected" ? `${key} ${route.row._uuid}` : key;
}

export const isEcmp = (members: readonly ParsedRoute[]): boolean => {
  const [first, second] = members;
  return first !== undefined && first.source !== "connected" && (second !== undefined || first.isSymmetric);
};
