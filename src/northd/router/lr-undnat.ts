/** lr_out_chk_dnat_local, lr_out_undnat, lr_out_post_undnat: replies to translated destinations get the external address back. */
import { rule } from "../../engine/index.ts";
import { lrOut } from "../../logical/index.ts";
import { actions, match, next } from "../flow-text.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import { gatewayPortsOf, isGatewayRouter, isRouterEnabled } from "../topology/router-ports.ts";
import { usesCommonZone } from "../topology/settings.ts";
import type { Topology } from "../topology/topology.ts";
import { commitsAll, hasNat, isStateless, type Translation, translatesDestination } from "../topology/translations.ts";
import { hasState } from "./lr-commit-all.ts";
import { hasCommonZone, replyToOutside, residentOf, sentAs } from "./translation-match.ts";

const isLocal = actions`${bit.dnatLocal} = 1; next;`;

/** With one zone for both: the destination is an external address of this chassis. */
export function* localDestination(x: Translation) {
  const { router, nat: { row, topology }, family, gateway } = x;
  if (gateway === undefined || !usesCommonZone(topology)) return;
  yield lflow(router, lrOut.chkDnatLocal, 50, match`ip && ip${family}.dst == ${x.externalIp}${residentOf(x)}`, isLocal, { hint: row });
}

/** A gateway router does so for all packets at once, below. */
export function* untranslatedDestination(x: Translation) {
  if (x.gateway === undefined || !translatesDestination(x)) return;
  const { router, nat: { row } } = x;
  const undo = isStateless(row) ? next : hasCommonZone(router) ? "ct_dnat_in_czone;" : "ct_dnat;";
  yield lflow(router, lrOut.undnat, 100, replyToOutside(x), actions`${sentAs(x)}${undo}`, { hint: row });
}

export const untranslatedDestinations = rule("lr-undnat", (t: Topology) => t.routers, function* (t, router) {
  if (!isRouterEnabled(router)) return;
  if (usesCommonZone(t) && hasNat(router) && (isGatewayRouter(router) || gatewayPortsOf(router).length > 0)) {
    // The mark was set in the ingress pipeline, and lives on until here.
    yield lflow(router, lrOut.chkDnatLocal, 50, match`ip && ct_mark.natted == 1`, isLocal, { hint: router.row });
  }
  if (!isGatewayRouter(router) || !(hasNat(router) || hasVips(router))) return;
  yield lflow(router, lrOut.undnat, 100, match`nd || nd_rs || nd_ra`, next);
  yield lflow(router, lrOut.undnat, 50, match`ip`, actions`flags.loopback = 1; ct_dnat;`);
  if (commitsAll(router) && hasState(router)) return;
  // Unless it were committed, each packet of the connection would be a new one, which some cards cannot take over.
  yield lflow(router, lrOut.postUndnat, 50, match`ip && ct.new`, actions`ct_commit { } ; next; `);
});
