/**
 * Packets: one header, one file, each with its picture, its value, its size, parse and emit. Parsing answers undefined for
 * what is cut short or cannot be; emitting writes every byte of the header. Knows nothing of ports, tables or sockets.
 */
export { type Arp, arpOperation, arpSize, emitArp, parseArp } from "./arp.ts";
export { type Bfd, bfdPort, bfdSize, bfdStates, emitBfd, parseBfd } from "./bfd.ts";
export { concatenate, readU16, readU32, writeU16, writeU32 } from "./bytes.ts";
export {
  checksum, crc32c, fillChecksum, finishChecksum, isChecksumRight, pseudoHeaderSum, sumWords, updateChecksum, updateChecksum32,
} from "./checksum.ts";
export {
  arpFrame, ethernetFrame, type FrameAddresses, icmpv4Message, icmpv6Message, ip4, ip6, ipPacket, type Ipv4Fields, ipv4Packet,
  type Ipv6Fields, ipv6Packet, ndMessage, tcpSegment, udpDatagram,
} from "./compose.ts";
export {
  dhcpIps, dhcpMessage, dhcpMessageType, dhcpOption, type DhcpOption, type DhcpRoute, type Dhcpv4, emitDhcpv4, findDhcpOption,
  parseClasslessRoutes, parseDhcpv4, sizeofDhcpv4,
} from "./dhcpv4.ts";
export {
  type Dhcpv6, dhcpv6Message, dhcpv6Option, type Dhcpv6Option, duidOfMac, emitDhcpv6, emitDhcpv6Options, emitIaAddress, emitIaPrefix,
  emitIdentityAssociation, findDhcpv6Option, type IaAddress, type IaPrefix, type IdentityAssociation, parseDhcpv6, parseDhcpv6Options, parseIaAddress, parseIaPrefix,
  parseIdentityAssociation, sizeofDhcpv6, sizeofDhcpv6Options,
} from "./dhcpv6.ts";
export { type Dns, dnsFlag, type DnsQuestion, type DnsRecord, dnsType, emitDns, emitDnsName, parseDns } from "./dns.ts";
export { emitEthernet, type Ethernet, ethernetSize, etherType, parseEthernet } from "./ethernet.ts";
export {
  emitGeneve, emitGeneveOptions, type Geneve, type GeneveOption, genevePort, ovnGeneve, ovnOption, parseGeneve, parseGeneveOptions, sizeofGeneve,
} from "./geneve.ts";
export { emitIcmpv4, type Icmpv4, icmpv4Type, icmpv4Unreachable, parseIcmpv4, sizeofIcmpv4 } from "./icmpv4.ts";
export {
  emitIcmpv6, type Icmpv6, icmpv6Type, icmpv6Unreachable, isIcmpv6Intact, parseEcho6, parseIcmpv6, sizeofIcmpv6,
} from "./icmpv6.ts";
export { emitIgmp, type Igmp, type IgmpRecord, igmpType, parseIgmp, sizeofIgmp } from "./igmp.ts";
export { emitIpv4Header, ipProtocol, type Ipv4Header, isIpv4Intact, parseIpv4Header, sizeofIpv4 } from "./ipv4.ts";
export { emitFragmentHeader, emitIpv6Header, findUpperLayer, type Ipv6Header, ipv6Size, parseIpv6Header, type UpperLayer } from "./ipv6.ts";
export { emitMld, type Mld, type MldRecord, mldRecordType, mldTypes, parseMld, sizeofMld } from "./mld.ts";
export { emitNd, type Nd, type NdOption, ndTypes, parseNd, sizeofNd } from "./nd.ts";
export { type CapturedPacket, pcapHeader, pcapngHeader, pcapngRecord, pcapRecord, readCapture } from "./pcap.ts";
export { emitSctp, fillSctpChecksum, parseSctp, type Sctp, sctpChunk, sctpSize } from "./sctp.ts";
export { emitTcp, parseTcp, sizeofTcp, type Tcp, tcpChecksumOffset, tcpFlag } from "./tcp.ts";
export { emitUdp, fillUdpChecksum, parseUdp, type Udp, udpSize } from "./udp.ts";
export { emitVlan, parseVlan, type Vlan, vlanSize } from "./vlan.ts";
export { emitVrrp, parseVrrp, sizeofVrrp, type Vrrp, vrrpProtocol } from "./vrrp.ts";
