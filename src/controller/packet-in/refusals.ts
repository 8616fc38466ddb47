/**
 * icmp4, icmp6, tcp_reset, sctp_abort and reject: a packet that says that another will not be delivered (ovn-sb(5)). Its type
 * and addresses are set by the actions in the userdata; here it gets what actions cannot set: the packet it is about.
 */
import { type Action, actionsFromBytes, of15 } from "../../openflow/index.ts";
import {
  emitSctp, ethernetFrame, etherType, fillSctpChecksum, icmpv4Message, icmpv4Type, icmpv6Message, icmpv6Type, icmpv6Unreachable, ipProtocol,
  parseIcmpv4, parseIcmpv6, parseSctp, parseTcp, readU16, readU32, sctpChunk, sctpSize, tcpFlag, tcpSegment, writeU16,
} from "../../packet/index.ts";
import type { Ip } from "../../net/index.ts";
import { ownIpPacket } from "./own-packet.ts";
import { type Arrival, sendWithUserdata } from "./arrival.ts";
import { type Headers, type IpHeaders, ipBytes, upperLayer } from "./headers.ts";

/** Which way the answer goes: as the packet did, for actions to turn round, or back at once. */
export type Direction = "onward" | "back";

interface Addresses {
  readonly src: Ip;
  readonly dst: Ip;
}

const asIp = (ip: IpHeaders, which: "src" | "dst"): Ip => (ip.family === 4 ? { family: 4, address: ip[which] } : { family: 6, address: ip[which] });
const addressesOf = (ip: IpHeaders, direction: Direction): Addresses =>
  direction === "onward" ? { src: asIp(ip, "src"), dst: asIp(ip, "dst") } : { src: asIp(ip, "dst"), dst: asIp(ip, "src") };

function frameOf({ src, dst, vlan, type }: Headers, direction: Direction, packet: Uint8Array): Uint8Array {
  const ends = direction === "onward" ? { src, dst } : { src: dst, dst: src };
  return ethernetFrame({ ...ends, ...(vlan === undefined ? {} : { vlan }) }, type, packet);
}

/** How large an error may be: 576 bytes with IPv4 (RFC 1122), 1280 with IPv6 (RFC 4443), Ethernet and all headers included. */
const room4 = 576 - 14 - 20 - 8;
const room6 = 1280 - 14 - 40 - 8;
const unreachableHost = 1;
const unreachablePort4 = 3;
const fragmentationNeeded = 4;
const errorTtl = 255;
const resetTtl = 63;

/** `tellsPort`: for UDP the code is that of a closed port. */
export function sendIcmpError(arrival: Arrival, direction: Direction, tellsPort: boolean): void {
  const { headers, log } = arrival;
  const { ip } = headers;
  if (ip === undefined) {
    log.warn(`ICMP action on non-IP packet (eth_type 0x${headers.type.toString(16)})`);
    return;
  }
  const { src, dst } = addressesOf(ip, direction);
  const isClosedPort = tellsPort && ip.protocol === ipProtocol.udp;
  const mtu = mtuNote(arrival, ip.family);
  const original = ipBytes(headers, ip);
  if (src.family === 4) {
    const code = mtu !== undefined ? fragmentationNeeded : isClosedPort ? unreachablePort4 : unreachableHost;
    const message = icmpv4Message({ type: icmpv4Type.unreachable, code, word: mtu ?? 0, data: original.subarray(0, room4) });
    sendWithUserdata(arrival, frameOf(headers, direction, ownIpPacket(src, dst, ipProtocol.icmp, message, errorTtl)));
  } else if (dst.family === 6) {
    const body = new Uint8Array(4 + Math.min(original.length, room6));
    if (mtu !== undefined) writeU32(body, mtu);
    body.set(original.subarray(0, room6), 4);
    const [type, code] = mtu !== undefined ? [icmpv6Type.packetTooBig, 0]
      : [icmpv6Type.unreachable, isClosedPort ? icmpv6Unreachable.port : icmpv6Unreachable.prohibited];
    const message = icmpv6Message({ type, code, body }, src.address, dst.address);
    sendWithUserdata(arrival, frameOf(headers, direction, ownIpPacket(src, dst, ipProtocol.icmpv6, message, errorTtl)));
  }
}

function writeU32(bytes: Uint8Array, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, value);
}

const noteMagic = [0x6f, 0x76, 0x6e, 0];
const noteHeaderSize = 8;

