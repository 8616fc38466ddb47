/** Log lines for packets that an ACL with logging has judged: one per packet, as OVN's suite and its users read them (controller/acl-log.c). */
import { logSeverities, logVerdicts, openflowTables } from "../../logical/index.ts";
import { type FieldName, type FieldValue, formatMatch, Match } from "../../openflow/index.ts";
import { etherType, ipProtocol, type Nd, parseArp, parseIcmpv4, parseIcmpv6, parseNd, parseSctp, parseTcp, parseUdp } from "../../packet/index.ts";
import type { Node } from "../node.ts";
import type { Arrival } from "./arrival.ts";
import { type Headers, type IpHeaders, upperLayer } from "./headers.ts";

type Terms = readonly (readonly [FieldName, FieldValue])[];

export function logVerdict({ packetIn, headers, userdata }: Arrival, node: Node): void {
  const log = node.host.log.module("acl_log");
  const [verdict, severity] = userdata;
  if (verdict === undefined || severity === undefined) {
    log.warn("log data missing");
    return;
  }
  const name = new TextDecoder().decode(userdata.subarray(2));
  const severityName = Object.entries(logSeverities).find(([, number]) => number === severity)?.[0] ?? "<unknown>";
  const direction = packetIn.table < openflowTables.logEgressPipeline ? "from-lport" : "to-lport";
  log.info(
    `name=${JSON.stringify(name === "" ? "<unnamed>" : name)}, verdict=${logVerdicts[verdict] ?? "<unknown>"}, severity=${severityName}, ` +
    `direction=${direction}: ${describe(headers)}`,
  );
}

/** The packet as a match that only packets like it meet. */
export function describe(headers: Headers): string {
  const { src, dst, type, vlan, ip } = headers;
  const terms: Terms = [
    ["eth_type", type], ["vlan_tci", vlan === undefined ? 0 : 0x1000 | vlan], ["eth_src", src], ["eth_dst", dst],
    ...(type === etherType.arp ? arpTerms(headers) : []), ...(ip === undefined ? [] : ipTerms(headers, ip)),
  ];
  return formatMatch(Match.of(...terms));
}

function arpTerms({ packet, ipOffset }: Headers): Terms {
  const arp = parseArp(packet.subarray(ipOffset));
  if (arp === undefined) return [];
  const { operation, senderIp, targetIp, senderMac, targetMac } = arp;
  return [["arp_spa", senderIp], ["arp_tpa", targetIp], ["arp_op", operation], ["arp_sha", senderMac], ["arp_tha", targetMac]];
}

const wholePacket = 0;
const firstFragment = 1;
const laterFragment = 3;

function ipTerms(headers: Headers, ip: IpHeaders): Terms {
  const { dscp, ecn } = ip.header;
  const fragment = fragmentOf(ip);
  const addresses: Terms = ip.family === 4
    ? [["ip_src", ip.src], ["ip_dst", ip.dst], ["nw_ttl", ip.header.ttl]]
    : [["ipv6_src", ip.src], ["ipv6_dst", ip.dst], ["ipv6_label", ip.header.flowLabel], ["nw_ttl", ip.header.hopLimit]];
  return [
    ...addresses, ["nw_proto", ip.protocol], ["nw_tos", dscp << 2], ["nw_ecn", ecn], ["ip_frag", fragment],
    ...(fragment === laterFragment ? [] : upperTerms(ip, upperLayer(headers, ip))),
  ];
}

function fragmentOf(ip: IpHeaders): number {
  if (ip.family === 6 || (ip.header.fragmentOffset === 0 && !ip.header.moreFragments)) return wholePacket;
  return ip.header.fragmentOffset === 0 ? firstFragment : laterFragment;
}

function upperTerms({ family, protocol }: IpHeaders, bytes: Uint8Array): Terms {
  switch (protocol) {
    case ipProtocol.tcp: {
      const tcp = parseTcp(bytes);
      return tcp === undefined ? [] : [["tcp_src", tcp.srcPort], ["tcp_dst", tcp.dstPort], ["tcp_flags", tcp.flags]];
    }
    case ipProtocol.udp: {
      const udp = parseUdp(bytes);
      return udp === undefined ? [] : [["udp_src", udp.srcPort], ["udp_dst", udp.dstPort]];
    }
    case ipProtocol.sctp: {
      const sctp = parseSctp(bytes);
      return sctp === undefined ? [] : [["sctp_src", sctp.srcPort], ["sctp_dst", sctp.dstPort]];
    }
    case ipProtocol.icmp: {
      const icmp = family === 4 ? parseIcmpv4(bytes) : undefined;
      return icmp === undefined ? [] : [["icmp_type", icmp.type], ["icmp_code", icmp.code]];
    }
    case ipProtocol.icmpv6: {
      const icmp = family === 6 ? parseIcmpv6(bytes) : undefined;
      return icmp === undefined ? [] : [["icmpv6_type", icmp.type], ["icmpv6_code", icmp.code], ...neighborTerms(parseNd(icmp.type, icmp.body))];
    }
    default:
      return [];
  }
}

function neighborTerms(nd: Nd | undefined): Terms {
  if (nd?.kind !== "neighbor-solicit" && nd?.kind !== "neighbor-advert") return [];
  const macs = { "source-mac": 0, "target-mac": 0 };
  for (const option of nd.options) if (option.kind === "source-mac" || option.kind === "target-mac") macs[option.kind] = option.mac;
  return [["nd_target", nd.target], ["nd_sll", macs["source-mac"]], ["nd_tll", macs["target-mac"]]];
}
