/** Router ports: where they belong, their networks, what they are connected to, and whether they are gateways. */
import { derived } from "../../engine/index.ts";
import { quoted } from "../flow-text.ts";
import { boolOption } from "../options.ts";
import { compareBytes, parseRouterPort, type RouterPortNetworks } from "../port-addresses.ts";
import { LogicalRouter, RouterPort, type SwitchPort } from "./topology.ts";
import { switchOf } from "./port-membership.ts";

const isEnabled = (row: { readonly enabled: boolean | undefined }): boolean => row.enabled ?? true;

export const isRouterEnabled = derived("router enabled", (router: LogicalRouter): boolean => isEnabled(router.row));

export const isPortEnabled = derived("port enabled", (port: SwitchPort | RouterPort): boolean => isEnabled(port.row));

const parsedNetworks = derived("networks", (port: RouterPort): RouterPortNetworks | undefined => {
  const networks = parseRouterPort(port.row.mac, port.row.networks);
  if (networks === undefined) port.topology.warn(`bad 'mac' ${port.row.mac}`);
  for (const bad of networks?.bad ?? []) port.topology.log.info(`invalid syntax '${bad}' in networks`);
  return networks;
});

/** The router that the port is part of; undefined while there is none, it is disabled, or the port's MAC is none. */
export const routerOf = derived("router of", (port: RouterPort): LogicalRouter | undefined => {
  const [router, another] = port.topology.routersOfPort.get(port.row._uuid);
  if (another !== undefined) port.topology.warn(`duplicate logical router port ${port.row.name}`);
  return router !== undefined && isRouterEnabled(router) && parsedNetworks(port) !== undefined ? router : undefined;
});

const noNetworks: RouterPortNetworks = { mac: 0 as RouterPortNetworks["mac"], macText: "", ipv4: [], ipv6: [], bad: [] };

/** The port's MAC and networks; its generated link-local address is the last of the IPv6 ones. */
export const networksOf = (port: RouterPort): RouterPortNetworks => parsedNetworks(port) ?? noNetworks;

/** The IPv6 networks that were configured. */
export const configuredIpv6 = (port: RouterPort) => networksOf(port).ipv6.slice(0, -1);

/** The ports of a router that are in use, by name. */
export const routerPortsOf = derived("ports of router", (router: LogicalRouter): readonly RouterPort[] => {
  if (!isRouterEnabled(router)) return [];
  const { topology } = router;
  const ports: RouterPort[] = [];
  for (const uuid of router.row.ports) {
    const port = topology.routerPort(topology.nb.Logical_Router_Port.get(uuid));
    if (port !== undefined && routerOf(port) === router) ports.push(port);
  }
  return ports.sort((a, b) => compareBytes(a.row.name, b.row.name));
});

export type RouterPeer = { readonly kind: "switch"; readonly port: SwitchPort } | { readonly kind: "router"; readonly port: RouterPort };

/** What the port is connected to: a switch port of type router, or another router's port. */
export const peerOf = derived("peer", (port: RouterPort): RouterPeer | undefined => {
  const { topology, row } = port;
  if (routerOf(port) === undefined) return undefined;
  if (row.peer !== undefined) {
    const other = topology.routerPortsByName.first(row.peer);
    if (other !== undefined && other.row.peer === row.name && routerOf(other) !== undefined) return { kind: "router", port: other };
    if (topology.switchPortsByName.first(row.peer) !== undefined) {
      topology.warn(`Bad configuration: The peer of router port ${row.name} is a switch port`);
    }
    return undefined;
  }
  // Several switch ports may name one router port by mistake: the first by name has it.
  const ports = [...topology.switchPortsByRouterPort.get(row.name)].filter((p) => switchOf(p) !== undefined);
  const [first] = ports.sort((a, b) => compareBytes(a.row.name, b.row.name));
  return first === undefined ? undefined : { kind: "switch", port: first };
});

export const switchPeerOf = (port: RouterPort): SwitchPort | undefined => {
  const peer = peerOf(port);
  return peer?.kind === "switch" ? peer.port : undefined;
};

export const routerPeerOf = (port: RouterPort): RouterPort | undefined => {
  const peer = peerOf(port);
  return peer?.kind === "router" ? peer.port : undefined;
};

/** Names the one chassis that all of the router lives on ("gateway router"). */
export const chassisOf = derived("chassis of router", (router: LogicalRouter): string | undefined => router.row.options.get("chassis"));

/** A distributed gateway port: its traffic passes through one of several chassis. */
export const isGatewayPort = derived("gateway port", (port: RouterPort): boolean => {
  const { row } = port;
  if (row.ha_chassis_group === undefined && row.gateway_chassis.size === 0) return false;
  const router = routerOf(port);
  if (router === undefined) return false;
  if (chassisOf(router) === undefined) return true;
  port.topology.warn(`Bad configuration: distributed gateway port configured on port ${row.name} on L3 gateway router`);
  return false;
});

/** The port that stands for `name` on the chassis its traffic passes through. */
export const redirectName = (name: string): string => `cr-${name}`;

/** The chassisredirect port of a gateway port, quoted. */
export const redirectKey = (port: RouterPort): string => quoted(redirectName(port.row.name));

export const gatewayPortsOf = derived("gateway ports", (router: LogicalRouter): readonly RouterPort[] =>
  routerPortsOf(router).filter((port) => isGatewayPort(port)));

export const isGatewayRouter = (router: LogicalRouter): boolean => chassisOf(router) !== undefined;

/** Whether the router forwards multicast between its ports. */
export const relaysMulticast = derived("mcast_relay", (router: LogicalRouter): boolean => boolOption(router.row.options, "mcast_relay", false));

export const floodsMulticast = derived("mcast_flood", (port: RouterPort): boolean => boolOption(port.row.options, "mcast_flood", false));

/** Whether some enabled port of the router always gets multicast. */
export const hasStaticFlood = derived("router static flood", (router: LogicalRouter): boolean =>
  routerPortsOf(router).some((port) => isPortEnabled(port) && floodsMulticast(port)));

const redirectType = derived("redirect-type", (port: RouterPort): string | undefined => port.row.options.get("redirect-type"));

/** A gateway port whose traffic reaches the gateway chassis over a VLAN instead of a tunnel. */
export const isBridgedGateway = (port: RouterPort): boolean => isGatewayPort(port) && redirectType(port)?.toLowerCase() === "bridged";
