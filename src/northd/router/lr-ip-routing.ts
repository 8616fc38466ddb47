/** lr_in_ip_routing_pre, lr_in_ip_routing, lr_in_ip_routing_ecmp: longest prefix first, by the priority of the flows. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { formatIp, formatPrefix, type Ip, type Ipv4, networkOf, type Prefix } from "../../net/index.ts";
import { runsBfd } from "../bfd/sessions.ts";
import { type Actions, actions, everything, type Match, match, next, quoted } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { compareBytes, type Ipv4Network, type Ipv6Network } from "../port-addresses.ts";
import { bit, group, reg } from "../registers.ts";
import { hasStaticFlood, isRouterEnabled, networksOf, relaysMulticast, routerOf, routerPortsOf } from "../topology/router-ports.ts";
import { groupId, numberedMembers, type RouteIndexes, routeTableId, routeTableOf } from "../topology/route-numbers.ts";
import { isEcmp, type ParsedRoute, type RouteSource } from "../topology/routes.ts";
import { dropActions } from "../topology/settings.ts";
import type { LogicalRouter, RouterPort, Topology } from "../topology/topology.ts";
import { bfdPort } from "./lr-bfd.ts";
import { symmetricReplies } from "./symmetric-replies.ts";

export const routingDefaults = rule("lr-routing-defaults", (t: Topology) => t.routers, function* (t, router) {
  if (!isRouterEnabled(router)) return;
  yield lflow(router, lrIn.ipRoutingPre, 0, everything, actions`${reg.routeTable} = 0; next;`);
  yield dropByDefault(router, lrIn.ipRouting);
  yield dropByDefault(router, lrIn.ipRoutingEcmp);
  yield lflow(router, lrIn.ipRoutingEcmp, 150, match`${reg.ecmpGroup} == 0`, next);
  yield lflow(router, lrIn.ipRouting, 10550, match`nd_rs || nd_ra`, dropActions(t));
  if (relaysMulticast(router)) yield* multicastRelay(router);
});

function* multicastRelay(router: LogicalRouter) {
  const drop = dropActions(router.topology);
  if (!hasStaticFlood(router)) {
    yield lflow(router, lrIn.ipRouting, 10450, match`ip4.mcast || ip6.mcast`, drop);
    return;
  }
  // Reports are flooded with their TTL of 1 untouched; dropping the router's own keeps them from going round.
  for (const port of routerPortsOf(router)) {
    const from = `eth.src == ${networksOf(port).macText}`;
    yield lflow(router, lrIn.ipRouting, 10550, match`${from} && igmp`, drop);
    yield lflow(router, lrIn.ipRouting, 10550, match`${from} && (mldv1 || mldv2)`, drop);
  }
  const flood = actions`clone { outport = ${group.static}; next; };`;
  yield lflow(router, lrIn.ipRouting, 10460, match`igmp`, flood);
  yield lflow(router, lrIn.ipRouting, 10460, match`mldv1 || mldv2`, flood);
  yield lflow(router, lrIn.ipRouting, 10450, match`ip4.mcast || ip6.mcast`, actions`clone { outport = ${group.static}; ip.ttl--; next; };`);
}

/** To the networks of the router's own ports. */
export const connectedRoutes = rule("lr-connected-routes", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const { ipv4, ipv6 } = networksOf(port);
  for (const n of ipv4) yield* connected(router, port, { family: 4, address: n.network, length: n.length }, n);
  for (const n of ipv6) yield* connected(router, port, { family: 6, address: n.network, length: n.length }, n);
});

function connected(router: LogicalRouter, port: RouterPort, prefix: Prefix, own: Ipv4Network | Ipv6Network) {
  const matches = routeMatch({ prefix, isSource: false, tableId: 0, source: "connected" }, port);
  const route = forward({ prefix, nextHop: undefined, port, ownAddress: own.text });
  return routeFlows(router, port, priorityOf(prefix.length, "connected", false, false, false), matches, route, port.row);
}

/** What BFD sends must arrive with its TTL as it was (RFC 5881, section 5). */
function* routeFlows(router: LogicalRouter, port: RouterPort, priority: number, matches: Match, acts: Actions, hint: { readonly _uuid: string }) {
  yield lflow(router, lrIn.ipRouting, priority, matches, actions`ip.ttl--; ${acts}`, { hint });
  if (runsBfd(port)) yield lflow(router, lrIn.ipRouting, priority + 1, match`${matches} && udp.dst == ${bfdPort}`, acts, { hint });
}

