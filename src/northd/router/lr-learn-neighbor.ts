/** lr_in_lookup_neighbor, lr_in_learn_neighbor: which MAC belongs to which address, from ARP and neighbour discovery. */
import { derived, rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { actions, everything, match, next, quoted } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { boolOption } from "../options.ts";
import { bit } from "../registers.ts";
import { isGatewayPort, isRouterEnabled, networksOf, redirectKey, routerOf, routerPortsOf } from "../topology/router-ports.ts";
import { isRemoteChassis } from "../topology/settings.ts";
import type { LogicalRouter, Topology } from "../topology/topology.ts";

const known = bit.neighborKnown;
const ipKnown = bit.neighborIpKnown;

/** Otherwise only from requests for the router itself, and about neighbours that are known already. */
const learnsFromAnyRequest = derived("always_learn_from_arp_request", (router: LogicalRouter): boolean =>
  boolOption(router.row.options, "always_learn_from_arp_request", true));

/** Some port of the router is bound to a chassis of another zone: it is the same router in both. */
const isTransitRouter = derived("transit router", (router: LogicalRouter): boolean => {
  const { topology } = router;
  for (const port of routerPortsOf(router)) {
    const chassis = topology.sb.Chassis.get(topology.bindingsByName.first(port.row.name)?.chassis);
    if (chassis !== undefined && isRemoteChassis(chassis)) return true;
  }
  return false;
});

export const neighborsOfRouter = rule("lr-neighbors", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  const always = learnsFromAnyRequest(router);
  const flood = isTransitRouter(router) ? "flood_remote; " : "";
  const trusted = always ? "" : `${ipKnown} = 1; `;
  const lookup = (priority: number, packets: ReturnType<typeof match>, what: string, then: string) =>
    lflow(router, lrIn.lookupNeighbor, priority, packets, actions`${known} = ${what}; ${then}next;`);

  yield lookup(100, match`arp.op == 2`, "lookup_arp(inport, arp.spa, arp.sha)", trusted + flood);
  yield lookup(100, match`nd_na`, "lookup_nd(inport, nd.target, nd.tll)", trusted + flood);
  yield lookup(105, match`nd_na && nd.tll == 0`, "lookup_nd(inport, nd.target, eth.src)", trusted + flood);
  if (!always) {
    // Advertisements that nobody solicited (RFC 4861, section 4.4) tell only about neighbours that are known.
    const solicited = `${ipKnown} = lookup_nd_ip(inport, nd.target); `;
    yield lookup(110, match`nd_na && ip6.src == fe80::/10 && ip6.dst == ff00::/8`, "lookup_nd(inport, nd.target, nd.tll)", solicited + flood);
    yield lookup(115, match`nd_na && nd.tll == 0 && ip6.src == fe80::/10 && ip6.dst == ff00::/8`, "lookup_nd(inport, nd.target, eth.src)", solicited + flood);
  }
  yield lookup(100, match`nd_ns`, "lookup_nd(inport, ip6.src, nd.sll)", always ? "" : `${ipKnown} = lookup_nd_ip(inport, ip6.src); `);
  yield lflow(router, lrIn.lookupNeighbor, 0, everything, actions`${known} = 1; next;`);

  const nothingNew = always ? match`${known} == 1` : match`${known} == 1 || ${ipKnown} == 0`;
  yield lflow(router, lrIn.learnNeighbor, 100, nothingNew, actions`mac_cache_use; next;`);
  yield lflow(router, lrIn.learnNeighbor, 90, match`arp`, actions`put_arp(inport, arp.spa, arp.sha); next;`, { protocol: "arp" });
  yield lflow(router, lrIn.learnNeighbor, 95, match`nd_ns && (ip6.src == 0 || nd.sll == 0)`, next);
  yield lflow(router, lrIn.learnNeighbor, 95, match`nd_na && nd.tll == 0`, actions`put_nd(inport, nd.target, eth.src); next;`, { protocol: "nd-na" });
  yield lflow(router, lrIn.learnNeighbor, 90, match`nd_na`, actions`put_nd(inport, nd.target, nd.tll); next;`, { protocol: "nd-na" });
  yield lflow(router, lrIn.learnNeighbor, 90, match`nd_ns`, actions`put_nd(inport, ip6.src, nd.sll); next;`, { protocol: "nd-ns" });
  yield dropByDefault(router, lrIn.learnNeighbor);
});

export const neighborsOfPort = rule("lr-neighbors-of-port", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const hint = port.row;
  const always = learnsFromAnyRequest(router);
  const isGateway = isGatewayPort(port);
  const here = isGateway ? ` && is_chassis_resident(${redirectKey(port)})` : "";
  const lookup = `${known} = lookup_arp(inport, arp.spa, arp.sha); `;
  for (const ip of networksOf(port).ipv4) {
    const from = `inport == ${quoted(port.row.name)} && arp.spa == ${ip.networkText}/${ip.length}`;
    if (!always) {
      yield lflow(router, lrIn.lookupNeighbor, 110, match`${from} && arp.tpa == ${ip.text} && arp.op == 1${here}`, actions`${lookup}${ipKnown} = 1; next;`, { hint });
    }
    const alsoIp = always ? "" : `${ipKnown} = lookup_arp_ip(inport, arp.spa); `;
    yield lflow(router, lrIn.lookupNeighbor, 100, match`${from} && arp.op == 1${here}`, actions`${lookup}${alsoIp}next;`, { hint });
  }
  if (isGateway) {
    const elsewhere = match`inport == ${quoted(port.row.name)} && (nd_na || nd_ns) && eth.mcast && !is_chassis_resident(${redirectKey(port)})`;
    yield lflow(router, lrIn.lookupNeighbor, 120, elsewhere, actions`${known} = 1; next;`, { hint });
  }
});
