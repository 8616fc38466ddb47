/** RBAC_Role, RBAC_Permission: what the role "ovn-controller" may write (ovn-architecture(7), "OVN Deployments Scaling and RBAC"). */
import { rule } from "../../engine/index.ts";
import { wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import type { Topology } from "../topology/topology.ts";

export const WishedRole = wishRelation(southbound, "RBAC_Role");
export const WishedPermission = wishRelation(southbound, "RBAC_Permission");

interface Permission {
  /** The column that must name the client; "" for none. */
  readonly authorization: string;
  readonly insertDelete: boolean;
  readonly update: readonly string[];
}

const permissions: { readonly [table: string]: Permission } = {
  Chassis: {
    authorization: "name", insertDelete: true,
    update: ["nb_cfg", "external_ids", "encaps", "vtep_logical_switches", "other_config", "transport_zones"],
  },
  Chassis_Private: { authorization: "name", insertDelete: true, update: ["nb_cfg", "nb_cfg_timestamp", "chassis", "external_ids"] },
  Controller_Event: { authorization: "", insertDelete: true, update: ["chassis", "event_info", "event_type", "seq_num"] },
  Encap: { authorization: "chassis_name", insertDelete: true, update: ["type", "options", "ip"] },
  FDB: { authorization: "", insertDelete: true, update: ["dp_key", "mac", "port_key", "timestamp"] },
  Port_Binding: {
    authorization: "", insertDelete: false,
    update: ["chassis", "additional_chassis", "encap", "additional_encap", "up", "virtual_parent", "options"],
  },
  MAC_Binding: { authorization: "", insertDelete: true, update: ["logical_port", "ip", "mac", "datapath", "timestamp"] },
  Service_Monitor: { authorization: "chassis_name", insertDelete: false, update: ["status"] },
  IGMP_Group: { authorization: "chassis_name", insertDelete: true, update: ["address", "protocol", "chassis", "datapath", "ports"] },
  BFD: { authorization: "chassis_name", insertDelete: false, update: ["status"] },
  Learned_Route: { authorization: "", insertDelete: true, update: ["datapath", "logical_port", "ip_prefix", "nexthop", "external_ids"] },
};

const role = "ovn-controller";

export const rbac = rule("rbac", (t: Topology) => t.zone, function* () {
  for (const [table, { authorization, insertDelete, update }] of Object.entries(permissions)) {
    yield WishedPermission({ key: table, columns: { table, authorization: [authorization], insert_delete: insertDelete, update } });
  }
  const all = Object.fromEntries(Object.keys(permissions).map((table) => [table, wished("RBAC_Permission", table)]));
  yield WishedRole({ key: role, columns: { name: role, permissions: all } });
});

/** Other roles and tables are somebody else's. */
export const identifyRole = (row: { readonly name: string }): string | undefined => (row.name === role ? role : undefined);
export const identifyPermission = (row: { readonly table: string }): string | undefined => (row.table in permissions ? row.table : undefined);
