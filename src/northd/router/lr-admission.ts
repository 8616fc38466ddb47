/** lr_in_admission: which frames a router takes at all. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { hasDistributedBalancer } from "../balancing/load-balancers.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { reg, tooBig } from "../registers.ts";
import { isGatewayPort, isPortEnabled, isRouterEnabled, networksOf, redirectKey, routerOf, switchPeerOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import { switchOf } from "../topology/port-membership.ts";
import { proxiedAddressesOf } from "../topology/switch-ports.ts";
import { hasVtep } from "../topology/switches.ts";
import type { RouterPort, Topology } from "../topology/topology.ts";
import { measured } from "./gateway-mtu.ts";

export const admissionOfRouter = rule("lr-admission", (t: Topology) => t.routers, function* (t, router) {
  if (!isRouterEnabled(router)) return;
  const drop = dropActions(t);
  yield lflow(router, lrIn.admission, 110, match`${tooBig.spaced} && flags.tunnel_rx == 1`, drop);
  yield lflow(router, lrIn.admission, 100, match`vlan.present || eth.src[40]`, drop);
  yield dropByDefault(router, lrIn.admission);
});

/** The switch behind the port has hardware switches: what they send is routed wherever it arrives. */
export function leadsToVtep(port: RouterPort): boolean {
  const peer = switchPeerOf(port);
  const owner = peer === undefined ? undefined : switchOf(peer);
  return owner !== undefined && hasVtep(owner);
}

export const admissionOfPort = rule("lr-admission-of-port", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const { macText } = networksOf(port);
  const hint = port.row;
  if (isGatewayPort(port)) {
    // An ICMP error that the kernel sent back through a tunnel goes back to who sent the packet.
    const error = match`${tooBig.spaced} && eth.dst == ${port.row.mac} && !is_chassis_resident(${redirectKey(port)}) && flags.tunnel_rx == 1`;
    yield lflow(router, lrIn.admission, 120, error, actions`outport <-> inport; inport = ${quoted(port.row.name)}; next;`);
  }
  if (!isPortEnabled(port)) return;
  // Later stages need the port's MAC: keeping it saves them the match on the port.
  const admit = actions`${reg.inportMac} = ${macText}; next;`;
  yield lflow(router, lrIn.admission, 50, match`eth.mcast && inport == ${quoted(port.row.name)}`, admit, { hint });
  const peer = switchPeerOf(port);
  const proxied = peer === undefined ? undefined : proxiedAddressesOf(peer);
  const to = proxied === undefined || proxied.mac === 0 ? macText : `{ ${proxied.macText}, ${macText} }`;
  const resident = isGatewayPort(port) && !leadsToVtep(port) && !hasDistributedBalancer(router) ? ` && is_chassis_resident(${redirectKey(port)})` : "";
  const unicast = match`eth.dst == ${to} && inport == ${quoted(port.row.name)}${resident}`;
  for (const flow of measured(port, unicast, admit)) yield lflow(router, lrIn.admission, 50 + flow.raise, flow.match, flow.actions, { hint });
});
