/**
 * arp and nd_ns: the pipeline does not know the MAC address of a next hop. The packet waits, and a request for the address
 * goes out; nd_na and nd_na_router: answers to a neighbor's solicitation (ovn-sb(5), Logical_Flow actions).
 */
import { linkLocalOf, ipv6Of, type Ipv6, macZero, ipv4Of, multicastMacOf, solicitedNode } from "../../net/index.ts";
import {
  arpFrame, arpOperation, ethernetFrame, etherType, type FrameAddresses, icmpv6Type, ipProtocol, ipv6Packet, type Nd, ndMessage, parseIcmpv6, parseNd,
} from "../../packet/index.ts";
import { type Arrival, sendWithUserdata, wideRegister0 } from "./arrival.ts";
import { type Headers, upperLayer } from "./headers.ts";

const sameVlan = ({ vlan }: Headers): Pick<FrameAddresses, "vlan"> => (vlan === undefined ? {} : { vlan });

/** The userdata's actions fill in what is asked for. */
export function sendArpRequest(arrival: Arrival): boolean {
  const { headers, log } = arrival;
  if (headers.ip === undefined) {
    log.warn(`ARP action on non-IP packet (Ethertype ${headers.type.toString(16)})`);
    return false;
  }
  const { src, dst, ip } = headers;
  const [senderIp, targetIp] = ip.family === 4 ? [ip.src, ip.dst] : [ipv4Of(0), ipv4Of(0)];
  sendWithUserdata(arrival, arpFrame(
    { src, dst, ...sameVlan(headers) }, { operation: arpOperation.request, senderMac: src, senderIp, targetMac: macZero, targetIp },
  ));
  return true;
}

/** The next hop is in xxreg0. */
export function sendNeighborSolicitation(arrival: Arrival): boolean {
  const { headers, log } = arrival;
  if (headers.ip === undefined) {
    log.warn("NS action on non-IPv6 packet");
    return false;
  }
  const target = ipv6Of(wideRegister0(arrival));
  const [src, dst] = [linkLocalOf(headers.src), solicitedNode(target)];
  const nd: Nd = { kind: "neighbor-solicit", target, options: [{ kind: "source-mac", mac: headers.src }] };
  sendWithUserdata(arrival, ndFrame({ src: headers.src, dst: multicastMacOf(dst), ...sameVlan(headers) }, nd, src, dst));
  return true;
}

function ndFrame(addresses: FrameAddresses, nd: Nd, src: Ipv6, dst: Ipv6): Uint8Array {
  const message = ndMessage(nd, src, dst);
  return ethernetFrame(addresses, etherType.ipv6, ipv6Packet({ src, dst, nextHeader: ipProtocol.icmpv6, hopLimit: 255 }, message));
}

/** The solicitation turned round: from the address that was asked for to who asked. */
export function sendNeighborAdvertisement(arrival: Arrival, isRouter: boolean): void {
  const { headers, log } = arrival;
  const { ip } = headers;
  const message = ip?.family === 6 && ip.protocol === ipProtocol.icmpv6 ? parseIcmpv6(upperLayer(headers, ip)) : undefined;
  const solicitation = message && parseNd(message.type, message.body);
  if (ip?.family !== 6 || solicitation === undefined || solicitation.kind !== "neighbor-solicit") {
    log.warn("NA action on non-ND packet");
    return;
  }
  const nd: Nd = {
    kind: "neighbor-advert", router: isRouter, solicited: true, override: true, target: solicitation.target,
    options: [{ kind: "target-mac", mac: headers.dst }],
  };
  sendWithUserdata(arrival, ndFrame({ src: headers.dst, dst: headers.src }, nd, solicitation.target, ip.src));
}

export const isRouterSolicitation = (headers: Headers): boolean => {
  const { ip } = headers;
  const message = ip?.family === 6 && ip.protocol === ipProtocol.icmpv6 ? parseIcmpv6(upperLayer(headers, ip)) : undefined;
  return message !== undefined && message.type === icmpv6Type.routerSolicit && message.code === 0;
};
