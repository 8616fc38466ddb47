/**
 * Actions, and the instructions of OpenFlow 1.1 and later, which are kept in the same list as ovs-ofctl writes them
 * (ovs-actions(7)). Names of kinds are those of the text form. How each is written stands in the file of its family, which
 * forms.ts lists.
 */
import type { Field, FieldValue } from "../match/field.ts";
import type { Subfield } from "../match/subfield.ts";

/** Something set to a constant: `value` and `mask` as in a match; bits outside the mask stay as they are. */
export interface SetField {
  readonly kind: "set_field";
  readonly field: Field;
  readonly value: FieldValue;
  readonly mask: FieldValue;
  /** Written as `load:` rather than `set_field:`: it came as, and before OpenFlow 1.5 goes as, NXAST_REG_LOAD. */
  readonly asLoad?: boolean;
}

export interface Controller {
  readonly kind: "controller";
  readonly maxLength: number;
  readonly reason: PacketInReason;
  readonly controllerId: number;
  /** Goes into the packet-in as it stands. */
  readonly userdata?: Uint8Array;
  /** The packet stops here until the controller resumes it. */
  readonly pause?: boolean;
  readonly meterId?: number;
}

/** By number on the wire. */
export const packetInReasons = ["no_match", "action", "invalid_ttl", "action_set", "group", "packet_out"] as const;
export type PacketInReason = (typeof packetInReasons)[number];

export interface Resubmit {
  readonly kind: "resubmit";
  /** The input port to look up with; `ports.inPort` leaves it as it is. */
  readonly port: number;
  /** 255: the table that the action stands in. */
  readonly table: number;
  /** Look up with the fields of the connection's original direction. */
  readonly ct?: boolean;
}

export interface Ct {
  readonly kind: "ct";
  readonly commit: boolean;
  readonly force: boolean;
  readonly zone: { readonly kind: "immediate"; readonly zone: number } | { readonly kind: "field"; readonly from: Subfield };
  /** The table that a copy of the packet goes on in, with its ct_state known; undefined: no recirculation. */
  readonly table?: number;
  /** The port of an application-layer gateway: 21 for FTP, 69 for TFTP; 0 for none. */
  readonly alg: number;
  /** nat, and what sets ct_mark and ct_label. */
  readonly exec: readonly Action[];
}

export interface NatRange {
  readonly ipMin?: FieldValue;
  readonly ipMax?: FieldValue;
  readonly family?: 4 | 6;
  readonly portMin?: number;
  readonly portMax?: number;
}

export interface Nat extends NatRange {
  readonly kind: "nat";
  /** Absent: translate as the connection demands. */
  readonly direction?: "src" | "dst";
  readonly persistent?: boolean;
  readonly hash?: boolean;
  readonly random?: boolean;
}

/** One thing that a learned flow gets: a match term, a load, or an output, from a field of the packet or a constant. */
export interface LearnSpec {
  readonly to: "match" | "load" | "output";
  readonly from: { readonly kind: "field"; readonly source: Subfield } | { readonly kind: "immediate"; readonly value: bigint };
  readonly bits: number;
  /** Absent for "output". */
  readonly target?: Subfield;
}

export interface Learn {
  readonly kind: "learn";
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly finIdleTimeout: number;
  readonly finHardTimeout: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly table: number;
  readonly sendFlowRemoved: boolean;
  readonly deleteLearned: boolean;
  /** 0: as many flows as come. */
  readonly limit: number;
  /** Gets 1 if the flow was installed, 0 if the limit forbade it. */
  readonly result?: Subfield;
  readonly specs: readonly LearnSpec[];
}

/** What a hash over the packet's fields covers, by number on the wire. */
export const hashFields = [
  "eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp", "nw_src", "nw_dst", "symmetric_l3",
] as const;
export type HashFields = (typeof hashFields)[number];

export const multipathAlgorithms = ["modulo_n", "hash_threshold", "hrw", "iter_hash"] as const;
export const bundleAlgorithms = ["active_backup", "hrw"] as const;

export interface Multipath {
  readonly kind: "multipath";
  readonly fields: HashFields;
  readonly basis: number;
  readonly algorithm: (typeof multipathAlgorithms)[number];
  /** The number of links, at least 1. */
  readonly links: number;
  readonly argument: number;
  readonly to: Subfield;
}

