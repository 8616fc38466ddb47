/** OVN_IC_Southbound: what the zones tell each other. Columns: ovn-ic-sb(5). */
import { counter, database, integer, map, optional, set, string, strong, table, uuid, weak } from "../ovsdb/index.ts";
import { Connection, SSL } from "./remote-access.ts";

export const icSouthbound = database("OVN_IC_Southbound", "2.7.0", {
  IC_SB_Global: table({
    isRoot: true, maxRows: 1,
    columns: {
      nb_ic_cfg: counter(),
      external_ids: map(string(), string()),
      connections: set(strong("Connection")),
      ssl: optional(strong("SSL")),
      options: map(string(), string()),
    },
  }),
  Availability_Zone: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      nb_ic_cfg: counter(),
    },
  }),
  Gateway: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(),
      availability_zone: strong("Availability_Zone"),
      hostname: string(),
      encaps: set(strong("Encap"), { min: 1 }),
      external_ids: map(string(), string()),
    },
  }),
  Encap: table({
    indexes: [["type", "ip"]],
    columns: {
      type: string({ enum: ["geneve", "vxlan"] }),
      options: map(string(), string()),
      ip: string(),
      gateway_name: string(),
    },
  }),
  Datapath_Binding: table({
    isRoot: true, indexes: [["nb_ic_uuid", "tunnel_key"]],
    columns: {
      transit_switch: string(),
      type: optional(string({ enum: ["transit-switch", "transit-router"] })),
      nb_ic_uuid: optional(uuid()),
      tunnel_key: integer({ min: 1, max: 16_777_215 }),
      external_ids: map(string(), string()),
    },
  }),
  Port_Binding: table({
    isRoot: true, indexes: [["transit_switch", "tunnel_key"], ["logical_port"]],
    columns: {
      logical_port: string(),
      transit_switch: string(),
      availability_zone: strong("Availability_Zone"),
      tunnel_key: integer({ min: 1, max: 32767 }),
      gateway: string(),
      encap: optional(weak("Encap")),
      address: string(),
      type: optional(string({ enum: ["transit-switch-port", "transit-router-port"] })),
      nb_ic_uuid: optional(uuid()),
      external_ids: map(string(), string()),
    },
  }),
  Route: table({
    isRoot: true, indexes: [["transit_switch", "availability_zone", "route_table", "ip_prefix", "nexthop"]],
    columns: {
      transit_switch: string(),
      availability_zone: strong("Availability_Zone"),
      route_table: string(),
      ip_prefix: string(),
      nexthop: string(),
      origin: string({ enum: ["connected", "static", "loadbalancer", "connected-dynamic"] }),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Connection,
  SSL,
  Service_Monitor: table({
    isRoot: true,
    columns: {
      type: optional(string({ enum: ["load-balancer"] })),
      ip: string(),
      protocol: optional(string({ enum: ["tcp", "udp"] })),
      port: integer({ min: 0, max: 65535 }),
      logical_port: string(),
      src_ip: string(),
      src_mac: string(),
      status: optional(string({ enum: ["online", "offline", "error"] })),
      target_availability_zone: string(),
      source_availability_zone: string(),
      options: map(string(), string()),
      external_ids: map(string(), string()),
    },
  }),
  Address_Set: table({
    isRoot: true, indexes: [["name", "availability_zone"]],
    columns: {
      name: string(),
      addresses: set(string()),
      availability_zone: strong("Availability_Zone"),
      external_ids: map(string(), string()),
    },
  }),
}, "4014616205 10519");
