/**
 * Tunnels that the switch carries itself, as a walk sees them: the outer packet goes on in the bridge that it enters, headers known;
 * and where a packet comes out at a bridge's own port that has an address, it may be a tunnel's, or an answer about a neighbour.
 */
import { formatIp, type Ip, ipv4Of, ipv6Of, macOf, parseIp } from "../../net/index.ts";
import { arpOperation } from "../../packet/index.ts";
import { firstPacketWord, fragAny, fragLater, W } from "../flow/flow-key.ts";
import { isSameIp, type NativeTunnels, type Way } from "../native/native-tunnels.ts";
import { outerHeader } from "../native/outer-header.ts";
import { ethType, ipProto } from "../packet/packet.ts";
import type { TunnelOutput } from "../packet/datapath-action.ts";
import type { SwitchPort, TunnelSettings } from "../port/switch-port.ts";
import { type TunnelType, tunnelProtocols } from "../port/tunnel-protocol.ts";
import { enterBridgeBy } from "./walk-patch.ts";
import type { Walk } from "./walk.ts";

export interface NativeOutput {
  readonly type: TunnelType;
  readonly settings: TunnelSettings;
  readonly output: TunnelOutput;
}

export function outputNative(walk: Walk, native: NativeTunnels, { type, settings, output }: NativeOutput, intoTable0: (walk: Walk) => void): void {
  walk.tracer?.note("detail", "output to native tunnel");
  const [remote, local] = [parseIp(output.remote), output.local === "" ? undefined : parseIp(output.local)];
  const way = remote === undefined ? undefined : native.wayTo(remote, local, native.routes.usesMarks ? walk.read(W.pktMark) : 0);
  if (remote === undefined || way === undefined) return walk.tracer?.note("warning", "native tunnel routing failed");
  const { placed, nextHop, route } = way;
  // What this walk finds holds as long as the routes and neighbours do; they change generations of all bridges.
  walk.tracer?.note("detail", `tunneling to ${formatIp(nextHop)} via ${route.device}`);
  const dstMac = native.neighbours.lookup(placed.bridge.name, nextHop);
  if (dstMac === undefined || dstMac === "waiting") return missNeighbour(walk, native, way, dstMac === "waiting");
  const smac = placed.port.mac;
  walk.tracer?.note("detail", `tunneling from ${macText(smac)} ${formatIp(route.source)} to ${macText(dstMac)} ${formatIp(nextHop)}`);
  walk.effects.push(() => void native.neighbours.lookup(placed.bridge.name, nextHop));
  const tos = outerTos(walk, settings);
  const facts = {
    dstMac, srcMac: smac, src: route.source, dst: remote, tos, ttl: settings.ttl, dontFragment: settings.dontFragment, udpPort: settings.destinationPort,
    hasChecksum: settings.csum ?? remote.family === 6,
  };
  const header = outerHeader(facts, tunnelProtocols[type].encapsulate(new Uint8Array(0), output.vni, output.words, walk.bridge.tlvs));
  const { port, maxLength } = output;
  walk.onCopy(() => {
    walk.emit({ kind: "tunnel_push", port, header, maxLength, vportType: tunnelProtocols[type].vportType, outPort: placed.port });
    enterBridgeBy(walk, placed, () => {
      setOuterKey(walk, facts);
      intoTable0(walk);
    });
    // Nobody takes the outer packet: it need not be made.
    if (walk.actions.length === 1) walk.actions.length = 0;
  });
}

const macText = (mac: number): string => (mac.toString(16).padStart(12, "0").match(/../g) ?? []).join(":");

function missNeighbour(walk: Walk, native: NativeTunnels, way: Way, isWaiting: boolean): void {
  const { placed, nextHop } = way;
  const protocol = nextHop.family === 4 ? "ARP" : "ND";
  walk.tracer?.note("detail", `neighbor cache miss for ${formatIp(nextHop)} on bridge ${placed.bridge.name}, ${isWaiting ? `waiting on ${protocol} request` : `sending ${protocol} request`}`);
  walk.effects.push(() => native.ask(way));
}

/** DSCP as the tunnel says; ECN of the inner packet (RFC 6040, "normal mode", as OVS does it). */
function outerTos(walk: Walk, { tos }: TunnelSettings): number {
  const type = walk.read(W.ethType);
  const isIp = type === ethType.ipv4 || type === ethType.ipv6;
  if (!isIp) return tos ?? 0;
  const ecn = (walk.read(W.nwMisc, 0x0003_0000) >>> 16) & 3;
  return (tos ?? (walk.read(W.nwMisc, 0x00fc_0000) >>> 16) & 0xfc) | (ecn === 3 ? 2 : ecn);
}

