/** lr_in_ip_input, IPv6: neighbour advertisements, echo, and the ICMPv6 errors a router owes. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { hasDistributedBalancer } from "../balancing/load-balancers.ts";
import { actions, match, oneOrSet, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import type { Ipv6Network } from "../port-addresses.ts";
import { reg } from "../registers.ts";
import { configuredIpv6, gatewayPortsOf, isGatewayPort, isGatewayRouter, networksOf, redirectKey, routerOf } from "../topology/router-ports.ts";
import type { LogicalRouter, RouterPort, Topology } from "../topology/topology.ts";

export const ipv6Input = rule("lr-ipv6-input", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  const { ipv6 } = networksOf(port);
  const [first] = ipv6;
  if (router === undefined || first === undefined) return;
  const hint = port.row;
  const echo = match`ip6.dst == ${oneOrSet(ipv6.map((n) => n.text))} && icmp6.type == 128 && icmp6.code == 0`;
  yield lflow(router, lrIn.ipInput, 90, echo, actions`ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 129; flags.loopback = 1; next; `, { hint });
  const here = isGatewayPort(port) ? ` && is_chassis_resident(${redirectKey(port)})` : "";
  const advertise = actions`nd_na_router { eth.src = ${reg.inportMac}; ip6.src = nd.target; nd.tll = ${reg.inportMac}; outport = inport; flags.loopback = 1; output; };`;
  // Where the backends' chassis balance, each of them speaks for the gateway.
  const answering = hasDistributedBalancer(router) ? "" : here;
  for (const ip of ipv6) {
    const solicits = match`inport == ${quoted(port.row.name)} && ip6.dst == {${ip.text}, ${ip.solicitedNodeText}} && nd_ns && nd.target == ${ip.text}${answering}`;
    yield lflow(router, lrIn.ipInput, 90, solicits, advertise, { hint, protocol: "nd-na" });
  }
  if (!isGatewayRouter(router) && gatewayPortsOf(router).length === 0) for (const ip of ipv6) yield* unreachable(router, port, ip);
  yield* timeExceeded(router, port, first, here);
});

function* unreachable(router: LogicalRouter, port: RouterPort, ip: Ipv6Network) {
  const hint = port.row;
  const to = `ip6 && ip6.dst == ${ip.text} && !ip.later_frag`;
  const swap = "eth.dst <-> eth.src; ip6.dst <-> ip6.src; ";
  const refuse = (code: number) => actions`icmp6 {${swap}ip.ttl = 255; icmp6.type = 1; icmp6.code = ${code}; next; };`;
  yield lflow(router, lrIn.ipInput, 80, match`${to} && tcp`, actions`tcp_reset {${swap}next; };`, { hint, protocol: "tcp-reset" });
  yield lflow(router, lrIn.ipInput, 80, match`${to} && sctp`, actions`sctp_abort {${swap}next; };`, { hint, protocol: "tcp-reset" });
  yield lflow(router, lrIn.ipInput, 80, match`${to} && udp`, refuse(4), { hint, protocol: "icmp6-error" });
  yield lflow(router, lrIn.ipInput, 70, match`${to}`, refuse(3), { hint, protocol: "icmp6-error" });
}

function* timeExceeded(router: LogicalRouter, port: RouterPort, first: Ipv6Network, here: string) {
  const { macText } = networksOf(port);
  const name = quoted(port.row.name);
  const error = (source: Ipv6Network) =>
    actions`icmp6 {eth.dst = eth.src; eth.src = ${macText}; ip6.dst = ip6.src; ip6.src = ${source.text}; ip.ttl = 254; icmp6.type = 3; /* Time exceeded */ icmp6.code = 0; /* TTL exceeded in transit */ outport = ${name}; flags.loopback = 1; output; };`;
  const details = { hint: port.row, protocol: "icmp6-error" } as const;
  for (const ip of configuredIpv6(port)) {
    const expired = match`inport == ${name} && ip6 && ip6.src == ${ip.networkText}/${ip.length} && ip.ttl == {0, 1} && !ip.later_frag${here}`;
    yield lflow(router, lrIn.ipInput, 31, expired, error(ip), details);
  }
  yield lflow(router, lrIn.ipInput, 30, match`inport == ${name} && ip6 && ip.ttl == {0, 1} && !ip.later_frag${here}`, error(first), details);
}
