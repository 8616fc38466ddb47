/**
 * ls_in_arp_nd_pre_lookup, ls_in_arp_rsp: answers ARP and neighbour solicitations from the northbound database, so that they
 * need no flooding between chassis.
 */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { formatIpv6, formatMac, parseIp, parseMac, solicitedNode } from "../../net/index.ts";
import { actions, type Match, match, next, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import type { Ipv4Network, Ipv6Network } from "../port-addresses.ts";
import { bit } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { networksOf } from "../topology/router-ports.ts";
import { ignoresPortsDown } from "../topology/settings.ts";
import { addressesOf, flag, hasLocalnet, hasRole, hasUnknown, proxiedAddressesOf, routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { hasEvpn, isVlanTransparent, switchOption } from "../topology/switches.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";

export const arpDefaults = rule("ls-arp-defaults", (t: Topology) => t.switches, function* (_, owner) {
  yield passByDefault(owner, lsIn.arpNdPreLookup);
  yield passByDefault(owner, lsIn.arpRsp);
  if (!hasEvpn(owner)) return;
  const hit = `${bit.evpnMacFound} == 1`;
  yield lflow(owner, lsIn.arpNdPreLookup, 5, match`from_evpn_vtep == 0 && arp.op == 1 && eth.bcast`, actions`${bit.evpnMacFound} = chk_evpn_arp(arp.tpa); next;`);
  yield lflow(owner, lsIn.arpNdPreLookup, 5, match`from_evpn_vtep == 0 && nd_ns_mcast`, actions`${bit.evpnMacFound} = chk_evpn_arp(nd.target); next;`);
  yield lflow(
    owner, lsIn.arpRsp, 40, match`arp.op == 1 && ${hit}`,
    actions`eth.dst <-> eth.src; arp.op = 2; arp.tha = arp.sha; arp.sha = eth.src; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;`,
  );
  yield lflow(owner, lsIn.arpRsp, 40, match`nd_ns && ${hit}`, actions`nd_na { outport = inport; flags.loopback = 1; output; };`, { protocol: "nd-na" });
});

export const arpResponder = rule("ls-arp-responder", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  if (typeOf(port) === "virtual") yield* virtualAddresses(owner, port);
  else if (isAnsweredFor(owner, port)) {
    yield* knownAddresses(owner, port);
    yield* proxiedAddresses(owner, port);
  }
});

/** Not if it is down, or nobody can be sure of its addresses, or its owner wants to answer for itself. */
function isAnsweredFor(owner: LogicalSwitch, port: SwitchPort): boolean {
  const type = typeOf(port);
  if (!ignoresPortsDown(port.topology) && port.row.up !== true && type !== "router" && type !== "localport") return false;
  if (type === "external" || hasUnknown(port) || (type === "" && flag(port, "disable_arp_nd_rsp", false))) return false;
  return !isVlanTransparent(owner);
}

function* knownAddresses(owner: LogicalSwitch, port: SwitchPort) {
  const hasProxy = hasRole(owner, "arp-proxy");
  for (const { macText, ipv4, ipv6 } of addressesOf(port)) {
    for (const ip of ipv4) yield* arpReplies(owner, port, macText, ip, hasProxy);
    for (const ip of ipv6) yield* neighbourAdvertisements(owner, port, macText, ip, hasProxy);
  }
}

/** On a switch with localnet ports every chassis hears the request: only the one where the owner is may answer. */
function fromHereOnly(owner: LogicalSwitch, port: SwitchPort, request: Match): Match {
  if (!hasLocalnet(owner)) return request;
  return match`${request} && ((flags.localnet == 1 && is_chassis_resident(${quoted(port.row.name)})) || flags.localnet == 0)`;
}

/**
 * An option of ours, not of OVN's: `other_config:isthmus-fabric-mac` of a switch with a localnet port says at which address a routed
 * fabric takes packets, on every chassis the same. Machines on other chassis are then answered for with that, not with their own:
 * what is sent to them goes out by the localnet port to the chassis' own kernel, which routes it. No tunnel, no common segment,
 * no proxy ARP but this.
 */
function fabricMacFor(owner: LogicalSwitch, port: SwitchPort): string | undefined {
  const mac = parseMac(switchOption(owner, "isthmus-fabric-mac") ?? "");
  return mac === undefined || typeOf(port) !== "" || !hasLocalnet(owner) ? undefined : formatMac(mac);
}

/** Somebody here asks for a port that is on another chassis. */
const elsewhere = (port: SwitchPort): Match => match`flags.localnet == 0 && !is_chassis_resident(${quoted(port.row.name)})`;

function* arpReplies(owner: LogicalSwitch, port: SwitchPort, mac: string, ip: Ipv4Network, hasProxy: boolean) {
  const asks = match`arp.tpa == ${ip.text} && arp.op == 1`;
  const hint = port.row;
  // A unicast request is a probe of the target itself, and must not be answered by a proxy either.
  if (hasProxy) yield lflow(owner, lsIn.arpRsp, 50, match`${asks} && eth.dst == ${mac}`, next, { hint });
  const broadcast = match`${asks} && eth.dst == ff:ff:ff:ff:ff:ff`;
  const reply = actions`eth.dst = eth.src; eth.src = ${mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${mac}; arp.tpa = arp.spa; arp.spa = ${ip.text}; outport = inport; flags.loopback = 1; output;`;
  const fabric = fabricMacFor(owner, port);
  if (fabric === undefined) yield lflow(owner, lsIn.arpRsp, 50, fromHereOnly(owner, port, broadcast), reply, { hint });
  else {
    const asksFabric = match`${asks} && eth.dst == {ff:ff:ff:ff:ff:ff, ${fabric}} && ${elsewhere(port)}`;
    const byFabric = actions`eth.dst = eth.src; eth.src = ${fabric}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${fabric}; arp.tpa = arp.spa; arp.spa = ${ip.text}; outport = inport; flags.loopback = 1; output;`;
    yield lflow(owner, lsIn.arpRsp, 50, match`${broadcast} && is_chassis_resident(${quoted(port.row.name)})`, reply, { hint });
    yield lflow(owner, lsIn.arpRsp, 50, asksFabric, byFabric, { hint });
  }
  // The owner may be probing for a duplicate of its own address: let its probe travel on.
  yield lflow(owner, lsIn.arpRsp, 100, match`${broadcast} && inport == ${quoted(port.row.name)}`, next, { ioPort: port.row.name, hint });
}

function* neighbourAdvertisements(owner: LogicalSwitch, port: SwitchPort, mac: string, ip: Ipv6Network, hasProxy: boolean) {
  const hint = port.row;
  if (hasProxy) {
    yield lflow(owner, lsIn.arpRsp, 50, match`nd_ns && ip6.dst == ${ip.text} && nd.target == ${ip.text}`, next, { hint, protocol: "nd-na" });
  }
  const multicast = match`nd_ns_mcast && ip6.dst == ${ip.solicitedNodeText} && nd.target == ${ip.text}`;
  const reply = actions`${advertisement(port)} { eth.src = ${mac}; ip6.src = ${ip.text}; nd.target = ${ip.text}; nd.tll = ${mac}; outport = inport; flags.loopback = 1; output; };`;
  const fabric = fabricMacFor(owner, port);
  if (fabric === undefined) yield lflow(owner, lsIn.arpRsp, 50, fromHereOnly(owner, port, multicast), reply, { hint, protocol: "nd-na" });
  else {
    const byFabric = actions`nd_na_router { eth.src = ${fabric}; ip6.src = ${ip.text}; nd.target = ${ip.text}; nd.tll = ${fabric}; outport = inport; flags.loopback = 1; output; };`;
    yield lflow(owner, lsIn.arpRsp, 50, match`${multicast} && is_chassis_resident(${quoted(port.row.name)})`, reply, { hint, protocol: "nd-na" });
    yield lflow(owner, lsIn.arpRsp, 50, match`${multicast} && ${elsewhere(port)}`, byFabric, { hint, protocol: "nd-na" });
  }
  yield lflow(owner, lsIn.arpRsp, 100, match`${multicast} && inport == ${quoted(port.row.name)}`, next, { ioPort: port.row.name, hint });
}

const advertisement = (port: SwitchPort): string => (typeOf(port) === "router" ? "nd_na_router" : "nd_na");

/** An address that moves between ports: whoever announces it has it. */
function* virtualAddresses(owner: LogicalSwitch, port: SwitchPort) {
  const text = port.row.options.get("virtual-ip");
  const parents = port.row.options.get("virtual-parents");
  const ip = text === undefined ? undefined : parseIp(text);
  if (text === undefined || parents === undefined || ip === undefined) return;
  for (const name of parents.split(",").filter((p) => p !== "")) {
    const parent = port.topology.switchPortsByName.first(name);
    if (parent === undefined || switchOf(parent) !== owner) continue;
    const announces = ip.family === 4
      ? match`inport == "${name}" && ((arp.op == 1 && arp.spa == ${text} && arp.tpa == ${text}) || (arp.op == 2 && arp.spa == ${text}))`
      : match`inport == "${name}" && ((nd_ns && ip6.dst == {${text}, ${formatIpv6(solicitedNode(ip.address))}} && nd.target == ${text}) ||(nd_na && nd.target == ${text}))`;
    yield lflow(owner, lsIn.arpRsp, 100, announces, actions`bind_vport(${quoted(port.row.name)}, inport); next;`, { ioPort: name, hint: parent.row });
  }
}

function* proxiedAddresses(owner: LogicalSwitch, port: SwitchPort) {
  const proxied = proxiedAddressesOf(port);
  if (proxied === undefined) return;
  const peer = routerPortBehind(port);
  const mac = proxied.mac !== 0 ? proxied.macText : peer === undefined ? undefined : networksOf(peer).macText;
  if (mac === undefined) return;
  const others = `${bit.fromRouterPort} == 0`;
  if (proxied.ipv4.length > 0) {
    const targets = proxied.ipv4.map((n) => `${n.text}/${n.length}`).join(",");
    const reply = actions`eth.dst = eth.src; eth.src = ${mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${mac}; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;`;
    yield lflow(owner, lsIn.arpRsp, 30, match`${others} && arp.op == 1 && arp.tpa == {${targets}}`, reply, { hint: port.row });
  }
  if (proxied.ipv6.length > 0) {
    const destinations = proxied.ipv6.map((n) => `${n.text}/${n.length}, ${n.solicitedNodeText}/${n.length}`).join(", ");
    const targets = proxied.ipv6.map((n) => `${n.text}/${n.length}`).join(", ");
    const reply = actions`${advertisement(port)} { eth.src = ${mac}; ip6.src = nd.target; nd.target = nd.target; nd.tll = ${mac}; outport = inport; flags.loopback = 1; output; };`;
    yield lflow(owner, lsIn.arpRsp, 30, match`${others} && nd_ns && ip6.dst == { ${destinations} } && nd.target == { ${targets} }`, reply, { hint: port.row, protocol: "nd-na" });
  }
}
