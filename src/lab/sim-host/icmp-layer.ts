/** ICMP and ICMPv6 of a machine: echoes answered, errors told to whoever sent the packet they are about, and those it sends itself. */
import type { Ipv6, Mac } from "../../net/index.ts";
import {
  icmpv4Message, icmpv4Type, icmpv4Unreachable, icmpv6Message, icmpv6Type, icmpv6Unreachable, ipProtocol, isChecksumRight, isIcmpv6Intact, type Nd, parseIcmpv4,
  parseIcmpv6, parseNd, readU32,
} from "../../packet/index.ts";
import type { Device } from "./device.ts";
import type { DeliveryError, Inbound, IpCore } from "./ip-core.ts";
import type { NetworkState } from "./network-state.ts";

type Discover = (device: Device, nd: Nd, src: Ipv6, srcMac: Mac) => void;

const errorTypes: ReadonlySet<number> = new Set([icmpv4Type.unreachable, icmpv4Type.timeExceeded, icmpv4Type.redirect, icmpv4Type.parameterProblem]);

export class IcmpLayer {
  readonly #ip: IpCore;
  readonly #network: NetworkState;
  readonly #discover: Discover;
  readonly #listeners = new Set<(error: DeliveryError) => void>();

  /** `discover`: takes neighbor and router discovery. */
  constructor(ip: IpCore, network: NetworkState, discover: Discover) {
    this.#ip = ip;
    this.#discover = discover;
    this.#network = network;
  }

  onError(listen: (error: DeliveryError) => void): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  tellError(error: DeliveryError): void {
    for (const listen of [...this.#listeners]) listen(error);
  }

  /** ICMP's answer to what nobody here wants; never about broadcasts, and TCP says it by itself. */
  refuse({ src, dst, protocol, packet }: Inbound): void {
    if (!this.#network.isOwn(dst) || protocol === ipProtocol.tcp || protocol === ipProtocol.igmp) return;
    if (src.family === 4) {
      const code = protocol === ipProtocol.udp ? icmpv4Unreachable.port : icmpv4Unreachable.protocol;
      this.#ip.send(src, ipProtocol.icmp, icmpv4Message({ type: icmpv4Type.unreachable, code, word: 0, data: packet.subarray(0, 548) }), { src: dst });
    } else if (dst.family === 6 && src.address !== 0n) {
      const body = new Uint8Array(4 + Math.min(packet.length, 1232));
      body.set(packet.subarray(0, 1232), 4);
      this.#ip.send(src, ipProtocol.icmpv6, icmpv6Message({ type: icmpv6Type.unreachable, code: icmpv6Unreachable.port, body }, dst.address, src.address), { src: dst });
    }
  }

  receiveIcmpv4(inbound: Inbound): void {
    const icmp = isChecksumRight(inbound.payload) ? parseIcmpv4(inbound.payload) : undefined;
    if (icmp === undefined) return;
    if (icmp.type === icmpv4Type.echoRequest) {
      const own = this.#network.isOwn(inbound.dst) ? inbound.dst : undefined;
      this.#ip.send(inbound.src, ipProtocol.icmp, icmpv4Message({ ...icmp, type: icmpv4Type.echoReply }), own === undefined ? {} : { src: own, dontFragment: false });
    } else if (icmp.type === icmpv4Type.echoReply) this.#ip.handOn(ipProtocol.icmp, inbound);
    else if (errorTypes.has(icmp.type)) this.tellError({ from: inbound.src, type: icmp.type, code: icmp.code, word: icmp.word, original: icmp.data });
  }

  receiveIcmpv6(inbound: Inbound): void {
    const { src, dst, payload } = inbound;
    if (src.family !== 6 || dst.family !== 6 || !isIcmpv6Intact(payload, src.address, dst.address)) return;
    const icmp = parseIcmpv6(payload);
    if (icmp === undefined) return;
    if (icmp.type === icmpv6Type.echoRequest) {
      const own = this.#network.isOwn(dst) ? dst : this.#network.sourceFor(src, { device: inbound.device.name });
      if (own?.family !== 6) return;
      this.#ip.send(src, ipProtocol.icmpv6, icmpv6Message({ ...icmp, type: icmpv6Type.echoReply }, own.address, src.address), { src: own });
    } else if (icmp.type === icmpv6Type.echoReply) this.#ip.handOn(ipProtocol.icmpv6, inbound);
    else if (icmp.type < 128) this.tellError({ from: src, type: icmp.type, code: icmp.code, word: readU32(icmp.body, 0), original: icmp.body.subarray(4) });
    else if (inbound.ttl === 255) {
      const nd = parseNd(icmp.type, icmp.body);
      if (nd !== undefined) this.#discover(inbound.device, nd, src.address, inbound.srcMac);
    }
  }
}
