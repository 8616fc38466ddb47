/** One action of a flow: what it does to the packet, and where it sends it. */
import { formatConstants, type LogicalAction, type LogicalActionOf, type NestedKind, resolveField } from "../logical/index.ts";
import { decrementTtl, load, move, pop, push, succeed } from "./assignments.ts";
import { checkEvpnArp, getFdb, getNeighbor, lookupFdb, lookupNeighbor, lookupNeighborIp, originalValue } from "./lookups.ts";
import {
  arp, broadcastDhcpAnswer, clonePacket, icmpError, neighborAdvertisement, neighborSolicitation, reject, sctpAbort, tcpReset,
} from "./nested.ts";
import { append } from "./node.ts";
import { output, portName } from "./output.ts";
import { formatPacket } from "./packet-text.ts";
import { isRefusedIn, isRefusedOut } from "./port-security.ts";
import { checkHairpin, commitToZone, ctNext, loadBalance, nat, saveCtState, select, snatToVip } from "./stateful.ts";
import type { Place, Walk } from "./walk.ts";

/** `stack` belongs to the list of actions that the action is of. */
export function perform(walk: Walk, place: Place, action: LogicalAction, stack: bigint[]): void {
  const { flow, out } = place;
  switch (action.kind) {
    case "output": return output(walk, place);
    case "next": return next(walk, place, action);
    case "load": return load(walk, place, action);
    case "move": case "exchange": return move(place, action);
    case "push": return push(place, stack, action);
    case "pop": return pop(place, stack, action);
    case "dec_ttl": return decrementTtl(place);
    case "ct_clear": return flow.clearConntrack();
    case "ct_next": return ctNext(walk, place, action);
    case "ct_dnat": case "ct_snat": case "ct_dnat_in_czone": case "ct_snat_in_czone": return nat(walk, place, action);
    case "ct_commit_nat": case "ct_commit_to_zone": return commitToZone(walk, place, action);
    case "ct_lb_mark": case "ct_lb_mark_local": return loadBalance(walk, place, action);
    case "select": return select(walk, place, action);
    case "get_arp": case "get_nd": return getNeighbor(place, action);
    case "lookup_arp": case "lookup_nd": return lookupNeighbor(place, action);
    case "lookup_arp_ip": case "lookup_nd_ip": return lookupNeighborIp(place, action);
    case "chk_evpn_arp": return checkEvpnArp(place, action);
    case "lookup_fdb": return lookupFdb(place, action);
    case "get_fdb": case "get_remote_fdb": return getFdb(place, action);
    case "controller-load": return controllerLoad(place, action);
    case "ct_snat_to_vip": return snatToVip(walk, place);
    case "flood_remote": return void append(out, "output", "/* Flood to all remote chassis */");
    case "mirror": return mirror(walk, place, action);
    case "log": return log(place, action);
    default: return performOther(walk, place, action);
  }
}

/** The families of which the rest is made; what has no effect that a trace could see is passed over. */
function performOther(walk: Walk, place: Place, action: LogicalAction): void {
  switch (action.kind) {
    case "arp": case "icmp4": case "icmp4_error": case "icmp6": case "icmp6_error": case "tcp_reset": case "sctp_abort":
    case "nd_na": case "nd_na_router": case "nd_ns": case "clone": case "reject": return nested(walk, place, action);
    case "dns_lookup": case "chk_lb_hairpin": case "chk_lb_hairpin_reply": case "check_in_port_sec": case "check_out_port_sec":
    case "ct_tp_dst": case "ct_proto": case "ct_state_save": return result(walk, place, action);
    case "put_dhcp_opts": case "put_dhcpv6_opts": case "put_nd_ra_opts": return putOptions(place, action);
    case "dhcp_relay_req_chk": case "dhcp_relay_resp_chk": return dhcpRelay(place, action);
    default:
  }
}

function next(walk: Walk, place: Place, { pipeline, table }: LogicalActionOf<"next">): void {
  const { datapath, flow, out } = place;
  if (pipeline === place.pipeline) return walk.trace(datapath, flow, table, pipeline, out);
  const port = pipeline === "ingress" ? "inport" : "outport";
  const key = Number(flow.get(pipeline === "ingress" ? "reg14" : "reg15") & 0xffffn);
  const { children } = append(out, "pipeline", `${pipeline}(dp="${datapath.friendlyName}", ${port}="${portName(place, key)}")`);
  walk.trace(datapath, flow, table, pipeline, children);
}

