/** Port_Group: a group in the southbound database holds the ports of one switch, and is named for its key. */
import { rule } from "../../engine/index.ts";
import { wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { aclUses, GroupOnSwitch } from "../access/acl-use.ts";
import { perZone } from "../topology/per-zone.ts";
import { switchOf } from "../topology/port-membership.ts";
import type { SwitchPort, Topology } from "../topology/topology.ts";

export const WishedPortGroup = wishRelation(southbound, "Port_Group");

/** Kept port by port: one more in a group of thousands is looked at alone, and with it the others of its switch. */
const members = perZone((t: Topology) => t.engine.index("members of port groups", t.switchPorts, function* (port: SwitchPort): Iterable<string> {
  const groups = aclUses(t).groupsOfPort.get(port.row._uuid);
  const owner = groups.size === 0 ? undefined : switchOf(port);
  if (owner !== undefined) for (const group of groups) yield `${group._uuid} ${owner.row._uuid}`;
}));

const groupsOnSwitches = (t: Topology) => {
  members(t);
  return t.engine.facts(GroupOnSwitch);
};

export const portGroups = rule("port-groups", groupsOnSwitches, function* (t, { owner, group }) {
  const key = t.datapathKeys.get(owner.row._uuid);
  if (key === undefined) return;
  const name = `${key}_${group.name}`;
  const ports = [...members(t).get(`${group._uuid} ${owner.row._uuid}`)].map((port) => port.row.name);
  yield WishedPortGroup({ key: name, columns: { name, ports } });
});
