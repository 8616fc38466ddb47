/** The tables of queues, flow tables, sampling, zones and datapaths. */
import { boolean, integer, map, optional, set, string, strong, table } from "../ovsdb/index.ts";

export const openVSwitchAccounting = {
  Flow_Table: table({
    columns: {
      name: optional(string()),
      flow_limit: optional(integer({ min: 0 })),
      overflow_policy: optional(string({ enum: ["refuse", "evict"] })),
      groups: set(string()),
      prefixes: set(string(), { max: 4 }),
      external_ids: map(string(), string()),
    },
  }),
  QoS: table({
    isRoot: true,
    columns: {
      type: string(),
      queues: map(integer({ min: 0, max: 4_294_967_295 }), strong("Queue")),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Queue: table({
    isRoot: true,
    columns: {
      dscp: optional(integer({ min: 0, max: 63 })),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  NetFlow: table({
    columns: {
      targets: set(string(), { min: 1 }),
      engine_type: optional(integer({ min: 0, max: 255 })),
      engine_id: optional(integer({ min: 0, max: 255 })),
      add_id_to_interface: boolean(),
      active_timeout: integer({ min: -1 }),
      external_ids: map(string(), string()),
    },
  }),
  sFlow: table({
    columns: {
      targets: set(string(), { min: 1 }),
      sampling: optional(integer()),
      polling: optional(integer()),
      header: optional(integer()),
      agent: optional(string()),
      external_ids: map(string(), string()),
    },
  }),
  IPFIX: table({
    columns: {
      targets: set(string()),
      sampling: optional(integer({ min: 1, max: 4_294_967_295 })),
      obs_domain_id: optional(integer({ min: 0, max: 4_294_967_295 })),
      obs_point_id: optional(integer({ min: 0, max: 4_294_967_295 })),
      cache_active_timeout: optional(integer({ min: 0, max: 4200 })),
      cache_max_flows: optional(integer({ min: 0, max: 4_294_967_295 })),
      stats_interval: optional(integer({ min: 1, max: 3600 })),
      template_interval: optional(integer({ min: 1, max: 3600 })),
      other_config: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Flow_Sample_Collector_Set: table({
    isRoot: true, indexes: [["id", "bridge"]],
    columns: {
      id: integer({ min: 0, max: 4_294_967_295 }),
      bridge: strong("Bridge"),
      ipfix: optional(strong("IPFIX")),
      local_group_id: optional(integer({ min: 0, max: 4_294_967_295 })),
      external_ids: map(string(), string()),
    },
  }),
  Datapath: table({
    columns: {
      datapath_version: string(),
      ct_zones: map(integer({ min: 0, max: 65535 }), strong("CT_Zone")),
      capabilities: map(string(), string()),
      ct_zone_default_limit: optional(integer({ min: 0, max: 4_294_967_295 })),
      external_ids: map(string(), string()),
    },
  }),
  CT_Zone: table({
    columns: {
      timeout_policy: optional(strong("CT_Timeout_Policy")),
      limit: optional(integer({ min: 0, max: 4_294_967_295 })),
      external_ids: map(string(), string()),
    },
  }),
  CT_Timeout_Policy: table({
    columns: {
      timeouts: map(string({ enum: [
        "tcp_syn_sent", "tcp_syn_recv", "tcp_established", "tcp_fin_wait", "tcp_close_wait", "tcp_last_ack", "tcp_time_wait",
        "tcp_close", "tcp_syn_sent2", "tcp_retransmit", "tcp_unack", "udp_first", "udp_single", "udp_multiple", "icmp_first",
        "icmp_reply",
      ] }), integer({ min: 0, max: 4_294_967_295 })),
      external_ids: map(string(), string()),
    },
  }),
  AutoAttach: table({
    columns: {
      system_name: string(),
      system_description: string(),
      mappings: map(integer({ min: 0, max: 16_777_215 }), integer({ min: 0, max: 4095 })),
    },
  }),
};
