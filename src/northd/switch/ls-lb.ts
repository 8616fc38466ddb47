/** ls_in_ct_extract, ls_in_lb, and what ls_in_pre_stateful does for it: packets to a VIP go to one of its backends. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { balancedActions, rememberVip } from "../balancing/balanced-actions.ts";
import { type BalancerUse, switchBalancers } from "../balancing/balancer-use.ts";
import { emptyEvent } from "../balancing/empty-event.ts";
import { balancerSettings, type BalancerSettings, hasVips, protocolNumber, servicesOf } from "../balancing/load-balancers.ts";
import type { Vip } from "../balancing/vips.ts";
import { actions, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { switchFlag } from "../topology/switches.ts";
import type { LoadBalancer, LogicalSwitch, Topology } from "../topology/topology.ts";
import { affinityOf } from "./ls-lb-affinity.ts";

export const loadBalancingDefaults = rule("ls-lb-defaults", (t: Topology) => t.switches, function* (_, owner) {
  for (const stage of [lsIn.ctExtract, lsIn.lb]) yield passByDefault(owner, stage);
  if (!hasVips(owner)) return;
  const extract = actions`${reg.ctProtocol} = ct_proto(); ${reg.ctDestinationPort} = ct_tp_dst(); next;`;
  yield lflow(owner, lsIn.ctExtract, 100, match`ct.new && ip`, extract);
  // A fragment does not tell to which VIP and port it was sent: the hairpin check is told by what the tracker knows.
  for (const [ip, save] of [["ip4", `${reg.lbIpv4} = ct_nw_dst()`], ["ip6", `${reg.lbIpv6} = ct_ip6_dst()`]] as const) {
    const known = match`ct.trk && ct.est && !ct.rpl && ${bit.ipFragment} == 1 && ${ip}`;
    yield lflow(owner, lsIn.lb, 110, known, actions`${save}; ${reg.lbPort} = ct_tp_dst(); next;`);
  }
});

export const loadBalancing = rule("ls-lb", switchBalancers, function* (_, { owner, balancer }: BalancerUse<LogicalSwitch>) {
  const settings = balancerSettings(balancer);
  for (const vip of servicesOf(balancer)) {
    const event = emptyEvent(balancer, vip);
    if (event !== undefined) yield lflow(owner, lsIn.preLb, 130, event.match, event.actions, { hint: balancer.row, protocol: "event-elb" });
    yield* sentToVip(owner, balancer, settings, vip);
    yield balance(owner, balancer, settings, vip);
    if (settings.affinitySeconds > 0) yield* affinityOf(owner, balancer, vip);
  }
  if (balancesUntracked(owner, balancer)) {
    // What a stateless list lets pass is tracked on its way to the port, where it may be a reply.
    yield lflow(owner, lsOut.preLb, 115, match`${bit.aclStateless} == 1`, actions`${bit.conntrackNat} = 1; next;`);
    yield lflow(owner, lsOut.stateful, 110, match`${bit.aclStateless} == 1 && ct.new`, next);
  }
});

/** Packets that stateless lists let pass are balanced all the same (enable-stateless-acl-with-lb), by a balancer of the switch's own. */
const balancesUntracked = (owner: LogicalSwitch, balancer: LoadBalancer): boolean =>
  owner.row.load_balancer.has(balancer.row._uuid) && switchFlag(owner, "enable-stateless-acl-with-lb", false);

function* sentToVip(owner: LogicalSwitch, balancer: LoadBalancer, { protocol, hairpinSnatIp }: BalancerSettings, vip: Vip) {
  const details = { hint: balancer.row };
  const ip = `ip${vip.family}`;
  const toVip = `${ip}.dst == ${vip.ip}${vip.port === undefined ? "" : ` && ${protocol}.dst == ${vip.port}`}`;
  const track = actions`${rememberVip(vip)}ct_lb_mark;`;
  yield lflow(owner, lsIn.preStateful, 120, match`${bit.conntrackNat} == 1 && ${toVip}`, track, details);
  if (!balancesUntracked(owner, balancer)) return;
  yield lflow(owner, lsIn.preStateful, 150, match`${toVip}`, track);
  if (hairpinSnatIp !== undefined || vip.port !== undefined) {
    yield lflow(owner, lsIn.preStateful, 105, match`${protocol} && ${ip}.dst == ${hairpinSnatIp ?? vip.ip}`, actions`ct_lb_mark;`);
  }
}

function balance(owner: LogicalSwitch, balancer: LoadBalancer, { protocol }: BalancerSettings, vip: Vip) {
  const toPort = vip.port === undefined ? "" : ` && ${reg.ctProtocol} == ${protocolNumber[protocol]} && ${reg.ctDestinationPort} == ${vip.port}`;
  const { kind, text } = balancedActions(balancer, vip, "switch");
  return lflow(owner, lsIn.lb, vip.port === undefined ? 110 : 120, match`ct.new && ip${vip.family}.dst == ${vip.ip}${toPort}`, text, {
    hint: balancer.row, ...(kind === "reject" ? { protocol: "reject" } : {}),
  });
}
