/** What a capture filter can ask of a frame: whom it is from and to, by MAC address, IP address, protocol and port. */
import { contains, parseIp, parsePrefix, type Prefix, readIpv6, readMac } from "../../net/index.ts";
import { etherType, ipProtocol, readU16 } from "../../packet/index.ts";
import { type FrameView, ipVersionAt, protocolAt, transportAt } from "./frame-view.ts";

export type FrameTest = (frame: Uint8Array) => boolean;

export const both = (a: FrameTest, b: FrameTest): FrameTest => (frame) => a(frame) && b(frame);
export const protocolIs = (view: FrameView, protocol: number): FrameTest => (frame) => protocolAt(view, frame) === protocol;

export const hasBroadcastMac = (view: FrameView): FrameTest => (frame) => macAt(view, frame, 0) === 0xffffffffffff;
export const hasGroupMac = (view: FrameView): FrameTest => (frame) => ((frame[view.ethernet(frame) ?? frame.length] ?? 0) & 1) === 1;

export function macAt(view: FrameView, frame: Uint8Array, offset: number): number | undefined {
  const at = view.ethernet(frame);
  return at === undefined || at + 14 > frame.length ? undefined : readMac(frame, at + offset);
}

export function prefixOf(text: string): Prefix | undefined {
  const ip = text.includes("/") ? undefined : parseIp(text);
  return ip === undefined ? parsePrefix(text) : { ...ip, length: ip.family === 4 ? 32 : 128 };
}

export function portIs(view: FrameView, side: string | undefined, low: number, high: number): FrameTest {
  const fits = (port: number): boolean => port >= low && port <= high;
  return (frame) => {
    const at = transportAt(view, frame, ipProtocol.udp) ?? transportAt(view, frame, ipProtocol.tcp) ?? transportAt(view, frame, ipProtocol.sctp);
    if (at === undefined || at + 4 > frame.length) return false;
    return (side !== "dst" && fits(readU16(frame, at))) || (side !== "src" && fits(readU16(frame, at + 2)));
  };
}

export function addressIs(view: FrameView, side: string | undefined, prefix: Prefix): FrameTest {
  return (frame) => {
    const at = view.network(frame);
    if (at === undefined) return false;
    const [src, dst] = addressOffsets(view, frame, prefix.family) ?? [];
    if (src === undefined || dst === undefined) return false;
    const isIn = (offset: number): boolean => {
      const end = at + offset + (prefix.family === 4 ? 4 : 16);
      if (end > frame.length) return false;
      const ip = prefix.family === 4 ? parseIp([0, 1, 2, 3].map((i) => frame[at + offset + i] ?? 0).join(".")) : { family: 6 as const, address: readIpv6(frame, at + offset) };
      return ip !== undefined && contains(prefix, ip);
    };
    return (side !== "dst" && isIn(src)) || (side !== "src" && isIn(dst));
  };
}

/** Of source and destination, behind the network header's beginning; of ARP, the protocol addresses. */
function addressOffsets(view: FrameView, frame: Uint8Array, family: 4 | 6): readonly [number, number] | undefined {
  const version = ipVersionAt(view, frame);
  if (version === 6) return family === 6 ? [8, 24] : undefined;
  if (family !== 4) return undefined;
  if (version === 4) return [12, 16];
  return view.type(frame) === etherType.arp ? [14, 24] : undefined;
}