function nested(walk: Walk, place: Place, { kind, actions }: { readonly kind: NestedKind; readonly actions: readonly LogicalAction[] }): void {
  switch (kind) {
    case "clone": return clonePacket(walk, place, actions);
    case "arp": return arp(walk, place, actions);
    case "nd_na": case "nd_na_router": return neighborAdvertisement(walk, place, actions);
    case "nd_ns": return neighborSolicitation(walk, place, actions);
    case "icmp4": case "icmp4_error": return icmpError(walk, place, actions, 4, false);
    case "icmp6": case "icmp6_error": return icmpError(walk, place, actions, 6, false);
    case "tcp_reset": return tcpReset(walk, place, actions, false);
    case "sctp_abort": return sctpAbort(walk, place, actions, false);
    case "reject": return reject(walk, place, actions);
    // What is committed is the connection's, not the packet's.
    case "ct_commit": return;
  }
}

function result(walk: Walk, place: Place, action: LogicalActionOf<"dns_lookup">): void {
  const { datapath, flow, out } = place;
  const to = resolveField(action.destination);
  const port = (register: "reg14" | "reg15") => datapath.portsByKey.get(Number(flow.get(register)));
  switch (action.kind) {
    case "check_in_port_sec": return flow.writeBits(to, isRefusedIn(flow, port("reg14")) ? 1n : 0n);
    case "check_out_port_sec": return flow.writeBits(to, isRefusedOut(flow, port("reg15")) ? 1n : 0n);
    case "chk_lb_hairpin": case "chk_lb_hairpin_reply": return checkHairpin(walk, place, action);
    case "ct_tp_dst": case "ct_proto": return originalValue(place, action);
    case "ct_state_save": return saveCtState(place, action);
    case "dns_lookup":
      flow.writeBits(to, 0n);
      append(out, "error", "*** dns_lookup action not implemented");
      return;
    // The flows that these ask for exist on a chassis only.
    default:
  }
}

const assumeRequest = "/* We assume that this packet is DHCPDISCOVER or DHCPREQUEST. */";

function putOptions(place: Place, { kind, destination, options }: LogicalActionOf<"put_dhcp_opts">): void {
  if (kind !== "put_nd_ra_opts") append(place.out, "error", assumeRequest);
  append(place.out, "modify", `${kind}(${options.map(({ option, value }) => `${option.name} = ${formatConstants(value)}`).join(", ")})`);
  succeed(place, destination);
}

function dhcpRelay(place: Place, { kind, destination }: LogicalActionOf<"dhcp_relay_req_chk">): void {
  if (kind === "dhcp_relay_req_chk") append(place.out, "error", assumeRequest);
  else {
    append(place.out, "error", "/* We assume that this packet is DHCPOFFER or DHCPACK and DHCP broadcast flag is set. Dest IP is set to broadcast. Dest MAC is set to broadcast but in real network this is unicast which is extracted from DHCP header. */");
    broadcastDhcpAnswer(place.flow);
  }
  succeed(place, destination);
}

function controllerLoad({ out }: Place, { destination, constant }: LogicalActionOf<"controller-load">): void {
  const value = constant.kind === "integer" ? constant.value : 0n;
  const { name } = destination.symbol;
  const bytes = [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn);
  append(out, "modify", `${name} = ${name === "icmp4.inner_ip4.src" ? bytes.join(".") : value & 0xffffn}`);
}

function mirror(walk: Walk, { datapath, flow, out }: Place, { port: name }: LogicalActionOf<"mirror">): void {
  const port = walk.model.ports.get(name);
  if (port === undefined || port.datapath !== datapath) {
    append(out, "error", "/* omitting output because no taget port found. */");
    return;
  }
  const { children } = append(out, "transformation", "clone");
  const copy = flow.clone();
  copy.set("reg14", 0n);
  copy.set("reg15", BigInt(port.tunnelKey));
  walk.trace(datapath, copy, 0, "egress", children);
}

function log({ flow, out, pipeline }: Place, { name, verdict, severity }: LogicalActionOf<"log">): void {
  const direction = pipeline === "ingress" ? "IN" : "OUT";
  append(out, "transformation", `LOG: ACL name=${name ?? "<unnamed>"}, direction=${direction}, verdict=${verdict}, severity=${severity}, packet="${formatPacket(flow)}"`);
}
