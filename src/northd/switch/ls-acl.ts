/** Access control lists, one by one, in ls_in_acl_eval, ls_in_acl_after_lb_eval and ls_out_acl_eval (ovn-nb(5), ACL). */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut, type Stage } from "../../logical/index.ts";
import { type Acl, type AclPlace, type AclUse, aclUses, hasStatefulAcls, lastTier, placeOf } from "../access/acl-use.ts";
import { aclLog } from "../access/acl-log.ts";
import { noteObservation } from "../access/acl-sample.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { actions, match } from "../flow-text.ts";
import { type FlowDetails, lflow } from "../lflow.ts";
import { boolOption } from "../options.ts";
import { bit, reg } from "../registers.ts";
import { chassisFeatures, matchesTrackedPorts } from "../topology/settings.ts";
import type { LogicalSwitch, Topology } from "../topology/topology.ts";
import { samplesOf } from "./ls-acl-sample.ts";
import { aclPriorityOffset, leftUntracked } from "./ls-pre-acl.ts";

const highest = 65535;

const evaluationAt: { readonly [place in AclPlace]: Stage } = {
  "from-lport": lsIn.aclEval, "from-lport-after-lb": lsIn.aclAfterLbEval, "to-lport": lsOut.aclEval,
};

const verdictOf = ({ action }: Acl): string => {
  switch (action) {
    case "drop":
      return `${bit.verdictDrop} = 1; `;
    case "reject":
      return `${bit.verdictReject} = 1; `;
    case "pass":
      return "";
    default:
      return `${bit.verdictAllow} = 1; `;
  }
};

/** What all flows of one list on one switch have in common. */
interface ListFlows {
  readonly owner: LogicalSwitch;
  readonly stage: Stage;
  readonly priority: number;
  /** The tier, as the match begins with it. */
  readonly tier: string;
  /** Log and verdict, as the actions begin with them. */
  readonly verdict: string;
  readonly details: FlowDetails;
}

export const accessControlLists = rule("ls-acl", (t: Topology) => aclUses(t).pairs, function* (t, { owner, acl }: AclUse) {
  const isTracked = hasStatefulAcls(owner) || hasVips(owner);
  const place = placeOf(acl);
  const flows = {
    owner, stage: evaluationAt[place], priority: acl.priority + aclPriorityOffset,
    tier: lastTier(owner, place) > 0 ? `${reg.aclTier} == ${acl.tier} && ` : "",
    verdict: `${aclLog(t, acl)}${verdictOf(acl)}`,
    details: { hint: acl, matchesTrackedPorts: isTracked && matchesTrackedPorts(t) },
  };
  const { action } = acl;
  if (isTracked && action === "allow-stateless") yield leftUntracked(owner, acl);
  if (!isTracked || action === "pass" || action === "allow-stateless") yield* withoutState(t, flows, acl);
  else if (action === "drop" || action === "reject") yield* refusing(t, flows, acl);
  else {
    yield* allowing(t, flows, acl);
    yield* repliesLogged(t, owner, acl);
  }
  yield* samplesOf(t, owner, acl);
});

/** Only a list that allows can send packets by way of a network function. */
function isWithoutFunction(t: Topology, { network_function_group: group, action }: Acl): boolean {
  if (group !== undefined) t.log.err(`ACL action ${action} does not support network-function-group`);
  return group === undefined;
}

function* withoutState(t: Topology, { owner, stage, priority, tier, verdict }: ListFlows, acl: Acl) {
  if (!isWithoutFunction(t, acl)) return;
  yield lflow(owner, stage, priority, match`${tier}(${acl.match})`, actions`${verdict}${noteObservation(t, acl, "new")}next;`, { hint: acl });
}

function* allowing(t: Topology, { owner, stage, priority, tier, verdict, details }: ListFlows, acl: Acl) {
  const group = t.nb.Network_Function_Group.get(acl.network_function_group);
  const byFunction = group === undefined ? "" : `${bit.nfEnabled} = 1; ${bit.nfOriginalDirection} = 1; ${reg.nfId} = ${group.id}; `;
  const observation = noteObservation(t, acl, "both");
  // Committed where the connection is new, or was cut off and is to go on: see ls-acl-hint.ts and ls-stateful.ts.
  const begin = actions`${verdict}${persistence(t, acl)}${observation}${byFunction}next;`;
  yield lflow(owner, stage, priority, match`${tier}${bit.hintAllowNew} == 1 && (${acl.match})`, begin, details);
  // An established one is committed anew where what is noted with it may have changed with the list that allows it.
  const isNoted = acl.label !== 0 || acl.sample_est !== undefined || group !== undefined;
  const goOn = actions`${verdict}${isNoted ? `${bit.conntrackCommit} = 1; ` : ""}${observation}${byFunction}next;`;
  yield lflow(owner, stage, priority, match`${tier}${bit.hintAllow} == 1 && (${acl.match})`, goOn, details);
}

/** With persist-established the connection outlives the list: it is committed with the number of the list, and flushed by that. */
function persistence(t: Topology, acl: Acl): string {
  if (!boolOption(acl.options, "persist-established", false)) return "";
  if (!chassisFeatures(t).ct_label_flush) {
    t.warn(`OVS does not support CT label flush. persist-established option cannot be honored for ACL ${acl._uuid}.`);
    return "";
  }
  const id = t.aclIds.get(acl._uuid);
  if (id === undefined) {
    if (acl.action !== "allow-related") t.warn(`No ID found for ACL ${acl._uuid} (${acl.match})`);
    return "";
  }
  return `${reg.aclId} = ${id}; ${bit.aclPersistId} = 1; `;
}

function* refusing(t: Topology, { owner, stage, priority, tier, verdict, details }: ListFlows, acl: Acl) {
  if (!isWithoutFunction(t, acl)) return;
  const observation = noteObservation(t, acl, "new");
  yield lflow(owner, stage, priority, match`${tier}${bit.hintDrop} == 1 && (${acl.match})`, actions`${verdict}${observation}next;`, details);
  // A connection that was allowed: marked, so that its replies are refused as well.
  const point = t.nb.Sample.get(acl.sample_est)?.metadata ?? 0;
  const cutOff = actions`${verdict}${observation}ct_commit { ct_mark.blocked = 1; ct_label.obs_point_id = ${point}; }; next;`;
  yield lflow(owner, stage, priority, match`${tier}${bit.hintBlock} == 1 && (${acl.match})`, cutOff, details);
}

/** Replies pass above all lists; to be logged, those of this list's connections pass higher still. */
function* repliesLogged(t: Topology, owner: LogicalSwitch, acl: Acl) {
  if (!acl.log || acl.label === 0 || !boolOption(acl.options, "log-related", false)) return;
  const stage = acl.direction === "from-lport" ? lsOut.aclEval : lsIn.aclEval;
  const pass = actions`${aclLog(t, acl)}${bit.nfEnabled} = ct_label.nf; ${bit.verdictAllow} = 1; next;`;
  const ofThisList = `ct_mark.blocked == 0 && ct_label.label == ${acl.label}`;
  yield lflow(owner, stage, highest - 2, match`ct.est && !ct.rel && ct.rpl && ${ofThisList}`, pass, { hint: acl });
  yield lflow(owner, stage, highest - 2, match`!ct.est && ct.rel && !ct.new && ${ofThisList}`, pass, { hint: acl });
}
