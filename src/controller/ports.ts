/** What a Port_Binding is and whom it belongs with: kind, peer, chassis-redirect port, where it may be bound (ovn-sb(5)). */
import { derived } from "../engine/index.ts";
import type { Node } from "./node.ts";
import type { Chassis, DatapathBinding, HaChassisGroup, PortBinding } from "./rows.ts";
import { asBoolean, systemIdOf } from "./settings.ts";
import { AliveChassis } from "./tunnel.ts";

export type PortKind =
  | "vif" | "container" | "mirror" | "virtual" | "patch" | "chassisredirect" | "l3gateway" | "localnet" | "localport"
  | "l2gateway" | "external" | "remote" | "vtep" | "unknown";

const kinds: ReadonlyMap<string, PortKind> = new Map(
  (["patch", "chassisredirect", "l3gateway", "localnet", "localport", "l2gateway", "virtual", "external", "remote", "vtep", "mirror"] as const)
    .map((kind) => [kind, kind]),
);

export function kindOf(port: PortBinding): PortKind {
  if (port.type !== "") return kinds.get(port.type) ?? "unknown";
  const parent = port.parent_port;
  return parent === undefined || parent === "" ? "vif" : "container";
}

/** This chassis' own row. */
export const ourChassis = derived("our-chassis", (node: Node): Chassis | undefined => {
  const name = systemIdOf(node);
  return name === undefined ? undefined : node.chassisByName.first(name);
});

export const portNamed = (node: Node, name: string): PortBinding | undefined => node.portsByName.first(name);

export const datapathOf = (node: Node, port: PortBinding): DatapathBinding | undefined => node.sb.tables.Datapath_Binding.get(port.datapath);

/** Older databases have no type column. */
export function isSwitch(datapath: DatapathBinding): boolean {
  return datapath.type === undefined ? datapath.external_ids.has("logical-switch") : datapath.type === "logical-switch";
}

export const isTransitSwitch = (datapath: DatapathBinding): boolean => datapath.external_ids.has("interconn-ts");

/** The port at the other end of a patch or l3gateway port. */
export function peerOf(node: Node, port: PortBinding): PortBinding | undefined {
  if (port.type !== "patch" && port.type !== "l3gateway") return undefined;
  const name = port.options.get("peer");
  return name === undefined ? undefined : portNamed(node, name);
}

/** The chassisredirect port of a distributed gateway port. */
export function redirectPortOf(node: Node, port: PortBinding): PortBinding | undefined {
  const name = port.options.get("chassis-redirect-port");
  return name === undefined ? undefined : portNamed(node, name);
}

export type Role = "main" | "additional";

/** Whether the port's owner wants it on this chassis, and as what. */
export function permittedRole(node: Node, port: PortBinding): Role | undefined {
  const chassis = ourChassis(node);
  if (chassis === undefined) return undefined;
  if (port.requested_chassis === chassis._uuid) return "main";
  if (port.requested_additional_chassis.has(chassis._uuid)) return "additional";
  const requested = port.options.get("requested-chassis");
  if (requested === undefined || requested === "") return "main";
  const at = requested.split(",").filter((name) => name !== "").findIndex((name) => name === chassis.name || name === chassis.hostname);
  return at < 0 ? undefined : at === 0 ? "main" : "additional";
}

/** The chassis of the group that have a row, the most preferred first; of equals the one whose name is later. */
export const candidatesOf = derived("candidates", (node: Node, group: HaChassisGroup): readonly Chassis[] => {
  const candidates: { readonly chassis: Chassis; readonly priority: number }[] = [];
  for (const uuid of group.ha_chassis) {
    const member = node.sb.tables.HA_Chassis.get(uuid);
    const chassis = node.sb.tables.Chassis.get(member?.chassis);
    if (member !== undefined && chassis !== undefined) candidates.push({ chassis, priority: member.priority });
  }
  candidates.sort((a, b) => b.priority - a.priority || (a.chassis.name < b.chassis.name ? 1 : -1));
  return candidates.map(({ chassis }) => chassis);
});

export const haGroupOf = (node: Node, port: PortBinding): HaChassisGroup | undefined =>
  node.sb.tables.HA_Chassis_Group.get(port.ha_chassis_group);

/** Whether this chassis is a candidate at all. */
export function isCandidate(node: Node, port: PortBinding): boolean {
  const group = haGroupOf(node, port);
  const chassis = ourChassis(node);
  return group !== undefined && chassis !== undefined && candidatesOf(node, group).includes(chassis);
}

/** Whether this chassis is the one that serves the port's group now. */
export function isElected(node: Node, port: PortBinding): boolean {
  const group = haGroupOf(node, port);
  return group !== undefined && leads(node, group);
}

/**
 * Whether this chassis is the most preferred living one of the group. Who hears nothing of any other has lost the network, and
 * does not take itself for the last one; nor does who hears of none that sends packets here. Nobody does so to the chassis of an
 * external port: there the last of the group goes by whoever else it hears (OVN's own controller would leave the port unserved).
 */
const leads = derived("leads", (node: Node, group: HaChassisGroup): boolean => {
  const own = ourChassis(node);
  const candidates = candidatesOf(node, group);
  if (own === undefined || !candidates.includes(own)) return false;
  if (group.ha_chassis.size === 1 || candidates.length === 1) return true;
  const alive = node.engine.facts(AliveChassis);
  if (alive.size === 0) return false;
  const active = candidates.filter((chassis) => chassis === own || alive.get(chassis.name) !== undefined);
  if (active.length > 1 || group.ref_chassis.size === 0) return active[0] === own;
  return [...group.ref_chassis].some((uuid) => alive.get(node.sb.tables.Chassis.get(uuid)?.name ?? "") !== undefined);
});

/** Whether the port is here, as the southbound database has it; of chassisredirect ports, as the election has it. */
export function isResident(node: Node, port: PortBinding): boolean {
  const chassis = ourChassis(node);
  if (chassis === undefined) return false;
  return port.type === "chassisredirect" ? isElected(node, port) : port.chassis === chassis._uuid;
}

export const isAdditionalChassis = (port: PortBinding, chassis: Chassis): boolean => port.additional_chassis.has(chassis._uuid);

export const portOption = (port: PortBinding, option: string): boolean => asBoolean(port.options.get(option), false);
