/**
 * A frame that reads as a given flow key: for packets that are described rather than given. What no field says is zero;
 * protocols that carry anything get as many bytes of payload as are asked for, counted up from 0.
 */
import { ipv4Of, ipv6Of, macOf } from "../../net/index.ts";
import { arpFrame, checksum, concatenate, ethernetFrame, fillChecksum, ip4, ip6, pseudoHeaderSum, writeU16, writeU32 } from "../../packet/index.ts";
import { fragAny, fragLater, type FlowKey, W } from "../flow/flow-key.ts";
import { ethType, ipProto } from "./packet.ts";

const mac = (key: FlowKey, word: number) => macOf(((key[word] ?? 0) & 0xffff) * 2 ** 32 + (key[word + 1] ?? 0));
const wide = (key: FlowKey, word: number) => ipv6Of([0, 1, 2, 3].reduce((sum, i) => (sum << 32n) | BigInt(key[word + i] ?? 0), 0n));

export function composeFrame(key: FlowKey, payloadSize: number): Uint8Array {
  const type = key[W.ethType] ?? 0;
  const tci = key[W.vlan] ?? 0;
  const addresses = { dst: mac(key, W.ethDst), src: mac(key, W.ethSrc) };
  const tagged = (frame: Uint8Array): Uint8Array => (tci === 0 ? frame : concatenate(frame.subarray(0, 12), Uint8Array.of(0x81, 0x00, (tci >>> 8) & 0xef, tci & 0xff), frame.subarray(12)));
  switch (type) {
    // IEEE 802.3: the size in place of a type.
    case ethType.none:
      return ethernetFrame(addresses, 14, new Uint8Array(0));
    case ethType.ipv4:
      return tagged(ethernetFrame(addresses, type, ipv4(key, payloadSize)));
    case ethType.ipv6:
      return tagged(ethernetFrame(addresses, type, ipv6(key, payloadSize)));
    case ethType.arp:
      return tagged(arpFrame(addresses, {
        operation: (key[W.nwMisc] ?? 0) & 0xffff, senderMac: mac(key, W.arpSha), senderIp: ipv4Of(key[W.nwSrc] ?? 0), targetMac: mac(key, W.arpTha),
        targetIp: ipv4Of(key[W.nwDst] ?? 0),
      }));
    default:
      return tagged(ethernetFrame(addresses, type, new Uint8Array(0)));
  }
}

/** The frame made longer, to `size` bytes, with its sizes and checksums set right again. */
export function expandFrame(frame: Uint8Array, key: FlowKey, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(frame);
  const at = key[W.vlan] === 0 ? 14 : 18;
  if (key[W.ethType] === ethType.none) writeU16(out, 12, size);
  else if (key[W.ethType] === ethType.ipv4) {
    writeU16(out, at + 2, size - at);
    writeU16(out, at + 10, 0);
    writeU16(out, at + 10, checksum(out.subarray(at, at + 20)));
    finishTransport(out.subarray(at + 20), key);
  } else if (key[W.ethType] === ethType.ipv6) {
    writeU16(out, at + 4, size - at - 40);
    finishTransport(out.subarray(at + 40), key);
  }
  return out;
}

function ipv4(key: FlowKey, payloadSize: number): Uint8Array {
  const misc = key[W.nwMisc] ?? 0;
  const upper = transport(key, payloadSize);
  const b = new Uint8Array(20 + upper.length);
  b[0] = 0x45;
  b[1] = misc >>> 16;
  writeU16(b, 2, b.length);
  if ((misc & fragAny) !== 0) writeU16(b, 6, 0x2000 | ((misc & fragLater) !== 0 ? 100 : 0));
  b[8] = misc >>> 8;
  b[9] = misc >>> 24;
  writeU32(b, 12, key[W.nwSrc] ?? 0);
  writeU32(b, 16, key[W.nwDst] ?? 0);
  writeU16(b, 10, checksum(b.subarray(0, 20)));
  b.set(upper, 20);
  return b;
}

