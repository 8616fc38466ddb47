/**
 * The logical pipelines: every stage of a logical switch and a logical router, in order, declared once.
 *
 * northd names a stage when it writes a Logical_Flow (its table_id and external_ids:stage-name), the controller adds
 * the OpenFlow table at which the pipeline begins, and the trace prints the name. The numbers are those of OVN's main
 * branch (ovn-architecture(7); northd/northd.h): a stage's table is its place in its list.
 */

export type DatapathKind = "switch" | "router";
export type Pipeline = "ingress" | "egress";

export interface Stage {
  /** `ls_in_arp_rsp`: what external_ids:stage-name holds. */
  readonly name: string;
  readonly datapath: DatapathKind;
  readonly pipeline: Pipeline;
  /** Logical_Flow.table_id. */
  readonly table: number;
}

const switchIngress = [
  "check_port_sec", "apply_port_sec", "mirror", "lookup_fdb", "put_fdb", "pre_acl", "pre_lb", "pre_stateful",
  "acl_hint", "acl_eval", "acl_sample", "acl_action", "qos", "ct_extract", "lb_aff_check", "lb", "lb_aff_learn",
  "pre_hairpin", "nat_hairpin", "hairpin", "acl_after_lb_eval", "acl_after_lb_sample", "acl_after_lb_action",
  "pre_network_function", "stateful", "network_function", "arp_nd_pre_lookup", "arp_rsp", "dhcp_options",
  "dhcp_response", "dns_lookup", "dns_response", "external_port", "l2_lkup", "l2_unknown",
] as const;

const switchEgress = [
  "lookup_fdb", "put_fdb", "pre_acl", "pre_lb", "pre_stateful", "acl_hint", "acl_eval", "acl_sample", "acl_action",
  "mirror", "qos", "pre_network_function", "stateful", "network_function", "check_port_sec", "apply_port_sec",
] as const;

const routerIngress = [
  "admission", "lookup_neighbor", "learn_neighbor", "ip_input", "dhcp_relay_req", "unsnat", "post_unsnat", "defrag",
  "ct_extract", "lb_aff_check", "dnat", "lb_aff_learn", "ecmp_stateful", "nd_ra_options", "nd_ra_response",
  "ip_routing_pre", "ip_routing", "ip_routing_ecmp", "policy", "policy_ecmp", "dhcp_relay_resp_chk",
  "dhcp_relay_resp", "arp_resolve", "chk_pkt_len", "larger_pkts", "gw_redirect", "network_id", "arp_request",
  "ecmp_stateful_egr",
] as const;

const routerEgress = [
  "chk_dnat_local", "undnat", "post_undnat", "snat", "post_snat", "egr_loop", "delivery",
] as const;

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type StagesOf<Names extends readonly string[]> = { readonly [N in Names[number] as Camel<N>]: Stage };

function declare<const Names extends readonly string[]>(prefix: string, datapath: DatapathKind, pipeline: Pipeline, names: Names): StagesOf<Names> {
  const entries = names.map((name, table): [string, Stage] => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    { name: `${prefix}${name}`, datapath, pipeline, table },
  ]);
  return Object.fromEntries(entries) as StagesOf<Names>;
}

/** Logical switch, ingress: `lsIn.arpRsp` is `{ name: "ls_in_arp_rsp", table: 27, .. }`. */
export const lsIn = declare("ls_in_", "switch", "ingress", switchIngress);
/** Logical switch, egress. */
export const lsOut = declare("ls_out_", "switch", "egress", switchEgress);
/** Logical router, ingress. */
export const lrIn = declare("lr_in_", "router", "ingress", routerIngress);
/** Logical router, egress. */
export const lrOut = declare("lr_out_", "router", "egress", routerEgress);

/** All of them: a pipeline after the other, each in order of its tables. */
export const stages: readonly Stage[] = [lsIn, lsOut, lrIn, lrOut].flatMap((group) => Object.values<Stage>(group));

const byName = new Map(stages.map((stage) => [stage.name, stage]));
export const stageNamed = (name: string): Stage | undefined => byName.get(name);

const byTable = new Map(stages.map((stage) => [`${stage.datapath}/${stage.pipeline}/${stage.table}`, stage]));
export const stageAt = (datapath: DatapathKind, pipeline: Pipeline, table: number): Stage | undefined =>
  byTable.get(`${datapath}/${pipeline}/${table}`);

/** How many tables a pipeline may have: what `next(table=N)` is held against, for switches and routers alike. */
export const pipelineLength: Readonly<Record<Pipeline, number>> = { ingress: 35, egress: 16 };
