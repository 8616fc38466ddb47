/**
 * A packet on its way through the switch: its bytes, its flow key, and where its headers begin.
 *
 * `readHeaders` fills the key from the bytes as OVS's flow_extract does: a header that is cut short leaves its fields
 * zero, a later fragment has no ports, one VLAN tag is looked behind. Only the header words are written; what came with
 * the packet from outside its bytes (port, tunnel, connection state) is the caller's.
 *
 * Bytes are shared until somebody writes: `own` makes the copy.
 */
import { readU16, readU32 } from "../../packet/index.ts";
import { firstHeaderWord, type FlowKey, fragAny, fragLater, keyWords, W } from "../flow/flow-key.ts";

export const ethType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, qinq: 0x88a8, ipv6: 0x86dd, none: 0x05ff } as const;
export const ipProto = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;

export class Packet {
  bytes: Uint8Array;
  readonly key: FlowKey = new Uint32Array(keyWords);
  /** Offset of the network header; that of the transport header, or 0 if the packet has none that may be read. */
  l3 = 0;
  l4 = 0;
  #isOwned = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Another frame, nothing else kept. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#isOwned = false;
    this.key.fill(0);
  }

  /** Makes the bytes this packet's own before they are written to. */
  own(): Uint8Array {
    if (!this.#isOwned) {
      // Not slice(): what comes from a socket is a Buffer, whose slice() shares.
      this.bytes = new Uint8Array(this.bytes);
      this.#isOwned = true;
    }
    return this.bytes;
  }

  /** The bytes, to be given away: they are not written to any more. */
  share(): Uint8Array {
    this.#isOwned = false;
    return this.bytes;
  }

  /** New bytes that nobody else holds. */
  replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#isOwned = true;
  }

  /** The same packet, whose bytes either side copies before writing. */
  clone(): Packet {
    const copy = new Packet(this.bytes);
    copy.key.set(this.key);
    copy.l3 = this.l3;
    copy.l4 = this.l4;
    this.#isOwned = false;
    return copy;
  }

  readHeaders(): void {
    readHeaders(this);
  }
}

function readHeaders(packet: Packet): void {
  const { bytes: b, key } = packet;
  key.fill(0, firstHeaderWord);
  packet.l3 = 0;
  packet.l4 = 0;
  if (b.length < 14) return;
  key[W.ethDst] = readU16(b, 0);
  key[W.ethDst + 1] = readU32(b, 2);
  key[W.ethSrc] = readU16(b, 6);
  key[W.ethSrc + 1] = readU32(b, 8);
  let type = readU16(b, 12);
  let at = 14;
  if ((type === ethType.vlan || type === ethType.qinq) && b.length >= 18) {
    key[W.vlan] = readU16(b, 14) | 0x1000;
    type = readU16(b, 16);
    at = 18;
  }
  // A length instead of a type: IEEE 802.2 (OFP_DL_TYPE_NOT_ETH_TYPE), unless a SNAP header holds the type.
  if (type < 0x600) {
    const isSnap = b.length >= at + 8 && readU32(b, at) === 0xaaaa0300 && b[at + 4] === 0 && b[at + 5] === 0;
    type = isSnap ? readU16(b, at + 6) : ethType.none;
    if (isSnap) at += 8;
  }
  key[W.ethType] = type;
  packet.l3 = at;
  if (type === ethType.ipv4) readIpv4(packet, at);
  else if (type === ethType.ipv6) readIpv6(packet, at);
  else if (type === ethType.arp) readArp(packet, at);
}

function readArp({ bytes: b, key }: Packet, at: number): void {
  // Ethernet and IPv4 only.
  if (b.length < at + 28 || readU32(b, at) !== 0x00010800 || readU16(b, at + 4) !== 0x0604) return;
  const operation = readU16(b, at + 6);
  key[W.nwMisc] = operation <= 0xff ? operation : 0;
  key[W.arpSha] = readU16(b, at + 8);
  key[W.arpSha + 1] = readU32(b, at + 10);
  key[W.nwSrc] = readU32(b, at + 14);
  key[W.arpTha] = readU16(b, at + 18);
  key[W.arpTha + 1] = readU32(b, at + 20);
  key[W.nwDst] = readU32(b, at + 24);
}