function ipv6(key: FlowKey, payloadSize: number): Uint8Array {
  const misc = key[W.nwMisc] ?? 0;
  const upper = transport(key, payloadSize);
  const b = new Uint8Array(40 + upper.length);
  writeU32(b, 0, (0x60000000 | (((misc >>> 16) & 0xff) << 20) | (key[W.ipv6Label] ?? 0)) >>> 0);
  writeU16(b, 4, upper.length);
  b[6] = misc >>> 24;
  b[7] = misc >>> 8;
  for (let i = 0; i < 8; i++) writeU32(b, 8 + 4 * i, key[W.ipv6Src + i] ?? 0);
  b.set(upper, 40);
  return b;
}

const countedUp = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i & 0xff);
const isEcho = (proto: number, type: number): boolean => (proto === ipProto.icmp ? type === 8 || type === 0 : type === 128 || type === 129);

function transport(key: FlowKey, payloadSize: number): Uint8Array {
  const misc = key[W.nwMisc] ?? 0;
  const ports = key[W.tpPorts] ?? 0;
  if ((misc & fragLater) !== 0) return new Uint8Array(0);
  const b = transportHeader(key, misc >>> 24, ports, payloadSize);
  finishTransport(b, key);
  return b;
}

function transportHeader(key: FlowKey, proto: number, ports: number, payloadSize: number): Uint8Array {
  const headed = (size: number, hasPayload: boolean): Uint8Array => concatenate(new Uint8Array(size), countedUp(hasPayload ? payloadSize : 0));
  switch (proto) {
    case ipProto.tcp: {
      const flags = key[W.tcpFlags] ?? 0;
      // A segment that opens or ends a connection carries nothing.
      const b = headed(20, (flags & 7) === 0);
      writeU32(b, 0, ports);
      writeU16(b, 12, (5 << 12) | flags);
      return b;
    }
    case ipProto.udp: {
      const b = headed(8, true);
      writeU32(b, 0, ports);
      writeU16(b, 4, b.length);
      return b;
    }
    case ipProto.sctp: {
      const b = headed(12, false);
      writeU32(b, 0, ports);
      return b;
    }
    case ipProto.icmp:
    case ipProto.igmp:
    case ipProto.icmpv6: {
      const [type, code] = [(ports >>> 16) & 0xff, ports & 0xff];
      const isNeighbour = proto === ipProto.icmpv6 && code === 0 && (type === 135 || type === 136);
      const b = isNeighbour ? neighbour(key) : headed(8, code === 0 && isEcho(proto, type));
      b[0] = type;
      b[1] = code;
      return b;
    }
    default:
      return new Uint8Array(0);
  }
}

function neighbour(key: FlowKey): Uint8Array {
  const option = (type: number, word: number): Uint8Array => {
    const b = new Uint8Array(8);
    b[0] = type;
    b[1] = 1;
    writeU16(b, 2, key[word] ?? 0);
    writeU32(b, 4, key[word + 1] ?? 0);
    return mac(key, word) === 0 ? new Uint8Array(0) : b;
  };
  const b = new Uint8Array(24);
  writeU32(b, 4, key[W.ndReserved] ?? 0);
  for (let i = 0; i < 4; i++) writeU32(b, 8 + 4 * i, key[W.ndTarget + i] ?? 0);
  return concatenate(b, option(1, W.arpSha), option(2, W.arpTha));
}

/** UDP's size and all checksums, over what is there now. */
function finishTransport(b: Uint8Array, key: FlowKey): void {
  const misc = key[W.nwMisc] ?? 0;
  if ((misc & fragLater) !== 0) return;
  const proto = misc >>> 24;
  const isV6 = key[W.ethType] === ethType.ipv6;
  const at = proto === ipProto.tcp ? 16 : proto === ipProto.udp ? 6 : proto === ipProto.icmp || proto === ipProto.igmp || proto === ipProto.icmpv6 ? 2 : -1;
  if (at < 0 || b.length < at + 2) return;
  if (proto === ipProto.udp) writeU16(b, 4, b.length);
  const [src, dst] = isV6 ? [ip6(wide(key, W.ipv6Src)), ip6(wide(key, W.ipv6Dst))] : [ip4(ipv4Of(key[W.nwSrc] ?? 0)), ip4(ipv4Of(key[W.nwDst] ?? 0))];
  writeU16(b, at, 0);
  const hasPseudoHeader = proto === ipProto.tcp || proto === ipProto.udp || proto === ipProto.icmpv6;
  fillChecksum(b, at, hasPseudoHeader ? pseudoHeaderSum(src, dst, proto, b.length) : 0, proto === ipProto.udp);
}

