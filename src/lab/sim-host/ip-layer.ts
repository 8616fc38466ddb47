/**
 * A machine's network layer: frames in and out of its devices, packets for itself handed up by protocol, packets of its own sent to
 * the next hop, and, where it forwards, those of others.
 */
import type { Clock } from "../../host/index.ts";
import { type Ip, isLinkLocalIpv6, isMulticastIpv4, isMulticastIpv6, isMulticastMac, type Mac, macBroadcast } from "../../net/index.ts";
import {
  ethernetFrame, ethernetSize, etherType, findUpperLayer, icmpv4Type, icmpv4Unreachable, icmpv6Type, icmpv6Unreachable, ip4, ip6, ipProtocol,
  type Ipv4Header, ipv6Size, isIpv4Intact, parseEthernet, parseIpv4Header, parseIpv6Header, sizeofIpv4,
} from "../../packet/index.ts";
import { AddressResolution, type DiscoveryListener, groupMac } from "./address-resolution.ts";
import { Device, type DeviceOptions } from "./device.ts";
import { flowHash } from "./flow-hash.ts";
import { Forwarding } from "./forwarding.ts";
import { IcmpLayer } from "./icmp-layer.ts";
import { ipPackets } from "./ip-packets.ts";
import type { DeliveryError, Inbound, IpCore, IpSettings, SendOptions, SendResult } from "./ip-core.ts";
import type { NetworkState } from "./network-state.ts";
import { Reassembly } from "./reassembly.ts";

export class IpLayer implements IpCore {
  readonly clock: Clock;
  readonly resolution: AddressResolution;
  readonly icmp: IcmpLayer;
  readonly forwarding: Forwarding;
  readonly settings: IpSettings = { forwards: false, defaultTtl: 64, hashSeed: 0 };
  readonly #network: NetworkState;
  readonly #devices = new Map<string, Device>();
  readonly #protocols = new Map<number, (inbound: Inbound) => boolean>();
  readonly #reassembly: Reassembly;
  #identification = 1;

  constructor(clock: Clock, network: NetworkState) {
    this.clock = clock;
    this.#network = network;
    this.resolution = new AddressResolution(this, network);
    this.icmp = new IcmpLayer(this, network, (device, nd, src, srcMac) => this.resolution.receiveNd(device, nd, src, srcMac));
    this.forwarding = new Forwarding(this, network);
    this.#reassembly = new Reassembly(clock);
  }

  get devices(): ReadonlyMap<string, Device> {
    return this.#devices;
  }

