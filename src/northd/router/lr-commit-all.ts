/**
 * options:ct-commit-all: every connection through the router is tracked in both zones, so that no packet of an untranslated
 * one is a new connection again and again, which some cards cannot take over.
 */
import { rule } from "../../engine/index.ts";
import { lrIn, lrOut } from "../../logical/index.ts";
import { actions, match, next, quoted } from "../flow-text.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { lflow } from "../lflow.ts";
import { gatewayPortsOf, isGatewayRouter, isRouterEnabled, redirectKey } from "../topology/router-ports.ts";
import { chassisFeatures } from "../topology/settings.ts";
import type { LogicalRouter, RouterPort, Topology } from "../topology/topology.ts";
import { commitsAll, forcedSourceForDnat, forcedSourceForLb, forcesPortAddress, hasStatefulNat } from "../topology/translations.ts";

/** Whether anything on the router is done by connection tracking. */
export const hasState = (router: LogicalRouter): boolean =>
  forcedSourceForDnat(router) !== undefined || forcedSourceForLb(router) !== undefined || forcesPortAddress(router) || hasStatefulNat(router) || hasVips(router);

export const commitAll = rule("lr-commit-all", (t: Topology) => t.routers, function* (t, router) {
  if (!isRouterEnabled(router) || !commitsAll(router) || !hasState(router)) return;
  const { ct_commit_to_zone, ct_next_zone } = chassisFeatures(t);
  if (!ct_commit_to_zone || !ct_next_zone) return;
  if (isGatewayRouter(router)) yield* commits(router, undefined);
  for (const gateway of gatewayPortsOf(router)) yield* commits(router, gateway);
});

function* commits(router: LogicalRouter, gateway: RouterPort | undefined) {
  const at = (direction: "inport" | "outport"): string =>
    (gateway === undefined ? "" : ` && ${direction} == ${quoted(gateway.row.name)} && is_chassis_resident(${redirectKey(gateway)})`);
  const [incoming, outgoing] = [at("inport"), at("outport")];
  // A packet that is a reply is one in both zones.
  const notReply = "(!ct.trk || !ct.rpl)";
  yield lflow(router, lrIn.defrag, 10, match`ip && ${notReply}${incoming}`, actions`ct_next(dnat);`);
  yield lflow(router, lrIn.dnat, 10, match`ip && ct.new${incoming}`, actions`ct_commit_to_zone(dnat);`);
  // The next zone's state takes the place of this one's: that the connection is new must be kept elsewhere.
  yield lflow(router, lrIn.postUnsnat, 10, match`ip && ct.new${incoming}`, actions`flags.unsnat_new = 1; next;`);
  yield lflow(router, lrIn.postUnsnat, 10, match`ip && !ct.trk${incoming}`, actions`flags.unsnat_not_tracked = 1; next;`);
  yield lflow(router, lrOut.postUndnat, 10, match`ip && ${notReply} && flags.unsnat_not_tracked == 1${outgoing}`, actions`ct_next(snat);`);
  yield lflow(router, lrOut.postUndnat, 10, match`ip && flags.unsnat_new == 1${outgoing}`, next);
  yield lflow(router, lrOut.snat, 10, match`ip && ${notReply} && flags.unsnat_new == 1${outgoing}`, actions`ct_commit_to_zone(snat);`);
  yield lflow(router, lrOut.snat, 10, match`ip && ct.new${outgoing}`, actions`ct_commit_to_zone(snat);`);
}
