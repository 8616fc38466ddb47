/** Load balancers on a router with gateway ports: balanced, and their replies restored, on the gateway's chassis. */
import { lrIn, lrOut } from "../../logical/index.ts";
import { balancerSettings } from "../balancing/load-balancers.ts";
import type { Vip } from "../balancing/vips.ts";
import { type Actions, actions, type Match, match, next, quoted } from "../flow-text.ts";
import { type FlowDetails, lflow } from "../lflow.ts";
import { reg } from "../registers.ts";
import { redirectKey } from "../topology/router-ports.ts";
import type { LoadBalancer, LogicalRouter, RouterPort } from "../topology/topology.ts";
import { hasCommonZone } from "./translation-match.ts";

export interface BalancedVip {
  readonly balancer: LoadBalancer;
  readonly vip: Vip;
  readonly source: "normal" | "skip" | "force";
  readonly packets: Match;
  readonly priority: number;
  readonly balance: Actions;
  readonly details: FlowDetails;
}

/** `isOneOfSeveral`: only between several gateways does balancing without connection tracking pay. */
export function* atGateway(router: LogicalRouter, gateway: RouterPort, service: BalancedVip, isOneOfSeveral: boolean) {
  const { balancer, vip, packets, priority, balance, details } = service;
  const { isStateless, isDistributed, rejectsEmpty } = balancerSettings(balancer);
  if (isStateless && isOneOfSeveral) {
    yield* untracked(router, gateway, service);
    return;
  }
  // Rejected at once, wherever the client is.
  const isEverywhere = isDistributed || (vip.backends.length === 0 && rejectsEmpty);
  const here = isEverywhere ? packets : match`${packets} && is_chassis_resident(${redirectKey(gateway)})`;
  yield lflow(router, lrIn.dnat, priority, here, balance, details);
  if (vip.backends.length === 0) return;
  const hint = { hint: balancer.row };
  const name = quoted(gateway.row.name);
  const replies = repliesOf(balancer, vip);
  yield lflow(router, lrIn.gwRedirect, 200, match`${replies} && outport == ${name}`, actions`outport = ${isDistributed ? name : redirectKey(gateway)}; next;`, hint);
  const restored = match`${replies} && (inport == ${name} || outport == ${name})${isDistributed ? "" : ` && is_chassis_resident(${redirectKey(gateway)})`}`;
  yield lflow(router, lrOut.undnat, 120, restored, restore(router, service), hint);
}

function restore(router: LogicalRouter, { source }: BalancedVip): Actions {
  if (source !== "normal") return actions`flags.${source}_snat_for_lb = 1; next;`;
  return hasCommonZone(router) ? actions`ct_dnat_in_czone;` : actions`ct_dnat;`;
}

/** What the backends send. */
function repliesOf(balancer: LoadBalancer, { backends, family }: Vip): Match {
  const { protocol } = balancerSettings(balancer);
  const each = backends.map(({ ip, portText }) => `(ip${family}.src == ${ip}${portText === undefined ? "" : ` && ${protocol}.src == ${portText}`})`);
  return match`ip${family} && (${each.join(" || ")})`;
}

/**
 * Without connection tracking (use_stateless_nat): either direction is rewritten packet by packet, on whichever chassis it comes
 * by, so that gateways need not share what they know of connections.
 */
function* untracked(router: LogicalRouter, gateway: RouterPort, { balancer, vip, priority, details }: BalancedVip) {
  const { protocol } = balancerSettings(balancer);
  const ip = `ip${vip.family}`;
  const resident = `is_chassis_resident(${redirectKey(gateway)})`;
  const toPort = vip.port === undefined ? "" : ` && ${protocol} && ${protocol}.dst == ${vip.port}`;
  const packets = `${resident} && ${ip} && ${ip}.dst == ${vip.ip}${toPort}`;
  for (const [i, backend] of vip.backends.entries()) {
    // A variable may stand for a port, too, but then nobody can tell which.
    if (vip.port !== undefined && backend.portText === undefined) continue;
    const chosen = vip.backends.length === 1 ? match`${packets}` : match`${packets} && ${reg.lbStatelessIndex} == ${i}`;
    const port = vip.port === undefined ? "" : `${protocol}.dst = ${backend.portText ?? ""}; `;
    yield lflow(router, lrIn.dnat, priority, chosen, actions`${ip}.dst = ${backend.ip}; ${port}next;`, details);
  }
  if (vip.backends.length === 0) return;
  const hint = { hint: balancer.row };
  const name = quoted(gateway.row.name);
  const replies = repliesOf(balancer, vip);
  yield lflow(router, lrIn.gwRedirect, 200, match`${replies} && outport == ${name}`, actions`outport = ${redirectKey(gateway)}; next;`, hint);
  const here = match`${replies} && (inport == ${name} || outport == ${name}) && ${resident} && ${protocol}`;
  yield lflow(router, lrOut.undnat, 120, here, next, hint);
  const fromPort = vip.port === undefined ? "" : `${protocol}.src = ${vip.port}; `;
  yield lflow(router, lrOut.snat, 160, here, actions`${ip}.src = ${vip.ip}; ${fromPort}next;`, hint);
}