/** To one address that a neighbour on the port's network answers for, as if it were in that network. */
export function hostRoute(router: LogicalRouter, port: RouterPort, address: Ipv4, source: { readonly family: 4 | 6; readonly address: string }) {
  const prefix = { family: 4, address, length: 32 } as const;
  const matches = routeMatch({ prefix, isSource: false, tableId: 0, source: "connected" }, port);
  const route = forward({ prefix, nextHop: undefined, port, ownAddress: source.address, hopFamily: source.family });
  return routeFlows(router, port, priorityOf(32, "connected", false, false, false), matches, route, port.row);
}

export interface RoutingContext {
  readonly topology: Topology;
  readonly routes: RouteIndexes;
}

/** Packets that come in by a port with a route table of its own are routed by that. */
export const routeTables = rule("lr-route-tables", (c: RoutingContext) => c.topology.routerPorts, function* ({ topology: t, routes }, port) {
  const owner = t.routersOfPort.first(port.row._uuid);
  const table = routeTableOf(port);
  if (owner === undefined || !isRouterEnabled(owner) || table === "") return;
  yield lflow(owner, lrIn.ipRoutingPre, 100, match`inport == "${port.row.name}"`, actions`${reg.routeTable} = ${routeTableId(routes, table)}; next;`);
});

export const staticRoutes = rule("lr-static-routes", (c: RoutingContext) => c.routes.groups.keys, function* (c, key) {
  yield* routesOfGroup(c.routes, key);
});

export const learnedRoutes = rule("lr-learned-routes", (c: RoutingContext) => c.routes.learnedGroups.keys, function* (c, key) {
  yield* routesOfGroup(c.routes, key);
});

function* routesOfGroup(routes: RouteIndexes, key: string) {
  const members = numberedMembers(routes, key);
  const [first] = members;
  if (first === undefined) return;
  const routed = { ...first, tableId: routeTableId(routes, first.table) };
  if (isEcmp(members)) yield* ecmpRoute(routed, members, groupId(routes, first.router, key));
  else yield* singleRoute(routed);
}

type NumberedRoute = ParsedRoute & { readonly tableId: number };

function* singleRoute(parsed: NumberedRoute) {
  const { router, prefix, source, isSource, overridesConnected, isDiscard, outPort, route } = parsed;
  const priority = priorityOf(prefix.length, source, overridesConnected, isSource, false);
  const hint = route.row;
  if (isDiscard || outPort === undefined) {
    yield lflow(router, lrIn.ipRouting, priority, routeMatch(parsed, undefined), dropActions(router.topology), { hint });
    return;
  }
  const acts = forward({ prefix, nextHop: parsed.nextHop, port: outPort, ownAddress: parsed.ownAddress });
  yield* routeFlows(routerOf(outPort) ?? router, outPort, priority, routeMatch(parsed, outPort), acts, hint);
}

interface Forwarding {
  readonly prefix: Prefix;
  readonly nextHop: Ip | undefined;
  readonly port: RouterPort;
  readonly ownAddress: string | undefined;
  /** Of the address that the packet is sent from, where it is not the next hop's. */
  readonly hopFamily?: 4 | 6;
}

function forward({ prefix, nextHop, port, ownAddress, hopFamily }: Forwarding): Actions {
  const family = hopFamily ?? nextHop?.family ?? prefix.family;
  const hop = nextHop === undefined ? `${prefix.family === 4 ? reg.nextHop4 : reg.nextHop6} = ip${prefix.family}.dst` : `${hopRegister(family)} = ${formatIp(nextHop)}`;
  const from = ownAddress === undefined ? "" : `; ${sourceRegister(family)} = ${ownAddress}`;
  return actions`${reg.ecmpGroup} = 0; ${hop}${from}; eth.src = ${networksOf(port).macText}; outport = ${quoted(port.row.name)}; flags.loopback = 1; ${bit.nextHopIsIpv4} = ${family === 4 ? 1 : 0}; next;`;
}

const hopRegister = (family: 4 | 6): string => (family === 4 ? reg.nextHop4 : reg.nextHop6);
const sourceRegister = (family: 4 | 6): string => (family === 4 ? reg.source4 : reg.source6);

type Routed = Pick<NumberedRoute, "prefix" | "isSource" | "tableId" | "source">;

