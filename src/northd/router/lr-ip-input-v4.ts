/** lr_in_ip_input, IPv4: ARP, echo, and the ICMP errors a router owes. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { hasDistributedBalancer } from "../balancing/load-balancers.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { oneOrSet } from "../flow-text.ts";
import { bit, reg } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { gatewayPortsOf, isGatewayPort, isGatewayRouter, networksOf, redirectKey, routerOf, switchPeerOf } from "../topology/router-ports.ts";
import { residence } from "../topology/gateway-residence.ts";
import { dropActions } from "../topology/settings.ts";
import { hasLocalnet } from "../topology/switch-ports.ts";
import type { LogicalRouter, RouterPort, Topology } from "../topology/topology.ts";
import type { Ipv4Network } from "../port-addresses.ts";

export const ipv4Input = rule("lr-ipv4-input", (t: Topology) => t.routerPorts, function* (t, port) {
  const router = routerOf(port);
  const { ipv4 } = networksOf(port);
  const [first] = ipv4;
  if (router === undefined || first === undefined) return;
  const hint = port.row;
  // Nobody but the router itself sends from its addresses.
  const own = ipv4.flatMap((n) => [n.text, n.broadcastText]).join(", ");
  yield lflow(router, lrIn.ipInput, 100, match`ip4.src == {${own}} && ${bit.egressLoopback} == 0`, dropActions(t), { hint });
  const echo = match`ip4.dst == ${oneOrSet(ipv4.map((n) => n.text))} && icmp4.type == 8 && icmp4.code == 0`;
  yield lflow(router, lrIn.ipInput, 90, echo, actions`ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 0; flags.loopback = 1; next; `, { hint });
  yield* timeExceeded(router, port, first);
  for (const ip of ipv4) yield arpReply(router, port, ip);
  if (!isGatewayRouter(router) && gatewayPortsOf(router).length === 0) for (const ip of ipv4) yield* unreachable(router, port, ip);
});

function* timeExceeded(router: LogicalRouter, port: RouterPort, first: Ipv4Network) {
  const { ipv4, macText } = networksOf(port);
  const name = quoted(port.row.name);
  const here = isGatewayPort(port) ? ` && is_chassis_resident(${redirectKey(port)})` : "";
  const error = (source: Ipv4Network) =>
    actions`icmp4 {eth.dst = eth.src; eth.src = ${macText}; icmp4.type = 11; /* Time exceeded */ icmp4.code = 0; /* TTL exceeded in transit */ ip4.dst = ip4.src; ip4.src = ${source.text}; ip.ttl = 254; outport = ${name}; flags.loopback = 1; output; };`;
  const details = { hint: port.row, protocol: "icmp4-error" } as const;
  for (const ip of ipv4) {
    const expired = match`inport == ${name} && ip4 && ip4.src == ${ip.networkText}/${ip.length} && ip.ttl == {0, 1} && !ip.later_frag${here}`;
    yield lflow(router, lrIn.ipInput, 31, expired, error(ip), details);
  }
  yield lflow(router, lrIn.ipInput, 30, match`inport == ${name} && ip4 && ip.ttl == {0, 1} && !ip.later_frag${here}`, error(first), details);
}

function arpReply(router: LogicalRouter, port: RouterPort, ip: Ipv4Network) {
  const peer = switchPeerOf(port);
  const owner = peer === undefined ? undefined : switchOf(peer);
  const gateways = gatewayPortsOf(router);
  // On a physical network every chassis hears the request: one may answer.
  const resident = gateways.length > 0 && owner !== undefined && hasLocalnet(owner) && !hasDistributedBalancer(router) ? residence(port, gateways) : undefined;
  const here = resident === undefined ? "" : ` && is_chassis_resident(${redirectKey(resident)})`;
  const asks = match`inport == ${quoted(port.row.name)} && arp.op == 1 && arp.tpa == ${ip.text} && arp.spa == ${ip.networkText}/${ip.length}${here}`;
  const reply = actions`eth.dst = eth.src; eth.src = ${reg.inportMac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${reg.inportMac}; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;`;
  return lflow(router, lrIn.ipInput, 90, asks, reply, { hint: port.row });
}

/** The router has no services: TCP is reset, SCTP aborted, UDP and all else refused. */
function* unreachable(router: LogicalRouter, port: RouterPort, ip: Ipv4Network) {
  const hint = port.row;
  const to = `ip4 && ip4.dst == ${ip.text} && !ip.later_frag`;
  const swap = "eth.dst <-> eth.src; ip4.dst <-> ip4.src; ";
  const refuse = (code: number) => actions`icmp4 {${swap}ip.ttl = 255; icmp4.type = 3; icmp4.code = ${code}; next; };`;
  yield lflow(router, lrIn.ipInput, 80, match`${to} && udp`, refuse(3), { hint, protocol: "icmp4-error" });
  yield lflow(router, lrIn.ipInput, 80, match`${to} && tcp`, actions`tcp_reset {${swap}next; };`, { hint, protocol: "tcp-reset" });
  yield lflow(router, lrIn.ipInput, 80, match`${to} && sctp`, actions`sctp_abort {${swap}next; };`, { hint, protocol: "tcp-reset" });
  yield lflow(router, lrIn.ipInput, 70, match`${to}`, refuse(2), { hint, protocol: "icmp4-error" });
}
