/** Actions as text that reads back as the same actions, in the C program's form. */
import { formatFieldReference as name } from "../symbol.ts";
import type { LogicalAction, LogicalActionOf } from "./action.ts";
import { formatControllerLoad, formatLoad, formatMove, formatNext, wordTexts } from "./basic.ts";
import { formatNat } from "./conntrack.ts";
import { formatCommitAffinity } from "./learned-choices.ts";
import { formatForwardingGroup, formatLoadBalance, formatSelect } from "./load-balance.ts";
import { formatGet, formatLookup, formatLookupIp, formatPut } from "./neighbors.ts";
import { formatDhcpRelay, formatPutOptions, formatTriggerEvent } from "./put-options.ts";
import { formatCheckPacketLarger, formatLog, formatSample, formatSetMeter } from "./watching.ts";

export const formatActions = (actions: readonly LogicalAction[]): string => (actions.length === 0 ? "drop;" : actions.map(formatAction).join(" "));

export function formatAction(action: LogicalAction): string {
  switch (action.kind) {
    case "output": case "dec_ttl": case "ct_clear": case "ct_snat_to_vip": case "igmp": case "handle_dhcpv6_reply":
    case "handle_bfd_msg": case "mac_cache_use": case "flood_remote": return `${wordTexts[action.kind]};`;
    case "next": return formatNext(action);
    case "load": return formatLoad(action);
    case "controller-load": return formatControllerLoad(action);
    case "move": case "exchange": return formatMove(action);
    case "push": case "pop": return `${action.kind}(${name(action.field)});`;
    case "ct_commit": return action.actions.length === 0 ? "ct_commit;" : formatNested(action);
    case "arp": case "icmp4": case "icmp4_error": case "icmp6": case "icmp6_error": case "tcp_reset": case "sctp_abort":
    case "nd_na": case "nd_na_router": case "nd_ns": case "clone": case "reject": return formatNested(action);
    case "dns_lookup": case "chk_lb_hairpin": case "chk_lb_hairpin_reply": case "check_in_port_sec": case "check_out_port_sec":
    case "chk_ecmp_nh_mac": case "chk_ecmp_nh": case "chk_lb_aff": case "ct_nw_dst": case "ct_ip6_dst": case "ct_tp_dst":
    case "ct_proto": case "ct_state_save": return `${name(action.destination)} = ${action.kind}();`;
    case "ct_next": case "ct_commit_nat": case "ct_commit_to_zone": return `${action.kind}(${action.zone});`;
    case "ct_dnat": case "ct_snat": case "ct_dnat_in_czone": case "ct_snat_in_czone": return formatNat(action);
    case "ct_lb_mark": case "ct_lb_mark_local": return formatLoadBalance(action);
    case "select": return formatSelect(action);
    case "fwd_group": return formatForwardingGroup(action);
    case "commit_ecmp_nh": return `commit_ecmp_nh(ipv6 = ${action.ipv6}, proto = ${action.protocol});`;
    case "commit_lb_aff": return formatCommitAffinity(action);
    default: return formatOther(action);
  }
}

const formatNested = ({ kind, actions }: { readonly kind: string; readonly actions: readonly LogicalAction[] }): string =>
  `${kind} { ${formatActions(actions)} };`;

type Other = LogicalActionOf<
  | "get_arp" | "put_arp" | "lookup_arp" | "lookup_arp_ip" | "chk_evpn_arp" | "put_fdb" | "get_fdb" | "lookup_fdb"
  | "put_dhcp_opts" | "trigger_event" | "dhcp_relay_req_chk" | "log" | "set_meter" | "set_queue" | "check_pkt_larger"
  | "bind_vport" | "handle_svc_check" | "mirror" | "sample"
>;

function formatOther(action: Other): string {
  switch (action.kind) {
    case "get_arp": case "get_nd": return formatGet(action);
    case "put_arp": case "put_nd": return formatPut(action);
    case "lookup_arp": case "lookup_nd": return formatLookup(action);
    case "lookup_arp_ip": case "lookup_nd_ip": return formatLookupIp(action);
    case "chk_evpn_arp": return `${name(action.destination)} = chk_evpn_arp(${name(action.ip)});`;
    case "put_fdb": return `put_fdb(${name(action.port)}, ${name(action.mac)});`;
    case "get_fdb": case "get_remote_fdb": return `${name(action.destination)} = ${action.kind}(${name(action.mac)});`;
    case "lookup_fdb": return `${name(action.destination)} = lookup_fdb(${name(action.port)}, ${name(action.mac)});`;
    case "put_dhcp_opts": case "put_dhcpv6_opts": case "put_nd_ra_opts": return formatPutOptions(action);
    case "trigger_event": return formatTriggerEvent(action);
    case "dhcp_relay_req_chk": case "dhcp_relay_resp_chk": return formatDhcpRelay(action);
    case "log": return formatLog(action);
    case "set_meter": return formatSetMeter(action);
    case "set_queue": return `set_queue(${action.queue});`;
    case "check_pkt_larger": return formatCheckPacketLarger(action);
    case "bind_vport": return `bind_vport("${action.vport}", ${name(action.parent)});`;
    case "handle_svc_check": return `handle_svc_check(${name(action.port)});`;
    case "mirror": return `mirror("${action.port}");`;
    case "sample": return formatSample(action);
  }
}