  addDevice(options: DeviceOptions): Device {
    const device = new Device(this.clock, this.#devices.size + 2, options, {
      receive: (on, frame) => this.#receive(on, frame),
      ask: (on, ip, mac) => this.resolution.ask(on, ip, mac),
    });
    this.#devices.set(device.name, device);
    return device;
  }

  /** `handle` answers whether anyone wanted it; if not, the sender hears that the port or protocol is unreachable. */
  onProtocol(protocol: number, handle: (inbound: Inbound) => boolean): void {
    this.#protocols.set(protocol, handle);
  }

  handOn(protocol: number, inbound: Inbound): void {
    this.#protocols.get(protocol)?.(inbound);
  }

  onError(listen: (error: DeliveryError) => void): () => void {
    return this.icmp.onError(listen);
  }

  /** Neighbor and router discovery, after this layer has learnt from it. */
  onDiscovery(listen: DiscoveryListener): void {
    this.resolution.onDiscovery(listen);
  }

  /** The most that fits into one packet to `dst`. */
  mtuTo(dst: Ip): number {
    const next = this.#network.routeTo(dst);
    return (next === undefined ? undefined : this.#devices.get(next.device))?.mtu ?? [...this.#devices.values()][0]?.mtu ?? 1500;
  }

  /** Sends `payload`; its checksum, if it has one, is the caller's. */
  send(dst: Ip, protocol: number, payload: Uint8Array, options: SendOptions = {}): SendResult {
    const src = options.src ?? this.#network.sourceFor(dst, options);
    if (src === undefined || src.family !== dst.family) return "unreachable";
    const isLocal = this.#network.isOwn(dst);
    const device = this.#deviceTo(dst, src, options.device);
    this.#identification = (this.#identification + 1) & 0xffff;
    const fields = { src, dst, protocol, ttl: options.ttl ?? this.settings.defaultTtl, dontFragment: options.dontFragment, identification: this.#identification };
    const packets = ipPackets(fields, payload, isLocal ? 65535 : (device?.mtu ?? this.mtuTo(dst)));
    if (packets === undefined) return "too-big";
    for (const packet of packets) {
      if (isLocal) this.#deliverLocally(dst, packet);
      else if (!this.#route(dst, packet, device)) return "unreachable";
    }
    return "sent";
  }

  #deliverLocally(dst: Ip, packet: Uint8Array): void {
    const device = this.#devices.get(this.#network.deviceOf(dst) ?? "") ?? [...this.#devices.values()][0];
    if (device !== undefined) this.clock.after(0, () => this.#receiveIp(device, packet, dst.family === 4 ? etherType.ipv4 : etherType.ipv6, device.mac));
  }

  /** The device that the destination's kind or the caller commands; undefined: the routes decide. */
  #deviceTo(dst: Ip, src: Ip, wanted: string | undefined): Device | undefined {
    if (wanted !== undefined) return this.#devices.get(wanted);
    const isOnLink = groupMac(dst) !== undefined || (dst.family === 6 && isLinkLocalIpv6(dst.address));
    if (!isOnLink) return undefined;
    return this.#devices.get(this.#network.deviceOf(src) ?? "") ?? [...this.#devices.values()][0];
  }

  /** Puts an IP packet on its way to `dst`; false if there is none. */
  #route(dst: Ip, packet: Uint8Array, wanted: Device | undefined): boolean {
    const group = groupMac(dst);
    if (group !== undefined) {
      if (wanted !== undefined) this.transmit(wanted, group, dst.family === 4 ? etherType.ipv4 : etherType.ipv6, packet);
      return wanted !== undefined;
    }
    const next = this.#network.routeTo(dst, { hash: flowHash(packet, this.settings.hashSeed), ...(wanted !== undefined && { device: wanted.name }) });
    const device = wanted ?? (next === undefined ? undefined : this.#devices.get(next.device));
    if (next === undefined || device === undefined) return false;
    this.sendTo(device, next.via ?? dst, packet, () => this.#failLocally(dst, packet));
    return true;
  }

  /** To a neighbor on the device's link, once it is known where it is. */
  sendTo(device: Device, neighbor: Ip, packet: Uint8Array, fail: () => void = () => {}): void {
    const type = (packet[0] ?? 0) >>> 4 === 4 ? etherType.ipv4 : etherType.ipv6;
    device.neighbors.resolve(neighbor, { send: (mac) => this.transmit(device, mac, type, packet), fail });
  }

  transmit(device: Device, dst: Mac, type: number, payload: Uint8Array): void {
    device.transmit(ethernetFrame({ dst, src: device.mac }, type, payload));
  }

  /** A packet to everyone on the link, for clients that have no address yet. */
  broadcast(device: Device, packet: Uint8Array): void {
    this.transmit(device, macBroadcast, etherType.ipv4, packet);
  }

  #failLocally(dst: Ip, packet: Uint8Array): void {
    const from = this.#network.sourceFor(dst) ?? dst;
    const [type, code] = dst.family === 4 ? [icmpv4Type.unreachable, icmpv4Unreachable.host] : [icmpv6Type.unreachable, icmpv6Unreachable.address];
    this.icmp.tellError({ from, type, code, word: 0, original: packet });
  }

  #receive(device: Device, frame: Uint8Array): void {
    const ethernet = parseEthernet(frame);
    if (ethernet === undefined || (ethernet.dst !== device.mac && !isMulticastMac(ethernet.dst))) return;
    const body = frame.subarray(ethernetSize);
    if (ethernet.type === etherType.arp) this.resolution.receiveArp(device, body);
    else if (ethernet.type === etherType.ipv4 || ethernet.type === etherType.ipv6) this.#receiveIp(device, body, ethernet.type, ethernet.src, ethernet.dst === device.mac);
  }

  /** `isToUs`: the frame was for this machine alone, so that a router may send on what is in it. */
  #receiveIp(device: Device, body: Uint8Array, type: number, srcMac: Mac, isToUs = false): void {
    if (type === etherType.ipv4) {
      const h = parseIpv4Header(body);
      if (h !== undefined && isIpv4Intact(body)) this.#receiveIpv4(device, h, body.subarray(0, h.totalSize), srcMac, isToUs);
      return;
    }
    const h = parseIpv6Header(body);
    const packet = h && body.subarray(0, ipv6Size + h.payloadSize);
    const upper = packet && findUpperLayer(packet);
    if (h === undefined || packet === undefined || upper === undefined) return;
    if (!this.#network.isOwn(ip6(h.dst)) && !isMulticastIpv6(h.dst)) {
      if (isToUs && this.settings.forwards) this.forwarding.forwardIpv6(h, packet);
      return;
    }
    let payload: Uint8Array | undefined = packet.subarray(upper.offset);
    if (upper.fragment !== undefined) payload = this.#reassembly.add(`${h.src}-${h.dst}-${upper.fragment.identification}`, upper.fragment.offset, upper.fragment.more, payload);
    if (payload !== undefined) this.#deliver({ src: ip6(h.src), dst: ip6(h.dst), protocol: upper.protocol, ttl: h.hopLimit, payload, packet, srcMac, device });
  }

  #receiveIpv4(device: Device, h: Ipv4Header, packet: Uint8Array, srcMac: Mac, isToUs: boolean): void {
    const dst = ip4(h.dst);
    const isForUs = this.#network.isOwn(dst) || h.dst === 0xffffffff || isMulticastIpv4(h.dst);
    if (!isForUs && this.settings.forwards) {
      if (isToUs) this.forwarding.forwardIpv4(h, packet);
      return;
    }
    // Without an address a machine takes whatever comes: its DHCP server may address it already.
    if (!isForUs && this.#network.addresses.some((a) => a.prefix.family === 4)) return;
    let payload: Uint8Array | undefined = packet.subarray(sizeofIpv4(h));
    if (h.moreFragments || h.fragmentOffset > 0) payload = this.#reassembly.add(`${h.src}-${h.dst}-${h.identification}-${h.protocol}`, h.fragmentOffset, h.moreFragments, payload);
    if (payload !== undefined) this.#deliver({ src: ip4(h.src), dst, protocol: h.protocol, ttl: h.ttl, payload, packet, srcMac, device });
  }

  #deliver(inbound: Inbound): void {
    if (inbound.protocol === ipProtocol.icmp && inbound.src.family === 4) this.icmp.receiveIcmpv4(inbound);
    else if (inbound.protocol === ipProtocol.icmpv6 && inbound.src.family === 6) this.icmp.receiveIcmpv6(inbound);
    else if (this.#protocols.get(inbound.protocol)?.(inbound) !== true) this.icmp.refuse(inbound);
  }
}
