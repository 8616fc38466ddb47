/** The southbound tables that chassis write, and those of the database itself. */
import { boolean, counter, ephemeral, integer, map, optional, set, string, strong, table, weak } from "../ovsdb/index.ts";
import { SSL } from "./remote-access.ts";

export const southboundChassis = {
  SB_Global: table({
    isRoot: true, maxRows: 1,
    columns: {
      nb_cfg: counter(),
      nb_cfg_timestamp: integer(),
      external_ids: map(string(), string()),
      connections: set(strong("Connection")),
      ssl: optional(strong("SSL")),
      options: map(string(), string()),
      ipsec: boolean(),
    },
  }),
  Chassis: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      hostname: string(),
      encaps: set(strong("Encap"), { min: 1 }),
      vtep_logical_switches: set(string()),
      nb_cfg: counter(),
      external_ids: map(string(), string()),
      other_config: map(string(), string()),
      transport_zones: set(string()),
    },
  }),
  Chassis_Private: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      chassis: optional(weak("Chassis")),
      nb_cfg: counter(),
      nb_cfg_timestamp: integer(),
      external_ids: map(string(), string()),
    },
  }),
  Encap: table({
    indexes: [["type", "ip"]],
    columns: {
      type: string({ enum: ["geneve", "vxlan"] }),
      options: map(string(), string()),
      ip: string(),
      chassis_name: string(),
    },
  }),
  Chassis_Template_Var: table({
    isRoot: true, indexes: [["chassis"]],
    columns: {
      chassis: string(),
      variables: map(string(), string()),
    },
  }),
  Gateway_Chassis: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      chassis: optional(weak("Chassis")),
      priority: integer({ min: 0, max: 32767 }),
      external_ids: map(string(), string()),
      options: map(string(), string()),
    },
  }),
  HA_Chassis: table({
    columns: {
      chassis: optional(weak("Chassis")),
      priority: integer({ min: 0, max: 32767 }),
      external_ids: map(string(), string()),
    },
  }),
  HA_Chassis_Group: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      ha_chassis: set(strong("HA_Chassis")),
      ref_chassis: set(weak("Chassis")),
      external_ids: map(string(), string()),
    },
  }),
  MAC_Binding: table({
    isRoot: true, indexes: [["logical_port", "ip"]],
    columns: {
      logical_port: string(),
      ip: string(),
      mac: string(),
      timestamp: integer(),
      datapath: strong("Datapath_Binding"),
    },
  }),
  Static_MAC_Binding: table({
    isRoot: true, indexes: [["logical_port", "ip"]],
    columns: {
      logical_port: string(),
      ip: string(),
      mac: string(),
      override_dynamic_mac: boolean(),
      datapath: strong("Datapath_Binding"),
    },
  }),
  FDB: table({
    isRoot: true, indexes: [["mac", "dp_key"]],
    columns: {
      mac: string(),
      dp_key: integer({ min: 1, max: 16_777_215 }),
      port_key: integer({ min: 1, max: 16_777_215 }),
      timestamp: integer(),
    },
  }),
  IGMP_Group: table({
    isRoot: true, indexes: [["address", "datapath", "chassis"]],
    columns: {
      address: string(),
      protocol: string(),
      datapath: optional(weak("Datapath_Binding")),
      chassis: optional(weak("Chassis")),
      ports: set(weak("Port_Binding")),
      chassis_name: string(),
    },
  }),
  Controller_Event: table({
    isRoot: true,
    columns: {
      event_type: string({ enum: ["empty_lb_backends"] }),
      event_info: map(string(), string()),
      chassis: optional(weak("Chassis")),
      seq_num: integer(),
    },
  }),
  Service_Monitor: table({
    isRoot: true, indexes: [["logical_port", "ip", "port", "protocol"]],
    columns: {
      type: optional(string({ enum: ["load-balancer", "network-function", "logical-switch-port"] })),
      ip: string(),
      mac: string(),
      protocol: optional(string({ enum: ["tcp", "udp", "icmp"] })),
      port: integer({ min: 0, max: 65535 }),
      logical_input_port: string(),
      logical_port: string(),
      src_mac: string(),
      src_ip: string(),
      chassis_name: string(),
      status: optional(string({ enum: ["online", "offline", "error"] })),
      ic_learned: boolean(),
      remote: boolean(),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  BFD: table({
    isRoot: true, indexes: [["logical_port", "dst_ip", "src_port", "disc"]],
    columns: {
      src_port: integer({ min: 49152, max: 65535 }),
      disc: integer(),
      logical_port: string(),
      dst_ip: string(),
      min_tx: integer(),
      min_rx: integer(),
      detect_mult: integer(),
      status: string({ enum: ["down", "init", "up", "admin_down"] }),
      external_ids: map(string(), string()),
      options: map(string(), string()),
      chassis_name: string(),
    },
  }),
  Connection: table({
    indexes: [["target"]],
    columns: {
      target: string(),
      max_backoff: optional(integer({ min: 1000 })),
      inactivity_probe: optional(integer()),
      read_only: boolean(),
      role: string(),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
      is_connected: ephemeral(boolean()),
      status: ephemeral(map(string(), string())),
    },
  }),
  SSL,
  RBAC_Role: table({
    isRoot: true,
    columns: {
      name: string(),
      permissions: map(string(), weak("RBAC_Permission")),
    },
  }),
  RBAC_Permission: table({
    isRoot: true,
    columns: {
      table: string(),
      authorization: set(string()),
      insert_delete: boolean(),
      update: set(string()),
    },
  }),
  Learned_Route: table({
    isRoot: true, indexes: [["datapath", "logical_port", "ip_prefix", "nexthop"]],
    columns: {
      datapath: strong("Datapath_Binding"),
      logical_port: strong("Port_Binding"),
      ip_prefix: string(),
      nexthop: string(),
      external_ids: map(string(), string()),
    },
  }),
};
