/** ls_in_lb_aff_check, ls_in_lb_aff_learn, and ls_in_lb for known sessions: a client keeps its backend for a while (affinity_timeout). */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { learnedSession, usedBackend } from "../balancing/affinity.ts";
import { rememberVip } from "../balancing/balanced-actions.ts";
import { balancerSettings, protocolNumber } from "../balancing/load-balancers.ts";
import type { Vip } from "../balancing/vips.ts";
import { actions, match } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import type { LoadBalancer, LogicalSwitch, Topology } from "../topology/topology.ts";

export const affinityDefaults = rule("ls-lb-affinity-defaults", (t: Topology) => t.switches, function* (_, owner) {
  for (const stage of [lsIn.lbAffCheck, lsIn.lbAffLearn]) yield passByDefault(owner, stage);
});

/** The flows of one service. */
export function* affinityOf(owner: LogicalSwitch, balancer: LoadBalancer, vip: Vip) {
  const { protocol } = balancerSettings(balancer);
  const details = { hint: balancer.row };
  const ip = `ip${vip.family}`;
  const toPort = vip.port === undefined ? "" : ` && ${reg.ctProtocol} == ${protocolNumber[protocol]} && ${reg.ctDestinationPort} == ${vip.port}`;
  const check = actions`${bit.knownBalancerSession} = chk_lb_aff(); next;`;
  yield lflow(owner, lsIn.lbAffCheck, 100, match`ct.new && ${ip} && ${ip}.dst == ${vip.ip}${toPort}`, check, details);
  for (const backend of vip.backends) {
    const learn = learnedSession(balancer, vip, backend, vip.family);
    yield lflow(owner, lsIn.lbAffLearn, 100, learn.match, learn.actions, details);
    const known = usedBackend(vip, backend, vip.family, { before: rememberVip(vip), flag: "" });
    yield lflow(owner, lsIn.lb, 150, known.match, known.actions, details);
  }
}
