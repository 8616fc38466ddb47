/** The southbound tables of the logical network. */
import { boolean, integer, map, optional, set, string, strong, table, uuid, weak } from "../ovsdb/index.ts";

export const southboundLogical = {
  Address_Set: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      addresses: set(string()),
      options: map(string(), string()),
    },
  }),
  Port_Group: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      ports: set(string()),
    },
  }),
  Logical_Flow: table({
    isRoot: true,
    columns: {
      logical_datapath: optional(strong("Datapath_Binding")),
      logical_dp_group: optional(strong("Logical_DP_Group")),
      pipeline: string({ enum: ["ingress", "egress"] }),
      table_id: integer({ min: 0, max: 34 }),
      priority: integer({ min: 0, max: 65535 }),
      match: string(),
      actions: string(),
      tags: map(string(), string()),
      controller_meter: optional(string()),
      external_ids: map(string(), string()),
      flow_desc: optional(string()),
    },
  }),
  Logical_DP_Group: table({
    columns: {
      datapaths: set(weak("Datapath_Binding")),
    },
  }),
  Multicast_Group: table({
    isRoot: true, indexes: [["datapath", "tunnel_key"], ["datapath", "name"]],
    columns: {
      datapath: strong("Datapath_Binding"),
      name: string(),
      tunnel_key: integer({ min: 32768, max: 65535 }),
      ports: set(weak("Port_Binding")),
    },
  }),
  Mirror: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      filter: string({ enum: ["from-lport", "to-lport", "both"] }),
      sink: string(),
      type: string({ enum: ["gre", "erspan", "local", "lport"] }),
      index: integer(),
      external_ids: map(string(), string()),
    },
  }),
  Meter: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      unit: string({ enum: ["kbps", "pktps"] }),
      bands: set(strong("Meter_Band"), { min: 1 }),
    },
  }),
  Meter_Band: table({
    columns: {
      action: string({ enum: ["drop"] }),
      rate: integer({ min: 1, max: 4_294_967_295 }),
      burst_size: integer({ min: 0, max: 4_294_967_295 }),
    },
  }),
  Datapath_Binding: table({
    isRoot: true, indexes: [["tunnel_key"]],
    columns: {
      tunnel_key: integer({ min: 1, max: 16_777_215 }),
      load_balancers: set(uuid()),
      type: optional(string({ enum: ["logical-switch", "logical-router"] })),
      nb_uuid: optional(uuid()),
      external_ids: map(string(), string()),
    },
  }),
  Port_Binding: table({
    isRoot: true, indexes: [["datapath", "tunnel_key"], ["logical_port"]],
    columns: {
      logical_port: string(),
      type: string(),
      gateway_chassis: set(strong("Gateway_Chassis")),
      ha_chassis_group: optional(strong("HA_Chassis_Group")),
      options: map(string(), string()),
      datapath: strong("Datapath_Binding"),
      tunnel_key: integer({ min: 1, max: 32767 }),
      parent_port: optional(string()),
      mirror_port: optional(string()),
      tag: optional(integer({ min: 1, max: 4095 })),
      virtual_parent: optional(string()),
      chassis: optional(weak("Chassis")),
      additional_chassis: set(weak("Chassis")),
      encap: optional(weak("Encap")),
      additional_encap: set(weak("Encap")),
      mirror_rules: set(weak("Mirror")),
      mac: set(string()),
      port_security: set(string()),
      nat_addresses: set(string()),
      up: optional(boolean()),
      external_ids: map(string(), string()),
      requested_chassis: optional(weak("Chassis")),
      requested_additional_chassis: set(weak("Chassis")),
    },
  }),
  DHCP_Options: table({
    isRoot: true,
    columns: {
      name: string(),
      code: integer({ min: 0, max: 254 }),
      type: string({ enum: ["bool", "uint8", "uint16", "uint32", "ipv4", "static_routes", "str", "host_id", "domains"] }),
    },
  }),
  DHCPv6_Options: table({
    isRoot: true,
    columns: {
      name: string(),
      code: integer({ min: 0, max: 254 }),
      type: string({ enum: ["ipv6", "str", "mac", "domain"] }),
    },
  }),
  DNS: table({
    isRoot: true,
    columns: {
      records: map(string(), string()),
      datapaths: set(strong("Datapath_Binding"), { min: 1 }),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  IP_Multicast: table({
    isRoot: true, indexes: [["datapath"]],
    columns: {
      datapath: weak("Datapath_Binding"),
      enabled: optional(boolean()),
      querier: optional(boolean()),
      eth_src: string(),
      ip4_src: string(),
      ip6_src: string(),
      table_size: optional(integer()),
      idle_timeout: optional(integer()),
      query_interval: optional(integer()),
      query_max_resp: optional(integer()),
      seq_no: integer(),
    },
  }),
  Load_Balancer: table({
    isRoot: true,
    columns: {
      name: string(),
      vips: map(string(), string()),
      protocol: optional(string({ enum: ["tcp", "udp", "sctp"] })),
      datapaths: set(strong("Datapath_Binding")),
      datapath_group: optional(strong("Logical_DP_Group")),
      ls_datapath_group: optional(strong("Logical_DP_Group")),
      lr_datapath_group: optional(strong("Logical_DP_Group")),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  ECMP_Nexthop: table({
    isRoot: true, indexes: [["nexthop", "port"]],
    columns: {
      nexthop: string(),
      port: strong("Port_Binding"),
      datapath: strong("Datapath_Binding"),
      mac: string(),
      external_ids: map(string(), string()),
    },
  }),
  Advertised_Route: table({
    isRoot: true, indexes: [["datapath", "logical_port", "ip_prefix", "tracked_port"]],
    columns: {
      datapath: strong("Datapath_Binding"),
      logical_port: strong("Port_Binding"),
      ip_prefix: string(),
      tracked_port: optional(strong("Port_Binding")),
      external_ids: map(string(), string()),
    },
  }),
  ACL_ID: table({
    isRoot: true,
    columns: {
      id: integer({ min: 0, max: 32767 }),
    },
  }),
  Advertised_MAC_Binding: table({
    isRoot: true, indexes: [["datapath", "logical_port", "ip", "mac"]],
    columns: {
      datapath: strong("Datapath_Binding"),
      logical_port: strong("Port_Binding"),
      ip: string(),
      mac: string(),
      external_ids: map(string(), string()),
    },
  }),
};
