/** ls_in_pre_stateful, ls_in_stateful and the same in egress: packets go to the connection tracker, and connections are committed. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, match } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import type { Topology } from "../topology/topology.ts";

export const connectionTracking = rule("ls-connection-tracking", (t: Topology) => t.switches, function* (_, owner) {
  yield lflow(owner, lsIn.preStateful, 115, match`${bit.conntrackNat} == 1 && ip.is_frag`, actions`${bit.ipFragment} = 1; ct_lb_mark;`);
  for (const stages of [lsIn, lsOut]) {
    yield passByDefault(owner, stages.preStateful);
    yield lflow(owner, stages.preStateful, 110, match`${bit.conntrackNat} == 1`, actions`ct_lb_mark;`);
    yield lflow(owner, stages.preStateful, 100, match`${bit.conntrackDefrag} == 1`, actions`ct_next;`);
    yield passByDefault(owner, stages.stateful);
    for (const [priority, asks, commit] of commits) yield lflow(owner, stages.stateful, priority, asks, commit);
  }
});

const labelled = match`${bit.conntrackCommit} == 1 && ${bit.aclLabel} == 1`;
const unlabelled = match`${bit.conntrackCommit} == 1 && ${bit.aclLabel} == 0`;
const observed = `ct_mark.obs_stage = ${reg.obsStage}; ct_mark.obs_collector_id = ${reg.obsCollectorEstablished}; ct_label.obs_point_id = ${reg.obsPointEstablished}; `;

const commits = ([
  [100, labelled, observed, "ct_label.nf = 0; ct_label.nf_id = 0; "],
  [100, unlabelled, "", "ct_label.nf = 0; ct_label.nf_id = 0; "],
  [110, match`${unlabelled} && ${bit.nfEnabled} == 1`, "", `ct_label.nf = 1; ct_label.nf_id = ${reg.nfId}; `],
  [110, match`${labelled} && ${bit.nfEnabled} == 1`, observed, `ct_label.nf = 1; ct_label.nf_id = ${reg.nfId}; `],
] as const).map(([priority, asks, seen, function_]) => [
  priority,
  asks,
  actions`ct_commit { ct_mark.blocked = 0; ct_mark.allow_established = ${bit.aclPersistId}; ${seen}ct_label.acl_id = ${reg.aclId}; ${function_}}; next;`,
] as const);
