/**
 * Address translation (NAT of ovn-nb(5)). A packet from outside passes lr_in_unsnat, lr_in_dnat and, when it leaves again,
 * lr_out_snat; one from inside lr_out_undnat and lr_out_snat. Each stage has a file of its own; here they come together.
 */
import { rule } from "../../engine/index.ts";
import { lrIn, lrOut } from "../../logical/index.ts";
import { actions, everything, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import { gatewayPortsOf, isGatewayRouter, isRouterEnabled } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";
import { routersOf, type Translation, translationOf, translations } from "../topology/translations.ts";
import { translatedDestination } from "./lr-dnat.ts";
import { egressLoop } from "./lr-egr-loop.ts";
import { admitted, leavesDirectly, neighbourReplies, resolvedExternal } from "./lr-nat-neighbours.ts";
import { translatedSource } from "./lr-snat.ts";
import { localDestination, untranslatedDestination } from "./lr-undnat.ts";
import { untranslatedSource } from "./lr-unsnat.ts";

const unused = [
  lrIn.dhcpRelayReq, lrIn.unsnat, lrIn.postUnsnat, lrIn.defrag, lrIn.ctExtract, lrIn.lbAffCheck, lrIn.dnat, lrIn.lbAffLearn,
  lrIn.ecmpStateful, lrIn.dhcpRelayRespChk, lrIn.dhcpRelayResp, lrOut.undnat, lrOut.postUndnat, lrOut.snat, lrOut.postSnat, lrOut.egrLoop,
];

export const natDefaults = rule("lr-nat-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  for (const stage of unused) yield passByDefault(router, stage);
  yield lflow(router, lrOut.chkDnatLocal, 0, everything, actions`${bit.dnatLocal} = 0; next;`);
  // What the controller solicits on the router's behalf must not be tracked.
  yield lflow(router, lrOut.snat, 120, match`nd_ns`, next);
});

export const addressTranslation = rule("lr-nat", translations, function* (_, nat) {
  for (const router of routersOf(nat)) {
    const parsed = translationOf(nat, router);
    if (parsed === undefined) continue;
    yield* neighbourReplies(parsed);
    // Only where all traffic passes one chassis are connections known; elsewhere the rule stands for its address alone.
    if (isGatewayRouter(router) || gatewayPortsOf(router).length > 0) yield* translated(parsed);
  }
});

function* translated(x: Translation) {
  yield* untranslatedSource(x);
  yield* translatedDestination(x);
  yield* resolvedExternal(x);
  yield* localDestination(x);
  yield* untranslatedDestination(x);
  yield* translatedSource(x);
  yield* admitted(x);
  yield* leavesDirectly(x);
  yield* egressLoop(x);
}
