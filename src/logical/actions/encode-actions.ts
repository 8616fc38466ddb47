/**
 * Actions as the switch's (lib/actions.c, main, says which). Nested actions go to the controller as bytes: it makes the
 * new packet and sends them back with it.
 */
import { type Action, actionsToBytes, of15 } from "../../openflow/index.ts";
import type { LogicalAction, LogicalActionOf } from "./action.ts";
import { encodeControllerLoad, encodeLoad, encodeMove, encodeNext, encodeStack, encodeWord } from "./basic.ts";
import { encodeCommitToZone, encodeCtCommit, encodeCtNext, encodeNat } from "./conntrack.ts";
import { controllerOp, type ControllerOpcode } from "./controller-op.ts";
import type { EncodeContext } from "./encode-context.ts";
import { encodeCommitAffinity, encodeCommitEcmpNh } from "./learned-choices.ts";
import { encodeForwardingGroup, encodeLoadBalance, encodeSelect } from "./load-balance.ts";
import { encodeCheckEvpn, encodeGet, encodeGetFdb, encodeLookup, encodeLookupFdb, encodeLookupIp, encodePut, encodePutFdb } from "./neighbors.ts";
import { encodeDhcpRelay, encodePutOptions, encodeTriggerEvent } from "./put-options.ts";
import { encodeResult } from "./results.ts";
import { encodeBindVport, encodeCheckPacketLarger, encodeLog, encodeMirror, encodeSample, encodeServiceCheck, encodeSetMeter } from "./watching.ts";

export function encodeActions(actions: readonly LogicalAction[], context: EncodeContext): Action[] {
  const encoded: Action[] = [];
  for (const action of actions) {
    const made = encodeAction(action, context);
    if (Array.isArray(made)) encoded.push(...made);
    else encoded.push(made);
  }
  return encoded;
}

function encodeAction(action: LogicalAction, context: EncodeContext): Action | Action[] {
  switch (action.kind) {
    case "output": case "dec_ttl": case "ct_clear": case "ct_snat_to_vip": case "igmp": case "handle_dhcpv6_reply":
    case "handle_bfd_msg": case "mac_cache_use": case "flood_remote": return encodeWord(action.kind, context);
    case "next": return encodeNext(action);
    case "load": return encodeLoad(action, context);
    case "controller-load": return encodeControllerLoad(action, context);
    case "move": case "exchange": return encodeMove(action);
    case "push": case "pop": return encodeStack(action);
    case "clone": return { kind: "clone", actions: encodeActions(action.actions, context) };
    case "ct_commit": return encodeCtCommit(encodeActions(action.actions, context), context);
    case "arp": case "icmp4": case "icmp4_error": case "icmp6": case "icmp6_error": case "tcp_reset": case "sctp_abort":
    case "nd_na": case "nd_na_router": case "nd_ns": case "reject": return encodeNested(action, context);
    case "dns_lookup": case "chk_lb_hairpin": case "chk_lb_hairpin_reply": case "check_in_port_sec": case "check_out_port_sec":
    case "chk_ecmp_nh_mac": case "chk_ecmp_nh": case "chk_lb_aff": case "ct_nw_dst": case "ct_ip6_dst": case "ct_tp_dst":
    case "ct_proto": case "ct_state_save": return encodeResult(action, context);
    case "ct_next": return encodeCtNext(action, context);
    case "ct_commit_nat": case "ct_commit_to_zone": return encodeCommitToZone(action, context);
    case "ct_dnat": case "ct_snat": case "ct_dnat_in_czone": case "ct_snat_in_czone": return encodeNat(action, context);
    case "ct_lb_mark": case "ct_lb_mark_local": return encodeLoadBalance(action, context);
    case "select": return encodeSelect(action, context);
    case "fwd_group": return encodeForwardingGroup(action, context);
    case "commit_ecmp_nh": return encodeCommitEcmpNh(action);
    case "commit_lb_aff": return encodeCommitAffinity(action, context);
    default: return encodeOther(action, context);
  }
}

type Other = LogicalActionOf<
  | "get_arp" | "put_arp" | "lookup_arp" | "lookup_arp_ip" | "chk_evpn_arp" | "put_fdb" | "get_fdb" | "lookup_fdb"
  | "put_dhcp_opts" | "trigger_event" | "dhcp_relay_req_chk" | "log" | "set_meter" | "set_queue" | "check_pkt_larger"
  | "bind_vport" | "handle_svc_check" | "mirror" | "sample"
>;

function encodeOther(action: Other, context: EncodeContext): Action | Action[] {
  switch (action.kind) {
    case "get_arp": case "get_nd": return encodeGet(action);
    case "put_arp": case "put_nd": return encodePut(action, context);
    case "lookup_arp": case "lookup_nd": return encodeLookup(action);
    case "lookup_arp_ip": case "lookup_nd_ip": return encodeLookupIp(action);
    case "chk_evpn_arp": return encodeCheckEvpn(action);
    case "put_fdb": return encodePutFdb(action, context);
    case "get_fdb": case "get_remote_fdb": return encodeGetFdb(action);
    case "lookup_fdb": return encodeLookupFdb(action);
    case "put_dhcp_opts": case "put_dhcpv6_opts": case "put_nd_ra_opts": return encodePutOptions(action, context);
    case "trigger_event": return encodeTriggerEvent(action, context);
    case "dhcp_relay_req_chk": case "dhcp_relay_resp_chk": return encodeDhcpRelay(action, context);
    case "log": return encodeLog(action, context);
    case "set_meter": return encodeSetMeter(action, context);
    case "set_queue": return { kind: "set_queue", queue: action.queue };
    case "check_pkt_larger": return encodeCheckPacketLarger(action);
    case "bind_vport": return encodeBindVport(action, context);
    case "handle_svc_check": return encodeServiceCheck(action, context);
    case "mirror": return encodeMirror(action, context);
    case "sample": return encodeSample(action, context);
  }
}

/** These wait for the controller, which has to find an address first. */

const pausing: ReadonlySet<string> = new Set(["arp", "nd_ns"]);

function encodeNested({ kind, actions }: LogicalActionOf<"arp">, context: EncodeContext): Action {
  const inner = actionsToBytes(encodeActions(actions, context), of15);
  if (kind === "clone" || kind === "ct_commit") throw new TypeError(`${kind} stays in the switch`);
  const opcode: ControllerOpcode = kind === "icmp4" || kind === "icmp6" ? "icmp" : kind;
  return controllerOp(opcode, context, inner, { pause: pausing.has(kind) });
}
