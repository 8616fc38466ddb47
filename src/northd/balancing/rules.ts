/** All rules about load balancers, and what switches track for them. */
import type { Rule } from "../../engine/index.ts";
import { healthCheckFeedback } from "../nb-feedback/health-check-feedback.ts";
import { balancedConnections, routerBalancing } from "../router/lr-lb.ts";
import { routerAffinity } from "../router/lr-lb-affinity.ts";
import { vipNeighbours } from "../router/lr-vip-neighbours.ts";
import { hairpins, hardwareSwitches } from "../switch/ls-hairpin.ts";
import { loadBalancing, loadBalancingDefaults } from "../switch/ls-lb.ts";
import { affinityDefaults } from "../switch/ls-lb-affinity.ts";
import { preLb } from "../switch/ls-pre-lb.ts";
import { connectionTracking } from "../switch/ls-stateful.ts";
import { answersToRouterPorts, checksForOtherZones, checksOfBackends, checksOfSwitchPorts } from "../switch/ls-svc-monitor.ts";
import { vipRequests } from "../switch/ls-vip.ts";
import { balancerRows } from "../sync/load-balancers.ts";
import { monitorsOfBalancers, monitorsOfPorts } from "../sync/service-monitors.ts";
import { vipAddressSets } from "../sync/vip-address-sets.ts";
import type { Topology } from "../topology/topology.ts";
import { balancersOfGroups, balancersOfRouters, balancersOfSwitches } from "./balancer-use.ts";

/** Who has which: before what depends on it. */
export const balancerUsesRules: readonly Rule<Topology>[] = [balancersOfGroups, balancersOfSwitches, balancersOfRouters];

export const balancingRules: readonly Rule<Topology>[] = [
  preLb, connectionTracking, loadBalancingDefaults, loadBalancing, affinityDefaults, hairpins, hardwareSwitches,
  balancedConnections, routerBalancing, routerAffinity, vipNeighbours, vipRequests, vipAddressSets, balancerRows,
  monitorsOfBalancers, monitorsOfPorts, checksOfBackends, checksOfSwitchPorts, checksForOtherZones, answersToRouterPorts, healthCheckFeedback,
];
