/**
 * The stages of address translation, load balancing, DHCP relay and symmetric replies, as they are on a router that uses
 * none: lr_in_dhcp_relay_*, lr_in_unsnat .. lr_in_ecmp_stateful, lr_out_chk_dnat_local .. lr_out_egr_loop.
 */
import { rule } from "../../engine/index.ts";
import { lrIn, lrOut } from "../../logical/index.ts";
import { actions, everything, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import { isRouterEnabled } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";

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
