/**
 * The messages of OpenFlow 1.0 (as far as a hello and errors go) and 1.3 to 1.5, with Open vSwitch's extensions, as values.
 * Encoding and decoding: codec.ts. Framing of a byte stream: framing.ts.
 */
import type { Action, PacketInReason } from "../action/action.ts";
import type { ErrorName } from "./error.ts";
import type { Match } from "../match/match.ts";

/** One member of the union for each kind, so that a kind picks its member. */
type Each<K extends string, Body extends object = object> = K extends string ? { readonly kind: K } & Body : never;

/** No buffering in a switch: packets travel whole. */
export const noBuffer = 0xffffffff;

export interface Hello {
  readonly kind: "hello";
  /** The versions that the sender speaks, as bits 1 << version. */
  readonly versions: number;
}

export interface ErrorMessage {
  readonly kind: "error";
  /** undefined: a type and code that this program has no name for. */
  readonly error: ErrorName | undefined;
  /** As on the wire, where `error` is undefined. */
  readonly type?: number;
  readonly code?: number;
  /** The beginning (at least 64 bytes, if it was that long) of the message that was refused. */
  readonly data: Uint8Array;
}

export interface FeaturesReply {
  readonly kind: "features_reply";
  readonly datapathId: bigint;
  readonly buffers: number;
  readonly tables: number;
  readonly auxiliaryId: number;
  readonly capabilities: number;
  /** OpenFlow 1.0 tells the ports here. */
  readonly ports?: readonly PortDescription[];
}

/** What is done with IP fragments: "normal" treats them as they come. */
export const fragmentHandlings = ["normal", "drop", "reassemble", "nx-match"] as const;

export interface SwitchConfig {
  readonly fragments: (typeof fragmentHandlings)[number];
  readonly missSendLength: number;
}

/** A packet for the controller; NXT_PACKET_IN2 carries all of it, OFPT_PACKET_IN no userdata and no continuation. */
export interface PacketIn {
  readonly kind: "packet_in";
  readonly extended: boolean;
  readonly packet: Uint8Array;
  /** The packet's whole length where `packet` is cut short. */
  readonly totalLength: number;
  readonly bufferId: number;
  readonly reason: PacketInReason;
  readonly table: number;
  readonly cookie: bigint;
  /** in_port, registers, metadata, tunnel and connection-tracking fields at that time. */
  readonly metadata: Match;
  readonly userdata?: Uint8Array;
  /** Where the packet was: opaque to controllers, the switch's own to write and read. Properties of NXT_PACKET_IN2 as they stand. */
  readonly continuation?: Uint8Array;
}

/** NXT_RESUME: a packet-in with a continuation on its way back. */
export interface Resume {
  readonly kind: "resume";
  readonly packetIn: Omit<PacketIn, "kind" | "extended">;
}

export interface PacketOut {
  readonly kind: "packet_out";
  readonly bufferId: number;
  /** At least in_port. Other fields travel only in OpenFlow 1.5. */
  readonly metadata: Match;
  readonly actions: readonly Action[];
  readonly packet: Uint8Array;
}

export const flowModCommands = ["add", "modify", "modify_strict", "delete", "delete_strict"] as const;

export interface FlowMod {
  readonly kind: "flow_mod";
  readonly command: (typeof flowModCommands)[number];
  readonly table: number;
  readonly cookie: bigint;
  /** Modify and delete touch only flows whose cookie agrees here. */
  readonly cookieMask: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly bufferId: number;
  /** Delete only flows that output here; `ports.none`: all. */
  readonly outPort: number;
  /** 0xffffffff: all. */
  readonly outGroup: number;
  readonly importance: number;
  readonly flags: FlowFlags;
  readonly match: Match;
  readonly actions: readonly Action[];
}

export interface FlowFlags {
  readonly sendFlowRemoved?: boolean;
  readonly checkOverlap?: boolean;
  readonly resetCounts?: boolean;
  readonly noPacketCounts?: boolean;
  readonly noByteCounts?: boolean;
}

export const flowRemovedReasons = ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"] as const;

