/**
 * options:add_route of translations and load balancers: routers that share a switch with the one that has the address route to
 * it as if it were on the switch's own network, and know the MAC that answers.
 */
import { derived, rule } from "../../engine/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { lrIn } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { parseCidr } from "../port-addresses.ts";
import { reg } from "../registers.ts";
import { announcementOf, centralRoutable, isRoutable } from "../topology/announced-addresses.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isGatewayPort, isGatewayRouter, networksOf, routerOf, routerPortsOf, switchPeerOf } from "../topology/router-ports.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { RouterPort, Topology } from "../topology/topology.ts";
import { routersOf, translations } from "../topology/translations.ts";
import { learnsNeighbours } from "./lr-arp-resolve.ts";
import { hostRoute } from "./lr-ip-routing.ts";
import { isLinkLocalNetwork } from "./lr-nd-ra.ts";

/** The ports of other routers on the port's switch, which can send something there. */
const neighboursOf = derived("neighbouring ports", (port: RouterPort): readonly RouterPort[] => {
  const peer = switchPeerOf(port);
  const owner = peer === undefined ? undefined : switchOf(peer);
  if (owner === undefined) return [];
  const others = [...routerFacingPortsOf(owner)].map((facing) => routerPortBehind(facing));
  return others.filter((other) => other !== undefined).filter((other) => other !== port && sourceOf(other) !== undefined);
});

interface Source {
  readonly family: 4 | 6;
  readonly address: string;
}

/** What a port sends to the address from: without an IPv4 address of its own, from a link-local one. */
const sourceOf = derived("source of routes", (port: RouterPort): Source | undefined => {
  const { ipv4: [first], ipv6 } = networksOf(port);
  if (first !== undefined) return { family: 4, address: first.text };
  const linkLocal = ipv6.filter((n) => isLinkLocalNetwork(n.network)).at(-1);
  return linkLocal === undefined ? undefined : { family: 6, address: linkLocal.text };
});

/** The port's traffic passes one chassis. */
const isCentral = derived("is central", (port: RouterPort): boolean => {
  const router = routerOf(port);
  return port.row.ha_chassis_group !== undefined || port.row.gateway_chassis.size > 0 || (router !== undefined && isGatewayRouter(router));
});

/** One address by one port. */
function* routes(port: RouterPort, ip: string) {
  const parsed = isCentral(port) ? parseCidr(ip) : undefined;
  if (parsed?.family !== 4) return;
  for (const other of neighboursOf(port)) {
    const [router, source] = [routerOf(other), sourceOf(other)];
    if (router !== undefined && source !== undefined) yield* hostRoute(router, other, parsed.address, source);
  }
}

/** Who does not learn its neighbours by itself is told the MAC. */
function* resolved(port: RouterPort, mac: string, ips: readonly string[]) {
  for (const other of neighboursOf(port)) {
    const router = routerOf(other);
    if (router === undefined || learnsNeighbours(router) || !(isGatewayRouter(router) || isGatewayPort(other))) continue;
    yield lflow(router, lrIn.arpResolve, 100, match`outport == ${quoted(other.row.name)} && ${reg.nextHop4} == {${ips.join(", ")}}`, actions`eth.dst = ${mac}; next;`);
  }
}

export const routesToTranslations = rule("lr-nat-routes", translations, function* (_, nat) {
  if (!isRoutable(nat.row)) return;
  for (const router of routersOf(nat)) {
    for (const port of routerPortsOf(router)) {
      const announced = announcementOf(nat, port);
      if (announced === undefined) continue;
      yield* routes(port, announced.ip);
      if (announced.kind === "distributed") yield* resolved(port, announced.mac, [announced.ip]);
    }
  }
});

/** What the gateway answers for stands in one flow. */
export const routesToGateways = rule("lr-gateway-routes", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const { routable4, routable6 } = vipsOf(router);
  for (const vip of routable4) yield* routes(port, vip);
  const central = [...centralRoutable(port), ...routable4];
  if (central.length + routable6.size > 0) yield* resolved(port, networksOf(port).macText, central);
});