function setOuterKey({ key, wildcards }: Walk, facts: { readonly dstMac: number; readonly srcMac: number; readonly src: Ip; readonly dst: Ip; readonly tos: number; readonly ttl: number; readonly udpPort: number }): void {
  key.fill(0, W.ethDst);
  wildcards.written.fill(0xffffffff, firstPacketWord);
  putMac(key, W.ethDst, facts.dstMac);
  putMac(key, W.ethSrc, facts.srcMac);
  putIp(key, facts.src, W.nwSrc, W.ipv6Src);
  putIp(key, facts.dst, W.nwDst, W.ipv6Dst);
  key[W.ethType] = facts.dst.family === 4 ? ethType.ipv4 : ethType.ipv6;
  key[W.nwMisc] = ((ipProto.udp << 24) | (facts.tos << 16) | (facts.ttl << 8)) >>> 0;
  key[W.tpPorts] = facts.udpPort;
}

function putMac(key: Uint32Array, at: number, mac: number): void {
  key[at] = Math.floor(mac / 2 ** 32);
  key[at + 1] = mac % 2 ** 32;
}

function putIp(key: Uint32Array, ip: Ip, at4: number, at6: number): void {
  if (ip.family === 4) key[at4] = ip.address;
  else for (let i = 0; i < 4; i++) key[at6 + i] = Number((ip.address >> BigInt(96 - 32 * i)) & 0xffff_ffffn);
}

/** Of what tunnels it is a packet that comes out at this port: then it goes no further than to be unwrapped. */
export function terminates(walk: Walk, native: NativeTunnels, port: SwitchPort): TunnelType | undefined {
  const own = native.addressesOf(port);
  if (own.length === 0) return undefined;
  const type = walk.read(W.ethType);
  if (type === ethType.arp) hearArp(walk, native, own);
  if (type !== ethType.ipv4 && type !== ethType.ipv6) return undefined;
  if (readMac(walk, W.ethDst) !== port.mac || walk.read(W.vlan) !== 0) return undefined;
  const protocol = walk.read(W.nwMisc, 0xff00_0000) >>> 24;
  if (protocol === ipProto.icmpv6 && type === ethType.ipv6) hearAdvertisement(walk, native);
  if (protocol !== ipProto.udp || walk.read(W.nwMisc, fragAny | fragLater) !== 0) return undefined;
  const to: Ip = type === ethType.ipv4 ? { family: 4, address: ipv4Of(walk.read(W.nwDst)) } : { family: 6, address: readIpv6(walk, W.ipv6Dst) };
  const tunnels = own.some((ip) => isSameIp(ip, to)) ? native.tunnelsOn(walk.read(W.tpPorts, 0xffff)) : undefined;
  if (tunnels === undefined) return undefined;
  const { bridge, key } = walk;
  const from: Ip = type === ethType.ipv4 ? { family: 4, address: ipv4Of(key[W.nwSrc] ?? 0) } : { family: 6, address: readIpv6(walk, W.ipv6Src) };
  const mac = macOf(((key[W.ethSrc] ?? 0) & 0xffff) * 2 ** 32 + (key[W.ethSrc + 1] ?? 0));
  walk.effects.push(() => native.heard(bridge, from, mac));
  return tunnels;
}

const readMac = (walk: Walk, at: number) => macOf(walk.read(at, 0xffff) * 2 ** 32 + walk.read(at + 1));
const readIpv6 = (walk: Walk, at: number) => ipv6Of([0, 1, 2, 3].reduce((sum, i) => (sum << 32n) | BigInt(walk.read(at + i)), 0n));

/** Answers to this port's own questions, and announcements. */
function hearArp(walk: Walk, native: NativeTunnels, own: readonly Ip[]): void {
  const operation = walk.read(W.nwMisc, 0xffff);
  const [sender, target] = [ipv4Of(walk.read(W.nwSrc)), ipv4Of(walk.read(W.nwDst))];
  const isAnswer = operation === arpOperation.reply && own.some((ip) => ip.family === 4 && ip.address === target);
  const mac = readMac(walk, W.arpSha);
  if ((!isAnswer && sender !== target) || mac === 0) return;
  const { bridge } = walk;
  walk.effects.push(() => native.heard(bridge, { family: 4, address: sender }, mac));
}

function hearAdvertisement(walk: Walk, native: NativeTunnels): void {
  const neighbourAdvertisement = 136;
  if (walk.read(W.tpPorts, 0xff_0000) >>> 16 !== neighbourAdvertisement) return;
  const mac = readMac(walk, W.arpTha);
  const address = readIpv6(walk, W.ndTarget);
  const { bridge } = walk;
  if (mac !== 0) walk.effects.push(() => native.heard(bridge, { family: 6, address }, mac));
}
