/** ls_in_l2_lkup, for VIPs of routers: requests for them go to the router that has them, instead of to everybody. */
import { rule } from "../../engine/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { memberAddress } from "../port-addresses.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isPortEnabled, networksOf, routerOf } from "../topology/router-ports.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import type { Topology } from "../topology/topology.ts";
import { requestFor } from "./ls-l2-lkup.ts";

export const vipRequests = rule("ls-vip", (t: Topology) => t.switchPorts, function* (_, port) {
  const peer = routerPortBehind(port);
  const router = peer === undefined || !isPortEnabled(peer) ? undefined : routerOf(peer);
  const owner = switchOf(port);
  if (peer === undefined || router === undefined || owner === undefined) return;
  const { reachable4, reachable6 } = vipsOf(router);
  for (const [family, vips] of [[4, reachable4], [6, reachable6]] as const) {
    // Nobody would ask for the others here.
    for (const ip of vips) if (memberAddress(networksOf(peer), ip) !== undefined) yield* requestFor(owner, port, ip, family);
  }
});