function readIpv4(packet: Packet, at: number): void {
  const { bytes: b, key } = packet;
  if (b.length < at + 20) return;
  const headerSize = ((b[at] ?? 0) & 15) * 4;
  const totalSize = readU16(b, at + 2);
  if (headerSize < 20 || totalSize < headerSize || b.length < at + totalSize) return;
  const fragment = readU16(b, at + 6);
  const frag = (fragment & 0x3fff) === 0 ? 0 : (fragment & 0x1fff) === 0 ? fragAny : fragAny | fragLater;
  const proto = b[at + 9] ?? 0;
  key[W.nwSrc] = readU32(b, at + 12);
  key[W.nwDst] = readU32(b, at + 16);
  key[W.nwMisc] = (proto << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 8] ?? 0) << 8) | frag;
  if ((frag & fragLater) === 0) readTransport(packet, proto, at + headerSize, at + totalSize);
}

function readIpv6(packet: Packet, at: number): void {
  const { bytes: b, key } = packet;
  if (b.length < at + 40) return;
  const first = readU32(b, at);
  const end = at + 40 + readU16(b, at + 4);
  // The version is the Ethernet type's to say, to OVS: neither here nor for IPv4 is it looked at.
  if (b.length < end) return;
  for (let i = 0; i < 8; i++) key[W.ipv6Src + i] = readU32(b, at + 8 + 4 * i);
  key[W.ipv6Label] = first & 0xfffff;
  let proto = b[at + 6] ?? 0;
  let next = at + 40;
  let frag = 0;
  // Extension headers (RFC 8200, section 4): hop-by-hop, routing, destination options, authentication, fragment.
  while (next + 8 <= end) {
    if (proto === 0 || proto === 43 || proto === 60) {
      const size = 8 + (b[next + 1] ?? 0) * 8;
      proto = b[next] ?? 0;
      next += size;
    } else if (proto === 51) {
      const size = ((b[next + 1] ?? 0) + 2) * 4;
      proto = b[next] ?? 0;
      next += size;
    } else if (proto === 44) {
      const fragment = readU16(b, next + 2);
      proto = b[next] ?? 0;
      next += 8;
      if ((fragment & 0xfff9) !== 0) frag = (fragment & 0xfff8) === 0 ? fragAny : fragAny | fragLater;
      if ((frag & fragLater) !== 0) break;
    } else break;
  }
  key[W.nwMisc] = (proto << 24) | (((first >>> 20) & 0xff) << 16) | ((b[at + 7] ?? 0) << 8) | frag;
  if ((frag & fragLater) === 0) readTransport(packet, proto, next, end);
}

function readTransport(packet: Packet, proto: number, at: number, end: number): void {
  const { bytes: b, key } = packet;
  const size = end - at;
  if (proto === ipProto.tcp && size >= 20) {
    // A header that says to be shorter than one can be, or longer than the packet, is none.
    const headerSize = ((b[at + 12] ?? 0) >>> 4) * 4;
    if (headerSize < 20 || headerSize > size) return;
    key[W.tpPorts] = readU32(b, at);
    key[W.tcpFlags] = readU16(b, at + 12) & 0xfff;
  } else if ((proto === ipProto.udp && size >= 8) || (proto === ipProto.sctp && size >= 12)) key[W.tpPorts] = readU32(b, at);
  else if ((proto === ipProto.icmp && key[W.ethType] === ethType.ipv4 && size >= 8) || (proto === ipProto.igmp && size >= 8)) {
    key[W.tpPorts] = ((b[at] ?? 0) << 16) | (b[at + 1] ?? 0);
  } else if (proto === ipProto.icmpv6 && key[W.ethType] === ethType.ipv6 && size >= 4) readIcmpv6(packet, at, end);
  else return;
  packet.l4 = at;
}

function readIcmpv6({ bytes: b, key }: Packet, at: number, end: number): void {
  const type = b[at] ?? 0;
  const code = b[at + 1] ?? 0;
  key[W.tpPorts] = (type << 16) | code;
  // Neighbour solicitation and advertisement (RFC 4861, sections 4.3 and 4.4).
  if ((type !== 135 && type !== 136) || code !== 0 || end - at < 24) return;
  key[W.ndReserved] = readU32(b, at + 4);
  for (let i = 0; i < 4; i++) key[W.ndTarget + i] = readU32(b, at + 8 + 4 * i);
  let option = at + 24;
  while (option + 8 <= end) {
    const size = (b[option + 1] ?? 0) * 8;
    if (size === 0 || option + size > end) return;
    const kind = b[option] ?? 0;
    const word = kind === 1 ? W.arpSha : kind === 2 ? W.arpTha : -1;
    if (word >= 0 && size === 8) {
      key[word] = readU16(b, option + 2);
      key[word + 1] = readU32(b, option + 4);
      key[W.ndOptionsType] = kind;
    }
    option += size;
  }
}
