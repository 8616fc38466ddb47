/**
 * Tunnels without a kernel ("native tunnelling"): the outer packet is made here and goes through the bridge whose own port has an
 * address in the remote end's network, tables and all; what comes out at such a port and is for a tunnel is unwrapped.
 */
import { formatIp, type Ip, ipv6Of, linkLocalOf, type Mac, macBroadcast, macZero, multicastMacOf, parseIp, type Prefix, solicitedNode } from "../../net/index.ts";
import { arpFrame, arpOperation, ethernetFrame, etherType, ipProtocol, ipv6Packet, ndMessage, readU16, udpSize } from "../../packet/index.ts";
import type { Bridge } from "../bridge.ts";
import { W } from "../flow/flow-key.ts";
import type { Packet } from "../packet/packet.ts";
import { addressInKey } from "../port/tunnel-address.ts";
import type { TunnelType } from "../port/tunnel-protocol.ts";
import type { DatagramFacts } from "../port/tunnels.ts";
import type { PlacedPort } from "../port/port-registry.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import { NeighbourTable } from "./neighbour-table.ts";
import { type RouteFound, RouteTable } from "./route-table.ts";

export interface NativeParts {
  nowMs(): number;
  addressesOf(device: string): readonly Prefix[];
  portNamed(name: string): PlacedPort | undefined;
  /** The kind of tunnels that there are on a UDP port. */
  tunnelsOn(udpPort: number): TunnelType | undefined;
  /** A frame of the switch's own goes through the bridge as if it came from this port. */
  enter(placed: PlacedPort, frame: Uint8Array): void;
  /** A tunnel's datagram has arrived. */
  receive(from: DatagramFacts, bytes: Uint8Array): void;
  /** Whoever looked up a route or a neighbour must look again. */
  changed(what: "routes" | "neighbours"): void;
}

export interface Way {
  readonly route: RouteFound;
  /** The bridge's own port that the outer packet enters by. */
  readonly placed: PlacedPort;
  readonly nextHop: Ip;
}

export class NativeTunnels {
  readonly routes: RouteTable;
  readonly neighbours: NeighbourTable;
  readonly #parts: NativeParts;

  constructor(parts: NativeParts) {
    this.#parts = parts;
    this.routes = new RouteTable((device) => parts.addressesOf(device));
    this.neighbours = new NeighbourTable(() => parts.nowMs());
    this.routes.changed = () => parts.changed("routes");
    this.neighbours.changed = () => parts.changed("neighbours");
  }

  /** How the outer packet gets to `remote`; undefined: not at all. */
  wayTo(remote: Ip, source: Ip | undefined, mark: number): Way | undefined {
    const route = this.routes.lookup(remote, source, mark);
    const placed = route === undefined ? undefined : this.#parts.portNamed(route.device);
    return route === undefined || placed === undefined ? undefined : { route, placed, nextHop: route.gateway ?? remote };
  }

  /** The device that leads to an address; undefined: no route, or the address is each flow's. */
  deviceTowards(remote: string): string | undefined {
    const ip = parseIp(remote);
    return ip === undefined ? undefined : this.routes.lookup(ip, undefined)?.device;
  }

  addressesOf(port: SwitchPort): readonly Prefix[] {
    return this.#parts.addressesOf(port.name);
  }

  tunnelsOn(udpPort: number): TunnelType | undefined {
    return this.#parts.tunnelsOn(udpPort);
  }

  /** What has come out at a bridge's own port. */
  unwrap({ key, bytes, l4 }: Packet): void {
    const size = readU16(bytes, l4 + 4);
    if (l4 === 0 || size < udpSize || l4 + size > bytes.length) return;
    const misc = key[W.nwMisc] ?? 0;
    const read = (word: number): number => key[word] ?? 0;
    this.#parts.receive(
      {
        remote: addressInKey(read, W.nwSrc, W.ipv6Src), local: addressInKey(read, W.nwDst, W.ipv6Dst), sourcePort: (key[W.tpPorts] ?? 0) >>> 16,
        port: (key[W.tpPorts] ?? 0) & 0xffff, tos: (misc >>> 16) & 0xff, ttl: (misc >>> 8) & 0xff,
      },
      bytes.subarray(l4 + udpSize, l4 + size),
    );
  }

  /** Asks for the next hop's address, unless that was done a moment ago. */
  ask({ placed, nextHop, route }: Way): void {
    const { bridge, port } = placed;
    if (this.neighbours.lookup(bridge.name, nextHop) !== undefined) return;
    this.neighbours.expect(bridge.name, nextHop);
    const source = this.routes.sourceTowards(nextHop, route.device) ?? route.source;
    const frame = question(port.mac, source, nextHop);
    if (frame !== undefined) this.#parts.enter(placed, frame);
  }

  /** Somebody behind the bridge has said who it is, or sent a tunnel's packet. */
  heard(bridge: Bridge, ip: Ip, mac: Mac): void {
    this.neighbours.set(bridge.name, ip, mac);
  }
}

/** ARP, or neighbour solicitation (RFC 4861, section 4.3). */
function question(mac: Mac, source: Ip, target: Ip): Uint8Array | undefined {
  if (source.family === 4 && target.family === 4) {
    return arpFrame({ dst: macBroadcast, src: mac }, { operation: arpOperation.request, senderMac: mac, senderIp: source.address, targetMac: macZero, targetIp: target.address });
  }
  if (target.family !== 6) return undefined;
  const from = source.family === 6 && source.address !== ipv6Of(0n) ? source.address : linkLocalOf(mac);
  const to = solicitedNode(target.address);
  const message = ndMessage({ kind: "neighbor-solicit", target: target.address, options: [{ kind: "source-mac", mac }] }, from, to);
  return ethernetFrame({ dst: multicastMacOf(to), src: mac }, etherType.ipv6, ipv6Packet({ src: from, dst: to, nextHeader: ipProtocol.icmpv6, hopLimit: 255 }, message));
}

export const isSameIp = (a: Ip, b: Ip): boolean => formatIp(a) === formatIp(b);
