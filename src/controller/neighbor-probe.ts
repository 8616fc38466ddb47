/**
 * Questions that a router's port asks of its own accord, by ARP or neighbor solicitation. A neighbor that packets are sent to but
 * that sends none itself would age: it is asked whether it is still there, at its own MAC address (ovn-nb(5),
 * mac_binding_age_threshold). Next hops of routes with symmetric replies are asked for before anybody needs them.
 */
import { openflowTables } from "../logical/index.ts";
import { contains, type Ip, type Mac, macBroadcast, macZero, multicastMacOf, parseIp, parseMac, solicitedNode } from "../net/index.ts";
import { type Action, ports } from "../openflow/index.ts";
import { arpFrame, arpOperation, ethernetFrame, etherType, ipProtocol, ipv6Packet, ndMessage } from "../packet/index.ts";
import { datapathField, load, outportField } from "./flow.ts";
import type { Node } from "./node.ts";
import { bareIp, portAddresses } from "./port-addresses.ts";
import { datapathOf, isResident, kindOf, portNamed, redirectPortOf } from "./ports.ts";
import type { MacBinding, PortBinding } from "./rows.ts";

export interface Probe {
  readonly frame: Uint8Array;
  readonly actions: readonly Action[];
}

/** Undefined where the neighbor is another chassis' to ask, or on none of the port's networks. */
export function probeOf(node: Node, binding: MacBinding): Probe | undefined {
  const port = portNamed(node, binding.logical_port);
  const datapath = port && datapathOf(node, port);
  const [mac, target] = [parseMac(binding.mac), parseIp(binding.ip)];
  if (port === undefined || datapath === undefined || mac === undefined || target === undefined || !isHere(node, port)) return undefined;
  const [addresses] = portAddresses(port.mac);
  const local = addresses?.ips.find((own) => contains(own, target));
  const frame = addresses && local && requestFrame(addresses.mac, mac, bareIp(local), target);
  if (frame === undefined) return undefined;
  return { frame, actions: outOf(datapath.tunnel_key, port.tunnel_key) };
}

/** Sends what the controller made out of the port. */
export const outOf = (datapathKey: number, portKey: number): readonly Action[] => [
  load(datapathField, datapathKey), load(outportField, portKey), { kind: "resubmit", port: ports.controller, table: openflowTables.localOutput },
];

/** Of a distributed port everywhere, of a gateway's only where it is served. */
function isHere(node: Node, port: PortBinding): boolean {
  if (isResident(node, port)) return true;
  const redirect = redirectPortOf(node, port);
  return redirect === undefined ? kindOf(port) === "patch" : isResident(node, redirect);
}

/** `dst` undefined: whoever has the address is asked for. Undefined if the addresses are of two families. */
export function requestFrame(src: Mac, dst: Mac | undefined, local: Ip, target: Ip): Uint8Array | undefined {
  if (local.family === 4) {
    if (target.family !== 4) return undefined;
    return arpFrame({ src, dst: dst ?? macBroadcast }, { operation: arpOperation.request, senderMac: src, senderIp: local.address, targetMac: dst ?? macZero, targetIp: target.address });
  }
  if (target.family !== 6) return undefined;
  const asked = dst === undefined ? solicitedNode(target.address) : target.address;
  const message = ndMessage({ kind: "neighbor-solicit", target: target.address, options: [{ kind: "source-mac", mac: src }] }, local.address, asked);
  const packet = ipv6Packet({ src: local.address, dst: asked, nextHeader: ipProtocol.icmpv6, hopLimit: 255 }, message);
  return ethernetFrame({ src, dst: dst ?? multicastMacOf(asked) }, etherType.ipv6, packet);
}
