/**
 * A host's network layer on one link: frames in and out, ARP and neighbor discovery, routing to a next hop, fragments, and
 * ICMP's echoes and errors. What goes on above it registers by protocol.
 */
import type { Clock } from "../../host/index.ts";
import {
  type Ip, type Ipv4, type Ipv6, isMulticastIpv4, isMulticastIpv6, type Mac, macBroadcast, macOf, macZero, multicastMacOf, solicitedNode,
} from "../../net/index.ts";
import {
  arpFrame, arpOperation, emitFragmentHeader, ethernetFrame, ethernetSize, etherType, findUpperLayer, icmpv4Message, icmpv4Type, icmpv4Unreachable,
  icmpv6Message, icmpv6Type, icmpv6Unreachable, ip4, ip6, ipProtocol, type Ipv4Header, ipv4Packet, ipv6Packet, ipv6Size, isChecksumRight,
  isIcmpv6Intact, isIpv4Intact, type Nd, ndMessage, parseArp, parseEthernet, parseIcmpv4, parseIcmpv6, parseIpv4Header, parseIpv6Header, parseNd,
  readU32, sizeofIpv4,
} from "../../packet/index.ts";
import { Neighbors } from "./neighbors.ts";
import type { NetworkState } from "./network-state.ts";
import { Reassembly } from "./reassembly.ts";

/** What has arrived for this host. */
export interface Inbound {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: number;
  readonly ttl: number;
  readonly payload: Uint8Array;
  /** The IP packet as it came, for errors about it. */
  readonly packet: Uint8Array;
  readonly srcMac: Mac;
}

/** Something said that a packet of ours did not arrive: a router or host by ICMP, or this host itself. */
export interface DeliveryError {
  readonly from: Ip;
  readonly type: number;
  readonly code: number;
  /** ICMP's second word: the MTU where a packet was too big. */
  readonly word: number;
  /** The beginning of our IP packet. */
  readonly original: Uint8Array;
}

export interface SendOptions {
  readonly src?: Ip;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
}

export type SendResult = "sent" | "unreachable" | "too-big";

export interface LinkOptions {
  readonly mac: Mac;
  readonly mtu: number;
  readonly clock: Clock;
  readonly network: NetworkState;
  transmit(frame: Uint8Array): void;
}

export class IpLayer {
  readonly neighbors: Neighbors;
  readonly #link: LinkOptions;
  readonly #protocols = new Map<number, (inbound: Inbound) => boolean>();
  readonly #errorListeners = new Set<(error: DeliveryError) => void>();
  readonly #ndListeners = new Set<(nd: Nd, src: Ipv6, srcMac: Mac) => void>();
  readonly #reassembly: Reassembly;
  #identification = 1;

