/**
 * HA_Chassis_Group, HA_Chassis: which chassis may host a gateway or an external port, the highest priority first; and
 * ref_chassis: those that have ports on the way to it, which must watch it.
 */
import { derived, relation, rule } from "../../engine/index.ts";
import { type Uuid, wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { datapathOfBinding } from "./port-bindings.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isGatewayPort, peerOf, routerOf, routerPortsOf } from "../topology/router-ports.ts";
import { routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { LogicalRouter, LogicalSwitch, NbRow, RouterPort, SbRow, Topology } from "../topology/topology.ts";

export const WishedHaChassis = wishRelation(southbound, "HA_Chassis");
export const WishedHaChassisGroup = wishRelation(southbound, "HA_Chassis_Group");

interface Member {
  readonly chassisName: string;
  readonly priority: number;
}

/** A group that somebody needs. */
interface NeededGroup {
  readonly name: string;
  readonly members: readonly Member[];
}
export const NeededGroup = relation<NeededGroup>("needed HA chassis groups", (g) => `${g.name}\n${JSON.stringify(g.members)}`);

/** The group watches over a router, and over all that can be reached from it. */
export const GroupReach = relation<{ readonly group: string; readonly router: string }>("reach of HA chassis groups", (f) => `${f.group}\n${f.router}`);

/** A chassis has a port on the way to a gateway of the group. */
export const GroupReference = relation<{ readonly group: string; readonly chassis: Uuid<"Chassis"> }>("references to HA chassis groups", (f) => `${f.group}\n${f.chassis}`);

const members = (rows: Iterable<NbRow<"HA_Chassis"> | NbRow<"Gateway_Chassis"> | undefined>): readonly Member[] =>
  [...rows].flatMap((row) => (row === undefined ? [] : [{ chassisName: row.chassis_name, priority: row.priority }]));

function groupOf(t: Topology, uuid: Uuid<"HA_Chassis_Group">): NeededGroup | undefined {
  const group = t.nb.HA_Chassis_Group.get(uuid);
  return group === undefined ? undefined : { name: group.name, members: members([...group.ha_chassis].map((u) => t.nb.HA_Chassis.get(u))) };
}

/** The group of a gateway port: the one it names, or one of its own for its gateway_chassis. */
const gatewayGroup = derived("group of gateway", (port: RouterPort): NeededGroup | undefined => {
  const { row, topology: t } = port;
  if (!isGatewayPort(port)) return undefined;
  if (row.ha_chassis_group === undefined) return { name: row.name, members: members([...row.gateway_chassis].map((u) => t.nb.Gateway_Chassis.get(u))) };
  if (row.gateway_chassis.size > 0) t.warn(`Both ha_chassis_group and gateway_chassis configured on port ${row.name}; ignoring the latter.`);
  return groupOf(t, row.ha_chassis_group);
});

export const gatewayGroupName = derived("group name of gateway", (port: RouterPort): string | undefined => gatewayGroup(port)?.name);

export const groupsOfGateways = rule("ha-groups-of-gateways", (t: Topology) => t.routerPorts, function* (_, port) {
  const group = gatewayGroup(port);
  const router = routerOf(port);
  if (group === undefined || router === undefined) return;
  yield NeededGroup(group);
  if (group.members.length > 1) for (const reached of reachableFrom(router)) yield GroupReach({ group: group.name, router: reached.row._uuid });
});

export const groupsOfExternalPorts = rule("ha-groups-of-external-ports", (t: Topology) => t.switchPorts, function* (t, port) {
  if (typeOf(port) !== "external" || port.row.ha_chassis_group === undefined || switchOf(port) === undefined) return;
  const group = groupOf(t, port.row.ha_chassis_group);
  if (group !== undefined) yield NeededGroup(group);
});

/** All routers that a router can reach, directly or over switches, and itself. */
function reachableFrom(start: LogicalRouter): ReadonlySet<LogicalRouter> {
  const reached = new Set([start]);
  for (const router of reached) for (const neighbour of neighboursOf(router)) reached.add(neighbour);
  return reached;
}

const neighboursOf = derived("neighbouring routers", (router: LogicalRouter): readonly LogicalRouter[] => {
  const found = new Set<LogicalRouter>();
  const add = (port: RouterPort | undefined): void => {
    const other = port === undefined ? undefined : routerOf(port);
    if (other !== undefined && other !== router) found.add(other);
  };
  for (const port of routerPortsOf(router)) {
    const peer = peerOf(port);
    if (peer?.kind === "router") add(peer.port);
    const owner = peer?.kind === "switch" ? switchOf(peer.port) : undefined;
    if (owner !== undefined) for (const facing of routerFacingPortsOf(owner)) add(routerPortBehind(facing));
  }
  return [...found];
});

/** The router by which a switch is part of the routed network; whichever will do, since all on a switch reach one another. */
const routerOnSwitch = derived("router on switch", (owner: LogicalSwitch): LogicalRouter | undefined => {
  for (const facing of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(facing);
    const router = peer === undefined ? undefined : routerOf(peer);
    if (router !== undefined) return router;
  }
  return undefined;
});

export interface GroupContext {
  readonly topology: Topology;
  groupsReaching(router: string): Iterable<{ readonly group: string }>;
  referencesTo(group: string): Iterable<{ readonly chassis: Uuid<"Chassis"> }>;
}

export const groupReferences = rule("ha-references", (c: GroupContext) => c.topology.sb.Port_Binding, function* (c, binding) {
  const row = c.topology.nb.Logical_Switch.get(datapathOfBinding(c.topology, binding) as Uuid<"Logical_Switch"> | undefined);
  const owner = row === undefined ? undefined : c.topology.switches.of(row);
  const router = owner === undefined ? undefined : routerOnSwitch(owner);
  if (router === undefined) return;
  for (const { group } of c.groupsReaching(router.row._uuid)) {
    for (const chassis of [...(binding.chassis === undefined ? [] : [binding.chassis]), ...binding.additional_chassis]) yield GroupReference({ group, chassis });
  }
});

const memberKey = (group: string, chassisName: string): string => `${group}\n${chassisName}`;

export const groupRows = rule("ha-chassis-groups", (c: GroupContext) => c.topology.engine.facts(NeededGroup), function* (c, { name, members: all }) {
  const t = c.topology;
  for (const { chassisName, priority } of all) {
    yield WishedHaChassis({
      key: memberKey(name, chassisName),
      columns: { chassis: t.chassisByName.first(chassisName)?._uuid, priority, external_ids: { "chassis-name": chassisName } },
    });
  }
  const references = all.length > 1 ? [...c.referencesTo(name)].map(({ chassis }) => chassis) : [];
  yield WishedHaChassisGroup({
    key: name,
    columns: { name, ha_chassis: all.map((m) => wished("HA_Chassis", memberKey(name, m.chassisName))), ref_chassis: references },
  });
});

/** An HA_Chassis row belongs to the group that has it. */
export function identifyHaChassis(groupsOfMember: (uuid: string) => SbRow<"HA_Chassis_Group"> | undefined, row: SbRow<"HA_Chassis">): string | undefined {
  const group = groupsOfMember(row._uuid);
  return group === undefined ? undefined : memberKey(group.name, row.external_ids.get("chassis-name") ?? "");
}
