/** lr_in_lb_aff_check, lr_in_lb_aff_learn, and lr_in_dnat for known sessions: a client keeps its backend for a while (affinity_timeout). */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { learnedSession, usedBackend } from "../balancing/affinity.ts";
import { type BalancerUse, routerBalancers } from "../balancing/balancer-use.ts";
import { balancerSettings, servicesOf } from "../balancing/load-balancers.ts";
import { actions } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import type { LogicalRouter, Topology } from "../topology/topology.ts";
import { newConnection, sourceTreatment } from "./lr-lb.ts";

export const routerAffinity = rule("lr-lb-affinity", routerBalancers, function* (_: Topology, { owner: router, balancer }: BalancerUse<LogicalRouter>) {
  if (balancerSettings(balancer).affinitySeconds === 0) return;
  const details = { hint: balancer.row };
  const source = sourceTreatment(router, balancer);
  const treatment = source === "normal" ? { before: "", flag: "" } : { before: `flags.${source}_snat_for_lb = 1; `, flag: `; ${source}_snat` };
  for (const vip of servicesOf(balancer)) {
    // A variable counts as an IPv6 address here, as in OVN's northd.
    const family = vip.isIpv4 ? 4 : 6;
    yield lflow(router, lrIn.lbAffCheck, 100, newConnection(balancer, vip), actions`${bit.knownBalancerSession} = chk_lb_aff(); next;`, details);
    for (const backend of vip.backends) {
      const learn = learnedSession(balancer, vip, backend, family);
      yield lflow(router, lrIn.lbAffLearn, 100, learn.match, learn.actions, details);
      const known = usedBackend(vip, backend, family, treatment);
      yield lflow(router, lrIn.dnat, 150, known.match, known.actions, details);
    }
  }
});