export interface FlowRemoved {
  readonly kind: "flow_removed";
  readonly match: Match;
  readonly cookie: bigint;
  readonly priority: number;
  readonly reason: (typeof flowRemovedReasons)[number];
  readonly table: number;
  readonly durationNs: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface PortDescription {
  readonly port: number;
  readonly mac: number;
  readonly name: string;
  /** Bits of `portConfig`. */
  readonly config: number;
  /** Bits of `portState`. */
  readonly state: number;
  readonly current: number;
  readonly advertised: number;
  readonly supported: number;
  readonly peer: number;
  /** kbit/s. */
  readonly currentSpeed: number;
  readonly maxSpeed: number;
}

export const portConfig = { portDown: 1 << 0, noReceive: 1 << 2, noForward: 1 << 5, noPacketIn: 1 << 6 } as const;
export const portState = { linkDown: 1 << 0, blocked: 1 << 1, live: 1 << 2 } as const;
export const portStatusReasons = ["add", "delete", "modify"] as const;

export interface PortStatus {
  readonly kind: "port_status";
  readonly reason: (typeof portStatusReasons)[number];
  readonly port: PortDescription;
}

export interface PortMod {
  readonly kind: "port_mod";
  readonly port: number;
  readonly mac: number;
  readonly config: number;
  readonly mask: number;
  readonly advertise: number;
}

export const groupTypes = ["all", "select", "indirect", "ff"] as const;
export const groupModCommands = ["add", "modify", "delete", "insert_bucket", "remove_bucket", "add_or_mod"] as const;

export interface Bucket {
  /** 0xffffff00 and above are reserved. */
  readonly id: number;
  readonly weight: number;
  readonly watchPort: number;
  readonly watchGroup: number;
  readonly actions: readonly Action[];
}

export interface GroupDescription {
  readonly group: number;
  readonly type: (typeof groupTypes)[number];
  readonly buckets: readonly Bucket[];
  /** How a select group chooses: "" (the switch's default), "hash" or "dp_hash". */
  readonly selectionMethod: string;
  readonly selectionParameter: bigint;
  /** The fields that "hash" covers. */
  readonly selectionFields: Match;
}

export interface GroupMod extends GroupDescription {
  readonly kind: "group_mod";
  readonly command: (typeof groupModCommands)[number];
  /** For insert_bucket and remove_bucket: the bucket after which, or which. */
  readonly commandBucket: number;
}

/** OFPG_ALL, OFPG_ANY; and for buckets OFPG15_BUCKET_FIRST, _LAST, _ALL. */
export const groups = { max: 0xffffff00, all: 0xfffffffc, any: 0xffffffff, bucketFirst: 0xfffffffd, bucketLast: 0xfffffffe, bucketAll: 0xffffffff } as const;

export interface MeterBand {
  readonly type: "drop" | "dscp_remark";
  readonly rate: number;
  readonly burst: number;
  /** dscp_remark only. */
  readonly precedence?: number;
}

/** Bits of MeterConfig.flags. */
export const meterFlags = { kbps: 1, pktps: 2, burst: 4, stats: 8 } as const;
export const meters = { max: 0xffff0000, slowpath: 0xfffffffd, controller: 0xfffffffe, all: 0xffffffff } as const;

export interface MeterConfig {
  readonly meter: number;
  readonly flags: number;
  readonly bands: readonly MeterBand[];
}

export interface MeterMod extends MeterConfig {
  readonly kind: "meter_mod";
  readonly command: "add" | "modify" | "delete";
}

export const roles = ["nochange", "equal", "primary", "secondary"] as const;
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

/** Which packet-ins and other asynchronous messages a controller gets: bits by reason, for primary and for secondary. */
export interface AsyncConfig {
  readonly packetIn: readonly [primary: number, secondary: number];
  readonly portStatus: readonly [number, number];
  readonly flowRemoved: readonly [number, number];
}

/** A Geneve option that a tun_metadata field stands for. */
export interface TlvMapping {
  readonly optionClass: number;
  readonly optionType: number;
  readonly optionSize: number;
  readonly index: number;
}

export interface FlowStats {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  readonly actions: readonly Action[];
  readonly durationNs: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  /** Seconds; undefined where the switch does not say. */
  readonly idleAge?: number;
  readonly hardAge?: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly importance: number;
  readonly flags: FlowFlags;
}

export interface FlowStatsRequest {
  readonly table: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly match: Match;
}

export interface TableStats {
  readonly table: number;
  readonly active: number;
  readonly lookups: bigint;
  readonly matched: bigint;
}

export interface PortStats {
  readonly port: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  readonly durationNs: bigint;
}

export interface GroupStats {
  readonly group: number;
  readonly references: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationNs: bigint;
  readonly buckets: readonly { readonly packets: bigint; readonly bytes: bigint }[];
}

export interface MeterStats {
  readonly meter: number;
  readonly flows: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationNs: bigint;
  readonly bands: readonly { readonly packets: bigint; readonly bytes: bigint }[];
}

export interface SwitchDescription {
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
}

export interface TableFeatures {
  readonly table: number;
  readonly name: string;
  readonly maxEntries: number;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
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

/** One direction of a connection, for NXT_CT_FLUSH: only what is given must agree. */
export interface CtTuple {
  readonly source?: bigint;
  readonly destination?: bigint;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpId?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

export interface CtFlush {
  readonly kind: "ct_flush";
  readonly zone?: number;
  readonly family: 0 | 4 | 6;
  readonly protocol: number;
  readonly original: CtTuple;
  readonly reply: CtTuple;
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly labels?: { readonly value: bigint; readonly mask: bigint };
}

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
