/**
 * Writing header fields into a packet's bytes. The key says what they are to be; this brings the bytes into line, with
 * checksums adjusted by the difference (RFC 1624), so that a checksum that was wrong before is still wrong afterwards.
 */
import { crc32c, readU16, readU32, updateChecksum32, writeU16, writeU32 } from "../../packet/index.ts";
import { W } from "../flow/flow-key.ts";
import { ethType, ipProto, type Packet } from "./packet.ts";

/** `masks` bits of the key's `words` become `values`, in the key and in the bytes. */
export function writeHeaders(packet: Packet, words: readonly number[], masks: readonly number[], values: readonly number[]): void {
  const { key } = packet;
  let touchesEthernet = false;
  let touchesNetwork = false;
  let touchesTransport = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    const mask = masks[i] as number;
    key[word] = ((key[word] as number) & ~mask) | (values[i] as number);
    if (word < W.ethDst) continue;
    if (word < W.vlan) touchesEthernet = true;
    else if (word < W.arpSha) touchesNetwork = true;
    else touchesTransport = true;
  }
  if (touchesEthernet) writeEthernet(packet);
  const isArp = key[W.ethType] === ethType.arp;
  if (touchesNetwork || (touchesTransport && isArp)) writeNetwork(packet);
  if (touchesTransport && !isArp) writeTransport(packet);
}

function writeEthernet(packet: Packet): void {
  if (packet.bytes.length < 12) return;
  const b = packet.own();
  const { key } = packet;
  writeU16(b, 0, key[W.ethDst] as number);
  writeU32(b, 2, key[W.ethDst + 1] as number);
  writeU16(b, 6, key[W.ethSrc] as number);
  writeU32(b, 8, key[W.ethSrc + 1] as number);
}

function writeNetwork(packet: Packet): void {
  switch (packet.key[W.ethType]) {
    case ethType.ipv4:
      return writeIpv4(packet);
    case ethType.ipv6:
      return writeIpv6(packet);
    case ethType.arp:
      return writeArp(packet);
    default:
  }
}

function writeArp(packet: Packet): void {
  const at = packet.l3;
  if (packet.bytes.length < at + 28) return;
  const b = packet.own();
  const { key } = packet;
  writeU16(b, at + 6, (key[W.nwMisc] as number) & 0xffff);
  writeU16(b, at + 8, key[W.arpSha] as number);
  writeU32(b, at + 10, key[W.arpSha + 1] as number);
  writeU32(b, at + 14, key[W.nwSrc] as number);
  writeU16(b, at + 18, key[W.arpTha] as number);
  writeU32(b, at + 20, key[W.arpTha + 1] as number);
  writeU32(b, at + 24, key[W.nwDst] as number);
}

function writeIpv4(packet: Packet): void {
  const at = packet.l3;
  if (packet.bytes.length < at + 20 || packet.key[W.nwMisc] === 0) return;
  const b = packet.own();
  const { key } = packet;
  const misc = key[W.nwMisc] as number;
  const before = ((readU16(b, at) << 16) | readU16(b, at + 8)) >>> 0;
  b[at + 1] = misc >>> 16;
  b[at + 8] = misc >>> 8;
  let sum = readU16(b, at + 10);
  sum = updateChecksum32(sum, before, ((readU16(b, at) << 16) | readU16(b, at + 8)) >>> 0);
  const checksumAt = transportChecksumAt(packet);
  for (let i = 0; i < 2; i++) {
    const old = readU32(b, at + 12 + 4 * i);
    const value = key[W.nwSrc + i] as number;
    if (old === value) continue;
    writeU32(b, at + 12 + 4 * i, value);
    sum = updateChecksum32(sum, old, value);
    if (checksumAt > 0) adjustAt(packet, checksumAt, old, value);
  }
  writeU16(b, at + 10, sum);
}

function writeIpv6(packet: Packet): void {
  const at = packet.l3;
  if (packet.bytes.length < at + 40) return;
  const b = packet.own();
  const { key } = packet;
  const misc = key[W.nwMisc] as number;
  // The version stays as it came.
  writeU32(b, at, ((readU32(b, at) & 0xf0000000) | (((misc >>> 16) & 0xff) << 20) | ((key[W.ipv6Label] as number) & 0xfffff)) >>> 0);
  b[at + 7] = misc >>> 8;
  const checksumAt = transportChecksumAt(packet);
  for (let i = 0; i < 8; i++) {
    const old = readU32(b, at + 8 + 4 * i);
    const value = key[W.ipv6Src + i] as number;
    if (old === value) continue;
    writeU32(b, at + 8 + 4 * i, value);
    if (checksumAt > 0) adjustAt(packet, checksumAt, old, value);
  }
}