  constructor(link: LinkOptions) {
    this.#link = link;
    this.neighbors = new Neighbors(link.clock, (ip, mac) => this.#ask(ip, mac));
    this.#reassembly = new Reassembly(link.clock);
  }

  get mtu(): number {
    return this.#link.mtu;
  }

  /** `handle` answers whether anyone wanted it; if not, the sender hears that the port or protocol is unreachable. */
  onProtocol(protocol: number, handle: (inbound: Inbound) => boolean): void {
    this.#protocols.set(protocol, handle);
  }

  onError(listen: (error: DeliveryError) => void): () => void {
    this.#errorListeners.add(listen);
    return () => this.#errorListeners.delete(listen);
  }

  /** Neighbor and router discovery, after this layer has learnt from it. */
  onDiscovery(listen: (nd: Nd, src: Ipv6, srcMac: Mac) => void): void {
    this.#ndListeners.add(listen);
  }

  /** Sends `payload`; its checksum, if it has one, is the caller's. */
  send(dst: Ip, protocol: number, payload: Uint8Array, options: SendOptions = {}): SendResult {
    const src = options.src ?? this.#link.network.sourceFor(dst);
    if (src === undefined || src.family !== dst.family) return "unreachable";
    const isLocal = this.#link.network.isOwn(dst);
    const packets = this.#packets(src, dst, protocol, payload, options, isLocal ? 65535 : this.#link.mtu);
    if (packets === undefined) return "too-big";
    for (const packet of packets) {
      if (isLocal) this.#link.clock.after(0, () => this.#receiveIp(packet, dst.family === 4 ? etherType.ipv4 : etherType.ipv6, this.#link.mac));
      else if (!this.#route(dst, packet)) return "unreachable";
    }
    return "sent";
  }

  #packets(src: Ip, dst: Ip, protocol: number, payload: Uint8Array, options: SendOptions, mtu: number): Uint8Array[] | undefined {
    const ttl = options.ttl ?? 64;
    const headerSize = src.family === 4 ? 20 : ipv6Size;
    if (headerSize + payload.length <= mtu) {
      if (src.family === 4 && dst.family === 4) {
        const dontFragment = options.dontFragment ?? true;
        this.#identification = (this.#identification + 1) & 0xffff;
        return [ipv4Packet({ src: src.address, dst: dst.address, protocol, ttl, dontFragment, identification: this.#identification }, payload)];
      }
      return src.family === 6 && dst.family === 6 ? [ipv6Packet({ src: src.address, dst: dst.address, nextHeader: protocol, hopLimit: ttl }, payload)] : undefined;
    }
    if (options.dontFragment === true) return undefined;
    return this.#fragments(src, dst, protocol, payload, ttl, mtu);
  }

  #fragments(src: Ip, dst: Ip, protocol: number, payload: Uint8Array, ttl: number, mtu: number): Uint8Array[] {
    const identification = (this.#identification = (this.#identification + 1) & 0xffff);
    const room = (mtu - (src.family === 4 ? 20 : ipv6Size + 8)) & ~7;
    const packets: Uint8Array[] = [];
    for (let offset = 0; offset < payload.length; offset += room) {
      const piece = payload.subarray(offset, offset + room);
      const more = offset + room < payload.length;
      if (src.family === 4 && dst.family === 4) {
        packets.push(ipv4Packet({ src: src.address, dst: dst.address, protocol, ttl, identification, moreFragments: more, fragmentOffset: offset }, piece));
      } else if (src.family === 6 && dst.family === 6) {
        const body = new Uint8Array(8 + piece.length);
        emitFragmentHeader(protocol, { identification, offset, more }, body);
        body.set(piece, 8);
        packets.push(ipv6Packet({ src: src.address, dst: dst.address, nextHeader: ipProtocol.fragment, hopLimit: ttl }, body));
      }
    }
    return packets;
  }

  /** Puts an IP packet on the link towards `dst`; false if there is no route. */
  #route(dst: Ip, packet: Uint8Array): boolean {
    const type = dst.family === 4 ? etherType.ipv4 : etherType.ipv6;
    const group = groupMac(dst);
    if (group !== undefined) {
      this.#transmit(group, type, packet);
      return true;
    }
    const route = this.#link.network.routeTo(dst);
    if (route === undefined) return false;
    this.neighbors.resolve(route.via ?? dst, {
      send: (mac) => this.#transmit(mac, type, packet),
      fail: () => this.#failLocally(dst, packet),
    });
    return true;
  }

  #transmit(dst: Mac, type: number, payload: Uint8Array): void {
    this.#link.transmit(ethernetFrame({ dst, src: this.#link.mac }, type, payload));
  }

  /** A frame to everyone on the link, for clients that have no address yet. */
  broadcast(packet: Uint8Array): void {
    this.#transmit(macBroadcast, etherType.ipv4, packet);
  }

  /** Neighbor discovery, always with a hop limit of 255. */
  sendNd(nd: Nd, src: Ipv6, dst: Ipv6, dstMac?: Mac): void {
    const packet = ipv6Packet({ src, dst, nextHeader: ipProtocol.icmpv6, hopLimit: 255 }, ndMessage(nd, src, dst));
    const mac = dstMac ?? groupMac(ip6(dst));
    if (mac !== undefined) this.#transmit(mac, etherType.ipv6, packet);
    else this.#route(ip6(dst), packet);
  }

  #failLocally(dst: Ip, packet: Uint8Array): void {
    const from = this.#link.network.sourceFor(dst) ?? dst;
    const [type, code] = dst.family === 4 ? [icmpv4Type.unreachable, icmpv4Unreachable.host] : [icmpv6Type.unreachable, icmpv6Unreachable.address];
    this.#tellError({ from, type, code, word: 0, original: packet });
  }

  #tellError(error: DeliveryError): void {
    for (const listen of [...this.#errorListeners]) listen(error);
  }

  #ask(ip: Ip, mac: Mac | undefined): void {
    const { network, mac: own } = this.#link;
    const src = network.sourceFor(ip);
    if (ip.family === 4) {
      const senderIp = src?.family === 4 ? src.address : (0 as Ipv4);
      this.#link.transmit(arpFrame({ dst: mac ?? macBroadcast, src: own }, { operation: arpOperation.request, senderMac: own, senderIp, targetMac: macZero, targetIp: ip.address }));
    } else if (src?.family === 6) {
      const dst = mac === undefined ? solicitedNode(ip.address) : ip.address;
      this.sendNd({ kind: "neighbor-solicit", target: ip.address, options: [{ kind: "source-mac", mac: own }] }, src.address, dst, mac);
    }
  }

  /** Tells the link that this host is at `ip` (gratuitous ARP, unsolicited advertisement). */
  announce(ip: Ip): void {
    const { mac } = this.#link;
    if (ip.family === 4) {
      this.#link.transmit(arpFrame({ dst: macBroadcast, src: mac }, { operation: arpOperation.request, senderMac: mac, senderIp: ip.address, targetMac: macZero, targetIp: ip.address }));
    } else {
      const allNodes = 0xff020000000000000000000000000001n as Ipv6;
      this.sendNd({ kind: "neighbor-advert", router: false, solicited: false, override: true, target: ip.address, options: [{ kind: "target-mac", mac }] }, ip.address, allNodes);
    }
  }

  receive(frame: Uint8Array): void {
    const ethernet = parseEthernet(frame);
    if (ethernet === undefined || (ethernet.dst !== this.#link.mac && (Math.floor(ethernet.dst / 0x10000000000) & 1) === 0)) return;
    const body = frame.subarray(ethernetSize);
    if (ethernet.type === etherType.arp) this.#receiveArp(body);
    else if (ethernet.type === etherType.ipv4 || ethernet.type === etherType.ipv6) this.#receiveIp(body, ethernet.type, ethernet.src);
  }

  #receiveArp(body: Uint8Array): void {
    const arp = parseArp(body);
    if (arp === undefined || arp.senderMac === this.#link.mac) return;
    const isForUs = this.#link.network.isOwn(ip4(arp.targetIp));
    if (arp.senderIp !== 0) this.neighbors.heard(ip4(arp.senderIp), arp.senderMac, { solicited: arp.operation === arpOperation.reply, create: isForUs });
    if (arp.operation !== arpOperation.request || !isForUs) return;
    const { mac } = this.#link;
    this.#link.transmit(arpFrame({ dst: arp.senderMac, src: mac }, { operation: arpOperation.reply, senderMac: mac, senderIp: arp.targetIp, targetMac: arp.senderMac, targetIp: arp.senderIp }));
  }

  #receiveIp(body: Uint8Array, type: number, srcMac: Mac): void {
    if (type === etherType.ipv4) {
      const h = parseIpv4Header(body);
      if (h === undefined || !isIpv4Intact(body)) return;
      this.#receiveIpv4(h, body.subarray(0, h.totalSize), srcMac);
      return;
    }
    const h = parseIpv6Header(body);
    const packet = h && body.subarray(0, ipv6Size + h.payloadSize);
    const upper = packet && findUpperLayer(packet);
    if (h === undefined || packet === undefined || upper === undefined) return;
    if (!this.#link.network.isOwn(ip6(h.dst)) && !isMulticastIpv6(h.dst)) return;
    let payload: Uint8Array | undefined = packet.subarray(upper.offset);
    if (upper.fragment !== undefined) payload = this.#reassembly.add(`${h.src}-${h.dst}-${upper.fragment.identification}`, upper.fragment.offset, upper.fragment.more, payload);
    if (payload !== undefined) this.#deliver({ src: ip6(h.src), dst: ip6(h.dst), protocol: upper.protocol, ttl: h.hopLimit, payload, packet, srcMac });
  }

  #receiveIpv4(h: Ipv4Header, packet: Uint8Array, srcMac: Mac): void {
    const dst = ip4(h.dst);
    const isForUs = this.#link.network.isOwn(dst) || h.dst === 0xffffffff || isMulticastIpv4(h.dst) || this.#link.network.addresses.every((a) => a.prefix.family === 6);
    if (!isForUs) return;
    let payload: Uint8Array | undefined = packet.subarray(sizeofIpv4(h));
    if (h.moreFragments || h.fragmentOffset > 0) payload = this.#reassembly.add(`${h.src}-${h.dst}-${h.identification}-${h.protocol}`, h.fragmentOffset, h.moreFragments, payload);
    if (payload !== undefined) this.#deliver({ src: ip4(h.src), dst, protocol: h.protocol, ttl: h.ttl, payload, packet, srcMac });
  }

  #deliver(inbound: Inbound): void {
    if (inbound.protocol === ipProtocol.icmp && inbound.src.family === 4) this.#receiveIcmpv4(inbound);
    else if (inbound.protocol === ipProtocol.icmpv6 && inbound.src.family === 6) this.#receiveIcmpv6(inbound);
    else if (this.#protocols.get(inbound.protocol)?.(inbound) !== true) this.#refuse(inbound);
  }

  /** ICMP's answer to what nobody here wants; never about broadcasts, and TCP says it by itself. */
  #refuse({ src, dst, protocol, packet }: Inbound): void {
    if (!this.#link.network.isOwn(dst) || protocol === ipProtocol.tcp || protocol === ipProtocol.igmp) return;
    if (src.family === 4) {
      const code = protocol === ipProtocol.udp ? icmpv4Unreachable.port : icmpv4Unreachable.protocol;
      this.send(src, ipProtocol.icmp, icmpv4Message({ type: icmpv4Type.unreachable, code, word: 0, data: packet.subarray(0, 548) }), { src: dst });
    } else if (dst.family === 6 && src.address !== 0n) {
      const body = new Uint8Array(4 + Math.min(packet.length, 1232));
      body.set(packet.subarray(0, 1232), 4);
      this.send(src, ipProtocol.icmpv6, icmpv6Message({ type: icmpv6Type.unreachable, code: icmpv6Unreachable.port, body }, dst.address, src.address), { src: dst });
    }
  }

  #receiveIcmpv4(inbound: Inbound): void {
    const icmp = isChecksumRight(inbound.payload) ? parseIcmpv4(inbound.payload) : undefined;
    if (icmp === undefined) return;
    if (icmp.type === icmpv4Type.echoRequest) {
      const own = this.#link.network.isOwn(inbound.dst) ? inbound.dst : undefined;
      this.send(inbound.src, ipProtocol.icmp, icmpv4Message({ ...icmp, type: icmpv4Type.echoReply }), own === undefined ? {} : { src: own, dontFragment: false });
    } else if (icmp.type === icmpv4Type.echoReply) this.#protocols.get(ipProtocol.icmp)?.(inbound);
    else if ([icmpv4Type.unreachable, icmpv4Type.timeExceeded, icmpv4Type.redirect, icmpv4Type.parameterProblem].some((type) => type === icmp.type)) {
      this.#tellError({ from: inbound.src, type: icmp.type, code: icmp.code, word: icmp.word, original: icmp.data });
    }
  }

  #receiveIcmpv6(inbound: Inbound): void {
    const { src, dst, payload } = inbound;
    if (src.family !== 6 || dst.family !== 6 || !isIcmpv6Intact(payload, src.address, dst.address)) return;
    const icmp = parseIcmpv6(payload);
    if (icmp === undefined) return;
    if (icmp.type === icmpv6Type.echoRequest) {
      const own = this.#link.network.isOwn(dst) ? dst : this.#link.network.sourceFor(src);
      if (own?.family === 6) this.send(src, ipProtocol.icmpv6, icmpv6Message({ ...icmp, type: icmpv6Type.echoReply }, own.address, src.address), { src: own });
    } else if (icmp.type === icmpv6Type.echoReply) this.#protocols.get(ipProtocol.icmpv6)?.(inbound);
    else if (icmp.type < 128) this.#tellError({ from: src, type: icmp.type, code: icmp.code, word: readU32(icmp.body, 0), original: icmp.body.subarray(4) });
    else if (inbound.ttl === 255) {
      const nd = parseNd(icmp.type, icmp.body);
      if (nd !== undefined) this.#receiveNd(nd, src.address, inbound.srcMac);
    }
  }

