/** Whether a packet has a field: reading or writing one that it has not is no operation, as in OVS. */
import { fragLater, W } from "./flow-key.ts";
import { ethType, ipProto } from "../packet/packet.ts";
import type { Requirement } from "../walk/program.ts";
import type { Walk } from "../walk/walk.ts";

export function isPresent(walk: Walk, prerequisite: Requirement): boolean {
  switch (prerequisite) {
    case "none":
    case "ethernet":
      return true;
    case "ct":
      return walk.read(W.ctState) !== 0;
    case "vlan":
      return (walk.read(W.vlan) & 0x1000) !== 0;
    case "ipv4":
      return walk.read(W.ethType) === ethType.ipv4;
    case "ipv6":
      return walk.read(W.ethType) === ethType.ipv6;
    case "arp":
      return walk.read(W.ethType) === ethType.arp;
    case "ip":
      return isIp(walk);
    case "tcp":
      return isIp(walk) && hasTransport(walk, ipProto.tcp);
    case "udp":
      return isIp(walk) && hasTransport(walk, ipProto.udp);
    case "sctp":
      return isIp(walk) && hasTransport(walk, ipProto.sctp);
    case "ports":
      return isIp(walk) && [ipProto.tcp, ipProto.udp, ipProto.sctp].some((proto) => hasTransport(walk, proto));
    case "icmpv4":
      return walk.read(W.ethType) === ethType.ipv4 && hasTransport(walk, ipProto.icmp);
    case "icmpv6":
      return isIcmpv6(walk);
    case "nd":
      return isNeighbour(walk, 135) || isNeighbour(walk, 136);
    case "nd-solicit":
      return isNeighbour(walk, 135);
    case "nd-advert":
      return isNeighbour(walk, 136);
    case "mpls":
    case "nsh":
      return false;
  }
}

function isIp(walk: Walk): boolean {
  const type = walk.read(W.ethType);
  return type === ethType.ipv4 || type === ethType.ipv6;
}

const hasTransport = (walk: Walk, proto: number): boolean =>
  walk.read(W.nwMisc, 0xff000000) >>> 24 === proto && (walk.read(W.nwMisc, 0xff) & fragLater) === 0;

const isIcmpv6 = (walk: Walk): boolean => walk.read(W.ethType) === ethType.ipv6 && hasTransport(walk, ipProto.icmpv6);
const isNeighbour = (walk: Walk, type: number): boolean => isIcmpv6(walk) && walk.read(W.tpPorts) >>> 16 === type;
