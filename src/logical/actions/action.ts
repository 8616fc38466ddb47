/**
 * Actions of the logical-flow language, as data (ovn-sb(5), Logical_Flow actions; include/ovn/actions.h, main).
 *
 * Every kind is named as the C program names it in text. What each is good for, how it is written and what the switch is
 * told stands in the file of its family; here is only the list, once.
 */
import type { Ipv4, Ipv6 } from "../../net/index.ts";
import type { Constant, ConstantSet } from "../constant.ts";
import type { Pipeline } from "../stages.ts";
import type { FieldReference } from "../symbol.ts";
import type { GenericOption } from "./options.ts";

/** Actions that are a word. */
export type WordKind =
  | "output" | "dec_ttl" | "ct_clear" | "ct_snat_to_vip" | "igmp" | "handle_dhcpv6_reply" | "handle_bfd_msg" | "mac_cache_use"
  | "flood_remote";

/** Actions on a packet made from this one (or, `ct_commit` and `clone`, on this one aside). */
export type NestedKind =
  | "arp" | "icmp4" | "icmp4_error" | "icmp6" | "icmp6_error" | "tcp_reset" | "sctp_abort" | "nd_na" | "nd_na_router"
  | "nd_ns" | "clone" | "reject" | "ct_commit";

/** `field = name();` */
export type ResultKind =
  | "dns_lookup" | "chk_lb_hairpin" | "chk_lb_hairpin_reply" | "check_in_port_sec" | "check_out_port_sec"
  | "chk_ecmp_nh_mac" | "chk_ecmp_nh" | "chk_lb_aff" | "ct_nw_dst" | "ct_ip6_dst" | "ct_tp_dst" | "ct_proto"
  | "ct_state_save";

export type NatKind = "ct_dnat" | "ct_snat" | "ct_dnat_in_czone" | "ct_snat_in_czone";

/** An address of either family. */
export type Address = { readonly family: 4; readonly ip: Ipv4 } | { readonly family: 6; readonly ip: Ipv6 };

export interface Next {
  readonly kind: "next";
  readonly pipeline: Pipeline;
  readonly table: number;
  readonly fromPipeline: Pipeline;
  readonly fromTable: number;
}

export interface Nat {
  readonly kind: NatKind;
  readonly table: number;
  /** Absent: the translation that the connection has. */
  readonly address: Address | undefined;
  /** `high` 0: only `low`. */
  readonly ports: { readonly low: number; readonly high: number } | undefined;
}

export interface LoadBalance {
  readonly kind: "ct_lb_mark" | "ct_lb_mark_local";
  readonly table: number;
  readonly backends: readonly Backend[];
  readonly hashFields: string | undefined;
  readonly flag: "skip_snat" | "force_snat" | undefined;
}

export interface Backend {
  readonly address: Address;
  /** 0 for none. */
  readonly port: number;
  /** ct_lb_mark_local only: the port behind which it is. */
  readonly portName: string;
}

export interface Select {
  readonly kind: "select";
  readonly table: number;
  readonly members: readonly { readonly id: number; readonly weight: number }[];
  readonly destination: FieldReference;
  readonly hashFields: string | undefined;
}

export interface ForwardingGroup {
  readonly kind: "fwd_group";
  readonly table: number;
  readonly liveness: boolean;
  readonly childPorts: readonly string[];
}

export type TransportName = "tcp" | "udp" | "sctp";

export interface CommitAffinity {
  readonly kind: "commit_lb_aff";
  readonly vip: Address;
  readonly vipPort: number;
  readonly backend: Address;
  readonly backendPort: number;
  readonly protocol: TransportName | undefined;
  /** In seconds. */
  readonly timeout: number;
}

export interface Log {
  readonly kind: "log";
  readonly name: string | undefined;
  readonly verdict: "allow" | "drop" | "reject" | "pass";
  readonly severity: "alert" | "warning" | "notice" | "info" | "debug";
  readonly meter: string | undefined;
}

