/**
 * icmp4.inner_ip4.src: an ICMP error that comes back through stateless NAT quotes a packet as it was outside; its source becomes the
 * logical address again (ovn-nb(5), NAT.options:stateless_icmp_helper).
 */
import { icmpv4Type, ipProtocol, readU16, readU32, updateChecksum32, writeU16, writeU32 } from "../../packet/index.ts";
import { type Arrival, resumeWith } from "./arrival.ts";
import { type Headers, upperLayer } from "./headers.ts";

const icmpSize = 8;
const ipv4Size = 20;
const checksumOffset = 10;
const sourceOffset = 12;
const errors: ReadonlySet<number> = new Set([icmpv4Type.unreachable, icmpv4Type.timeExceeded, icmpv4Type.parameterProblem]);

/** Whatever is wrong with it, the packet goes on: the pipeline waits. */
export function rewriteInnerSource(arrival: Arrival): void {
  const { headers, userdata, log } = arrival;
  const found = quotedHeader(headers);
  if (typeof found === "string") log.warn(found);
  const source = userdata.length < 4 ? undefined : readU32(userdata, 0);
  const packet = typeof found === "number" && source !== undefined ? withSource(headers.packet, found, source) : undefined;
  resumeWith(arrival, undefined, true, packet);
}

/** Where the quoted packet's header begins; or what is wrong; undefined in a later fragment, which has none. */
function quotedHeader(headers: Headers): number | string | undefined {
  const { ip, packet } = headers;
  if (ip?.family !== 4 || ip.protocol !== ipProtocol.icmp) return "put_icmp4_inner_ip4_src action on non-ICMPv4 packet";
  if (ip.header.fragmentOffset > 0) return undefined;
  const icmp = upperLayer(headers, ip);
  if (icmp.length < icmpSize + ipv4Size) return "put_icmp4_inner_ip4_src: ICMP payload too short to contain an inner IPv4 header";
  if (!errors.has(icmp[0] ?? 0)) return "put_icmp4_inner_ip4_src action on non-ICMPv4 error packet";
  const offset = ip.upperOffset + icmpSize;
  const size = ((packet[offset] ?? 0) & 0xf) * 4;
  return size < ipv4Size || size > icmp.length - icmpSize ? `put_icmp4_inner_ip4_src: inner IPv4 header length (${size}) invalid` : offset;
}

/**
 * The checksum is changed by what the address changes (RFC 1624), so that a wrong one stays wrong. The outer ICMP checksum covers
 * both changes, which cancel each other.
 */
function withSource(original: Uint8Array, header: number, source: number): Uint8Array {
  const packet = new Uint8Array(original);
  const before = readU32(packet, header + sourceOffset);
  writeU16(packet, header + checksumOffset, updateChecksum32(readU16(packet, header + checksumOffset), before, source));
  writeU32(packet, header + sourceOffset, source);
  return packet;
}
