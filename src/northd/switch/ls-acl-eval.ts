/**
 * ls_in_acl_eval, ls_out_acl_eval, ls_in_acl_after_lb_eval: what holds whatever lists there are. Replies and related packets of
 * allowed connections pass, invalid ones do not. The lists themselves are in ls-acl.ts.
 */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { hasAcls, hasStatefulAcls, lastTier } from "../access/acl-use.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { actions, everything, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { dropsInvalid } from "../topology/settings.ts";
import { switchFlag } from "../topology/switches.ts";
import type { LogicalSwitch, Topology } from "../topology/topology.ts";
import { hasDnsRecords } from "./ls-dns.ts";

const highest = 65535;
/** Above all lists. */
const aboveLists = highest - 3;
const allow = actions`${bit.verdictAllow} = 1; next;`;
/** IPv6 cannot work without these, and connection tracking does not understand them. */
const neverTracked = match`nd || nd_ra || nd_rs || mldv1 || mldv2`;

export const aclEvaluation = rule("ls-acl-eval", (t: Topology) => t.switches, function* (t, owner) {
  const isUsed = hasAcls(owner) || hasVips(owner);
  const isTracked = hasStatefulAcls(owner) || hasVips(owner);
  for (const stage of [lsIn.aclEval, lsOut.aclEval]) yield lflow(owner, stage, isUsed ? 0 : highest, everything, next);
  yield passByDefault(owner, lsIn.aclAfterLbEval);
  if (isTracked) yield* connections(t, owner);
  for (const stage of [lsIn.aclEval, lsOut.aclEval, lsIn.aclAfterLbEval]) yield lflow(owner, stage, aboveLists, neverTracked, allow);
  if (hasDnsRecords(owner)) {
    const answer = isTracked ? actions`${bit.verdictAllow} = 1; ct_commit; next;` : allow;
    yield lflow(owner, lsOut.aclEval, 34000, match`flags.from_ctrl && udp.src == 53`, answer);
  }
  if (isUsed) {
    yield lflow(owner, lsIn.aclEval, 34000, match`eth.dst == $svc_monitor_mac`, allow);
    yield lflow(owner, lsOut.aclEval, 34000, match`eth.src == $svc_monitor_mac`, allow);
  }
});

function* connections(t: Topology, owner: LogicalSwitch) {
  const keepsInvalid = !dropsInvalid(t) || switchFlag(owner, "enable-stateless-acl-with-lb", false);
  const cutOff = keepsInvalid ? match`(ct.est && ct.rpl && ct_mark.blocked == 1)` : match`ct.inv || (ct.est && ct.rpl && ct_mark.blocked == 1)`;
  const functionOf = `${bit.nfEnabled} = ct_label.nf; `;
  for (const stages of [lsIn, lsOut]) {
    const isIngress = stages === lsIn;
    // What was cut off and is allowed by default again comes this far once all tiers are through.
    const tier = lastTier(owner, isIngress ? "from-lport" : "to-lport");
    const afterTiers = tier > 0 ? ` && ${reg.aclTier} == ${tier}` : "";
    yield lflow(owner, stages.aclEval, 1, match`ip && ct.est && ct_mark.blocked == 1${afterTiers}`, allow);
    yield lflow(owner, stages.aclEval, 1, match`ip && !ct.est`, next);
    yield lflow(owner, stages.aclEval, aboveLists, cutOff, actions`${bit.verdictDrop} = 1; next;`);
    // The request direction is left to the lists as they are now.
    const reply = match`ct.est && !ct.rel && ct.rpl && ct_mark.blocked == 0`;
    const hints = isIngress ? `${bit.hintDrop} = 0; ${bit.hintBlock} = 0; ${bit.hintAllowRelated} = 1; ` : "";
    yield lflow(owner, stages.aclEval, aboveLists, reply, actions`${hints}${functionOf}${bit.verdictAllow} = 1; next;`);
    const related = match`!ct.est && ct.rel && !ct.new && ct_mark.blocked == 0`;
    const later = isIngress ? `${bit.hintAllowRelated} = 1; ` : "";
    yield lflow(owner, stages.aclEval, aboveLists, related, actions`${later}${functionOf}${bit.verdictAllow} = 1; ct_commit_nat;`);
    const persisted = isIngress ? `${bit.hintAllowPersisted} = 1; ` : "";
    yield lflow(owner, stages.aclEval, aboveLists, match`ct.est && ct_mark.allow_established == 1`, actions`${persisted}${functionOf}${bit.verdictAllow} = 1; next;`);
  }
  yield lflow(owner, lsIn.aclAfterLbEval, aboveLists, match`${bit.hintAllowRelated} == 1`, allow);
  yield lflow(owner, lsIn.aclAfterLbEval, aboveLists, match`${bit.hintAllowPersisted} == 1`, allow);
}
