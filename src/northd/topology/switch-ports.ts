/** Switch ports: their addresses, what they are connected to, and what may come in and out of them. */
import { derived } from "../../engine/index.ts";
import { boolOption } from "../options.ts";
import { isDynamicAddress, macAt, parseIpsAlone, parseMacAndIps, type PortAddresses } from "../port-addresses.ts";
import { switchOf } from "./port-membership.ts";
import { gatewayPortsOf, isGatewayPort, networksOf, routerOf, switchPeerOf } from "./router-ports.ts";
import type { LogicalSwitch, RouterPort, SwitchPort } from "./topology.ts";

export const typeOf = derived("type", (port: SwitchPort): string => port.row.type);

/** A port that a virtual machine, a container or nothing special is behind. */
export const isVif = (port: SwitchPort): boolean => typeOf(port) === "";

/** What `addresses` says outright. */
export const staticAddressesOf = derived("static addresses", (port: SwitchPort): readonly PortAddresses[] => {
  const found: PortAddresses[] = [];
  for (const text of port.row.addresses) {
    if (text === "unknown" || text === "router" || isDynamicAddress(text)) continue;
    const parsed = parseMacAndIps(text);
    if (parsed === undefined) {
      port.topology.log.info(`invalid syntax '${text}' in logical switch port addresses. No MAC address found`);
      continue;
    }
    if (parsed.rest !== "") port.topology.log.info(`invalid syntax '${text}' in address`);
    found.push(parsed.addresses);
  }
  return found;
});

const dynamicAddressOf = derived("dynamic address", (port: SwitchPort): PortAddresses | undefined => {
  const text = port.topology.dynamicAddresses.get(port.row._uuid);
  return text === undefined ? undefined : parseMacAndIps(text)?.addresses;
});

/** All of them: static ones, those of the router behind the port ("router"), and those that northd chose ("dynamic"). */
export const addressesOf = derived("addresses", (port: SwitchPort): readonly PortAddresses[] => {
  const found = [...staticAddressesOf(port)];
  if (typeOf(port) === "router" && port.row.addresses.has("router")) {
    const peer = routerPortBehind(port);
    if (peer !== undefined) found.push(networksOf(peer));
  }
  const dynamic = dynamicAddressOf(port);
  if (dynamic !== undefined) found.push(dynamic);
  return found;
});

/** Whether frames to MACs that nobody claims are sent to this port. */
export const hasUnknown = derived("has unknown", (port: SwitchPort): boolean => port.row.addresses.has("unknown") || typeOf(port) === "switch");

/** Whether `port_security` names at least one MAC. */
export const hasPortSecurity = derived("has port security", (port: SwitchPort): boolean => {
  for (const text of port.row.port_security) {
    if (macAt(text.startsWith("VRRPv3") ? text.slice("VRRPv3 ".length) : text) !== undefined) return true;
  }
  return false;
});

/** The router port that a switch port of type router is connected to. */
export const routerPortBehind = derived("router port behind", (port: SwitchPort): RouterPort | undefined => {
  const { topology, row } = port;
  if (typeOf(port) !== "router" || switchOf(port) === undefined) return undefined;
  const name = row.options.get("router-port");
  const peer = name === undefined ? undefined : topology.routerPortsByName.first(name);
  if (peer === undefined || routerOf(peer) === undefined) return undefined;
  if (peer.row.peer === undefined) return peer;
  topology.warn(
    `Bad configuration: The peer of the switch port '${row.name}' (LRP peer: '${peer.row.name}') has its own peer configuration: '${peer.row.peer}'`,
  );
  return undefined;
});

/** The switch ports that lead to a router port: one, unless somebody made a mistake. */
export const switchPortsFacing = derived("switch ports facing", (peer: RouterPort): readonly { readonly port: SwitchPort; readonly owner: LogicalSwitch }[] => {
  const found = [];
  for (const port of peer.topology.switchPortsByRouterPort.get(peer.row.name)) {
    const owner = routerPortBehind(port) === peer ? switchOf(port) : undefined;
    if (owner !== undefined) found.push({ port, owner });
  }
  return found;
});

/** The port of another switch that this one, of type switch, is connected to. */
export const switchPortBehind = derived("switch port behind", (port: SwitchPort): SwitchPort | undefined => {
  const { topology, row } = port;
  if (typeOf(port) !== "switch" || row.peer === undefined || switchOf(port) === undefined) return undefined;
  const other = topology.switchPortsByName.first(row.peer);
  if (other === undefined) {
    if (topology.routerPortsByName.first(row.peer) !== undefined) topology.warn(`Bad configuration: The peer of switch port ${row.name} is a router port`);
    return undefined;
  }
  if (typeOf(other) === "router") topology.warn(`Bad configuration: The peer of switch port ${row.name} is a router port`);
  if (typeOf(other) !== "switch" || switchOf(other) === undefined) return undefined;
  if (other.row.peer === row.name) return other;
  topology.warn(
    `Bad configuration: '${row.name}' is a switch port with peer '${row.peer}', but '${row.peer}' is a switch port with peer '${other.row.peer ?? ""}'`,
  );
  return undefined;
});

/**
 * Whether the port has a chassisredirect port of its own: it leads to the only gateway port of a router, and its switch has
 * no localnet port, so that frames to that router must be carried to the gateway chassis.
 */
export const hasRedirectPort = derived("has redirect port", (port: SwitchPort): boolean => {
  const peer = routerPortBehind(port);
  const router = peer === undefined ? undefined : routerOf(peer);
  const owner = switchOf(port);
  if (peer === undefined || router === undefined || owner === undefined || !isGatewayPort(peer)) return false;
  return switchPeerOf(peer) === port && gatewayPortsOf(router).length === 1 && !hasLocalnet(owner);
});

/** The addresses that the port answers for on behalf of the router (options:arp_proxy). */
export const proxiedAddressesOf = derived("arp_proxy", (port: SwitchPort): PortAddresses | undefined => {
  if (routerPortBehind(port) === undefined) return undefined;
  const text = port.row.options.get("arp_proxy");
  if (text === undefined) return undefined;
  const parsed = parseMacAndIps(text)?.addresses ?? parseIpsAlone(text);
  if (parsed === undefined) port.topology.warn(`Invalid arp_proxy option: '${text}' at lsp '${port.row.name}'`);
  return parsed;
});

export const flag = (port: SwitchPort, key: string, missing: boolean): boolean => boolOption(port.row.options, key, missing);

/** The switch's ports with a role (see roles.ts): a tracked read of those alone. */
export const portsWithRole = (owner: LogicalSwitch, role: string): ReadonlySet<SwitchPort> =>
  owner.topology.switchPortsByRole.get(`${owner.row._uuid} ${role}`);

export const hasRole = derived("has ports with role", (owner: LogicalSwitch, role: string): boolean => portsWithRole(owner, role).size > 0);

export const hasLocalnet = (owner: LogicalSwitch): boolean => hasRole(owner, "localnet");