  #receiveNd(nd: Nd, src: Ipv6, srcMac: Mac): void {
    const macOption = nd.options.find((o) => o.kind === "source-mac" || o.kind === "target-mac");
    const mac = macOption !== undefined && "mac" in macOption ? macOption.mac : srcMac;
    if (nd.kind === "neighbor-solicit") {
      const isOwn = this.#link.network.isOwn(ip6(nd.target));
      if (src !== 0n && isOwn) this.neighbors.heard(ip6(src), mac, { solicited: false, create: true });
      if (isOwn) {
        const to = src === 0n ? (0xff020000000000000000000000000001n as Ipv6) : src;
        const options = [{ kind: "target-mac", mac: this.#link.mac }] as const;
        this.sendNd({ kind: "neighbor-advert", router: false, solicited: src !== 0n, override: true, target: nd.target, options }, nd.target, to, src === 0n ? undefined : mac);
      }
    } else if (nd.kind === "neighbor-advert") {
      this.neighbors.heard(ip6(nd.target), mac, { solicited: nd.solicited, create: false, override: nd.override, isRouter: nd.router });
    } else if (nd.kind === "router-advert" && macOption !== undefined) {
      this.neighbors.heard(ip6(src), mac, { solicited: false, create: true, isRouter: true });
    }
    for (const listen of this.#ndListeners) listen(nd, src, srcMac);
  }
}

/** The MAC address of a broadcast or multicast address; undefined for one host's. */
function groupMac(ip: Ip): Mac | undefined {
  if (ip.family === 6) return isMulticastIpv6(ip.address) ? multicastMacOf(ip.address) : undefined;
  if (ip.address === 0xffffffff) return macBroadcast;
  return isMulticastIpv4(ip.address) ? macOf(0x01005e000000 + (ip.address & 0x7fffff)) : undefined;
}

