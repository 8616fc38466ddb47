/**
 * ls_in_acl_hint, ls_out_acl_hint: what the state of a connection leaves possible. A packet of a new connection can be allowed
 * or dropped, one of an allowed connection allowed or cut off; with that in a bit each, the lists that follow match on less.
 */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { hasAcls, hasStatefulAcls } from "../access/acl-use.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { type Actions, actions, everything, type Match, match, next } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import type { Topology } from "../topology/topology.ts";

const highest = 65535;

/** A list that allows must commit the connection, too, since its replies are told by that. */
const newConnection = actions`${bit.hintAllowNew} = 1; ${bit.hintDrop} = 1; ${bit.conntrackCommit} = 1; next;`;

const hints: readonly (readonly [priority: number, Match, Actions])[] = [
  [7, match`ct.new && !ct.est`, newConnection],
  // Cut off once, and allowed again since.
  [6, match`!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 1`, newConnection],
  [5, match`!ct.trk`, actions`${bit.hintAllow} = 1; ${bit.hintDrop} = 1; next;`],
  [4, match`!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 0`, actions`${bit.hintAllow} = 1; ${bit.hintBlock} = 1; next;`],
  [3, match`!ct.est`, actions`${bit.hintDrop} = 1; next;`],
  [2, match`ct.est && ct_mark.blocked == 1`, actions`${bit.hintDrop} = 1; next;`],
  [1, match`ct.est && ct_mark.blocked == 0`, actions`${bit.hintBlock} = 1; next;`],
];

export const aclHints = rule("ls-acl-hint", (t: Topology) => t.switches, function* (_, owner) {
  const isUsed = hasAcls(owner) || hasVips(owner);
  const isTracked = hasStatefulAcls(owner) || hasVips(owner);
  for (const stage of [lsIn.aclHint, lsOut.aclHint]) {
    yield lflow(owner, stage, isUsed ? 0 : highest, everything, next);
    if (isTracked) for (const [priority, state, hint] of hints) yield lflow(owner, stage, priority, state, hint);
  }
});
