/**
 * How many connections the switch may keep in a zone: ct-zone-limit of a logical port, switch or router, as rows of CT_Zone
 * under the bridge's Datapath (ovn-nb(5), "ct-zone-limit").
 */
import { rule } from "../engine/index.ts";
import { integrationBridge } from "./claims.ts";
import { ZoneLimit } from "./lifted-limits.ts";
import type { Node } from "./node.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Datapath } from "./rows.ts";
import { ovsRow } from "./settings.ts";
import { ZoneUser } from "./zone-assignment.ts";

/** The row that stands for the integration bridge's datapath. */
function ownDatapath(node: Node): Datapath | undefined {
  const type = integrationBridge(node)?.datapath_type;
  return type === undefined ? undefined : node.ovs.tables.Datapath.get(ovsRow(node)?.datapaths.get(type));
}

export const zoneLimits = rule("zone-limits", (node: Node) => node.engine.facts(ZoneUser), function* (node, { name, limit }) {
  if (limit === undefined) return;
  const zone = node.zones.zoneOf(name);
  const datapath = ownDatapath(node);
  if (zone === 0 || datapath === undefined) return;
  yield ZoneLimit({ zone, limit });
  const row = node.ovs.tables.CT_Zone.get(datapath.ct_zones.get(zone));
  if (row?.limit === limit) return;
  yield OpenVswitchRepair({
    key: `limit of zone ${zone} ${limit} ${datapath._uuid} ${row?._uuid ?? ""}`,
    apply: (txn) => {
      if (row !== undefined) txn.update(row, { limit });
      else txn.mutate(datapath, "ct_zones", "insert", new Map([[zone, txn.insert("CT_Zone", { limit })]]));
    },
  });
});

export const liftedLimits = rule("lifted-limits", (node: Node) => node.liftedLimits.zones, function* (node, { zone }) {
  const datapath = ownDatapath(node);
  if (datapath === undefined || !datapath.ct_zones.has(zone)) return;
  yield OpenVswitchRepair({ key: `no limit of zone ${zone} ${datapath._uuid}`, apply: (txn) => txn.mutate(datapath, "ct_zones", "delete", [zone]) });
});
