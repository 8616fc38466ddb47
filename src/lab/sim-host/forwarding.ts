/**
 * What a router does with a packet that is for someone else (RFC 1812, section 5.2): counts its time to live down, sends it to the
 * next hop that its flow's hash chooses, or tells its sender why it cannot.
 */
import type { Ip } from "../../net/index.ts";
import {
  icmpv4Message, icmpv4Type, icmpv4Unreachable, icmpv6Message, icmpv6Type, icmpv6Unreachable, ip4, ip6, ipProtocol, type Ipv4Header, type Ipv6Header,
  readU16, updateChecksum, writeU16,
} from "../../packet/index.ts";
import { flowHash } from "./flow-hash.ts";
import type { IpCore } from "./ip-core.ts";
import { fragmentIpv4 } from "./ip-packets.ts";
import type { NetworkState } from "./network-state.ts";

export class Forwarding {
  readonly #ip: IpCore;
  readonly #network: NetworkState;
  readonly counters = { forwarded: 0, expired: 0, unreachable: 0, tooBig: 0 };

  constructor(ip: IpCore, network: NetworkState) {
    this.#ip = ip;
    this.#network = network;
  }

  forwardIpv4(h: Ipv4Header, packet: Uint8Array): void {
    if (h.ttl <= 1) {
      this.counters.expired++;
      return this.#tell(packet, ip4(h.src), icmpv4Type.timeExceeded, 0, 0);
    }
    const dst = ip4(h.dst);
    const next = this.#network.routeTo(dst, { hash: flowHash(packet, this.#ip.settings.hashSeed) });
    const device = next === undefined ? undefined : this.#ip.devices.get(next.device);
    if (next === undefined || device === undefined) {
      this.counters.unreachable++;
      return this.#tell(packet, ip4(h.src), icmpv4Type.unreachable, icmpv4Unreachable.network, 0);
    }
    if (h.totalSize > device.mtu && h.dontFragment) {
      this.counters.tooBig++;
      return this.#tell(packet, ip4(h.src), icmpv4Type.unreachable, icmpv4Unreachable.fragmentationNeeded, device.mtu);
    }
    this.counters.forwarded++;
    const out = new Uint8Array(packet);
    out[8] = h.ttl - 1;
    writeU16(out, 10, updateChecksum(readU16(packet, 10), readU16(packet, 8), readU16(out, 8)));
    const unreachable = (): void => this.#tell(packet, ip4(h.src), icmpv4Type.unreachable, icmpv4Unreachable.host, 0);
    for (const piece of h.totalSize > device.mtu ? fragmentIpv4(out, device.mtu) : [out]) this.#ip.sendTo(device, next.via ?? dst, piece, unreachable);
  }

  forwardIpv6(h: Ipv6Header, packet: Uint8Array): void {
    const [src, dst] = [ip6(h.src), ip6(h.dst)];
    // What means something on one link only stays there.
    if (h.src === 0n || h.dst >> 118n === 0x3fan || h.src >> 118n === 0x3fan) return;
    if (h.hopLimit <= 1) {
      this.counters.expired++;
      return this.#tell(packet, src, icmpv6Type.timeExceeded, 0, 0);
    }
    const next = this.#network.routeTo(dst, { hash: flowHash(packet, this.#ip.settings.hashSeed) });
    const device = next === undefined ? undefined : this.#ip.devices.get(next.device);
    if (next === undefined || device === undefined) {
      this.counters.unreachable++;
      return this.#tell(packet, src, icmpv6Type.unreachable, 0, 0);
    }
    if (packet.length > device.mtu) {
      this.counters.tooBig++;
      return this.#tell(packet, src, icmpv6Type.packetTooBig, 0, device.mtu);
    }
    this.counters.forwarded++;
    const out = new Uint8Array(packet);
    out[7] = h.hopLimit - 1;
    this.#ip.sendTo(device, next.via ?? dst, out, () => this.#tell(packet, src, icmpv6Type.unreachable, icmpv6Unreachable.address, 0));
  }

  /** Never about an ICMP error, nor about what was for many (RFC 1812, section 4.3.2.7; RFC 4443, section 2.4). */
  #tell(packet: Uint8Array, to: Ip, type: number, code: number, word: number): void {
    if (isAboutError(packet)) return;
    const src = this.#network.sourceFor(to);
    if (to.family === 4) {
      if (to.address === 0) return;
      this.#ip.send(to, ipProtocol.icmp, icmpv4Message({ type, code, word, data: packet.subarray(0, 548) }));
    } else if (src?.family === 6) {
      const body = new Uint8Array(4 + Math.min(packet.length, 1232));
      body.set([word >>> 24, word >>> 16, word >>> 8, word]);
      body.set(packet.subarray(0, 1232), 4);
      this.#ip.send(to, ipProtocol.icmpv6, icmpv6Message({ type, code, body }, src.address, to.address), { src });
    }
  }
}

function isAboutError(packet: Uint8Array): boolean {
  if ((packet[0] ?? 0) >>> 4 === 6) return packet[6] === ipProtocol.icmpv6 && (packet[40] ?? 0) < 128;
  const at = ((packet[0] ?? 0) & 15) * 4;
  const type = packet[at] ?? 0;
  return (readU16(packet, 6) & 0x1fff) !== 0 || (packet[9] === ipProtocol.icmp && type !== icmpv4Type.echoRequest && type !== icmpv4Type.echoReply);
}
