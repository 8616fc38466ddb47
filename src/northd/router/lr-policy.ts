/** lr_in_policy, lr_in_policy_ecmp, as they are on a router without policies. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { actions, everything, match, next } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { reg } from "../registers.ts";
import { isRouterEnabled } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";

export const policyDefaults = rule("lr-policy-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield lflow(router, lrIn.policy, 0, everything, actions`${reg.ecmpGroup} = 0; next;`);
  yield lflow(router, lrIn.policyEcmp, 150, match`${reg.ecmpGroup} == 0`, next);
  yield dropByDefault(router, lrIn.policyEcmp);
});
