/** The northbound tables of logical routers and what hangs on them. */
import { boolean, integer, map, optional, set, string, strong, table, weak } from "../ovsdb/index.ts";

export const northboundRouting = {
  Logical_Router: table({
    isRoot: true,
    columns: {
      name: string(),
      ports: set(strong("Logical_Router_Port")),
      static_routes: set(strong("Logical_Router_Static_Route")),
      policies: set(strong("Logical_Router_Policy")),
      enabled: optional(boolean()),
      nat: set(strong("NAT")),
      load_balancer: set(weak("Load_Balancer")),
      load_balancer_group: set(strong("Load_Balancer_Group")),
      copp: optional(weak("Copp")),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Logical_Router_Port: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      gateway_chassis: set(strong("Gateway_Chassis")),
      ha_chassis_group: optional(strong("HA_Chassis_Group")),
      options: map(string(), string()),
      networks: set(string()),
      mac: string(),
      peer: optional(string()),
      enabled: optional(boolean()),
      ipv6_ra_configs: map(string(), string()),
      ipv6_prefix: set(string()),
      dhcp_relay: optional(strong("DHCP_Relay")),
      external_ids: map(string(), string()),
      status: map(string(), string()),
    },
  }),
  Logical_Router_Static_Route: table({
    columns: {
      route_table: string(),
      ip_prefix: string(),
      policy: optional(string({ enum: ["src-ip", "dst-ip"] })),
      nexthop: string(),
      output_port: optional(string()),
      bfd: optional(weak("BFD")),
      selection_fields: set(string({ enum: [
        "eth_src", "eth_dst", "ip_proto", "ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "tp_src", "tp_dst",
      ] })),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Logical_Router_Policy: table({
    columns: {
      priority: integer({ min: 0, max: 32767 }),
      chain: optional(string()),
      match: string(),
      action: string({ enum: ["allow", "drop", "reroute", "jump"] }),
      jump_chain: optional(string()),
      nexthop: optional(string()),
      nexthops: set(string()),
      output_port: optional(weak("Logical_Router_Port")),
      bfd_sessions: set(weak("BFD")),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  NAT: table({
    columns: {
      external_ip: string(),
      external_mac: optional(string()),
      external_port_range: string(),
      logical_ip: string(),
      logical_port: optional(string()),
      type: string({ enum: ["dnat", "snat", "dnat_and_snat"] }),
      allowed_ext_ips: optional(strong("Address_Set")),
      exempted_ext_ips: optional(strong("Address_Set")),
      gateway_port: optional(weak("Logical_Router_Port")),
      priority: integer({ min: 0, max: 32767 }),
      match: string(),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Static_MAC_Binding: table({
    isRoot: true, indexes: [["logical_port", "ip"]],
    columns: {
      logical_port: string(),
      ip: string(),
      mac: string(),
      override_dynamic_mac: boolean(),
    },
  }),
  BFD: table({
    isRoot: true, indexes: [["logical_port", "dst_ip"]],
    columns: {
      logical_port: string(),
      dst_ip: string(),
      min_tx: optional(integer({ min: 1 })),
      min_rx: optional(integer()),
      detect_mult: optional(integer({ min: 1 })),
      status: optional(string({ enum: ["down", "init", "up", "admin_down"] })),
      external_ids: map(string(), string()),
      options: map(string(), string()),
    },
  }),
  Gateway_Chassis: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      chassis_name: string(),
      priority: integer({ min: 0, max: 32767 }),
      external_ids: map(string(), string()),
      options: map(string(), string()),
    },
  }),
  HA_Chassis: table({
    columns: {
      chassis_name: string(),
      priority: integer({ min: 0, max: 32767 }),
      external_ids: map(string(), string()),
    },
  }),
  HA_Chassis_Group: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      ha_chassis: set(strong("HA_Chassis")),
      external_ids: map(string(), string()),
    },
  }),
  DHCP_Relay: table({
    isRoot: true,
    columns: {
      name: string(),
      servers: optional(string()),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
};
