/** ls_in_l2_lkup, ls_in_l2_unknown: where a frame goes. */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { hasDistributedBalancer } from "../balancing/load-balancers.ts";
import { actions, everything, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { group } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { gatewayPortsOf, isPortEnabled, networksOf, redirectKey, redirectName, routerOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import {
  addressesOf, flag, hasLocalnet, hasRedirectPort, hasUnknown, isVif, proxiedAddressesOf, routerPortBehind, typeOf,
} from "../topology/switch-ports.ts";
import { residence } from "../topology/gateway-residence.ts";
import {
  floodsStatically, floodsToRelays, hasEvpn, hasOtherPorts, multicastSettingsOf, switchFlag, switchHasUnknown,
} from "../topology/switches.ts";
import type { LogicalSwitch, RouterPort, SwitchPort, Topology } from "../topology/topology.ts";
import { externalMacsOf } from "../topology/translations.ts";

const output = (outport: string) => actions`outport = ${outport}; output;`;
const toRelays = `clone { outport = ${group.mrouterFlood}; output; }; `;

/** Broadcast and multicast. */
export const broadcastAndMulticast = rule("ls-bmcast", (t: Topology) => t.switches, function* (t, owner) {
  yield lflow(owner, lsIn.l2Lkup, 110, match`eth.dst == $svc_monitor_mac && (tcp || icmp || icmp6)`, actions`handle_svc_check(inport);`, { protocol: "svc-monitor" });
  const { snoops, floodsUnregistered } = multicastSettingsOf(owner);
  const relays = floodsToRelays(owner) ? toRelays : "";
  const isStatic = floodsStatically(owner);
  if (snoops) {
    yield lflow(owner, lsIn.l2Lkup, 100, match`flags.igmp_loopback == 0 && igmp`, actions`igmp;`, { protocol: "igmp" });
    yield lflow(owner, lsIn.l2Lkup, 100, match`flags.igmp_loopback == 0 && (mldv1 || mldv2)`, actions`igmp;`, { protocol: "igmp" });
    // RFC 4541, section 2.1.2; RFC 4291, section 2.7.1: addresses that everybody hears.
    yield lflow(owner, lsIn.l2Lkup, 85, match`ip4.mcast && ip4.dst == 224.0.0.0/24`, output(group.floodL2));
    yield lflow(owner, lsIn.l2Lkup, 85, match`ip6.mcast_flood`, output(group.flood));
  }
  if (snoops && !floodsUnregistered) {
    const statically = isStatic ? `outport =${group.static}; output;` : "";
    const unregistered = relays === "" && !isStatic ? dropActions(t) : actions`${relays}${statically}`;
    yield lflow(owner, lsIn.l2Lkup, 80, match`ip4.mcast || ip6.mcast`, unregistered);
  }
  if (!switchFlag(owner, "broadcast-arps-to-all-routers", true)) {
    yield lflow(owner, lsIn.l2Lkup, 72, match`eth.mcast && (arp.op == 1 || nd_ns)`, output(group.unknown));
  }
  // Routers learn from advertisements and answer solicitations of routers: these reach everybody.
  yield lflow(owner, lsIn.l2Lkup, 72, match`eth.mcast && (nd_na || nd_rs || nd_ra)`, output(group.flood));
  yield lflow(owner, lsIn.l2Lkup, 71, match`eth.mcast && arp`, output(group.flood));
  // Other multicast would be dropped by a router that does not relay it.
  const statics = isStatic ? `clone { outport = ${group.static}; output; }; ` : "";
  yield lflow(owner, lsIn.l2Lkup, 71, match`eth.mcast && ip`, actions`${relays}${statics}outport = ${group.floodL2}; output;`);
  yield lflow(owner, lsIn.l2Lkup, 70, match`eth.mcast`, output(group.floodL2));
});

/** What no port claims. */
export const unknownDestinations = rule("ls-unknown", (t: Topology) => t.switches, function* (t, owner) {
  const evpn = hasEvpn(owner);
  const lookup = evpn ? actions`outport = get_fdb(eth.dst); remote_outport = get_remote_fdb(eth.dst); next;` : actions`outport = get_fdb(eth.dst); next;`;
  yield lflow(owner, lsIn.l2Lkup, 0, everything, lookup);
  const nowhere = evpn ? match`outport == "none" && remote_outport == "none"` : match`outport == "none"`;
  if (switchHasUnknown(owner)) yield lflow(owner, lsIn.l2Unknown, 50, nowhere, output(group.unknown));
  else yield lflow(owner, lsIn.l2Unknown, 50, nowhere, dropActions(t), { description: "No L2 destination" });
  if (!evpn) {
    yield lflow(owner, lsIn.l2Unknown, 0, everything, actions`output;`);
  } else if (switchFlag(owner, "dynamic-routing-fdb-prefer-local", false)) {
    yield lflow(owner, lsIn.l2Unknown, 25, match`outport == "none"`, actions`outport = remote_outport; output;`);
    yield lflow(owner, lsIn.l2Unknown, 0, everything, actions`output;`);
  } else {
    yield lflow(owner, lsIn.l2Unknown, 25, match`remote_outport == "none"`, actions`output;`);
    yield lflow(owner, lsIn.l2Unknown, 0, everything, actions`outport = remote_outport; output;`);
  }
});

/** Frames to the MACs that a port claims. */
export const unicastDestinations = rule("ls-unicast", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined || typeOf(port) === "external") return;
  if (isVif(port) && hasUnknown(port) && flag(port, "force_fdb_lookup", false)) return;
  const peer = routerPortBehind(port);
  if (peer === undefined) {
    const to = deliver(owner, port, quoted(port.row.name));
    for (const { macText } of addressesOf(port)) yield lflow(owner, lsIn.l2Lkup, 50, match`eth.dst == ${macText}`, to, { hint: port.row });
  } else {
    if (isPortEnabled(peer)) yield* requestsForRouter(owner, port, peer);
    yield* framesForRouter(owner, port, peer);
  }
});

