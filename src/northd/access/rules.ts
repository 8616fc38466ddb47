/** All rules about access control lists. */
import type { Rule } from "../../engine/index.ts";
import { accessControlLists } from "../switch/ls-acl.ts";
import { aclActions } from "../switch/ls-acl-action.ts";
import { aclEvaluation } from "../switch/ls-acl-eval.ts";
import { aclHints } from "../switch/ls-acl-hint.ts";
import { aclSampleDefaults } from "../switch/ls-acl-sample.ts";
import { preAcl } from "../switch/ls-pre-acl.ts";
import { aclIds } from "../sync/acl-ids.ts";
import { meterShares } from "../sync/meter-shares.ts";
import { portGroups } from "../sync/port-groups.ts";
import type { Topology } from "../topology/topology.ts";
import { aclsOfGroups, aclsOfSwitches, groupsOnSwitches } from "./acl-use.ts";

/** Who has which, and their numbers: before what depends on it. */
export const accessUses: readonly Rule<Topology>[] = [aclsOfSwitches, aclsOfGroups, groupsOnSwitches, portGroups, aclIds];

export const accessRules: readonly Rule<Topology>[] = [
  preAcl, aclHints, aclEvaluation, accessControlLists, aclSampleDefaults, aclActions, meterShares,
];
