/**
 * The messages of OpenFlow 1.0 and 1.3 to 1.5, with Open vSwitch's extensions, as values: the union of them all. What they are
 * about stands in files of its own: flow.ts, group.ts, packet.ts ... Encoding and decoding: codec.ts. Framing of a byte stream: framing.ts.
 */
import type { FlowMod, FlowRemoved, FlowStats, FlowStatsRequest } from "./flow.ts";
import type { GroupDescription, GroupMod, GroupStats } from "./group.ts";
import type { MeterConfig, MeterMod, MeterStats } from "./meter.ts";
import type { PacketIn, PacketOut, Resume } from "./packet.ts";
import type { PortDescription, PortMod, PortStats, PortStatus } from "./port-description.ts";
import type { AsyncConfig, ErrorMessage, FeaturesReply, Hello, roles, SwitchConfig, SwitchDescription } from "./session.ts";
import type { TableFeatures, TableStats } from "./table.ts";
import type { CtFlush } from "./tracked-connection.ts";

/** One member of the union for each kind, so that a kind picks its member. */
type Each<K extends string, Body extends object = object> = K extends string ? { readonly kind: K } & Body : never;

export const bundleControls = [
  "open_request", "open_reply", "close_request", "close_reply", "commit_request", "commit_reply", "discard_request", "discard_reply",
] as const;

export interface BundleControl {
  readonly kind: "bundle_control";
  readonly bundle: number;
  readonly control: (typeof bundleControls)[number];
  /** 1 atomic, 2 ordered. */
  readonly flags: number;
}

/** A message put into a bundle; it has the xid of the outer message. */
export interface BundleAdd {
  readonly kind: "bundle_add";
  readonly bundle: number;
  readonly flags: number;
  readonly message: Message;
}

/** A Geneve option that a tun_metadata field stands for. */
export interface TlvMapping {
  readonly optionClass: number;
  readonly optionType: number;
  readonly optionSize: number;
  readonly index: number;
}

/** Requests of OFPT_MULTIPART. */
export type MultipartRequest =
  | Each<"desc_request" | "table_stats_request" | "group_features_request" | "meter_features_request" | "table_features_request" | "table_desc_request">
  | { readonly kind: "port_desc_request"; readonly port: number }
  | Each<"flow_stats_request" | "aggregate_request", FlowStatsRequest>
  | { readonly kind: "port_stats_request"; readonly port: number }
  | Each<"group_stats_request" | "group_desc_request", { readonly group: number }>
  | Each<"meter_stats_request" | "meter_config_request", { readonly meter: number }>;

/** Replies of OFPT_MULTIPART. */
export type MultipartReply = { /** Another part of the reply follows. */ readonly more?: boolean } & (
  | { readonly kind: "desc_reply"; readonly description: SwitchDescription }
  | { readonly kind: "flow_stats_reply"; readonly flows: readonly FlowStats[] }
  | { readonly kind: "aggregate_reply"; readonly packets: bigint; readonly bytes: bigint; readonly flows: number }
  | { readonly kind: "table_stats_reply"; readonly tables: readonly TableStats[] }
  | { readonly kind: "port_stats_reply"; readonly ports: readonly PortStats[] }
  | { readonly kind: "port_desc_reply"; readonly ports: readonly PortDescription[] }
  | { readonly kind: "group_stats_reply"; readonly groups: readonly GroupStats[] }
  | { readonly kind: "group_desc_reply"; readonly groups: readonly GroupDescription[] }
  | { readonly kind: "group_features_reply"; readonly types: number; readonly capabilities: number; readonly maxGroups: readonly number[]; readonly actions: readonly number[] }
  | { readonly kind: "meter_stats_reply"; readonly meters: readonly MeterStats[] }
  | { readonly kind: "meter_config_reply"; readonly meters: readonly MeterConfig[] }
  | { readonly kind: "meter_features_reply"; readonly maxMeters: number; readonly bandTypes: number; readonly capabilities: number; readonly maxBands: number; readonly maxColor: number }
  | { readonly kind: "table_features_reply"; readonly tables: readonly TableFeatures[] }
  | { readonly kind: "table_desc_reply"; readonly tables: readonly { readonly table: number; readonly config: number }[] }
);

export type NiciraMessage =
  | { readonly kind: "set_packet_in_format"; readonly format: "standard" | "nxt_packet_in" | "nxt_packet_in2" }
  | { readonly kind: "set_controller_id"; readonly id: number }
  | { readonly kind: "flow_mod_table_id"; readonly enabled: boolean }
  /** OpenFlow 1.0 only: which form flows should come in, and whether with their ages. All forms are always understood here. */
  | { readonly kind: "set_flow_format"; readonly format: number }
  | { readonly kind: "flow_age" }
  | { readonly kind: "tlv_table_mod"; readonly command: "add" | "delete" | "clear"; readonly mappings: readonly TlvMapping[] }
  | { readonly kind: "tlv_table_request" }
  | { readonly kind: "tlv_table_reply"; readonly maxSpace: number; readonly maxFields: number; readonly mappings: readonly TlvMapping[] }
  | { readonly kind: "ct_flush_zone"; readonly zone: number }
  | CtFlush;

export type Message =
  | Hello
  | ErrorMessage
  | Each<"echo_request" | "echo_reply", { readonly data: Uint8Array }>
  | Each<"features_request" | "get_config_request" | "barrier_request" | "barrier_reply" | "get_async_request">
  | FeaturesReply
  | Each<"get_config_reply" | "set_config", SwitchConfig>
  | PacketIn
  | Resume
  | PacketOut
  | FlowMod
  | FlowRemoved
  | PortStatus
  | PortMod
  | GroupMod
  | MeterMod
  | Each<"role_request" | "role_reply", { readonly role: (typeof roles)[number]; readonly generation: bigint | undefined }>
  | BundleControl
  | BundleAdd
  | Each<"get_async_reply" | "set_async", AsyncConfig>
  | MultipartRequest
  | MultipartReply
  | NiciraMessage;

export type MessageKind = Message["kind"];

export type MessageOf<K extends MessageKind> = Extract<Message, { readonly kind: K }>;
