/** Brings this chassis' rows of IGMP_Group to what has been heard (ovn-sb(5)). */
import { relation, rule, sameValue } from "../../engine/index.ts";
import { type Node, portKey } from "../node.ts";
import { isSwitch, ourChassis } from "../ports.ts";
import { SouthboundRepair } from "../repairs.ts";

/** A group of which somebody here wants to hear. */
const WantedGroup = relation<{ readonly key: string }>("WantedGroup", ({ key }) => key);

export const groupWrites = rule("igmp-group-writes", (node: Node) => node.snooping.groups, function* (node, { datapath, address, protocol, portKeys }) {
  const own = ourChassis(node);
  if (own === undefined || !isSwitch(datapath)) return;
  yield WantedGroup({ key: `${datapath._uuid} ${address}` });
  const ports = new Set([...portKeys].flatMap((key) => node.portsByKey.first(portKey(datapath._uuid, key))?._uuid ?? []));
  const existing = node.igmpGroupsByKey.first(`${datapath._uuid} ${address} ${own._uuid}`);
  if (existing !== undefined && sameValue(existing.ports, ports) && (protocol === "" || existing.protocol === protocol)) return;
  yield SouthboundRepair({
    key: `IGMP_Group ${datapath._uuid} ${address} ${protocol} ${[...ports].sort().join()} ${existing?._uuid ?? ""}`,
    apply: (txn) => {
      if (existing !== undefined) txn.update(existing, { ports, ...(protocol === "" ? {} : { protocol }) });
      else txn.insert("IGMP_Group", { address, datapath: datapath._uuid, chassis: own._uuid, chassis_name: own.name, ports, protocol });
    },
  });
});

export const staleGroups = rule("stale-igmp-groups", (node: Node) => node.sb.tables.IGMP_Group, function* (node, row) {
  const own = ourChassis(node);
  if (own === undefined || row.chassis !== own._uuid || row.datapath === undefined || !node.isLocalDatapath(row.datapath)) return;
  if (node.engine.facts(WantedGroup).get(`${row.datapath} ${row.address}`) !== undefined) return;
  yield SouthboundRepair({ key: `no IGMP_Group ${row._uuid}`, apply: (txn) => txn.delete(row) });
});
