/** Queries of an IGMP and MLD querier: to all hosts, about all groups (RFC 3376, section 4.1; RFC 3810, section 5.1). */
import { type Ipv4, ipv4Of, type Ipv6, ipv6Of, type Mac, macOf, parseIpv6 } from "../../net/index.ts";
import {
  concatenate, emitIgmp, emitMld, ethernetFrame, etherType, icmpv6Message, type Igmp, ipProtocol, ipv4Packet, ipv6Packet, type Mld, mldTypes, sizeofIgmp,
  sizeofMld,
} from "../../packet/index.ts";
import { present } from "../../std/index.ts";

const allHosts4 = { mac: macOf(0x01005e000001), ip: ipv4Of(0xe0000001) };
/** With the MAC address that OVN uses for it. */
const allHosts6 = { mac: macOf(0x333300000000), ip: present(parseIpv6("ff02::1"), "ff02::1") };
const onlyThisLink = 1;
/** A hop-by-hop header that says "router alert" (RFC 2711), as every MLD packet needs. */
const routerAlert = Uint8Array.of(ipProtocol.icmpv6, 0, 5, 2, 0, 0, 0, 0);
const hopByHop = 0;

export function igmpQuery(mac: Mac, src: Ipv4, maxResponseSeconds: number): Uint8Array {
  const tenths = Math.min(255, 10 * maxResponseSeconds);
  const query: Igmp = { kind: "query3", maxResponse: tenths, group: ipv4Of(0), flags: 0, queryInterval: tenths, sources: [] };
  const message = new Uint8Array(sizeofIgmp(query));
  emitIgmp(query, message);
  return ethernetFrame({ src: mac, dst: allHosts4.mac }, etherType.ipv4, ipv4Packet({ src, dst: allHosts4.ip, protocol: ipProtocol.igmp, ttl: onlyThisLink, dontFragment: true }, message));
}

export function mldQuery(mac: Mac, src: Ipv6, maxResponseSeconds: number): Uint8Array {
  const query: Mld = {
    kind: "query2", maxResponseMs: Math.min(0xffff, 1000 * maxResponseSeconds), group: ipv6Of(0n), flags: 0, queryInterval: Math.min(255, maxResponseSeconds),
    sources: [],
  };
  const body = new Uint8Array(sizeofMld(query));
  emitMld(query, body);
  const message = icmpv6Message({ type: mldTypes.query, code: 0, body }, src, allHosts6.ip);
  return ethernetFrame({ src: mac, dst: allHosts6.mac }, etherType.ipv6, ipv6Packet({ src, dst: allHosts6.ip, nextHeader: hopByHop, hopLimit: onlyThisLink }, concatenate(routerAlert, message)));
}
