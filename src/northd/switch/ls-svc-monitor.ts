/** ls_in_arp_rsp, ls_in_l2_lkup, for checks of services: the address that they come from is answered for, and their answers go to the controller. */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { type BalancerUse, routerBalancers } from "../balancing/balancer-use.ts";
import { balancerSettings, servicesOf } from "../balancing/load-balancers.ts";
import { backendPort, checkingPort, monitoredBackends } from "../balancing/monitored-backends.ts";
import type { Backend } from "../balancing/vips.ts";
import { actions, match } from "../flow-text.ts";
import { type FlowDetails, lflow } from "../lflow.ts";
import { checksOf } from "../sync/service-monitors.ts";
import { switchOf } from "../topology/port-membership.ts";
import { networksOf, routerOf, switchPeerOf } from "../topology/router-ports.ts";
import { serviceMonitorMac } from "../topology/settings.ts";
import type { LogicalRouter, LogicalSwitch, RouterPort, Topology } from "../topology/topology.ts";

/** `source` is nobody's, and answered for with the MAC that all checks come from. */
function answerFor(t: Topology, owner: LogicalSwitch, source: string, family: 4 | 6, details: FlowDetails) {
  const mac = serviceMonitorMac(t);
  if (family === 4) {
    const reply = actions`eth.dst = eth.src; eth.src = ${mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${mac}; arp.tpa = arp.spa; arp.spa = ${source}; outport = inport; flags.loopback = 1; output;`;
    return lflow(owner, lsIn.arpRsp, 110, match`arp.tpa == ${source} && arp.op == 1`, reply, details);
  }
  const reply = actions`nd_na { eth.dst = eth.src; eth.src = ${mac}; ip6.src = ${source}; nd.target = ${source}; nd.tll = ${mac}; outport = inport; flags.loopback = 1; output; };`;
  return lflow(owner, lsIn.arpRsp, 110, match`nd_ns && nd.target == ${source}`, reply, details);
}

export const checksOfBackends = rule("ls-checks-of-backends", (t: Topology) => t.loadBalancers, function* (t, balancer) {
  for (const vip of servicesOf(balancer)) {
    const { hasCheck, backends } = monitoredBackends(balancer, vip);
    for (const known of hasCheck ? backends : []) {
      const port = known.port === undefined ? undefined : backendPort(t, known.port);
      const owner = port === undefined ? undefined : switchOf(port);
      if (owner === undefined || known.sourceIp === undefined || checkingPort(balancer, known) !== undefined) continue;
      yield answerFor(t, owner, known.sourceIp, vip.isIpv4 ? 4 : 6, { hint: balancer.row });
    }
  }
});

export const checksOfSwitchPorts = rule("ls-checks-of-ports", (t: Topology) => t.switchPorts, function* (t, port) {
  const owner = port.row.health_checks.size === 0 ? undefined : switchOf(port);
  if (owner === undefined) return;
  for (const { src_ip: source } of checksOf(port)) yield answerFor(t, owner, source, source.includes(".") ? 4 : 6, { hint: port.row });
});

/** Those that ovn-ic has brought from other zones, to be checked here on their behalf. */
export const checksForOtherZones = rule("ls-checks-for-other-zones", (t: Topology) => t.sb.Service_Monitor, function* (t, row) {
  const port = row.ic_learned && row.src_ip !== "" ? backendPort(t, row.logical_port) : undefined;
  const owner = port === undefined ? undefined : switchOf(port);
  if (owner !== undefined) yield answerFor(t, owner, row.src_ip, row.ip.includes(".") ? 4 : 6, {});
});

/** Checks from a router port's own address are answered to its MAC: those answers are told by all that they say. */
export const answersToRouterPorts = rule("ls-answers-to-checks", routerBalancers, function* (_, { owner: router, balancer }: BalancerUse<LogicalRouter>) {
  const isTcp = balancer.row.protocol === undefined || balancer.row.protocol === "tcp";
  for (const vip of balancerSettings(balancer).isTemplate ? [] : servicesOf(balancer)) {
    const { hasCheck, backends } = monitoredBackends(balancer, vip);
    for (const known of hasCheck ? backends : []) {
      const checking = checkingPort(balancer, known);
      if (checking === undefined || known.sourceIp === undefined || known.port === undefined || routerOf(checking) !== router) continue;
      const facing = switchPeerOf(checking);
      const owner = facing === undefined ? undefined : switchOf(facing);
      // Without a port there is no answer of TCP to be told by it.
      if (owner === undefined || (isTcp && known.backend.portText === undefined)) continue;
      const answer = answerOf(known.port, known.backend, known.sourceIp, checking, isTcp);
      yield lflow(owner, lsIn.l2Lkup, 110, answer, actions`handle_svc_check(inport);`, { protocol: "svc-monitor" });
    }
  }
});

function answerOf(port: string, backend: Backend, source: string, checking: RouterPort, isTcp: boolean) {
  const isIpv6 = source.includes(":");
  const ip = isIpv6 ? "ip6" : "ip4";
  // A port that nobody listens on is told by the error that comes back.
  const kind = isTcp ? `tcp.src == ${backend.portText ?? ""}` : isIpv6 ? "icmp6.type == 1" : "icmp4.type == 3";
  return match`inport == "${port}" && ${ip}.dst == ${source} && ${ip}.src == ${backend.ip} && eth.dst == ${networksOf(checking).macText} && ${kind}`;
}
