/** All rules about load balancers, and what switches track for them. */
import type { Rule } from "../../engine/index.ts";
import { hairpins, hardwareSwitches } from "../switch/ls-hairpin.ts";
import { loadBalancing, loadBalancingDefaults } from "../switch/ls-lb.ts";
import { affinity, affinityDefaults } from "../switch/ls-lb-affinity.ts";
import { preLb } from "../switch/ls-pre-lb.ts";
import { connectionTracking } from "../switch/ls-stateful.ts";
import type { Topology } from "../topology/topology.ts";
import { balancersOfGroups, balancersOfRouters, balancersOfSwitches } from "./balancer-use.ts";

/** Who has which: before what depends on it. */
export const balancerUsesRules: readonly Rule<Topology>[] = [balancersOfGroups, balancersOfSwitches, balancersOfRouters];

export const balancingRules: readonly Rule<Topology>[] = [
  preLb, connectionTracking, loadBalancingDefaults, loadBalancing, affinityDefaults, affinity, hairpins, hardwareSwitches,
];