/** The next hop's MTU is no field that actions could set: it comes as a note among them (icmp4.frag_mtu, icmp6.frag_mtu). */
function mtuNote({ userdata }: Arrival, family: 4 | 6): number | undefined {
  const decoded = actionsFromBytes(userdata, of15);
  if ("error" in decoded) return undefined;
  const [fieldNumber, size] = family === 4 ? [0, 2] : [1, 4];
  for (const action of decoded.actions) {
    const data = noteData(action);
    if (data === undefined || readU16(data, 4) !== fieldNumber || data.length < noteHeaderSize + size) continue;
    return size === 2 ? readU16(data, noteHeaderSize) : readU32(data, noteHeaderSize);
  }
  return undefined;
}

const noteData = (action: Action): Uint8Array | undefined =>
  (action.kind === "note" && action.data.length >= noteHeaderSize && noteMagic.every((byte, i) => action.data[i] === byte) ? action.data : undefined);

export function sendTcpReset(arrival: Arrival, direction: Direction): void {
  const { headers, log } = arrival;
  const { ip } = headers;
  const tcp = ip?.protocol === ipProtocol.tcp ? parseTcp(upperLayer(headers, ip)) : undefined;
  if (ip === undefined || tcp === undefined) {
    log.warn("TCP_RESET action on non-TCP packet");
    return;
  }
  const { src, dst } = addressesOf(ip, direction);
  const segment = tcpSegment(src, dst, {
    srcPort: tcp.dstPort, dstPort: tcp.srcPort, sequence: 0, acknowledgment: (tcp.sequence + 1) >>> 0, flags: tcpFlag.rst | tcpFlag.ack, window: 0,
    urgent: 0, options: new Uint8Array(0),
  }, new Uint8Array(0));
  sendWithUserdata(arrival, frameOf(headers, direction, ownIpPacket(src, dst, ipProtocol.tcp, segment, resetTtl)));
}

const abortChunkSize = 4;
const tagOfInit = 16;
const unverifiedTag = 1;

/** An association that is only being set up is aborted under the tag that its initiator proposed (RFC 9260, section 8.4). */
export function sendSctpAbort(arrival: Arrival, direction: Direction): void {
  const { headers, log } = arrival;
  const { ip } = headers;
  // Not only what the IP header counts: the tag of an INIT is looked for where it would stand.
  const bytes = ip?.protocol === ipProtocol.sctp ? headers.packet.subarray(ip.upperOffset) : undefined;
  const sctp = bytes && parseSctp(bytes);
  if (ip === undefined || bytes === undefined || sctp === undefined) {
    log.warn("SCTP_ABORT action on non-SCTP packet");
    return;
  }
  const chunk = bytes[sctpSize];
  // Never an abort for an abort.
  if (chunk === undefined || chunk === sctpChunk.abort) return;
  if (chunk === sctpChunk.init && bytes.length < tagOfInit + 4) {
    log.warn("Incomplete SCTP INIT chunk. Ignoring packet.");
    return;
  }
  const isInit = chunk === sctpChunk.init && sctp.verificationTag === 0;
  const answer = new Uint8Array(sctpSize + abortChunkSize);
  emitSctp({ srcPort: sctp.dstPort, dstPort: sctp.srcPort, verificationTag: isInit ? readU32(bytes, tagOfInit) : sctp.verificationTag, checksum: 0 }, answer);
  answer[sctpSize] = sctpChunk.abort;
  answer[sctpSize + 1] = isInit ? 0 : unverifiedTag;
  writeU16(answer, sctpSize + 2, abortChunkSize);
  fillSctpChecksum(answer);
  const { src, dst } = addressesOf(ip, direction);
  sendWithUserdata(arrival, frameOf(headers, direction, ownIpPacket(src, dst, ipProtocol.sctp, answer, resetTtl)));
}

/** Whatever refuses the packet's protocol best; no refusal of a refusal. */
export function sendReject(arrival: Arrival): void {
  const { headers } = arrival;
  const { ip } = headers;
  if (ip === undefined || isRefusal(headers, ip)) return;
  if (ip.protocol === ipProtocol.tcp) sendTcpReset(arrival, "back");
  else if (ip.protocol === ipProtocol.sctp) sendSctpAbort(arrival, "back");
  else sendIcmpError(arrival, "back", true);
}

function isRefusal(headers: Headers, ip: IpHeaders): boolean {
  const upper = upperLayer(headers, ip);
  if (ip.protocol === ipProtocol.tcp) return ((parseTcp(upper)?.flags ?? tcpFlag.rst) & tcpFlag.rst) !== 0;
  if (headers.type === etherType.ipv4 && ip.protocol === ipProtocol.icmp) return parseIcmpv4(upper)?.type === icmpv4Type.unreachable;
  if (headers.type === etherType.ipv6 && ip.protocol === ipProtocol.icmpv6) return parseIcmpv6(upper)?.type === icmpv6Type.unreachable;
  return false;
}
