/**
 * Where in a frame which header begins, as a capture filter sees it: behind so many VLAN tags, or inside a Geneve packet, once the
 * filter has said `vlan` or `geneve` (pcap-filter(7): these change where the rest of the expression looks).
 */
import { etherType, findUpperLayer, genevePort, ipProtocol, ipv6Size, readU16 } from "../../packet/index.ts";

/** undefined: the frame has no such header. */
export type Offset = (frame: Uint8Array) => number | undefined;

export interface FrameView {
  /** The Ethernet header. */
  readonly ethernet: Offset;
  /** The type of what follows it and its tags. */
  readonly type: (frame: Uint8Array) => number | undefined;
  /** What follows. */
  readonly network: Offset;
  /** The VLAN that `vlan` asks about; undefined: none. */
  readonly vlan: (frame: Uint8Array) => number | undefined;
  /** What the rest of an expression sees after `vlan`. */
  behindTag(): FrameView;
}

const outermost: Offset = () => 0;
const isTag = (type: number | undefined): boolean => type === etherType.vlan || type === etherType.qinq;

function viewFrom(ethernet: Offset, headerSize: (frame: Uint8Array, at: number) => number): Pick<FrameView, "ethernet" | "type" | "network"> {
  const network: Offset = (frame) => {
    const at = ethernet(frame);
    const end = at === undefined || at + 14 > frame.length ? undefined : at + headerSize(frame, at);
    return end === undefined || end > frame.length ? undefined : end;
  };
  return {
    ethernet,
    network,
    type: (frame) => {
      const at = network(frame);
      return at === undefined ? undefined : readU16(frame, at - 2);
    },
  };
}

/** Tags are looked past one by one, as `vlan` names them. */
function taggedView(ethernet: Offset, tags: number): FrameView {
  const view = viewFrom(ethernet, () => 14 + 4 * tags);
  return {
    ...view,
    vlan: (frame) => {
      const at = view.network(frame);
      return at === undefined || !isTag(view.type(frame)) ? undefined : readU16(frame, at) & 0xfff;
    },
    behindTag: () => taggedView(ethernet, tags + 1),
  };
}

/** A frame as it stands in a file. */
export const wholeFrame: FrameView = taggedView(outermost, 0);

/**
 * A frame as a live capture on Linux has it: the kernel has taken the outer tag off and keeps it beside the frame, so that `icmp`
 * selects tagged packets too, and `vlan 20` asks the kernel.
 */
export const liveFrame: FrameView = liveView();

function liveView(): FrameView {
  const outerSize = (frame: Uint8Array, at: number): number => (isTag(readU16(frame, at + 12)) ? 18 : 14);
  const view = viewFrom(outermost, outerSize);
  const inner: FrameView = {
    ...view,
    vlan: (frame) => {
      const at = view.network(frame);
      return at === undefined || !isTag(view.type(frame)) ? undefined : readU16(frame, at) & 0xfff;
    },
    // A second tag is in the frame.
    behindTag: () => taggedView(outermost, 2),
  };
  return { ...view, vlan: (frame) => (frame.length >= 18 && isTag(readU16(frame, 12)) ? readU16(frame, 14) & 0xfff : undefined), behindTag: () => inner };
}

/** The view of the frame inside a Geneve packet. */
export const insideGeneve = (view: FrameView): FrameView => taggedView((frame) => geneveAt(view, frame)?.inner, 0);

/** The header of a Geneve packet and the frame within it. */
export function geneveAt(view: FrameView, frame: Uint8Array): { readonly header: number; readonly inner: number } | undefined {
  const udp = transportAt(view, frame, ipProtocol.udp);
  if (udp === undefined || readU16(frame, udp + 2) !== genevePort || udp + 16 > frame.length) return undefined;
  const header = udp + 8;
  return { header, inner: header + 8 + ((frame[header] ?? 0) & 0x3f) * 4 };
}

/** The IP version at the network header; undefined if it is none. */
export function ipVersionAt(view: FrameView, frame: Uint8Array): 4 | 6 | undefined {
  const type = view.type(frame);
  const at = view.network(frame);
  if (at === undefined) return undefined;
  if (type === etherType.ipv4) return at + 20 <= frame.length ? 4 : undefined;
  return type === etherType.ipv6 && at + ipv6Size <= frame.length ? 6 : undefined;
}

/** The upper header of that protocol; undefined of others and of later fragments. */
export function transportAt(view: FrameView, frame: Uint8Array, protocol: number): number | undefined {
  const at = view.network(frame);
  const version = ipVersionAt(view, frame);
  if (at === undefined || version === undefined) return undefined;
  if (version === 4) {
    const isLater = (readU16(frame, at + 6) & 0x1fff) !== 0;
    return frame[at + 9] === protocol && !isLater ? at + ((frame[at] ?? 0) & 15) * 4 : undefined;
  }
  const upper = findUpperLayer(frame.subarray(at));
  return upper?.protocol === protocol && (upper.fragment?.offset ?? 0) === 0 ? at + upper.offset : undefined;
}

/** The protocol of an IP packet. */
export function protocolAt(view: FrameView, frame: Uint8Array): number | undefined {
  const at = view.network(frame);
  const version = ipVersionAt(view, frame);
  if (at === undefined || version === undefined) return undefined;
  return version === 4 ? frame[at + 9] : findUpperLayer(frame.subarray(at))?.protocol;
}
