/**
 * A connection's tuple: what one direction of it looks like on the wire. ICMP queries have their identifier for a source
 * port, and type and code for a destination port; the other direction has the answer's type.
 */
import { readU16, readU32 } from "../../packet/index.ts";
import { W } from "../flow/flow-key.ts";
import { ethType, ipProto, type Packet } from "../packet/packet.ts";

export interface Tuple {
  readonly family: 4 | 6;
  readonly protocol: number;
  /** One word or four. */
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** Type to the type of its answer (echo, timestamp, information; ICMPv6 echo). */
const answers4: ReadonlyMap<number, number> = new Map([[8, 0], [0, 8], [13, 14], [14, 13], [15, 16], [16, 15]]);
const answers6: ReadonlyMap<number, number> = new Map([[128, 129], [129, 128]]);
/** Those that can begin a connection. */
const questions4: ReadonlySet<number> = new Set([8, 13, 15]);

export function reverse(tuple: Tuple): Tuple {
  const isIcmp = tuple.protocol === ipProto.icmp || tuple.protocol === ipProto.icmpv6;
  const flipped = { ...tuple, source: tuple.destination, destination: tuple.source };
  if (!isIcmp) return { ...flipped, sourcePort: tuple.destinationPort, destinationPort: tuple.sourcePort };
  const type = tuple.destinationPort >>> 8;
  const answer = (tuple.family === 4 ? answers4 : answers6).get(type) ?? type;
  return { ...flipped, destinationPort: (answer << 8) | (tuple.destinationPort & 0xff) };
}

export const tupleKey = (zone: number, t: Tuple): string =>
  `${zone}/${t.protocol}/${t.source.join(".")}/${t.destination.join(".")}/${t.sourcePort}/${t.destinationPort}`;

export const isIcmpTuple = ({ protocol }: Tuple): boolean => protocol === ipProto.icmp || protocol === ipProto.icmpv6;

/** Whether a packet of this tuple may begin a connection, as far as that can be told from it alone. */
export function canBegin(tuple: Tuple): boolean {
  const type = tuple.destinationPort >>> 8;
  if (tuple.protocol === ipProto.icmp) return questions4.has(type);
  return tuple.protocol !== ipProto.icmpv6 || type === 128;
}

export type Classified =
  | { readonly kind: "tuple"; readonly tuple: Tuple }
  /** An ICMP error about a packet of this tuple. */
  | { readonly kind: "related"; readonly inner: Tuple }
  | { readonly kind: "invalid" };

const invalid: Classified = { kind: "invalid" };

/** The tuple of a packet, or of the one that it complains about. */
export function classify(packet: Packet): Classified {
  const { key, bytes: b, l4 } = packet;
  const isV4 = key[W.ethType] === ethType.ipv4;
  if (!isV4 && key[W.ethType] !== ethType.ipv6) return invalid;
  const protocol = (key[W.nwMisc] ?? 0) >>> 24;
  const source = isV4 ? [key[W.nwSrc] ?? 0] : [...key.subarray(W.ipv6Src, W.ipv6Src + 4)];
  const destination = isV4 ? [key[W.nwDst] ?? 0] : [...key.subarray(W.ipv6Dst, W.ipv6Dst + 4)];
  const base = { family: isV4 ? 4 : 6, protocol, source, destination } as const;
  switch (protocol) {
    case ipProto.tcp:
    case ipProto.udp:
    case ipProto.sctp:
      if (l4 === 0) return invalid;
      return { kind: "tuple", tuple: { ...base, sourcePort: readU16(b, l4), destinationPort: readU16(b, l4 + 2) } };
    case ipProto.icmp:
    case ipProto.icmpv6: {
      if (l4 === 0 || b.length < l4 + 8) return invalid;
      const type = b[l4] ?? 0;
      if ((isV4 ? answers4 : answers6).has(type)) {
        return { kind: "tuple", tuple: { ...base, sourcePort: readU16(b, l4 + 4), destinationPort: readU16(b, l4) } };
      }
      const isError = isV4 ? [3, 4, 5, 11, 12].includes(type) : type >= 1 && type <= 4;
      const inner = isError ? innerTuple(b, l4 + 8, isV4) : undefined;
      return inner === undefined ? invalid : { kind: "related", inner };
    }
    default:
      // Other protocols have addresses only.
      return { kind: "tuple", tuple: { ...base, sourcePort: 0, destinationPort: 0 } };
  }
}

function innerTuple(b: Uint8Array, at: number, isV4: boolean): Tuple | undefined {
  const size = isV4 ? ((b[at] ?? 0) & 15) * 4 : 40;
  if (b.length < at + size + 8 || size < 20) return undefined;
  const protocol = b[isV4 ? at + 9 : at + 6] ?? 0;
  const words = (from: number): number[] => (isV4 ? [readU32(b, from)] : [0, 4, 8, 12].map((i) => readU32(b, from + i)));
  const l4 = at + size;
  const isIcmp = protocol === ipProto.icmp || protocol === ipProto.icmpv6;
  return {
    family: isV4 ? 4 : 6, protocol, source: words(at + (isV4 ? 12 : 8)), destination: words(at + (isV4 ? 16 : 24)),
    sourcePort: isIcmp ? readU16(b, l4 + 4) : readU16(b, l4), destinationPort: isIcmp ? readU16(b, l4) : readU16(b, l4 + 2),
  };
}
