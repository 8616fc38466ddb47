/** Port security, as check_in_port_sec and check_out_port_sec judge it (ovn-nb(5), Logical_Switch_Port port_security). */
import { isMulticastIpv4, ipv4Of, linkLocalOf } from "../net/index.ts";
import type { PortSecurity, TracePort } from "./model.ts";
import { type PacketFlow, protocols } from "./packet-flow.ts";

/** Whether the packet must not come in by `port`. */
export const isRefusedIn = (flow: PacketFlow, port: TracePort | undefined): boolean => isRefused(flow, port, "eth_src", allowedIn);

/** Whether the packet must not go out by `port`. */
export const isRefusedOut = (flow: PacketFlow, port: TracePort | undefined): boolean => isRefused(flow, port, "eth_dst", allowedOut);

function isRefused(flow: PacketFlow, port: TracePort | undefined, mac: "eth_src" | "eth_dst", allows: (flow: PacketFlow, entry: PortSecurity) => boolean): boolean {
  if (port === undefined || port.portSecurity.length === 0) return false;
  const entry = port.portSecurity.find((e) => BigInt(e.mac) === flow.get(mac));
  return entry === undefined || !allows(flow, entry);
}

/** An entry that names no address allows all. */
const allowsAnyIp = ({ ipv4s, ipv6s }: PortSecurity): boolean => ipv4s.length === 0 && ipv6s.length === 0;
const hasIpv4 = ({ ipv4s }: PortSecurity, ip: bigint): boolean => ipv4s.some((own) => BigInt(own) === ip);
const hasIpv6 = ({ ipv6s, mac }: PortSecurity, ip: bigint): boolean => ipv6s.some((own) => own === ip) || linkLocalOf(mac) === ip;

function allowedIn(flow: PacketFlow, entry: PortSecurity): boolean {
  if (flow.isIpv4) return allowsAnyIp(entry) || hasIpv4(entry, flow.get("ip_src")) || asksForAddress(flow);
  if (flow.isIpv6) return allowsAnyIp(entry) || allowedIpv6In(flow, entry);
  if (flow.isArp) {
    return flow.get("arp_sha") === BigInt(entry.mac) && (entry.ipv4s.length === 0 || hasIpv4(entry, flow.get("arp_spa")));
  }
  return true;
}

/** A DHCP client that has no address yet. */
const asksForAddress = (flow: PacketFlow): boolean =>
  flow.get("nw_proto") === protocols.udp && flow.get("udp_src") === 68n && flow.get("udp_dst") === 67n
  && flow.get("ip_src") === 0n && flow.get("ip_dst") === 0xffffffffn;

function allowedIpv6In(flow: PacketFlow, entry: PortSecurity): boolean {
  if (!hasIpv6(entry, flow.get("ipv6_src"))) return false;
  if (flow.get("nw_proto") !== protocols.icmpv6) return true;
  const own = (mac: bigint): boolean => mac === 0n || mac === BigInt(entry.mac);
  const type = flow.get("tcp_src");
  if (type === 135n && !own(flow.get("nd_sll"))) return false;
  if (type !== 136n) return true;
  return own(flow.get("nd_tll")) && (entry.ipv6s.length === 0 || hasIpv6(entry, flow.get("nd_target")));
}

function allowedOut(flow: PacketFlow, entry: PortSecurity): boolean {
  if (!flow.isIp || allowsAnyIp(entry)) return true;
  if (flow.isIpv4) {
    const to = flow.get("ip_dst");
    return entry.ipv4s.length > 0 && (hasIpv4(entry, to) || to === 0xffffffffn || isMulticastIpv4(ipv4Of(Number(to))));
  }
  const to = flow.get("ipv6_dst");
  return entry.ipv6s.length > 0 && (hasIpv6(entry, to) || to >> 120n === 0xffn);
}
