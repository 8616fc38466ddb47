/** A packet made up from a match: what the match leaves open is zero, and 64 bytes of data follow where data may (flow_compose). */
import { type Ip, type Ipv6, ipv4Of, ipv6Of, macOf } from "../../net/index.ts";
import { field, type FieldName, type Match } from "../../openflow/index.ts";
import {
  arpFrame, emitSctp, ethernetFrame, etherType, icmpv4Message, icmpv4Type, icmpv6Message, icmpv6Type, ipProtocol, ipv4Packet, ipv6Packet, type Nd,
  ndMessage, type NdOption, ndTypes, sctpSize, tcpFlag, tcpSegment, udpDatagram,
} from "../../packet/index.ts";

const data = Uint8Array.from({ length: 64 }, (_, i) => i);
const nothing = new Uint8Array(0);
const emptyWord = new Uint8Array(4);

type Reader = (name: FieldName) => number;

export function composePacket(match: Match): Uint8Array {
  const read: Reader = (name) => Number(match.get(field(name))?.value ?? 0);
  const wide = (name: FieldName): bigint => BigInt(match.get(field(name))?.value ?? 0);
  const tci = read("vlan_tci");
  const addresses = { src: macOf(read("eth_src")), dst: macOf(read("eth_dst")), ...((tci & 0x1000) !== 0 && { vlan: tci & 0xfff }) };
  const type = read("eth_type");
  const common = { dscp: read("nw_tos") >> 2, ecn: read("nw_ecn") };
  switch (type) {
    case etherType.ipv4: {
      const [src, dst] = [ipv4Of(read("ip_src")), ipv4Of(read("ip_dst"))];
      const protocol = read("nw_proto");
      const payload = protocol === ipProtocol.icmp ? icmpv4Payload(read) : upperPayload(protocol, { family: 4, address: src }, { family: 4, address: dst }, read);
      return ethernetFrame(addresses, type, ipv4Packet({ ...common, src, dst, protocol, ttl: read("nw_ttl") }, payload));
    }
    case etherType.ipv6: {
      const [src, dst] = [ipv6Of(wide("ipv6_src")), ipv6Of(wide("ipv6_dst"))];
      const nextHeader = read("nw_proto");
      const payload = nextHeader === ipProtocol.icmpv6
        ? icmpv6Payload(src, dst, read, wide("nd_target"))
        : upperPayload(nextHeader, { family: 6, address: src }, { family: 6, address: dst }, read);
      return ethernetFrame(addresses, type, ipv6Packet({ ...common, src, dst, nextHeader, hopLimit: read("nw_ttl"), flowLabel: read("ipv6_label") }, payload));
    }
    case etherType.arp:
      return arpFrame(addresses, {
        operation: read("arp_op"), senderMac: macOf(read("arp_sha")), senderIp: ipv4Of(read("arp_spa")), targetMac: macOf(read("arp_tha")),
        targetIp: ipv4Of(read("arp_tpa")),
      });
    default:
      return ethernetFrame(addresses, type, nothing);
  }
}

function upperPayload(protocol: number, src: Ip, dst: Ip, read: Reader): Uint8Array {
  switch (protocol) {
    case ipProtocol.tcp: {
      const flags = read("tcp_flags");
      const header = { srcPort: read("tcp_src"), dstPort: read("tcp_dst"), sequence: 0, acknowledgment: 0, flags, window: 0, urgent: 0, options: nothing };
      return tcpSegment(src, dst, header, (flags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) === 0 ? data : nothing);
    }
    case ipProtocol.udp:
      return udpDatagram(src, dst, read("udp_src"), read("udp_dst"), data);
    case ipProtocol.sctp: {
      const bytes = new Uint8Array(sctpSize);
      emitSctp({ srcPort: read("sctp_src"), dstPort: read("sctp_dst"), verificationTag: 0, checksum: 0 }, bytes);
      return bytes;
    }
    default:
      return nothing;
  }
}

function icmpv4Payload(read: Reader): Uint8Array {
  const [type, code] = [read("icmp_type"), read("icmp_code")];
  const isEcho = (type === icmpv4Type.echoRequest || type === icmpv4Type.echoReply) && code === 0;
  return icmpv4Message({ type, code, word: 0, data: isEcho ? data : nothing });
}

function icmpv6Payload(src: Ipv6, dst: Ipv6, read: Reader, target: bigint): Uint8Array {
  const [type, code] = [read("icmpv6_type"), read("icmpv6_code")];
  const isSolicitation = type === ndTypes["neighbor-solicit"];
  if (code === 0 && (isSolicitation || type === ndTypes["neighbor-advert"])) {
    const options: NdOption[] = [];
    if (read("nd_sll") !== 0) options.push({ kind: "source-mac", mac: macOf(read("nd_sll")) });
    if (read("nd_tll") !== 0) options.push({ kind: "target-mac", mac: macOf(read("nd_tll")) });
    const nd: Nd = isSolicitation
      ? { kind: "neighbor-solicit", target: ipv6Of(target), options }
      : { kind: "neighbor-advert", router: false, solicited: false, override: false, target: ipv6Of(target), options };
    return ndMessage(nd, src, dst);
  }
  const isEcho = (type === icmpv6Type.echoRequest || type === icmpv6Type.echoReply) && code === 0;
  return icmpv6Message({ type, code, body: new Uint8Array([...emptyWord, ...(isEcho ? data : nothing)]) }, src, dst);
}
