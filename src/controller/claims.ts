/**
 * Which ports belong on this chassis. A port of a VM belongs where an interface of the integration bridge carries its name
 * in external_ids:iface-id; a gateway's port where its options or the election of its HA chassis group put it.
 */
import { derived } from "../engine/index.ts";
import type { Node } from "./node.ts";
import { isCandidate, isElected, kindOf, ourChassis, permittedRole, portNamed, portOption, type Role } from "./ports.ts";
import type { Bridge, Interface, Port, PortBinding } from "./rows.ts";
import { bridgeName, systemIdOf } from "./settings.ts";

export interface Claim {
  readonly role: Role;
  /** The interface that carries it; undefined for ports without one. */
  readonly iface: Interface | undefined;
  /** The port whose interface it shares: of containers, mirrors and virtual ports. */
  readonly parent: PortBinding | undefined;
}

export const integrationBridge = (node: Node): Bridge | undefined => node.bridgesByName.first(bridgeName(node));

export function isPortOfIntegrationBridge(node: Node, port: Port): boolean {
  const bridge = integrationBridge(node);
  return bridge !== undefined && node.bridgesByPort.get(port._uuid).has(bridge);
}

export function isOnIntegrationBridge(node: Node, iface: Interface): boolean {
  const port = node.portsByInterface.first(iface._uuid);
  return port !== undefined && isPortOfIntegrationBridge(node, port);
}

/**
 * The interface that carries the port of that name: has its number from the switch, and is on the integration bridge. Of
 * several the one that was named last, as when a virtual machine is plugged anew before the old interface has gone.
 */
export const interfaceOf = derived("interface", (node: Node, ifaceId: string): Interface | undefined =>
  [...node.interfacesByIfaceId.get(ifaceId)].findLast((iface) => (iface.ofport ?? 0) > 0 && isOnIntegrationBridge(node, iface)));

/** A port that was deleted and made anew under its name must not take the old one's interface. */
function isMeant(iface: Interface, port: PortBinding): boolean {
  const version = port.options.get("iface-id-ver");
  return version === undefined || iface.external_ids.get("iface-id-ver") === version;
}

/** Why the port belongs here; undefined: it does not. */
export const claimOf = derived("claim", (node: Node, port: PortBinding): Claim | undefined => {
  switch (kindOf(port)) {
    case "vif": {
      const iface = interfaceOf(node, port.logical_port);
      return iface === undefined || !isMeant(iface, port) ? undefined : claim(permittedRole(node, port), iface);
    }
    case "container":
      return claimThrough(node, port, port.parent_port);
    case "mirror":
      return claimThrough(node, port, port.mirror_port);
    case "virtual":
      return claimThrough(node, port, port.virtual_parent);
    case "l2gateway":
      return isNamedHere(node, port, "l2gateway-chassis") ? claim("main") : undefined;
    case "l3gateway":
      return isNamedHere(node, port, "l3gateway-chassis") ? claim("main") : undefined;
    case "chassisredirect":
    case "external":
      return isElected(node, port) ? claim(permittedRole(node, port)) : undefined;
    case "patch":
      return port.requested_chassis !== undefined && port.requested_chassis === ourChassis(node)?._uuid ? claim("main") : undefined;
    default:
      return undefined;
  }
});

function claim(role: Role | undefined, iface?: Interface, parent?: PortBinding): Claim | undefined {
  return role === undefined ? undefined : { role, iface, parent };
}

/** A port without an interface of its own goes where its parent is. */
function claimThrough(node: Node, port: PortBinding, parentName: string | undefined): Claim | undefined {
  if (parentName === undefined || parentName === "") return undefined;
  const parent = portNamed(node, parentName);
  const iface = interfaceOf(node, parentName);
  if (parent === undefined || iface === undefined || kindOf(parent) !== "vif" || !isMeant(iface, parent)) return undefined;
  return permittedRole(node, port) === undefined ? undefined : claim(permittedRole(node, parent), iface, parent);
}

const isNamedHere = (node: Node, port: PortBinding, option: string): boolean => {
  const name = port.options.get(option);
  return name !== undefined && name === systemIdOf(node);
};

/** A port of ours makes its datapath local; a gateway's port does so on every candidate, elected or not. */
export function makesDatapathLocal(node: Node, port: PortBinding): boolean {
  const kind = kindOf(port);
  if (kind === "patch" || ourChassis(node) === undefined) return false;
  return claimOf(node, port) !== undefined || ((kind === "chassisredirect" || kind === "external") && isCandidate(node, port));
}

/**
 * Whether this chassis needs logical flows that match on the port: its own ports, and those that packets pass on the way.
 * Flows for other chassis' VIFs are never hit here.
 */
export const isRelated = derived("is-related", (node: Node, port: PortBinding): boolean => {
  switch (kindOf(port)) {
    case "patch":
    case "vtep":
    case "remote":
      return true;
    case "localport":
      return interfaceOf(node, port.logical_port) !== undefined;
    case "localnet":
      return node.isLocalDatapath(port.datapath);
    case "chassisredirect":
    case "external":
      return isCandidate(node, port);
    case "unknown":
      return false;
    default:
      return claimOf(node, port) !== undefined;
  }
});

/** Whether connections of the port are tracked in a zone of its own. */
export const needsZone = (node: Node, port: PortBinding): boolean => {
  switch (kindOf(port)) {
    case "patch":
      return portOption(port, "enable_router_port_acl");
    case "localport":
    case "localnet":
      return isRelated(node, port);
    default:
      return claimOf(node, port) !== undefined;
  }
};
