/** What has been learned: neighbors' MAC addresses, and ports of MAC addresses. */
import { type FieldReference, formatFieldReference, type LogicalActionOf, resolveField } from "../logical/index.ts";
import { formatIpv4, formatIpv6, formatMac, ipv4Of, ipv6Of, macOf } from "../net/index.ts";
import { mappedIpv4 } from "./model.ts";
import { append } from "./node.ts";
import type { PacketFlow } from "./packet-flow.ts";
import type { Place } from "./walk.ts";

const portOf = (flow: PacketFlow, reference: FieldReference): number => Number(flow.readBits(resolveField(reference)));

/** An address field's value; IPv4 as it stands in the table of neighbors. */
function ipOf(flow: PacketFlow, reference: FieldReference): bigint {
  const from = resolveField(reference);
  const ip = flow.readBits(from);
  return from.bits === 32 ? mappedIpv4(ip) : ip;
}

const macText = (flow: PacketFlow): string => formatMac(macOf(Number(flow.get("eth_dst"))));

export function getNeighbor({ datapath, flow, out }: Place, { port, ip }: LogicalActionOf<"get_arp">): void {
  const [mac] = datapath.macBinding(portOf(flow, port), ipOf(flow, ip));
  flow.set("eth_dst", BigInt(mac ?? 0));
  append(out, "action", mac === undefined ? "/* No MAC binding. */" : `/* MAC binding to ${formatMac(mac)}. */`);
  append(out, "modify", `eth.dst = ${macText(flow)}`);
}

export function lookupNeighbor({ datapath, flow, out }: Place, action: LogicalActionOf<"lookup_arp">): void {
  const mac = flow.readBits(resolveField(action.mac));
  const found = datapath.macBinding(portOf(flow, action.port), ipOf(flow, action.ip)).some((known) => BigInt(known) === mac);
  append(out, "action", found ? `/* MAC binding to ${macText(flow)} found. */` : "/* lookup failed - No MAC binding. */");
  flow.writeBits(resolveField(action.destination), found ? 1n : 0n);
}

export function lookupNeighborIp({ datapath, flow, out }: Place, action: LogicalActionOf<"lookup_arp_ip">): void {
  const found = datapath.macBinding(portOf(flow, action.port), ipOf(flow, action.ip)).length > 0;
  append(out, "action", found ? "/* MAC binding found. */" : "/* lookup failed - No MAC binding. */");
  flow.writeBits(resolveField(action.destination), found ? 1n : 0n);
}

/** What remote VTEPs have announced is known to chassis only, not to the database. */
export function checkEvpnArp({ flow, out }: Place, { destination, ip }: LogicalActionOf<"chk_evpn_arp">): void {
  const from = resolveField(ip);
  const value = flow.readBits(from);
  const text = from.bits === 32 ? formatIpv4(ipv4Of(Number(value))) : formatIpv6(ipv6Of(value));
  append(out, "action", `/* EVPN ARP lookup for ${text}: not available in trace. */`);
  flow.writeBits(resolveField(destination), 0n);
}

export function lookupFdb({ datapath, flow, out }: Place, action: LogicalActionOf<"lookup_fdb">): void {
  const found = datapath.fdb(flow.readBits(resolveField(action.mac))) === portOf(flow, action.port);
  append(out, "action", found ? `/* MAC lookup for ${macText(flow)} found in FDB. */` : "/* lookup mac failed in mac learning table. */");
  flow.writeBits(resolveField(action.destination), found ? 1n : 0n);
}

export function getFdb({ datapath, flow, out }: Place, { kind, destination, mac }: LogicalActionOf<"get_fdb">): void {
  if (kind === "get_remote_fdb") append(out, "output", "/* The remote FDB table is different per each chassis. */");
  else flow.writeBits(resolveField(destination), BigInt(datapath.fdb(flow.readBits(resolveField(mac))) ?? 0));
}

/** ct_tp_dst and ct_proto, taken from the packet as it is now. */
export function originalValue({ flow, out }: Place, { kind, destination }: LogicalActionOf<"ct_tp_dst">): void {
  const value = kind === "ct_tp_dst" ? flow.get("tcp_dst") : flow.get("nw_proto");
  flow.writeBits(resolveField(destination), value);
  append(out, "modify", `${formatFieldReference(destination)} = ${value}`);
}
