/**
 * ARP (RFC 826) and neighbor discovery (RFC 4861) of a machine, both ways: what it asks on a device, what it answers there, and
 * what it tells everyone. Any device answers for any address of the machine, as Linux does (`arp_ignore` 0); one that
 * `answersForOthers` also for those the machine would send on by another device, at once and with its own MAC address.
 */
import { type Ip, type Ipv4, type Ipv6, isMulticastIpv4, isMulticastIpv6, type Mac, macBroadcast, macOf, macZero, multicastMacOf, solicitedNode } from "../../net/index.ts";
import { arpFrame, arpOperation, etherType, ip4, ip6, ipProtocol, ipv6Packet, type Nd, ndMessage, parseArp } from "../../packet/index.ts";
import type { Device } from "./device.ts";
import type { IpCore } from "./ip-core.ts";
import type { NetworkState } from "./network-state.ts";

export type DiscoveryListener = (nd: Nd, src: Ipv6, srcMac: Mac, device: Device) => void;

const allNodes = 0xff020000000000000000000000000001n as Ipv6;

export class AddressResolution {
  readonly #ip: IpCore;
  readonly #network: NetworkState;
  readonly #listeners = new Set<DiscoveryListener>();

  constructor(ip: IpCore, network: NetworkState) {
    this.#ip = ip;
    this.#network = network;
  }

  onDiscovery(listen: DiscoveryListener): void {
    this.#listeners.add(listen);
  }

  ask(device: Device, ip: Ip, mac: Mac | undefined): void {
    const src = this.#network.sourceFor(ip, { device: device.name });
    if (ip.family === 4) {
      const senderIp = src?.family === 4 ? src.address : (0 as Ipv4);
      device.transmit(arpFrame({ dst: mac ?? macBroadcast, src: device.mac }, { operation: arpOperation.request, senderMac: device.mac, senderIp, targetMac: macZero, targetIp: ip.address }));
    } else if (src?.family === 6) {
      const dst = mac === undefined ? solicitedNode(ip.address) : ip.address;
      this.sendNd(device, { kind: "neighbor-solicit", target: ip.address, options: [{ kind: "source-mac", mac: device.mac }] }, src.address, dst, mac);
    }
  }

  /** Tells the link that this machine is at `ip` (gratuitous ARP, unsolicited advertisement). */
  announce(device: Device, ip: Ip): void {
    const { mac } = device;
    if (ip.family === 4) {
      device.transmit(arpFrame({ dst: macBroadcast, src: mac }, { operation: arpOperation.request, senderMac: mac, senderIp: ip.address, targetMac: macZero, targetIp: ip.address }));
    } else {
      this.sendNd(device, { kind: "neighbor-advert", router: this.#ip.settings.forwards, solicited: false, override: true, target: ip.address, options: [{ kind: "target-mac", mac }] }, ip.address, allNodes);
    }
  }

  /** Neighbor discovery, always with a hop limit of 255. */
  sendNd(device: Device, nd: Nd, src: Ipv6, dst: Ipv6, dstMac?: Mac): void {
    const packet = ipv6Packet({ src, dst, nextHeader: ipProtocol.icmpv6, hopLimit: 255 }, ndMessage(nd, src, dst));
    const mac = dstMac ?? groupMac(ip6(dst));
    if (mac !== undefined) this.#ip.transmit(device, mac, etherType.ipv6, packet);
    else this.#ip.sendTo(device, ip6(dst), packet);
  }

  receiveArp(device: Device, body: Uint8Array): void {
    const arp = parseArp(body);
    if (arp === undefined || arp.senderMac === device.mac) return;
    const target = ip4(arp.targetIp);
    const isForUs = this.#network.isOwn(target) || (arp.operation === arpOperation.request && this.#answersFor(device, target, arp.senderIp));
    if (arp.senderIp !== 0) device.neighbors.heard(ip4(arp.senderIp), arp.senderMac, { solicited: arp.operation === arpOperation.reply, create: isForUs });
    if (arp.operation !== arpOperation.request || !isForUs) return;
    const { mac } = device;
    device.transmit(arpFrame({ dst: arp.senderMac, src: mac }, { operation: arpOperation.reply, senderMac: mac, senderIp: arp.targetIp, targetMac: arp.senderMac, targetIp: arp.senderIp }));
  }

  /** Not for what is on the same link: its owner answers by itself; nor to who asks for its own address, to see whether it is taken. */
  #answersFor(device: Device, target: Ip, senderIp: Ipv4): boolean {
    if (!device.answersForOthers || !this.#ip.settings.forwards || senderIp === target.address || senderIp === 0) return false;
    const next = this.#network.routeTo(target);
    return next !== undefined && next.device !== device.name;
  }

  receiveNd(device: Device, nd: Nd, src: Ipv6, srcMac: Mac): void {
    const macOption = nd.options.find((o) => o.kind === "source-mac" || o.kind === "target-mac");
    const mac = macOption !== undefined && "mac" in macOption ? macOption.mac : srcMac;
    if (nd.kind === "neighbor-solicit") {
      const isOwn = this.#network.isOwn(ip6(nd.target));
      if (src !== 0n && isOwn) device.neighbors.heard(ip6(src), mac, { solicited: false, create: true });
      if (isOwn) {
        const options = [{ kind: "target-mac", mac: device.mac }] as const;
        const advert: Nd = { kind: "neighbor-advert", router: this.#ip.settings.forwards, solicited: src !== 0n, override: true, target: nd.target, options };
        this.sendNd(device, advert, nd.target, src === 0n ? allNodes : src, src === 0n ? undefined : mac);
      }
    } else if (nd.kind === "neighbor-advert") {
      device.neighbors.heard(ip6(nd.target), mac, { solicited: nd.solicited, create: false, override: nd.override, isRouter: nd.router });
    } else if (nd.kind === "router-advert" && macOption !== undefined) {
      device.neighbors.heard(ip6(src), mac, { solicited: false, create: true, isRouter: true });
    }
    for (const listen of this.#listeners) listen(nd, src, srcMac, device);
  }
}

/** The MAC address of a broadcast or multicast address; undefined for one host's. */
export function groupMac(ip: Ip): Mac | undefined {
  if (ip.family === 6) return isMulticastIpv6(ip.address) ? multicastMacOf(ip.address) : undefined;
  if (ip.address === 0xffffffff) return macBroadcast;
  return isMulticastIpv4(ip.address) ? macOf(0x01005e000000 + (ip.address & 0x7fffff)) : undefined;
}
