/** Frames as `tcpdump -vvnee` tells them: the headers this lab's packets have; the rest by protocol number and size. */
import { formatIpv4, formatIpv6, formatMac } from "../net/index.ts";
import {
  etherType, findUpperLayer, genevePort, ipProtocol, ipv6Size, parseArp, parseEthernet, parseGeneve, parseIcmpv4, parseIcmpv6, parseIpv4Header,
  parseIpv6Header, parseTcp, parseUdp, parseVlan, sizeofGeneve, sizeofIpv4, tcpFlag, udpSize,
} from "../packet/index.ts";

const etherNames = new Map<number, string>([
  [etherType.ipv4, "IPv4"], [etherType.ipv6, "IPv6"], [etherType.arp, "ARP"], [etherType.vlan, "802.1Q"], [etherType.rarp, "Reverse ARP"],
]);
const protocolNames = new Map<number, string>([
  [ipProtocol.icmp, "ICMP"], [ipProtocol.tcp, "TCP"], [ipProtocol.udp, "UDP"], [ipProtocol.icmpv6, "ICMPv6"], [ipProtocol.igmp, "IGMP"],
]);
const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, "0")}`;

export function frameText(bytes: Uint8Array): string {
  const ethernet = parseEthernet(bytes);
  if (ethernet === undefined) return `truncated frame of ${bytes.length} bytes`;
  const name = etherNames.get(ethernet.type) ?? "Unknown";
  const head = `${formatMac(ethernet.src)} > ${formatMac(ethernet.dst)}, ethertype ${name} (${hex(ethernet.type, 4)}), length ${bytes.length}: `;
  return head + networkText(ethernet.type, bytes.subarray(14));
}

function networkText(type: number, bytes: Uint8Array): string {
  switch (type) {
    case etherType.vlan: {
      const vlan = parseVlan(bytes);
      return vlan === undefined ? "truncated 802.1Q" : `vlan ${vlan.id}, p ${vlan.priority}, ethertype ${etherNames.get(vlan.type) ?? hex(vlan.type, 4)}, ${networkText(vlan.type, bytes.subarray(4))}`;
    }
    case etherType.arp:
      return arpText(bytes);
    case etherType.ipv4:
      return ipv4Text(bytes);
    case etherType.ipv6:
      return ipv6Text(bytes);
    default:
      return `${bytes.length} bytes`;
  }
}

function arpText(bytes: Uint8Array): string {
  const arp = parseArp(bytes);
  if (arp === undefined) return "malformed ARP";
  return arp.operation === 1
    ? `Ethernet (len 6), IPv4 (len 4), Request who-has ${formatIpv4(arp.targetIp)} tell ${formatIpv4(arp.senderIp)}, length ${bytes.length}`
    : `Ethernet (len 6), IPv4 (len 4), Reply ${formatIpv4(arp.senderIp)} is-at ${formatMac(arp.senderMac)}, length ${bytes.length}`;
}

function ipv4Text(bytes: Uint8Array): string {
  const ip = parseIpv4Header(bytes);
  if (ip === undefined) return "malformed IPv4";
  const flags = ip.dontFragment ? "DF" : ip.moreFragments ? "+" : "none";
  const protocol = protocolNames.get(ip.protocol) ?? "unknown";
  const head = `(tos ${hex((ip.dscp << 2) | ip.ecn, 1)}, ttl ${ip.ttl}, id ${ip.identification}, offset ${ip.fragmentOffset}, flags [${flags}], proto ${protocol} (${ip.protocol}), length ${ip.totalSize})`;
  const payload = bytes.subarray(sizeofIpv4(ip), ip.totalSize);
  return `${head}\n    ${transportText(formatIpv4(ip.src), formatIpv4(ip.dst), ip.protocol, payload, ip.fragmentOffset > 0)}`;
}

function ipv6Text(bytes: Uint8Array): string {
  const ip = parseIpv6Header(bytes);
  const upper = findUpperLayer(bytes);
  if (ip === undefined || upper === undefined) return "malformed IPv6";
  const protocol = protocolNames.get(upper.protocol) ?? "unknown";
  const head = `(hlim ${ip.hopLimit}, next-header ${protocol} (${upper.protocol}) payload length: ${bytes.length - ipv6Size})`;
  return `${head} ${transportText(formatIpv6(ip.src), formatIpv6(ip.dst), upper.protocol, bytes.subarray(upper.offset), (upper.fragment?.offset ?? 0) > 0)}`;
}

function transportText(src: string, dst: string, protocol: number, bytes: Uint8Array, isLaterFragment: boolean): string {
  const plain = `${src} > ${dst}: `;
  if (isLaterFragment) return `${plain}${protocolNames.get(protocol) ?? `ip-proto-${protocol}`}`;
  switch (protocol) {
    case ipProtocol.icmp:
      return plain + icmpText(bytes);
    case ipProtocol.icmpv6:
      return plain + icmp6Text(bytes);
    case ipProtocol.udp:
      return udpText(src, dst, bytes);
    case ipProtocol.tcp:
      return tcpText(src, dst, bytes);
    default:
      return `${plain}ip-proto-${protocol} ${bytes.length}`;
  }
}

const echo = (bytes: Uint8Array): string => `id ${((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0)}, seq ${((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)}, length ${bytes.length}`;

function icmpText(bytes: Uint8Array): string {
  const icmp = parseIcmpv4(bytes);
  if (icmp === undefined) return "malformed ICMP";
  if (icmp.type === 8) return `ICMP echo request, ${echo(bytes)}`;
  if (icmp.type === 0) return `ICMP echo reply, ${echo(bytes)}`;
  if (icmp.type === 11) return `ICMP time exceeded in-transit, length ${bytes.length}`;
  return `ICMP type ${icmp.type}, code ${icmp.code}, length ${bytes.length}`;
}

function icmp6Text(bytes: Uint8Array): string {
  const icmp = parseIcmpv6(bytes);
  if (icmp === undefined) return "malformed ICMP6";
  const names = new Map([[128, "echo request"], [129, "echo reply"], [133, "router solicitation"], [134, "router advertisement"], [135, "neighbor solicitation"], [136, "neighbor advertisement"]]);
  const name = names.get(icmp.type) ?? `type-#${icmp.type}`;
  return icmp.type === 128 || icmp.type === 129 ? `ICMP6, ${name}, ${echo(bytes)}` : `ICMP6, ${name}, length ${bytes.length}`;
}

function udpText(src: string, dst: string, bytes: Uint8Array): string {
  const udp = parseUdp(bytes);
  if (udp === undefined) return `${src} > ${dst}: malformed UDP`;
  const head = `${src}.${udp.srcPort} > ${dst}.${udp.dstPort}: `;
  const payload = bytes.subarray(udpSize, udp.size);
  return head + (udp.dstPort === genevePort ? geneveText(payload) : `UDP, length ${payload.length}`);
}

function geneveText(bytes: Uint8Array): string {
  const geneve = parseGeneve(bytes);
  if (geneve === undefined) return "malformed Geneve";
  const flags = `${geneve.control ? "O" : ""}${geneve.critical ? "C" : ""}` || "none";
  const options = geneve.options.length === 0 ? "" : `, options [${optionsText(geneve.options)}]`;
  const protocol = geneve.protocol === etherType.teb ? "TEB (0x6558)" : hex(geneve.protocol, 4);
  return `Geneve, Flags [${flags}], vni ${hex(geneve.vni, 1)}, proto ${protocol}${options}\n    ${frameText(bytes.subarray(sizeofGeneve(geneve)))}`;
}

function optionsText(bytes: Uint8Array): string {
  const texts: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const optionClass = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const type = bytes[at + 2] ?? 0;
    const size = 4 + ((bytes[at + 3] ?? 0) & 0x1f) * 4;
    const data = Buffer.from(bytes.subarray(at + 4, at + size)).toString("hex");
    const name = optionClass === 0x0102 ? "Open Virtual Networking (OVN)" : "Unknown";
    texts.push(`class ${name} (${hex(optionClass, 1)}) type ${hex(type, 2)}${(type & 0x80) === 0 ? "" : "(C)"} len ${size}${data === "" ? "" : ` data ${data}`}`);
    at += size;
  }
  return texts.join(", ");
}

function tcpText(src: string, dst: string, bytes: Uint8Array): string {
  const tcp = parseTcp(bytes);
  if (tcp === undefined) return `${src} > ${dst}: malformed TCP`;
  const letters: readonly (readonly [number, string])[] = [[tcpFlag.fin, "F"], [tcpFlag.syn, "S"], [tcpFlag.rst, "R"], [tcpFlag.psh, "P"], [tcpFlag.ack, "."]];
  const flags = letters.filter(([bit]) => (tcp.flags & bit) !== 0).map(([, letter]) => letter).join("");
  return `${src}.${tcp.srcPort} > ${dst}.${tcp.dstPort}: Flags [${flags}], seq ${tcp.sequence}, ack ${tcp.acknowledgment}, win ${tcp.window}, length ${bytes.length - (20 + tcp.options.length)}`;
}
