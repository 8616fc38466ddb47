/** lr_in_ip_input: what is for the router itself, and what no router may forward. What is for its own addresses is in lr-ip-input-v4 and -v6. */
import { rule } from "../../engine/index.ts";
import { lrIn, type Stage } from "../../logical/index.ts";
import { actions, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { boolOption } from "../options.ts";
import { hasStaticFlood, isRouterEnabled, networksOf, relaysMulticast, routerOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import type { LogicalRouter, Topology } from "../topology/topology.ts";
import { forcesPortAddress, isSharedAddress } from "../topology/translations.ts";

export const ipInputOfRouter = rule("lr-ip-input", (t: Topology) => t.routers, function* (t, router) {
  if (!isRouterEnabled(router)) return;
  const drop = dropActions(t);
  if (hasStaticFlood(router)) {
    // Reports have a TTL of 1 and are flooded all the same.
    yield lflow(router, lrIn.ipInput, 120, match`igmp && ip.ttl == 1`, next);
    yield lflow(router, lrIn.ipInput, 120, match`(mldv1 || mldv2) && ip.ttl == 1`, next);
  }
  const martians = match`ip4.src_mcast ||ip4.src == 255.255.255.255 || ip4.src == 127.0.0.0/8 || ip4.dst == 127.0.0.0/8 || ip4.src == 0.0.0.0/8 || ip4.dst == 0.0.0.0/8`;
  yield lflow(router, lrIn.ipInput, 100, martians, drop);
  yield lflow(router, lrIn.ipInput, 85, match`arp || nd`, drop);
  yield lflow(router, lrIn.ipInput, 84, match`nd_rs || nd_ra`, next);
  yield lflow(router, lrIn.ipInput, 83, match`ip6.mcast_rsvd`, drop);
  yield lflow(router, lrIn.ipInput, 82, match`ip4.mcast || ip6.mcast`, relaysMulticast(router) ? next : drop);
  yield lflow(router, lrIn.ipInput, 50, match`eth.bcast`, drop);
  // RFC 1812, section 5.3.1: no time exceeded for multicast.
  yield lflow(router, lrIn.ipInput, 32, match`ip.ttl == {0, 1} && !ip.later_frag && (ip4.mcast || ip6.mcast)`, drop);
  yield lflow(router, lrIn.ipInput, 29, match`ip.ttl == {0, 1}`, drop);
  yield passByDefault(router, lrIn.ipInput);
});

/** What is for the router's addresses and nothing above has taken. */
export const ownDestinations = rule("lr-own-destinations", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const { ipv4, ipv6 } = networksOf(port);
  const hint = port.row;
  for (const [family, networks] of [[4, ipv4], [6, ipv6]] as const) {
    const addresses = networks.map((n) => n.text);
    // What comes to a translated source or a VIP passes; if it then finds no translation it is dropped where MACs are resolved.
    const isShared = (address: string): boolean => isSharedAddress(router, address);
    if (!forcesPortAddress(router)) yield* dropped(router, lrIn.ipInput, 60, family, addresses.filter((a) => !isShared(a)), hint);
    yield* dropped(router, lrIn.arpResolve, 2, family, addresses.filter(isShared), hint);
  }
  // A router that asks for a prefix by DHCPv6 gets the answer itself.
  if (boolOption(port.row.options, "prefix_delegation", false)) {
    for (const ip of ipv6) {
      yield lflow(router, lrIn.ipInput, 100, match`ip6.dst == ${ip.text} && udp.src == 547 && udp.dst == 546`, actions`reg0 = 0; handle_dhcpv6_reply;`);
    }
  }
});

function* dropped(router: LogicalRouter, stage: Stage, priority: number, family: 4 | 6, addresses: readonly string[], hint: { readonly _uuid: string }) {
  if (addresses.length > 0) yield lflow(router, stage, priority, match`ip${family}.dst == {${addresses.join(", ")}}`, dropActions(router.topology), { hint });
}
