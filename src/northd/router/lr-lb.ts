/**
 * Load balancers on routers: lr_in_defrag or lr_in_ct_extract, then lr_in_dnat. A gateway router balances all that comes by; a
 * router with gateway ports where the gateway is (lr-lb-distributed.ts).
 */
import { derived, rule } from "../../engine/index.ts";
import { lrIn, lrOut } from "../../logical/index.ts";
import { balancedActions, type BalancedActions } from "../balancing/balanced-actions.ts";
import { type BalancerUse, routerBalancers } from "../balancing/balancer-use.ts";
import { emptyEvent } from "../balancing/empty-event.ts";
import { balancerSettings, hasVips, protocolNumber, servicesOf } from "../balancing/load-balancers.ts";
import type { Vip } from "../balancing/vips.ts";
import { type Actions, actions, match, next } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { reg } from "../registers.ts";
import { gatewayPortsOf, isRouterEnabled } from "../topology/router-ports.ts";
import type { LoadBalancer, LogicalRouter, Topology } from "../topology/topology.ts";
import { forcedSourceForLb, forcesPortAddress, natsOf } from "../topology/translations.ts";
import { atGateway, type BalancedVip } from "./lr-lb-distributed.ts";

/** Packets of connections that are balanced already, and errors about them. */
export const balancedConnections = rule("lr-lb-connections", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router) || !hasVips(router)) return;
  const related = "ct.rel && !ct.est && !ct.new && !ct.rpl";
  const established = "ct.est && !ct.rel && !ct.new && !ct.rpl && ct_mark.natted";
  for (const [packets, onward] of [[related, "ct_commit_nat;"], [established, "next;"]] as const) {
    for (const source of ["skip", "force"]) {
      yield lflow(router, lrIn.dnat, 70, match`${packets} && ct_mark.${source}_snat == 1`, actions`flags.${source}_snat_for_lb = 1; ${onward}`);
    }
    yield lflow(router, lrIn.dnat, 50, match`${packets}`, actions`${onward}`);
  }
  const extract = actions`${reg.ctProtocol} = ct_proto(); ${reg.ctDestinationPort} = ct_tp_dst(); next;`;
  yield lflow(router, lrIn.ctExtract, 100, match`ct.new && ip`, extract);
});

/** What becomes of the source of a balanced packet: left to the rules of translation, to be kept, or to be replaced by the router's. */
export type SourceTreatment = "normal" | "skip" | "force";

export function sourceTreatment(router: LogicalRouter, balancer: LoadBalancer): SourceTreatment {
  if (balancerSettings(balancer).skipsSnat) return "skip";
  return forcesPortAddress(router) || forcedSourceForLb(router) !== undefined ? "force" : "normal";
}

const actionsFor = ({ text, skippingSnat, forcingSnat }: BalancedActions, source: SourceTreatment): Actions =>
  source === "skip" ? skippingSnat : source === "force" ? forcingSnat : text;

export const routerBalancing = rule("lr-lb", routerBalancers, function* (_, { owner: router, balancer }: BalancerUse<LogicalRouter>) {
  const details = { hint: balancer.row };
  for (const vip of servicesOf(balancer)) {
    yield defragment(router, balancer, vip);
    yield* balance(router, balancer, vip);
    // The same address is translated, too: what is for the service must not be taken for a reply.
    if (externalAddresses(router).has(vip.ip)) yield lflow(router, lrIn.unsnat, 120, toService(balancer, vip), next, details);
    if (vip.hasVariable) yield lflow(router, lrIn.ipInput, 100, match`ip${vip.family}.dst == ${vip.ip}`, next, details);
    const event = emptyEvent(balancer, vip);
    if (event !== undefined) yield lflow(router, lrIn.dnat, 130, event.match, event.actions, { ...details, protocol: "event-elb" });
  }
  if (balancerSettings(balancer).skipsSnat) yield lflow(router, lrOut.snat, 120, match`flags.skip_snat_for_lb == 1 && ip`, next);
});

const externalAddresses = derived("external addresses", (router: LogicalRouter): ReadonlySet<string> => new Set(natsOf(router).map((nat) => nat.row.external_ip)));

function toService(balancer: LoadBalancer, { family, ip, port }: Vip) {
  const { protocol } = balancerSettings(balancer);
  return match`ip${family} && ip${family}.dst == ${ip} && ${protocol}${port === undefined ? "" : ` && ${protocol}.dst == ${port}`}`;
}

/** Fragments have no ports: the tracker puts them together. Without tracking a hash chooses the backend. */
function defragment(router: LogicalRouter, balancer: LoadBalancer, vip: Vip) {
  const { isStateless, selectionFields } = balancerSettings(balancer);
  const packets = match`ip && ip${vip.family}.dst == ${vip.ip}`;
  const details = { hint: balancer.row };
  if (!isStateless) return lflow(router, lrIn.defrag, 100, packets, actions`ct_dnat;`, details);
  const indexes = vip.backends.map((_, i) => i).join(",");
  const values = selectionFields === undefined ? indexes : `values=(${indexes}); hash_fields="${selectionFields}"`;
  const choose = vip.backends.length > 1 ? actions`${reg.lbStatelessIndex} = select(${values});` : next;
  return lflow(router, lrIn.ctExtract, 120, packets, choose, details);
}

/** The first packet of a connection to the service. */
export function newConnection(balancer: LoadBalancer, { family, ip, port }: Vip) {
  const { protocol } = balancerSettings(balancer);
  const toPort = port === undefined ? "" : ` && ${reg.ctProtocol} == ${protocolNumber[protocol]} && ${reg.ctDestinationPort} == ${port}`;
  return match`ct.new && !ct.rel && ip${family} && ip${family}.dst == ${ip}${toPort}`;
}

function* balance(router: LogicalRouter, balancer: LoadBalancer, vip: Vip) {
  const source = sourceTreatment(router, balancer);
  const balanced = balancedActions(balancer, vip, "router");
  const service: BalancedVip = {
    balancer, vip, source, packets: newConnection(balancer, vip), priority: vip.port === undefined ? 110 : 120, balance: actionsFor(balanced, source),
    details: { hint: balancer.row, ...(balanced.kind === "reject" ? { protocol: "reject" } : {}) },
  };
  const gateways = gatewayPortsOf(router);
  if (gateways.length === 0) yield lflow(router, lrIn.dnat, service.priority, service.packets, service.balance, service.details);
  else for (const gateway of gateways) yield* atGateway(router, gateway, service, gateways.length > 1);
}
