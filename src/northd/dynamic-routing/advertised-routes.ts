/**
 * Advertised_Route: what the chassis tell the routers outside of, by way of the kernel and a routing daemon (ovn-sb(5)). A route
 * is told of on a router port; where a port is tracked, the chassis that has it tells of the route with a better metric.
 */
import { relation, rule, type Rule } from "../../engine/index.ts";
import { wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { formatIp, formatPrefix, isLinkLocalIpv4, isLinkLocalIpv6, networkOf, type Prefix } from "../../net/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import type { PortAddresses } from "../port-addresses.ts";
import { identifyBinding, wishedPort } from "../sync/port-bindings.ts";
import { switchOf } from "../topology/port-membership.ts";
import { gatewayPortsOf, isGatewayRouter, networksOf, routerOf, routerPeerOf, switchPeerOf } from "../topology/router-ports.ts";
import { parsedRoute } from "../topology/routes.ts";
import { addressesOf, routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { LogicalRouter, Port, RouterPort, SbRow, SwitchPort, Topology } from "../topology/topology.ts";
import { routersOf, translationOf, translations } from "../topology/translations.ts";
import { advertisersOf } from "./advertisers.ts";
import { isAdvertisable, redistributes } from "./redistribution.ts";
import { perZone } from "../topology/per-zone.ts";

export const WishedAdvertisedRoute = wishRelation(southbound, "Advertised_Route");

/** A reason to tell of a prefix. */
interface Announcement {
  readonly port: RouterPort;
  readonly prefix: string;
  readonly tracked: Port | undefined;
  /** From a routing table, rather than an address behind somebody. */
  readonly isRoute: boolean;
}

const routeKey = ({ port, prefix }: { readonly port: RouterPort; readonly prefix: string }): string => `${port.row._uuid} ${prefix}`;

const Announcement = relation<Announcement>("announced routes", (a) => `${routeKey(a)} ${a.tracked?.row._uuid ?? ""} ${a.isRoute}`);

function isLinkLocal(prefix: Prefix): boolean {
  return prefix.family === 4 ? prefix.length >= 16 && isLinkLocalIpv4(prefix.address) : prefix.length >= 10 && isLinkLocalIpv6(prefix.address);
}

function* routed(port: RouterPort, prefix: Prefix) {
  if (isLinkLocal(prefix)) return;
  const network = networkOf(prefix);
  const text = prefix.length === (prefix.family === 4 ? 32 : 128) ? formatIp(network) : formatPrefix(network);
  yield Announcement({ port, prefix: text, tracked: undefined, isRoute: true });
}

const announcedNetworks = rule("advertised-networks", (t: Topology) => t.routerPorts, function* (_, port) {
  if (!redistributes(port, "connected") || redistributes(port, "hosts")) return;
  const { ipv4, ipv6 } = networksOf(port);
  for (const { network, length } of ipv4) yield* routed(port, { family: 4, address: network, length });
  for (const { network, length } of ipv6) yield* routed(port, { family: 6, address: network, length });
});

const announcedRoutes = rule("advertised-static-routes", (t: Topology) => t.staticRoutes, function* (_, route) {
  const parsed = parsedRoute(route);
  const port = parsed?.outPort;
  if (parsed === undefined || port === undefined || !isAdvertisable(route.row)) return;
  if (parsed.source === "learned" || !redistributes(port, parsed.source) || (parsed.source === "connected" && redistributes(port, "hosts"))) return;
  yield* routed(port, parsed.prefix);
});

function* hosts(port: RouterPort, { ipv4, ipv6 }: PortAddresses, tracked: Port) {
  for (const { text } of ipv4) yield Announcement({ port, prefix: text, tracked, isRoute: false });
  for (const { text, network } of ipv6) {
    if (network >> 64n !== 0xfe80000000000000n) yield Announcement({ port, prefix: text, tracked, isRoute: false });
  }
}

/** The addresses of whoever is on a switch, on each port of a router there. */
const announcedHosts = rule("advertised-hosts", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  for (const facing of routerFacingPortsOf(owner)) {
    const teller = routerPortBehind(facing);
    if (teller === undefined || switchPeerOf(teller) !== facing || !redistributes(teller, "hosts") || !isAdvertisable(port.row)) continue;
    const behind = routerPortBehind(port);
    if (behind !== undefined) {
      if (isAdvertisable(behind.row)) yield* hosts(teller, networksOf(behind), behind);
      continue;
    }
    const holder = typeOf(port) === "virtual" ? virtualParentOf(port) : port;
    if (holder === undefined) continue;
    for (const addresses of addressesOf(port)) yield* hosts(teller, addresses, holder);
  }
});

/** The port that has a virtual one's addresses at the moment. */
function virtualParentOf({ topology: t, row }: SwitchPort): SwitchPort | undefined {
  const name = t.bindingsByName.first(row.name)?.virtual_parent;
  const parent = name === undefined ? undefined : t.switchPortsByName.first(name);
  return parent === undefined || switchOf(parent) === undefined ? undefined : parent;
}

/** The addresses of the router on the other side of a direct link. */
const announcedPeers = rule("advertised-peers", (t: Topology) => t.routerPorts, function* (_, port) {
  const peer = redistributes(port, "hosts") ? routerPeerOf(port) : undefined;
  if (peer !== undefined && isAdvertisable(peer.row)) yield* hosts(port, networksOf(peer), peer);
});

const announcedNats = rule("advertised-nat", translations, function* (t, nat) {
  if (!isAdvertisable(nat.row)) return;
  for (const router of routersOf(nat)) {
    const parsed = translationOf(nat, router);
    if (parsed === undefined) continue;
    for (const { port } of advertisersOf(router, "nat")) {
      const distributed = parsed.isDistributed ? t.switchPortsByName.first(nat.row.logical_port ?? "") : undefined;
      const tracked = parsed.isDistributed ? (distributed === undefined || switchOf(distributed) === undefined ? undefined : distributed) : parsed.gateway;
      yield Announcement({ port, prefix: nat.row.external_ip, tracked, isRoute: false });
    }
  }
});

const announcedVips = rule("advertised-lb", (t: Topology) => t.routers, function* (_, router) {
  const tellers = advertisersOf(router, "lb");
  if (tellers.length === 0) return;
  const { advertised4, advertised6 } = vipsOf(router);
  for (const prefix of [...advertised4, ...advertised6]) {
    for (const { port, neighbour } of tellers) {
      for (const tracked of neighbour === undefined ? balancing(router) : [neighbour]) yield Announcement({ port, prefix, tracked, isRoute: false });
    }
  }
});

/** Where the router's traffic is balanced: on one chassis (undefined stands for it), or at its gateway ports. */
const balancing = (router: LogicalRouter): readonly (RouterPort | undefined)[] => (isGatewayRouter(router) ? [undefined] : gatewayPortsOf(router));

const byRoute = perZone((t: Topology) => t.engine.index("announced routes by prefix", t.engine.facts(Announcement), (a: Announcement) => [routeKey(a)]));

const advertisedRoutes = rule("advertised-routes", (t: Topology) => byRoute(t).keys, function* (t, key) {
  const announcements = [...byRoute(t).get(key)];
  const hasTracked = announcements.some((a) => a.tracked !== undefined);
  for (const { port, prefix, tracked, isRoute } of announcements) {
    const router = routerOf(port);
    // An address that somebody is known to have is told of as his alone.
    if (router === undefined || (tracked === undefined && hasTracked && !isRoute)) continue;
    const trackedPort = tracked === undefined ? undefined : wishedBinding(tracked);
    if (tracked !== undefined && trackedPort === undefined) continue;
    const logicalPort = wishedPort(router, port);
    yield WishedAdvertisedRoute({
      key: `${logicalPort.key} ${prefix} ${trackedPort?.key ?? ""}`,
      columns: { datapath: wished("Datapath_Binding", router.row._uuid), logical_port: logicalPort, ip_prefix: prefix, tracked_port: trackedPort },
    });
  }
});

function wishedBinding(port: Port) {
  const datapath = port.kind === "switch-port" ? switchOf(port) : routerOf(port);
  return datapath === undefined ? undefined : wishedPort(datapath, port);
}

/** The key of a row's wish. */
export function identifyAdvertisedRoute(t: Topology, row: SbRow<"Advertised_Route">): string {
  const nameOf = (uuid: SbRow<"Advertised_Route">["logical_port"] | undefined): string => {
    const binding = t.sb.Port_Binding.get(uuid);
    return binding === undefined ? "" : identifyBinding(t, binding);
  };
  return `${nameOf(row.logical_port)} ${row.ip_prefix} ${nameOf(row.tracked_port)}`;
}

export const advertisedRouteRules: readonly Rule<Topology>[] = [
  announcedNetworks, announcedRoutes, announcedHosts, announcedPeers, announcedNats, announcedVips, advertisedRoutes,
];
