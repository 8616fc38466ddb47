/** lr_in_ecmp_stateful_egr, lr_out_delivery: out of the router. */
import { rule } from "../../engine/index.ts";
import { lrIn, lrOut } from "../../logical/index.ts";
import { actions, everything, match, quoted } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import { isGatewayPort, isPortEnabled, isRouterEnabled, networksOf, redirectName, relaysMulticast, routerOf } from "../topology/router-ports.ts";
import type { LogicalRouter, Topology } from "../topology/topology.ts";

export const deliveryDefaults = rule("lr-delivery-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield lflow(router, lrIn.ecmpStatefulEgr, 0, everything, actions`output;`);
  yield dropByDefault(router, lrOut.delivery);
});

export const delivery = rule("lr-delivery", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const { name } = port.row;
  yield* remember(router, name);
  if (isGatewayPort(port)) yield* remember(router, redirectName(name));
  if (!isPortEnabled(port)) return;
  if (relaysMulticast(router)) {
    // Relayed multicast has not been through routing, which sets the source.
    const multicast = match`(ip4.mcast || ip6.mcast) && outport == ${quoted(name)}`;
    yield lflow(router, lrOut.delivery, 110, multicast, actions`eth.src = ${networksOf(port).macText}; output;`);
  }
  yield lflow(router, lrOut.delivery, 100, match`outport == ${quoted(name)}`, actions`output;`);
});

/** A connection routed by ECMP remembers where it went, so that its replies are told apart. */
function* remember(router: LogicalRouter, name: string) {
  const key = router.topology.portKeys.get(name);
  if (key === undefined) return;
  const commit = actions`ct_commit { ct_label.ecmp_reply_eth = eth.dst; ct_mark.ecmp_reply_port = ${key};}; output;`;
  yield lflow(router, lrIn.ecmpStatefulEgr, 100, match`${bit.needsEcmpCommit} == 1 && ip && outport == ${quoted(name)}`, commit);
}