/** Link-local networks are everywhere: only what came in by the port itself is meant (`port` undefined: no such check). */
function routeMatch({ prefix, isSource, tableId, source }: Routed, port: RouterPort | undefined) {
  const network = networkOf(prefix);
  const isLinkLocal = network.family === 6 && network.address >> 64n === 0xfe80000000000000n;
  const inport = isLinkLocal && port !== undefined ? `inport == ${quoted(port.row.name)} && ` : "";
  const table = tableId !== 0 || source === "static" || source === "learned" ? `${reg.routeTable} == ${tableId} && ` : "";
  return match`${inport}${table}ip${prefix.family}.${isSource ? "src" : "dst"} == ${formatPrefix(network)}`;
}

const perPrefixBit = 12;
const offsets: { readonly [source in RouteSource]: readonly [plain: number, overriding: number] } = {
  connected: [6, 8],
  interconnected: [6, 8],
  static: [4, 10],
  learned: [2, 2],
};

/** A longer prefix wins; then what overrides connected routes, connected ones, others; routes by source are last. */
function priorityOf(length: number, source: RouteSource, overrides: boolean, isSource: boolean, hasProtocol: boolean): number {
  const offset = isSource ? 0 : offsets[source][overrides ? 1 : 0];
  return offset + length * perPrefixBit + (hasProtocol ? 1 : 0) + 129 * perPrefixBit;
}

function* ecmpRoute(first: NumberedRoute, members: readonly ParsedRoute[], id: number) {
  if (members.some((m) => m.isDiscard)) {
    first.router.topology.warn(`The ECMP route "${formatPrefix(networkOf(first.prefix))}" contains "discard" route, the whole group will drop traffic.`);
  }
  // What all of them select by.
  const selection = first.selection.filter((field) => members.every((m) => m.selection.includes(field)));
  yield* ecmpGroup(first, members, id, selection, undefined);
  if (!selection.includes("tp_src") && !selection.includes("tp_dst")) return;
  for (const protocol of ["tcp", "udp", "sctp"]) yield* ecmpGroup(first, members, id, selection, protocol);
}

function* ecmpGroup(first: NumberedRoute, members: readonly ParsedRoute[], id: number, selection: readonly string[], protocol: string | undefined) {
  const { router, prefix, isSource, source } = first;
  const several = members.length > 1;
  const plain = routeMatch(first, undefined);
  const matches = several && protocol !== undefined && selection.length > 0 ? match`${plain} && ${protocol}` : plain;
  const priority = priorityOf(prefix.length, source, false, isSource, protocol !== undefined);
  const choice = several ? select(members.map((_, i) => i + 1), selection, protocol) : "1; next;";
  yield lflow(router, lrIn.ipRouting, priority, matches, actions`ip.ttl--; flags.loopback = 1; ${reg.ecmpGroup} = ${id}; ${reg.ecmpMember} = ${choice}`);
  const discards = several && members.some((m) => m.isDiscard);
  const symmetric = new Set<RouterPort>();
  for (const [i, member] of members.entries()) {
    const chosen = match`${reg.ecmpGroup} == ${id} && ${reg.ecmpMember} == ${i + 1}`;
    const hint = member.route.row;
    const { outPort, nextHop } = member;
    if (discards || outPort === undefined || nextHop === undefined) {
      yield lflow(router, lrIn.ipRoutingEcmp, 100, chosen, dropActions(router.topology), { hint });
      continue;
    }
    if (member.isSymmetric && !symmetric.has(outPort)) {
      symmetric.add(outPort);
      yield* symmetricReplies(member, outPort, nextHop, matches);
    }
    const from = member.ownAddress === undefined ? "" : `; ${sourceRegister(nextHop.family)} = ${member.ownAddress}`;
    const commit = member.isSymmetric ? `${bit.needsEcmpCommit} = 1; ` : "";
    const hop = actions`${hopRegister(nextHop.family)} = ${formatIp(nextHop)}${from}; eth.src = ${networksOf(outPort).macText}; outport = ${quoted(outPort.row.name)}; ${bit.nextHopIsIpv4} = ${nextHop.family === 4 ? 1 : 0}; ${commit}next;`;
    yield lflow(router, lrIn.ipRoutingEcmp, 100, chosen, hop, { hint });
  }
}

function select(ids: readonly number[], selection: readonly string[], protocol: string | undefined): string {
  if (selection.length === 0) return `select(${ids.join(", ")});`;
  const fields = selection.flatMap((field) => {
    if (field !== "tp_src" && field !== "tp_dst") return [field];
    return protocol === undefined ? [] : [field.replace("tp", protocol)];
  });
  return `select(values=(${ids.join(", ")}); hash_fields="${fields.sort(compareBytes).join(",")}");`;
}
