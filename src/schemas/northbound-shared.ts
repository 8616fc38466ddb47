/** The northbound tables that switches and routers share, and those of the database itself. */
import { boolean, counter, integer, map, optional, set, string, strong, table, weak } from "../ovsdb/index.ts";
import { Connection, SSL } from "./remote-access.ts";

export const northboundShared = {
  NB_Global: table({
    isRoot: true, maxRows: 1,
    columns: {
      name: string(),
      nb_cfg: counter(),
      nb_cfg_timestamp: integer(),
      sb_cfg: counter(),
      sb_cfg_timestamp: integer(),
      hv_cfg: counter(),
      hv_cfg_timestamp: integer(),
      external_ids: map(string(), string()),
      connections: set(strong("Connection")),
      ssl: optional(strong("SSL")),
      options: map(string(), string()),
      ipsec: boolean(),
    },
  }),
  Copp: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      meters: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Network_Function_Health_Check: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Address_Set: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      addresses: set(string()),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Port_Group: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      ports: set(weak("Logical_Switch_Port")),
      acls: set(strong("ACL")),
      external_ids: map(string(), string()),
    },
  }),
  Load_Balancer: table({
    isRoot: true,
    columns: {
      name: string(),
      vips: map(string(), string()),
      protocol: optional(string({ enum: ["tcp", "udp", "sctp"] })),
      health_check: set(strong("Load_Balancer_Health_Check")),
      ip_port_mappings: map(string(), string()),
      selection_fields: set(string({ enum: ["eth_src", "eth_dst", "ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "tp_src", "tp_dst"] })),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Load_Balancer_Group: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      load_balancer: set(weak("Load_Balancer")),
    },
  }),
  Load_Balancer_Health_Check: table({
    columns: {
      vip: string(),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  ACL: table({
    columns: {
      name: optional(string({ maxLength: 63 })),
      priority: integer({ min: 0, max: 32767 }),
      direction: string({ enum: ["from-lport", "to-lport"] }),
      match: string(),
      action: string({ enum: ["allow", "allow-related", "allow-stateless", "drop", "reject", "pass"] }),
      network_function_group: optional(strong("Network_Function_Group")),
      log: boolean(),
      severity: optional(string({ enum: ["alert", "warning", "notice", "info", "debug"] })),
      meter: optional(string()),
      label: integer({ min: 0, max: 4_294_967_295 }),
      tier: integer({ min: 0, max: 3 }),
      sample_new: optional(strong("Sample")),
      sample_est: optional(strong("Sample")),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Meter: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      unit: string({ enum: ["kbps", "pktps"] }),
      bands: set(strong("Meter_Band"), { min: 1 }),
      fair: optional(boolean()),
      external_ids: map(string(), string()),
    },
  }),
  Meter_Band: table({
    columns: {
      action: string({ enum: ["drop"] }),
      rate: integer({ min: 1, max: 4_294_967_295 }),
      burst_size: integer({ min: 0, max: 4_294_967_295 }),
      external_ids: map(string(), string()),
    },
  }),
  Connection,
  SSL,
  Chassis_Template_Var: table({
    isRoot: true, indexes: [["chassis"]],
    columns: {
      chassis: string(),
      variables: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
};
