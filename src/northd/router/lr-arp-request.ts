/** lr_in_arp_request: asks for the MAC of a next hop that nobody knows. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { actions, match } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { isRouterEnabled } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";

export const arpRequests = rule("lr-arp-request", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  const unresolved = `eth.dst == 00:00:00:00:00:00 && ${bit.nextHopIsIpv4}`;
  const arp = actions`arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = ${reg.source4}; arp.tpa = ${reg.nextHop4}; arp.op = 1; output; }; next;`;
  yield lflow(router, lrIn.arpRequest, 100, match`${unresolved} == 1`, arp, { protocol: "arp-resolve" });
  yield lflow(router, lrIn.arpRequest, 100, match`${unresolved} == 0`, actions`nd_ns { nd.target = ${reg.nextHop6}; output; }; next;`, { protocol: "nd-ns-resolve" });
  yield passByDefault(router, lrIn.arpRequest);
});
