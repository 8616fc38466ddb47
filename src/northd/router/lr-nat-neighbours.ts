/**
 * External addresses on the wire: lr_in_ip_input answers ARP and neighbour solicitations for them, lr_in_admission takes frames
 * to their MACs, lr_in_arp_resolve and lr_in_gw_redirect send from and to them inside the router.
 */
import { lrIn } from "../../logical/index.ts";
import { actions, type Match, match, next, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { gatewayPortsOf, networksOf, redirectKey, routerPortsOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import type { LogicalRouter, RouterPort } from "../topology/topology.ts";
import { answersFor, externalMacOf, hasRedirectedPeer, isBehind, speaksFor, type Translation } from "../topology/translations.ts";
import { gatewayMtuOf, measured } from "./gateway-mtu.ts";
import { residentOf } from "./translation-match.ts";

/** Of several rules that translate sources to one address the first answers for it; those that translate destinations each do. */
export function* neighbourReplies(x: Translation) {
  const { nat, router, gateway, external } = x;
  if (x.type === "snat" && !answersFor(nat, router, external.text)) return;
  // At a gateway port below; everywhere else on the router here.
  if (gateway === undefined || hasRedirectedPeer(gateway)) yield reply(x, "", reg.inportMac, "", 90);
  const gateways = gatewayPortsOf(router);
  for (const port of gateways) {
    if (!isBehind(nat, port, gateways) || hasRedirectedPeer(port)) continue;
    const { logical_port, external_mac } = nat.row;
    const inport = `inport == ${quoted(port.row.name)} && `;
    // One chassis answers, so that switches outside learn where the MAC is.
    if (external_mac !== undefined && externalMacOf(nat.row) !== undefined && logical_port !== undefined) {
      yield reply(x, inport, external_mac, ` && is_chassis_resident("${logical_port}")`, 92);
    } else yield reply(x, inport, reg.inportMac, ` && is_chassis_resident(${redirectKey(port)})`, 92);
  }
}

function reply({ router, nat, external }: Translation, inport: string, mac: string, resident: string, priority: number) {
  if ("solicitedNodeText" in external) {
    const { text, solicitedNodeText } = external;
    const solicits = match`${inport}ip6.dst == {${text}, ${solicitedNodeText}} && nd_ns && nd.target == ${text}${resident}`;
    const advertise = actions`nd_na { eth.src = ${mac}; ip6.src = nd.target; nd.tll = ${mac}; outport = inport; flags.loopback = 1; output; };`;
    return lflow(router, lrIn.ipInput, priority, solicits, advertise, { hint: nat.row, protocol: "nd-na" });
  }
  const asks = match`${inport}arp.op == 1 && arp.tpa == ${external.text}${resident}`;
  const answer = actions`eth.dst = eth.src; eth.src = ${mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${mac}; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;`;
  return lflow(router, lrIn.ipInput, priority, asks, answer, { hint: nat.row });
}

/** What may come in for the translation besides what the port takes. */
export function* admitted(x: Translation) {
  const { router, nat: { row }, gateway, family, externalIp, mac } = x;
  if (gateway === undefined) return;
  const hint = row;
  const name = quoted(gateway.row.name);
  // Its own external address as a source is no forgery: the packet may have turned round in the router.
  if (x.type === "snat") yield lflow(router, lrIn.ipInput, 120, match`inport == ${name} && ip${family}.src == ${externalIp}`, next, { hint });
  if (!x.isDistributed) return;
  const frames = match`eth.dst == ${mac ?? ""} && inport == ${name}${residentOf(x)}`;
  for (const flow of measured(gateway, frames, actions`${reg.inportMac} = ${networksOf(gateway).macText}; next;`)) {
    yield lflow(router, lrIn.admission, 50 + flow.raise, flow.match, flow.actions, { hint });
  }
  const mtu = gatewayMtuOf(gateway);
  if (mtu !== 0) yield tooBig(x, gateway, mtu);
}

/** The error for what is larger than gateway_mtu comes from the external address. */
function tooBig({ router, nat: { row }, family, externalIp }: Translation, gateway: RouterPort, mtu: number) {
  const name = quoted(gateway.row.name);
  const larger = match`inport == ${name} && ${bit.packetLarger} && ${bit.egressLoopback} == 0 && ip${family} && ip${family}.dst == ${externalIp}`;
  const kind = family === 4 ? "icmp4.type = 3; /* Destination Unreachable. */ icmp4.code = 4; /* Frag Needed and DF was Set. */" : "icmp6.type = 2; /* Packet Too Big. */ icmp6.code = 0;";
  const error = actions`icmp${family}_error {${bit.egressLoopback} = 1; ${bit.packetLarger} = 0; eth.dst = eth.src; eth.src = ${row.external_mac ?? ""}; ip${family}.dst = ip${family}.src; ip${family}.src = ${externalIp}; ip.ttl = 254; ${kind} icmp${family}.frag_mtu = ${mtu}; outport = ${name}; flags.loopback = 1; output; };`;
  return lflow(router, lrIn.ipInput, 160, larger, error, { hint: row, protocol: family === 4 ? "icmp4-error" : "icmp6-error" });
}

/** Inside the router the external address is a neighbour behind the gateway port. */
export function* resolvedExternal(x: Translation) {
  const { router, nat, gateway, family, externalIp } = x;
  if (gateway === undefined || !speaksFor(nat, router, externalIp)) return;
  const hint = nat.row;
  const name = quoted(gateway.row.name);
  // What came from outside and is still for the external address has found no translation: it would go round for ever.
  const stray = match`inport == ${name} && outport == ${name} && ip${family}.dst == ${externalIp}`;
  yield lflow(router, lrIn.arpResolve, 150, stray, dropActions(router.topology), { hint });
  const hop = family === 4 ? reg.nextHop4 : reg.nextHop6;
  const mac = x.isDistributed ? (nat.row.external_mac ?? "") : networksOf(gateway).macText;
  yield lflow(router, lrIn.arpResolve, 100, match`outport == ${name} && ${hop} == ${externalIp}`, actions`eth.dst = ${mac}; next;`, { hint });
  if (!x.isDistributed || !hasBridgedPort(router)) return;
  const [first = gateway] = gatewayPortsOf(router);
  const leaves = match`outport == ${quoted(first.row.name)} && ip${family}.src == ${x.logicalIp} ${residentOf(x).trimStart()}`;
  const lookup = family === 4 ? actions`get_arp(outport, ${hop}); next;` : actions`get_nd(outport, ${hop}); next;`;
  yield lflow(router, lrIn.arpResolve, 90, leaves, lookup, { hint });
}

const hasBridgedPort = (router: LogicalRouter): boolean => routerPortsOf(router).some((port) => port.row.options.get("redirect-type")?.toLowerCase() === "bridged");

/** A distributed translation leaves from the chassis of its port instead of the gateway's, under its own addresses. */
export function* leavesDirectly(x: Translation) {
  const { router, nat: { row, topology }, gateway, family } = x;
  if (gateway === undefined || !x.isDistributed) return;
  const hint = row;
  const packets: Match = match`ip${family}.src == ${x.logicalIp} && outport == ${quoted(gateway.row.name)}`;
  const port = topology.switchPortsByName.first(row.logical_port ?? "");
  if (port?.row.type === "virtual") {
    // Before anybody has claimed the port, the gateway chassis would send under its MAC and mislead the switches outside.
    yield lflow(router, lrIn.gwRedirect, 80, packets, dropActions(topology), { hint });
  }
  const source = family === 4 ? reg.source4 : reg.source6;
  yield lflow(router, lrIn.gwRedirect, 100, match`${packets}${residentOf(x)}`, actions`eth.src = ${row.external_mac ?? ""}; ${source} = ${x.externalIp}; next;`, { hint });
}
