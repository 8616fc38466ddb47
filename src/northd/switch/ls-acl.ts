/**
 * The stages of access control lists, as they are on a switch that has none: ls_*_pre_acl, ls_*_acl_hint, ls_*_acl_eval,
 * ls_*_acl_sample, ls_*_acl_action and the three ls_in_acl_after_lb_*.
 */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, everything, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import { hasDnsRecords } from "./ls-dns.ts";
import type { Topology } from "../topology/topology.ts";

const highest = 65535;
const allow = actions`${bit.verdictAllow} = 1; next;`;
/** IPv6 cannot work without these, and connection tracking does not understand them. */
const neverTracked = match`nd || nd_ra || nd_rs || mldv1 || mldv2`;

export const aclDefaults = rule("ls-acl-defaults", (t: Topology) => t.switches, function* (_, owner) {
  for (const stages of [lsIn, lsOut]) {
    const monitor = match`eth.${stages === lsIn ? "dst" : "src"} == $svc_monitor_mac`;
    yield passByDefault(owner, stages.preAcl);
    yield lflow(owner, stages.preAcl, 110, monitor, next);
    yield lflow(owner, stages.aclHint, highest, everything, next);
    yield lflow(owner, stages.aclEval, highest, everything, next);
    yield lflow(owner, stages.aclEval, highest - 3, neverTracked, allow);
    yield passByDefault(owner, stages.aclSample);
    yield passByDefault(owner, stages.aclAction);
  }
  yield passByDefault(owner, lsIn.aclAfterLbEval);
  yield lflow(owner, lsIn.aclAfterLbEval, highest - 3, neverTracked, allow);
  yield passByDefault(owner, lsIn.aclAfterLbSample);
  yield passByDefault(owner, lsIn.aclAfterLbAction);
  if (hasDnsRecords(owner)) yield lflow(owner, lsOut.aclEval, 34000, match`flags.from_ctrl && udp.src == 53`, allow);
});