function deliver(owner: LogicalSwitch, port: SwitchPort, outport: string) {
  if (!isPortEnabled(port)) return dropActions(port.topology);
  const clones = isVif(port) && port.row.options.get("pkt_clone_type")?.toLowerCase() === "mc_unknown";
  return clones && switchHasUnknown(owner) ? actions`clone {outport = ${outport}; output; };outport = ${group.unknown}; output;` : output(outport);
}

function* framesForRouter(owner: LogicalSwitch, port: SwitchPort, peer: RouterPort) {
  const hint = port.row;
  const { macText } = networksOf(peer);
  const proxied = proxiedAddressesOf(port);
  const to = proxied === undefined || proxied.mac === 0 ? match`eth.dst == ${macText}` : match`eth.dst == { ${proxied.macText}, ${macText} }`;
  const router = routerOf(peer);
  const gateways = router === undefined ? [] : gatewayPortsOf(router);
  const isCentralized = router === undefined || !hasDistributedBalancer(router);
  if (isCentralized && gateways.length > 0 && hasLocalnet(owner)) {
    // Seen by every chassis on the physical network: only the gateway chassis may take it.
    const gateway = residence(peer, gateways);
    const toGateway = gateway === undefined ? to : match`${to} && is_chassis_resident(${redirectKey(gateway)})`;
    yield lflow(owner, lsIn.l2Lkup, 50, toGateway, deliver(owner, port, quoted(port.row.name)), { hint });
    return;
  }
  if (!hasRedirectPort(port)) {
    yield lflow(owner, lsIn.l2Lkup, 50, to, deliver(owner, port, quoted(port.row.name)), { hint });
    return;
  }
  const redirect = quoted(redirectName(port.row.name));
  yield lflow(owner, lsIn.l2Lkup, 50, match`eth.dst == ${macText} && !is_chassis_resident(${redirect})`, deliver(owner, port, redirect), { hint });
  yield lflow(owner, lsIn.l2Lkup, 50, match`${to} && is_chassis_resident(${redirect})`, deliver(owner, port, quoted(port.row.name)), { hint });
}

/** ARP and neighbour solicitations for the router's own addresses go to it alone, instead of to everybody. */
function* requestsForRouter(owner: LogicalSwitch, port: SwitchPort, peer: RouterPort) {
  const { ipv4, ipv6, macText } = networksOf(peer);
  for (const ip of ipv4) yield* requestFor(owner, port, ip.text, 4);
  for (const ip of ipv6) yield* requestFor(owner, port, ip.text, 6);
  // What the router itself asks must not come back to it.
  const router = routerOf(peer);
  if (router !== undefined && hasOtherPorts(owner)) {
    const macs = [macText, ...externalMacsOf(router)].join(", ");
    const own = match`eth.src == {${macs}} && eth.dst == ff:ff:ff:ff:ff:ff && (arp.op == 1 || rarp.op == 3 || nd_ns)`;
    yield lflow(owner, lsIn.l2Lkup, 75, own, output(group.floodL2));
  }
}

/** Requests for one address of the router behind the port. */
export function* requestFor(owner: LogicalSwitch, port: SwitchPort, ip: string, family: 4 | 6) {
  const hint = port.row;
  // What a VXLAN tunnel has brought has been through the router already.
  const asks = family === 4
    ? match`flags[1] == 0 && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 && arp.tpa == ${ip}`
    : match`flags[1] == 0 && eth.mcast && nd_ns && nd.target == ${ip}`;
  const others = hasOtherPorts(owner);
  const reach = (outport: string) =>
    others ? actions`clone {outport = ${outport}; output; }; outport = ${group.unknown}; output;` : output(outport);
  const isRedirected = hasRedirectPort(port);
  const redirect = quoted(redirectName(port.row.name));
  const here = isRedirected ? match`${asks} && is_chassis_resident(${redirect})` : asks;
  yield lflow(owner, lsIn.l2Lkup, 80, here, reach(quoted(port.row.name)), { hint });
  // A router that announces its address is heard by everybody.
  if (others && family === 4) yield lflow(owner, lsIn.l2Lkup, 90, match`${asks} && arp.spa == ${ip}`, output(group.floodL2), { hint });
  if (isRedirected) yield lflow(owner, lsIn.l2Lkup, 80, match`${asks} && !is_chassis_resident(${redirect})`, reach(redirect), { hint });
}