export interface Bundle {
  readonly kind: "bundle";
  readonly fields: HashFields;
  readonly basis: number;
  readonly algorithm: (typeof bundleAlgorithms)[number];
  readonly members: readonly number[];
  /** Present: the chosen port is stored here (bundle_load) rather than output to. */
  readonly to?: Subfield;
}

export interface Sample {
  readonly kind: "sample";
  /** Of 65536; at least 1. */
  readonly probability: number;
  readonly collectorSet: number;
  readonly domain: number | Subfield;
  readonly point: number | Subfield;
  readonly samplingPort: number;
  readonly direction?: "ingress" | "egress";
}

/** A property of `encap`: (class, type) with its bytes. */
export interface EncapProperty {
  readonly propertyClass: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** One member of the union for each kind, so that a kind picks its member. */
type Each<K extends string, Body extends object = object> = K extends string ? { readonly kind: K } & Body : never;

export type Action =
  | { readonly kind: "output"; readonly port: number; readonly maxLength?: number }
  | { readonly kind: "output_trunc"; readonly port: number; readonly maxLength: number }
  | { readonly kind: "output_reg"; readonly from: Subfield; readonly maxLength: number }
  | Controller
  | { readonly kind: "group"; readonly group: number }
  | { readonly kind: "enqueue"; readonly port: number; readonly queue: number }
  | Bundle
  | SetField
  | { readonly kind: "move"; readonly from: Subfield; readonly to: Subfield }
  | { readonly kind: "push"; readonly from: Subfield }
  | { readonly kind: "pop"; readonly to: Subfield }
  | { readonly kind: "push_vlan"; readonly ethType: number }
  | { readonly kind: "pop_vlan" }
  | { readonly kind: "set_vlan_vid"; readonly vid: number }
  | { readonly kind: "set_vlan_pcp"; readonly pcp: number }
  | Each<"mod_dl_src" | "mod_dl_dst", { readonly mac: number }>
  | Each<"mod_nw_src" | "mod_nw_dst", { readonly ip: number }>
  | { readonly kind: "mod_nw_tos"; readonly tos: number }
  | { readonly kind: "mod_nw_ecn"; readonly ecn: number }
  | { readonly kind: "mod_nw_ttl"; readonly ttl: number }
  | Each<"mod_tp_src" | "mod_tp_dst", { readonly port: number }>
  | { readonly kind: "dec_ttl"; readonly controllers: readonly number[] }
  | { readonly kind: "set_mpls_label"; readonly label: number }
  | { readonly kind: "set_mpls_tc"; readonly tc: number }
  | { readonly kind: "set_mpls_ttl"; readonly ttl: number }
  | { readonly kind: "dec_mpls_ttl" }
  | { readonly kind: "push_mpls"; readonly ethType: number }
  | { readonly kind: "pop_mpls"; readonly ethType: number }
  | { readonly kind: "dec_nsh_ttl" }
  | { readonly kind: "delete_field"; readonly field: Field }
  | { readonly kind: "encap"; readonly packetType: number; readonly headerSize: number; readonly properties: readonly EncapProperty[] }
  | { readonly kind: "decap"; readonly packetType: number }
  | { readonly kind: "set_tunnel"; readonly id: bigint; readonly wide?: boolean }
  | { readonly kind: "set_queue"; readonly queue: number }
  | { readonly kind: "pop_queue" }
  | { readonly kind: "fin_timeout"; readonly idleTimeout: number; readonly hardTimeout: number }
  | Resubmit
  | Learn
  | { readonly kind: "conjunction"; readonly id: number; readonly clause: number; readonly clauses: number }
  | Multipath
  | { readonly kind: "note"; readonly data: Uint8Array }
  | { readonly kind: "exit" }
  | Sample
  | Ct
  | { readonly kind: "ct_clear" }
  | Nat
  | { readonly kind: "clone"; readonly actions: readonly Action[] }
  | { readonly kind: "check_pkt_larger"; readonly size: number; readonly to: Subfield }
  | { readonly kind: "meter"; readonly meter: number }
  | { readonly kind: "clear_actions" }
  | { readonly kind: "write_actions"; readonly actions: readonly Action[] }
  | { readonly kind: "write_metadata"; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: "goto_table"; readonly table: number };

export type ActionKind = Action["kind"];
export type ActionOf<K extends ActionKind> = Extract<Action, { readonly kind: K }>;
