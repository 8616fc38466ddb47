/** The stages of network functions, as they are on a switch that has none. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { dropActions } from "../topology/settings.ts";
import type { Topology } from "../topology/topology.ts";

export const networkFunctionDefaults = rule("ls-network-function-defaults", (t: Topology) => t.switches, function* (t, owner) {
  const redirected = match`${bit.nfEnabled} == 1`;
  for (const stages of [lsIn, lsOut]) {
    yield passByDefault(owner, stages.preNetworkFunction);
    yield lflow(owner, stages.preNetworkFunction, 1, match`${redirected} && ${bit.nfOriginalDirection} == 1`, actions`${reg.nfId} = 0; next;`);
    yield lflow(owner, stages.networkFunction, 100, match`${redirected} && eth.mcast`, next);
    yield passByDefault(owner, stages.networkFunction);
    yield lflow(owner, stages.networkFunction, 1, redirected, dropActions(t));
  }
  yield lflow(owner, lsIn.l2Lkup, 100, match`${bit.nfEgressLoopback} == 1`, actions`output;`);
});
