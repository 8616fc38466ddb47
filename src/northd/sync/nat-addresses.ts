/** Port_Binding.nat_addresses: what the chassis of a gateway announces by gratuitous ARP on the switch behind it (ovn-sb(5)). */
import { quoted } from "../flow-text.ts";
import { boolOption } from "../options.ts";
import { parseMacAndIps } from "../port-addresses.ts";
import { chassisOf, gatewayPortsOf, isGatewayPort, networksOf, redirectName, routerOf } from "../topology/router-ports.ts";
import { flag, hasLocalnet, routerPortBehind } from "../topology/switch-ports.ts";
import { announcedAddresses } from "../topology/announced-addresses.ts";
import type { LogicalRouter, LogicalSwitch, RouterPort, SwitchPort } from "../topology/topology.ts";

export function natAddressesOf(owner: LogicalSwitch, port: SwitchPort): readonly string[] {
  const peer = routerPortBehind(port);
  const router = peer === undefined ? undefined : routerOf(peer);
  if (peer === undefined || router === undefined) return [];
  return [...givenAddresses(port, peer, router), ...ownAddresses(owner, port, peer, router)];
}

/** Where the gateway is, if it is distributed. */
function resident(peer: RouterPort, router: LogicalRouter): string {
  const gateway = isGatewayPort(peer) ? peer : gatewayPortsOf(router)[0];
  return gateway === undefined ? "" : ` is_chassis_resident(${quoted(redirectName(gateway.row.name))})`;
}

/** options:nat-addresses: "router" stands for the router's translated addresses. */
function givenAddresses(port: SwitchPort, peer: RouterPort, router: LogicalRouter): readonly string[] {
  const given = port.row.options.get("nat-addresses");
  if (given === undefined || (chassisOf(router) === undefined && gatewayPortsOf(router).length === 0)) return [];
  if (given === "router") return announcedAddresses(peer, !flag(port, "exclude-lb-vips-from-garp", false));
  if (parseMacAndIps(given) === undefined) {
    port.topology.warn("Error extracting nat-addresses.");
    return [];
  }
  return [`${given}${resident(peer, router)}`];
}

/** The router's own addresses, where its traffic passes one chassis. */
function ownAddresses(owner: LogicalSwitch, port: SwitchPort, peer: RouterPort, router: LogicalRouter): readonly string[] {
  if (flag(port, "exclude-router-ips-from-garp", false) || !announces(owner, peer, router)) return [];
  const { macText, ipv4 } = networksOf(peer);
  return [`${[macText, ...ipv4.map((n) => n.text)].join(" ")}${resident(peer, router)}`];
}

function announces(owner: LogicalSwitch, peer: RouterPort, router: LogicalRouter): boolean {
  const gateways = gatewayPortsOf(router);
  if (gateways.length === 0) return chassisOf(router) !== undefined && hasLocalnet(owner);
  if (isGatewayPort(peer)) return true;
  if (!boolOption(peer.row.options, "reside-on-redirect-chassis", false)) return false;
  if (gateways.length === 1) return true;
  peer.topology.warn(
    `"reside-on-redirect-chassis" is set on logical router port ${peer.row.name}, which is on logical router ${router.row.name}, which has ${gateways.length} distributed gateway ports. Thisoption can only be used when there is a single distributed gateway port.`,
  );
  return false;
}
