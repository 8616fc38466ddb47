/** OVN_IC_Northbound: what the operator wishes for between the zones. Columns: ovn-ic-nb(5). */
import { counter, database, map, optional, set, string, strong, table, uuid } from "../ovsdb/index.ts";
import { Connection, SSL } from "./remote-access.ts";

export const icNorthbound = database("OVN_IC_Northbound", "1.4.0", {
  IC_NB_Global: table({
    isRoot: true, maxRows: 1,
    columns: {
      nb_ic_cfg: counter(),
      sb_ic_cfg: counter(),
      external_ids: map(string(), string()),
      connections: set(strong("Connection")),
      ssl: optional(strong("SSL")),
      options: map(string(), string()),
    },
  }),
  Transit_Switch_Port: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      other_config: map(string(), string()),
      type: string(),
      chassis: string(),
      peer: string(),
      addresses: set(string()),
      external_ids: map(string(), string()),
    },
  }),
  Transit_Switch: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      ports: set(strong("Transit_Switch_Port")),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Transit_Router: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      ports: set(strong("Transit_Router_Port")),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Transit_Router_Port: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      other_config: map(string(), string()),
      mac: string(),
      chassis: string(),
      networks: set(string()),
      tr_uuid: uuid(),
    },
  }),
  Connection,
  SSL,
}, "518084103 6175");
