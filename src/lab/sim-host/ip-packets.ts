/** IP packets of this machine's own, in fragments where the link is too narrow. */
import type { Ip } from "../../net/index.ts";
import { emitFragmentHeader, ipProtocol, ipv4Packet, ipv6Packet, ipv6Size, parseIpv4Header, sizeofIpv4 } from "../../packet/index.ts";

export interface IpFields {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: number;
  readonly ttl: number;
  /** undefined: yes, unless that keeps the packet from leaving. */
  readonly dontFragment: boolean | undefined;
  readonly identification: number;
}

/** The packets that carry `payload`; undefined if it does not fit and must not be cut. */
export function ipPackets(fields: IpFields, payload: Uint8Array, mtu: number): Uint8Array[] | undefined {
  const { src, dst, protocol, ttl, identification } = fields;
  const headerSize = src.family === 4 ? 20 : ipv6Size;
  if (headerSize + payload.length > mtu) return fields.dontFragment === true ? undefined : fragments(fields, payload, mtu);
  if (src.family === 4 && dst.family === 4) {
    return [ipv4Packet({ src: src.address, dst: dst.address, protocol, ttl, dontFragment: fields.dontFragment ?? true, identification }, payload)];
  }
  return src.family === 6 && dst.family === 6 ? [ipv6Packet({ src: src.address, dst: dst.address, nextHeader: protocol, hopLimit: ttl }, payload)] : undefined;
}

function fragments({ src, dst, protocol, ttl, identification }: IpFields, payload: Uint8Array, mtu: number): Uint8Array[] {
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

/** A forwarded IPv4 packet cut to fit (RFC 791, section 2.3): a piece may be cut again. */
export function fragmentIpv4(packet: Uint8Array, mtu: number): Uint8Array[] {
  const h = parseIpv4Header(packet);
  if (h === undefined) return [];
  const room = (mtu - sizeofIpv4(h)) & ~7;
  const payload = packet.subarray(sizeofIpv4(h), h.totalSize);
  const packets: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length && room > 0; offset += room) {
    const more = h.moreFragments || offset + room < payload.length;
    packets.push(ipv4Packet({ ...h, moreFragments: more, fragmentOffset: h.fragmentOffset + offset }, payload.subarray(offset, offset + room)));
  }
  return packets;
}