export interface Sample {
  readonly kind: "sample";
  readonly probability: number;
  readonly collectorSet: number;
  readonly domain: number;
  readonly point: { readonly kind: "cookie" } | { readonly kind: "field"; readonly field: FieldReference } | { readonly kind: "number"; readonly value: number };
}

export interface PutOptions {
  readonly kind: "put_dhcp_opts" | "put_dhcpv6_opts" | "put_nd_ra_opts";
  readonly destination: FieldReference;
  readonly options: readonly OptionValue[];
}

export interface OptionValue {
  readonly option: GenericOption;
  readonly value: ConstantSet;
}

export type LogicalAction =
  | { readonly kind: WordKind }
  | Next
  | { readonly kind: "load" | "controller-load"; readonly destination: FieldReference; readonly constant: Constant }
  | { readonly kind: "move" | "exchange"; readonly left: FieldReference; readonly right: FieldReference }
  | { readonly kind: "push" | "pop"; readonly field: FieldReference }
  | { readonly kind: NestedKind; readonly actions: readonly LogicalAction[] }
  | { readonly kind: ResultKind; readonly destination: FieldReference }
  | { readonly kind: "ct_next"; readonly table: number; readonly zone: "dnat" | "snat" }
  | { readonly kind: "ct_commit_nat" | "ct_commit_to_zone"; readonly table: number; readonly zone: "dnat" | "snat" }
  | Nat
  | LoadBalance
  | Select
  | ForwardingGroup
  | { readonly kind: "commit_ecmp_nh"; readonly ipv6: boolean; readonly protocol: TransportName }
  | CommitAffinity
  | { readonly kind: "get_arp" | "get_nd"; readonly port: FieldReference; readonly ip: FieldReference }
  | { readonly kind: "put_arp" | "put_nd"; readonly port: FieldReference; readonly ip: FieldReference; readonly mac: FieldReference }
  | { readonly kind: "lookup_arp" | "lookup_nd"; readonly destination: FieldReference; readonly port: FieldReference; readonly ip: FieldReference; readonly mac: FieldReference }
  | { readonly kind: "lookup_arp_ip" | "lookup_nd_ip"; readonly destination: FieldReference; readonly port: FieldReference; readonly ip: FieldReference }
  | { readonly kind: "chk_evpn_arp"; readonly destination: FieldReference; readonly ip: FieldReference }
  | { readonly kind: "put_fdb"; readonly port: FieldReference; readonly mac: FieldReference }
  | { readonly kind: "get_fdb" | "get_remote_fdb"; readonly destination: FieldReference; readonly mac: FieldReference }
  | { readonly kind: "lookup_fdb"; readonly destination: FieldReference; readonly port: FieldReference; readonly mac: FieldReference }
  | PutOptions
  | { readonly kind: "trigger_event"; readonly event: "empty_lb_backends"; readonly options: readonly OptionValue[] }
  | { readonly kind: "dhcp_relay_req_chk" | "dhcp_relay_resp_chk"; readonly destination: FieldReference; readonly relay: Ipv4; readonly server: Ipv4 }
  | Log
  | { readonly kind: "set_meter"; readonly rate: bigint; readonly burst: bigint }
  | { readonly kind: "set_queue"; readonly queue: number }
  | { readonly kind: "check_pkt_larger"; readonly destination: FieldReference; readonly size: number }
  | { readonly kind: "bind_vport"; readonly vport: string; readonly parent: FieldReference }
  | { readonly kind: "handle_svc_check"; readonly port: FieldReference }
  | { readonly kind: "mirror"; readonly port: string }
  | Sample;

export type LogicalActionKind = LogicalAction["kind"];
type Member<A, K> = A extends { readonly kind: infer Kinds } ? ([K & Kinds] extends [never] ? never : A) : never;
/** The member of the union that kind `K` belongs to (kinds of one shape share a member). */
export type LogicalActionOf<K extends LogicalActionKind> = Member<LogicalAction, K>;
