/** ls_in_acl_action, ls_in_acl_after_lb_action, ls_out_acl_action: what becomes of a packet, or which tier of lists is asked next. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { type AclPlace, hasAcls, lastTier } from "../access/acl-use.ts";
import { actions, everything, match } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { dropActions, dropsByDefault } from "../topology/settings.ts";
import type { Topology } from "../topology/topology.ts";

const places = [
  { place: "from-lport", evaluation: lsIn.aclEval, action: lsIn.aclAction },
  { place: "from-lport-after-lb", evaluation: lsIn.aclAfterLbEval, action: lsIn.aclAfterLbAction },
  { place: "to-lport", evaluation: lsOut.aclEval, action: lsOut.aclAction },
] as const satisfies readonly { readonly place: AclPlace; readonly evaluation: unknown; readonly action: unknown }[];

const forgetVerdict = `${bit.verdictAllow} = 0; ${bit.verdictDrop} = 0; ${bit.verdictReject} = 0; `;

export const aclActions = rule("ls-acl-action", (t: Topology) => t.switches, function* (t, owner) {
  const drop = dropActions(t);
  // Where drops are not sampled, a comment does.
  const implicitDrop = drop === "drop;" ? "/* drop */" : drop;
  for (const { place, evaluation, action: stage } of places) {
    if (!hasAcls(owner)) {
      yield passByDefault(owner, stage);
      continue;
    }
    const last = lastTier(owner, place);
    const forget = last > 0 ? `${forgetVerdict}${reg.aclTier} = 0; ` : forgetVerdict;
    yield lflow(owner, stage, 1000, match`${bit.verdictAllow} == 1`, actions`${forget}next;`);
    yield lflow(owner, stage, 1000, match`${bit.verdictDrop} == 1`, actions`${forget}${implicitDrop}`);
    const answered = stage.pipeline === "ingress" ? `pipeline=egress,table=${lsOut.qos.table}` : `pipeline=ingress,table=${lsIn.l2Lkup.table}`;
    const reject = actions`${forget}reg0 = 0; reject { /* eth.dst <-> eth.src; ip.dst <-> ip.src; is implicit. */ outport <-> inport; next(${answered}); };`;
    yield lflow(owner, stage, 1000, match`${bit.verdictReject} == 1`, reject, { protocol: "reject" });
    yield lflow(owner, stage, 0, everything, actions`${forget}${dropsByDefault(t) ? implicitDrop : "next;"}`);
    for (let tier = 0; tier < last; tier++) {
      const onward = actions`${reg.aclTier} = ${tier + 1}; next(pipeline=${stage.pipeline},table=${evaluation.table});`;
      yield lflow(owner, stage, 500, match`${reg.aclTier} == ${tier}`, onward);
    }
  }
});
