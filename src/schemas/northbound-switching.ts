/** The northbound tables of logical switches and what hangs on them. */
import { boolean, integer, map, optional, set, string, strong, table, weak } from "../ovsdb/index.ts";

export const northboundSwitching = {
  Logical_Switch: table({
    isRoot: true,
    columns: {
      name: string(),
      ports: set(strong("Logical_Switch_Port")),
      acls: set(strong("ACL")),
      qos_rules: set(strong("QoS")),
      load_balancer: set(weak("Load_Balancer")),
      load_balancer_group: set(strong("Load_Balancer_Group")),
      dns_records: set(weak("DNS")),
      copp: optional(weak("Copp")),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
      forwarding_groups: set(strong("Forwarding_Group")),
    },
  }),
  Logical_Switch_Port: table({
    indexes: [["name"]],
    columns: {
      name: string(),
      type: string(),
      options: map(string(), string()),
      parent_name: optional(string()),
      tag_request: optional(integer({ min: 0, max: 4095 })),
      tag: optional(integer({ min: 1, max: 4095 })),
      addresses: set(string()),
      dynamic_addresses: optional(string()),
      port_security: set(string()),
      peer: optional(string()),
      up: optional(boolean()),
      enabled: optional(boolean()),
      dhcpv4_options: optional(weak("DHCP_Options")),
      dhcpv6_options: optional(weak("DHCP_Options")),
      mirror_rules: set(weak("Mirror")),
      ha_chassis_group: optional(strong("HA_Chassis_Group")),
      health_checks: set(strong("Logical_Switch_Port_Health_Check")),
      external_ids: map(string(), string()),
    },
  }),
  Forwarding_Group: table({
    columns: {
      name: string(),
      vip: string(),
      vmac: string(),
      liveness: boolean(),
      external_ids: map(string(), string()),
      child_port: set(string(), { min: 1 }),
    },
  }),
  DNS: table({
    isRoot: true,
    columns: {
      records: map(string(), string()),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  DHCP_Options: table({
    isRoot: true,
    columns: {
      cidr: string(),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  QoS: table({
    columns: {
      priority: integer({ min: 0, max: 32767 }),
      direction: string({ enum: ["from-lport", "to-lport"] }),
      match: string(),
      action: map(string({ enum: ["dscp", "mark"] }), integer({ min: 0, max: 4_294_967_295 })),
      bandwidth: map(string({ enum: ["rate", "burst"] }), integer({ min: 1, max: 4_294_967_295 })),
      external_ids: map(string(), string()),
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
      mirror_rules: set(strong("Mirror_Rule")),
      external_ids: map(string(), string()),
    },
  }),
  Mirror_Rule: table({
    columns: {
      match: string(),
      action: string({ enum: ["mirror", "skip"] }),
      priority: integer({ min: 0, max: 32767 }),
    },
  }),
  Network_Function: table({
    isRoot: true, indexes: [["name"], ["id"]],
    columns: {
      name: string(),
      outport: optional(strong("Logical_Switch_Port")),
      inport: strong("Logical_Switch_Port"),
      health_check: optional(strong("Network_Function_Health_Check")),
      id: integer({ min: 1, max: 255 }),
      external_ids: map(string(), string()),
    },
  }),
  Network_Function_Group: table({
    isRoot: true, indexes: [["name"], ["id"]],
    columns: {
      name: string(),
      fallback: optional(string({ enum: ["fail-open", "fail-close"] })),
      network_function: set(strong("Network_Function")),
      network_function_active: optional(strong("Network_Function")),
      mode: string({ enum: ["inline", "vtap"] }),
      id: integer({ min: 1, max: 255 }),
      external_ids: map(string(), string()),
    },
  }),
  Logical_Switch_Port_Health_Check: table({
    columns: {
      protocol: string({ enum: ["tcp", "udp", "icmp"] }),
      src_ip: string(),
      port: integer({ min: 0, max: 65535 }),
      address: string(),
      status: optional(string({ enum: ["online", "offline", "error"] })),
      options: map(string(), string()),
    },
  }),
  Sampling_App: table({
    isRoot: true, indexes: [["type"]],
    columns: {
      type: string({ enum: ["drop", "acl-new", "acl-est"] }),
      id: integer({ min: 1, max: 255 }),
      external_ids: map(string(), string()),
    },
  }),
  Sample_Collector: table({
    isRoot: true, indexes: [["id"]],
    columns: {
      id: integer({ min: 1, max: 255 }),
      name: string(),
      probability: integer({ min: 0, max: 65535 }),
      set_id: integer({ min: 1, max: 4_294_967_295 }),
      external_ids: map(string(), string()),
    },
  }),
  Sample: table({
    indexes: [["metadata"]],
    columns: {
      collectors: set(strong("Sample_Collector")),
      metadata: integer({ min: 1, max: 4_294_967_295 }),
    },
  }),
};
