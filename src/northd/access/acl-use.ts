/** Which switches have which access control lists, by themselves or by way of port groups; and what that makes of the switches. */
import { derived, type Index, relation, rule } from "../../engine/index.ts";
import { boolOption } from "../options.ts";
import { type Direct, type GroupMember, type GroupUse, JoinedPairs } from "../topology/joined-pairs.ts";
import { perZone } from "../topology/per-zone.ts";
import { switchOf } from "../topology/port-membership.ts";
import type { LogicalSwitch, NbRow, Topology } from "../topology/topology.ts";

export type Acl = NbRow<"ACL">;
export type PortGroup = NbRow<"Port_Group">;

const DirectAcl = relation<Direct<LogicalSwitch, Acl>>("ACLs of switches", ({ owner, item }) => `${owner.row._uuid} ${item._uuid}`);
/** A port group has a port on the switch. */
export const GroupOnSwitch = relation<GroupUse<LogicalSwitch, PortGroup>>("port groups on switches", ({ owner, group }) => `${owner.row._uuid} ${group._uuid}`);
const GroupedAcl = relation<GroupMember<PortGroup, Acl>>("ACLs of port groups", ({ group, item }) => `${group._uuid} ${item._uuid}`);

/** Where an access control list is applied: to what comes from a port, before or after load balancing, or to what goes to one. */
export type AclPlace = "from-lport" | "from-lport-after-lb" | "to-lport";

/** One access control list on one switch. */
export class AclUse {
  readonly owner: LogicalSwitch;
  readonly acl: Acl;
  constructor(owner: LogicalSwitch, acl: Acl) {
    this.owner = owner;
    this.acl = acl;
  }
  toString(): string {
    return `${String(this.acl)} on ${String(this.owner)}`;
  }
}

export const placeOf = ({ direction, options }: Acl): AclPlace => {
  if (direction !== "from-lport") return "to-lport";
  return boolOption(options, "apply-after-lb", false) ? "from-lport-after-lb" : "from-lport";
};

interface AclUses {
  readonly pairs: JoinedPairs<LogicalSwitch, PortGroup, Acl, AclUse>;
  /** By `SWITCH TRAIT`. */
  readonly byTrait: Index<string, AclUse>;
  /** Port groups by the UUIDs of their ports. */
  readonly groupsOfPort: Index<string, PortGroup>;
}

export const aclUses = perZone(({ engine, nb }: Topology): AclUses => {
  const sources = { direct: engine.facts(DirectAcl), uses: engine.facts(GroupOnSwitch), members: engine.facts(GroupedAcl) };
  const pairs = new JoinedPairs("ACLs on switches", sources, (owner, acl) => new AclUse(owner, acl));
  return {
    pairs,
    byTrait: engine.index("ACLs by trait", pairs, traitsOf),
    groupsOfPort: engine.index("port groups of port", nb.Port_Group, (group): Iterable<string> => group.ports),
  };
});

const highestTier = 3;

function* traitsOf({ owner, acl }: AclUse): Iterable<string> {
  const { _uuid: uuid } = owner.row;
  yield `${uuid} any`;
  if (acl.action === "allow-related") yield `${uuid} stateful`;
  if (acl.tier > 0) yield `${uuid} ${placeOf(acl)} ${acl.tier}`;
}

const hasTrait = ({ row, topology }: LogicalSwitch, trait: string): boolean => aclUses(topology).byTrait.get(`${row._uuid} ${trait}`).size > 0;

export const hasAcls = derived("has ACLs", (owner: LogicalSwitch): boolean => hasTrait(owner, "any"));

/** Whether some access control list lets replies through by what the connection tracker knows. */
export const hasStatefulAcls = derived("has stateful ACLs", (owner: LogicalSwitch): boolean => hasTrait(owner, "stateful"));

/** The last tier in which there are any at this place. */
export const lastTier = derived("last ACL tier", (owner: LogicalSwitch, place: AclPlace): number => {
  for (let tier = highestTier; tier > 0; tier--) if (hasTrait(owner, `${place} ${tier}`)) return tier;
  return 0;
});

export const aclsOfSwitches = rule("acls-of-switches", (t: Topology) => t.switches, function* (t, owner) {
  for (const uuid of owner.row.acls) {
    const item = t.nb.ACL.get(uuid);
    if (item !== undefined) yield DirectAcl({ owner, item });
  }
});

export const aclsOfGroups = rule("acls-of-port-groups", (t: Topology) => t.nb.Port_Group, function* (t, group) {
  for (const uuid of group.acls) {
    const item = t.nb.ACL.get(uuid);
    if (item !== undefined) yield GroupedAcl({ group, item });
  }
});

export const groupsOnSwitches = rule("port-groups-on-switches", (t: Topology) => t.switchPorts, function* (t, port) {
  const groups = aclUses(t).groupsOfPort.get(port.row._uuid);
  const owner = groups.size === 0 ? undefined : switchOf(port);
  if (owner !== undefined) for (const group of groups) yield GroupOnSwitch({ owner, group });
});
