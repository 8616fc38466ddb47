/** OVN_IC_Northbound: what the operator wishes for between the zones. Columns: ovn-ic-nb(5). */
import { boolean, database, ephemeral, integer, map, optional, set, string, strong, table, uuid } from "../ovsdb/index.ts";

export const icNorthbound = database("OVN_IC_Northbound", "1.4.0", {
  IC_NB_Global: table({
    isRoot: true, maxRows: 1,
    columns: {
      nb_ic_cfg: integer(),
      sb_ic_cfg: integer(),
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
  Connection: table({
    indexes: [["target"]],
    columns: {
      target: string(),
      max_backoff: optional(integer({ min: 1000 })),
      inactivity_probe: optional(integer()),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
      is_connected: ephemeral(boolean()),
      status: ephemeral(map(string(), string())),
    },
  }),
  SSL: table({
    maxRows: 1,
    columns: {
      private_key: string(),
      certificate: string(),
      ca_cert: string(),
      bootstrap_ca_cert: boolean(),
      ssl_protocols: string(),
      ssl_ciphers: string(),
      ssl_ciphersuites: string(),
      external_ids: map(string(), string()),
    },
  }),
}, "518084103 6175");
