/** Packets made from the traced one: ARP requests, neighbor advertisements, ICMP errors, TCP resets, copies. */
import { macBroadcast, multicastMacOf, solicitedNode, ipv6Of } from "../net/index.ts";
import type { LogicalAction } from "../logical/index.ts";
import { append } from "./node.ts";
import { ethTypes, PacketFlow, protocols } from "./packet-flow.ts";
import type { Place, Walk } from "./walk.ts";

type Actions = readonly LogicalAction[];

/** Runs `actions` on `flow`, under a title. */
function transform(walk: Walk, place: Place, title: string, flow: PacketFlow, actions: Actions): void {
  const { children } = append(place.out, "transformation", title);
  walk.run(actions, { ...place, flow, out: children });
}

export const clonePacket = (walk: Walk, place: Place, actions: Actions): void => transform(walk, place, "clone", place.flow.clone(), actions);

/** An ARP request for the packet's destination; the addresses of IPv4 stand where ARP's do. */
export function arp(walk: Walk, place: Place, actions: Actions): void {
  const flow = place.flow.clone();
  for (const name of ["ip_frag", "nw_tos", "nw_ecn", "nw_ttl", "tcp_flags"] as const) flow.set(name, 0n);
  flow.set("eth_type", ethTypes.arp);
  flow.set("arp_op", 1n);
  flow.set("arp_sha", flow.get("eth_src"));
  flow.set("arp_tha", 0n);
  transform(walk, place, "arp", flow, actions);
}

export function neighborAdvertisement(walk: Walk, place: Place, actions: Actions): void {
  const { flow: old } = place;
  const flow = old.clone();
  flow.set("eth_src", old.get("eth_dst"));
  flow.set("eth_dst", old.get("eth_src"));
  flow.set("ipv6_dst", old.get("ipv6_src"));
  flow.set("ipv6_src", old.get("nd_target"));
  flow.set("icmpv6_type", 136n);
  flow.set("nd_sll", 0n);
  flow.set("nd_tll", old.get("eth_dst"));
  transform(walk, place, "nd_na", flow, actions);
}

export function neighborSolicitation(walk: Walk, place: Place, actions: Actions): void {
  const { flow: old } = place;
  const flow = old.clone();
  flow.set("eth_dst", BigInt(multicastMacOf(solicitedNode(ipv6Of(old.get("ipv6_dst"))))));
  flow.set("icmpv6_type", 135n);
  flow.set("nd_sll", 0n);
  flow.set("nd_tll", old.get("eth_dst"));
  transform(walk, place, "nd_ns", flow, actions);
}

/** The packet sent back where it came from. */
function turnAround(flow: PacketFlow): void {
  const swap = (a: "eth_src" | "ip_src" | "ipv6_src", b: "eth_dst" | "ip_dst" | "ipv6_dst"): void => {
    const held = flow.get(a);
    flow.set(a, flow.get(b));
    flow.set(b, held);
  };
  swap("eth_src", "eth_dst");
  if (flow.isIpv6) swap("ipv6_src", "ipv6_dst");
  else swap("ip_src", "ip_dst");
}

/** Destination unreachable. `back`: towards the sender, unless the packet is such an error itself. */
export function icmpError(walk: Walk, place: Place, actions: Actions, version: 4 | 6, back: boolean): void {
  const unreachable = version === 4 ? 3n : 1n;
  const flow = place.flow.clone();
  if (back && flow.get("tcp_src") === unreachable) return;
  if (back) turnAround(flow);
  flow.set("nw_proto", version === 4 ? protocols.icmp : protocols.icmpv6);
  flow.set("nw_ttl", 255n);
  flow.set("icmp_type", unreachable);
  flow.set("icmp_code", 1n);
  transform(walk, place, version === 4 ? "icmp4" : "icmp6", flow, actions);
}

const reset = 4n;

export function tcpReset(walk: Walk, place: Place, actions: Actions, back: boolean): void {
  abort(walk, place, actions, back, "tcp_reset", protocols.tcp);
}

export function sctpAbort(walk: Walk, place: Place, actions: Actions, back: boolean): void {
  abort(walk, place, actions, back, "sctp_abort", protocols.sctp);
}

function abort(walk: Walk, place: Place, actions: Actions, back: boolean, title: string, protocol: bigint): void {
  const flow = place.flow.clone();
  if (back && flow.get("tcp_flags") === reset) return;
  if (back) turnAround(flow);
  flow.set("nw_proto", protocol);
  flow.set("nw_ttl", 255n);
  flow.set("tcp_flags", reset);
  transform(walk, place, title, flow, actions);
}

/** What fits the packet's protocol, towards its sender. */
export function reject(walk: Walk, place: Place, actions: Actions): void {
  const protocol = place.flow.get("nw_proto");
  if (protocol === protocols.tcp) tcpReset(walk, place, actions, true);
  else if (protocol === protocols.sctp) sctpAbort(walk, place, actions, true);
  else icmpError(walk, place, actions, place.flow.isIpv4 ? 4 : 6, true);
}

/** What a DHCP relay's answer becomes: it is taken to ask for broadcast. */
export function broadcastDhcpAnswer(flow: PacketFlow): void {
  flow.set("ip_dst", 0xffffffffn);
  flow.set("eth_dst", BigInt(macBroadcast));
}