function writeTransport(packet: Packet): void {
  const at = packet.l4;
  if (at === 0) return;
  const b = packet.own();
  const { key } = packet;
  const proto = (key[W.nwMisc] as number) >>> 24;
  const ports = key[W.tpPorts] as number;
  const checksumAt = transportChecksumAt(packet);
  const write = (offset: number, value: number): void => {
    const old = readU32(b, offset);
    if (old === value) return;
    writeU32(b, offset, value);
    if (checksumAt > 0) adjustAt(packet, checksumAt, old, value);
  };
  if (proto === ipProto.icmp || proto === ipProto.icmpv6) {
    const old = readU16(b, at);
    b[at] = ports >>> 16;
    b[at + 1] = ports;
    if (proto === ipProto.icmp) writeU16(b, at + 2, updateChecksum32(readU16(b, at + 2), old, readU16(b, at)));
    else if (checksumAt > 0) adjustAt(packet, checksumAt, old, readU16(b, at));
    if (proto === ipProto.icmpv6) writeNeighbour(packet, write);
  } else if (proto === ipProto.sctp) writeSctpPorts(packet, ports);
  else write(at, ports);
}

/** SCTP's checksum is not one of differences: a wrong one is kept wrong by what it was wrong by. */
function writeSctpPorts({ bytes: b, key, l3, l4 }: Packet, ports: number): void {
  const end = key[W.ethType] === ethType.ipv4 ? l3 + readU16(b, l3 + 2) : l3 + 40 + readU16(b, l3 + 4);
  const whole = b.subarray(l4, Math.min(end, b.length));
  const before = readU32(b, l4 + 8);
  writeU32(b, l4 + 8, 0);
  const right = crc32c(whole);
  writeU32(b, l4, ports);
  writeU32(b, l4 + 8, (before ^ right ^ crc32c(whole)) >>> 0);
}

function writeNeighbour(packet: Packet, write: (offset: number, value: number) => void): void {
  const { key, bytes: b, l4: at } = packet;
  const type = b[at];
  if ((type !== 135 && type !== 136) || b.length < at + 24) return;
  write(at + 4, key[W.ndReserved] as number);
  for (let i = 0; i < 4; i++) write(at + 8 + 4 * i, key[W.ndTarget + i] as number);
  for (let option = at + 24; option + 8 <= b.length; ) {
    const size = (b[option + 1] ?? 0) * 8;
    if (size === 0) return;
    const word = b[option] === 1 ? W.arpSha : b[option] === 2 ? W.arpTha : -1;
    if (word >= 0 && size === 8) {
      write(option, ((readU16(b, option) << 16) | (key[word] as number)) >>> 0);
      write(option + 4, key[word + 1] as number);
    }
    option += size;
  }
}

/** Where the checksum over pseudo header and payload is; 0 if the packet has none here. */
function transportChecksumAt({ key, bytes, l4 }: Packet): number {
  if (l4 === 0) return 0;
  switch ((key[W.nwMisc] as number) >>> 24) {
    case ipProto.tcp:
      return bytes.length >= l4 + 20 ? l4 + 16 : 0;
    case ipProto.udp:
      // Zero: the sender made none (IPv4 only).
      return bytes.length >= l4 + 8 && readU16(bytes, l4 + 6) !== 0 ? l4 + 6 : 0;
    case ipProto.icmpv6:
      return l4 + 2;
    default:
      return 0;
  }
}

function adjustAt({ bytes, key }: Packet, at: number, old: number, value: number): void {
  const sum = updateChecksum32(readU16(bytes, at), old, value);
  writeU16(bytes, at, sum === 0 && (key[W.nwMisc] as number) >>> 24 === ipProto.udp ? 0xffff : sum);
}

/** The tag becomes `tci`; 0: there is none. */
export function writeVlan(packet: Packet, tci: number, tpid: number): void {
  const b = packet.bytes;
  if (b.length < 14) return;
  const has = (packet.key[W.vlan] as number) !== 0;
  if (tci === 0) {
    if (!has || b.length < 18) return;
    const out = new Uint8Array(b.length - 4);
    out.set(b.subarray(0, 12));
    out.set(b.subarray(16), 12);
    packet.replace(out);
    shift(packet, -4);
  } else if (has) writeU16(packet.own(), 14, tci & 0xefff);
  else pushVlan(packet, tci, tpid);
  packet.key[W.vlan] = tci;
}

export function pushVlan(packet: Packet, tci: number, tpid: number): void {
  const b = packet.bytes;
  const out = new Uint8Array(b.length + 4);
  out.set(b.subarray(0, 12));
  writeU16(out, 12, tpid);
  writeU16(out, 14, tci & 0xefff);
  out.set(b.subarray(12), 16);
  packet.replace(out);
  shift(packet, 4);
  packet.key[W.vlan] = tci;
}

function shift(packet: Packet, by: number): void {
  packet.l3 += by;
  if (packet.l4 !== 0) packet.l4 += by;
}
