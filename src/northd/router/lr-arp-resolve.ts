/** lr_in_arp_resolve: the MAC of the next hop, from the northbound database where it is known there. */
import { derived, rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { actions, match, next, oneOrSet, quoted } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { boolOption } from "../options.ts";
import { memberAddress } from "../port-addresses.ts";
import { bit, reg } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import {
  isBridgedGateway, isPortEnabled, isRouterEnabled, networksOf, redirectKey, routerOf, routerPeerOf,
} from "../topology/router-ports.ts";
import { addressesOf, routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { LogicalRouter, LogicalSwitch, RouterPort, SwitchPort, Topology } from "../topology/topology.ts";

export const arpResolveDefaults = rule("lr-arp-resolve-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield lflow(router, lrIn.arpResolve, 500, match`ip4.mcast || ip6.mcast`, next);
  yield lflow(router, lrIn.arpResolve, 1, match`${bit.nextHopIsIpv4} == 1`, actions`get_arp(outport, ${reg.nextHop4}); next;`);
  yield lflow(router, lrIn.arpResolve, 1, match`${bit.nextHopIsIpv4} == 0`, actions`get_nd(outport, ${reg.nextHop6}); next;`);
  yield dropByDefault(router, lrIn.arpResolve);
});

const resolve = (mac: string) => actions`eth.dst = ${mac}; next;`;

/** The port's own addresses, for the router on the other side of a direct link. */
export const neighbouringRouters = rule("lr-arp-resolve-of-port", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const hint = port.row;
  const { macText } = networksOf(port);
  const peer = routerPeerOf(port);
  const other = peer === undefined ? undefined : routerOf(peer);
  if (peer !== undefined && other !== undefined) yield* reachable(other, peer, port, { hint }, "== ");
  if (isBridgedGateway(port)) {
    // Whatever is behind the gateway and unresolved elsewhere is sent to the gateway's own MAC.
    const elsewhere = match`outport == ${quoted(port.row.name)} && !is_chassis_resident(${redirectKey(port)})`;
    yield lflow(router, lrIn.arpResolve, 50, elsewhere, resolve(macText), { hint });
  }
});

/** On `router`, by way of `outport`: the addresses of `target`. */
function* reachable(router: LogicalRouter, outport: RouterPort, target: RouterPort, details: { readonly hint: { readonly _uuid: string } }, equals4 = " == ") {
  const { macText, ipv4, ipv6 } = networksOf(target);
  const by = `outport == ${quoted(outport.row.name)} && `;
  if (ipv4.length > 0) {
    yield lflow(router, lrIn.arpResolve, 100, match`${by}${reg.nextHop4}${equals4}${oneOrSet(ipv4.map((n) => n.text))}`, resolve(macText), details);
  }
  if (ipv6.length > 0) {
    yield lflow(router, lrIn.arpResolve, 100, match`${by}${reg.nextHop6} == ${oneOrSet(ipv6.map((n) => n.text))}`, resolve(macText), details);
  }
}

/** The addresses of switch ports, for every router on the switch that has a network they are in. */
export const neighboursOnSwitches = rule("lr-arp-resolve-of-switch-port", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined || !isPortEnabled(port)) return;
  const type = typeOf(port);
  if (type === "router") yield* otherRouters(owner, port);
  else if (type !== "virtual") yield* hosts(owner, port);
});

function* hosts(owner: LogicalSwitch, port: SwitchPort) {
  const hint = port.row;
  for (const facing of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(facing);
    const router = peer === undefined ? undefined : routerOf(peer);
    if (peer === undefined || router === undefined) continue;
    const networks = networksOf(peer);
    const by = `outport == ${quoted(peer.row.name)} && `;
    const isBridged = isBridgedGateway(peer);
    for (const { macText, ipv4, ipv6 } of addressesOf(port)) {
      for (const { text } of ipv4) {
        if (isBridged || memberAddress(networks, text) === undefined) continue;
        yield lflow(router, lrIn.arpResolve, 100, match`${by}${reg.nextHop4} == ${text}`, resolve(macText), { hint });
      }
      for (const { text } of ipv6) {
        if (memberAddress(networks, text) === undefined) continue;
        yield lflow(router, lrIn.arpResolve, 100, match`${by}${reg.nextHop6} == ${text}`, resolve(macText), { hint });
      }
    }
  }
}

/** Such a router learns its neighbours from ARP, even those that the database knows. */
export const learnsNeighbours = derived("dynamic_neigh_routers", (router: LogicalRouter): boolean => boolOption(router.row.options, "dynamic_neigh_routers", false));

/** For the router behind this port: all other routers of the switch. */
function* otherRouters(owner: LogicalSwitch, port: SwitchPort) {
  const peer = routerPortBehind(port);
  const router = peer === undefined ? undefined : routerOf(peer);
  if (peer === undefined || router === undefined || learnsNeighbours(router)) return;
  for (const facing of routerFacingPortsOf(owner)) {
    const other = routerPortBehind(facing);
    if (other !== undefined && other !== peer) yield* reachable(router, peer, other, { hint: port.row });
  }
}
