/** put_nd_ra_opts: turns a router solicitation into the advertisement that came along (ovn-sb(5); RFC 4861, section 6.2). */
import { parseIpv6, readIpv6, writeIpv6 } from "../../net/index.ts";
import { fillChecksum, ipProtocol, pseudoHeaderSum, writeU16 } from "../../packet/index.ts";
import { present } from "../../std/index.ts";
import { type Arrival, pullResultBit, resumeWith } from "./arrival.ts";
import { isRouterSolicitation } from "./neighbor-requests.ts";

const allHosts = present(parseIpv6("ff02::1"), "ff02::1");
const checksumOffset = 2;
const sourceOffset = 8;
const destinationOffset = 24;

export function answerRouterSolicitation(arrival: Arrival): void {
  const result = pullResultBit(arrival.userdata);
  if (result === undefined || result.rest.length === 0) {
    arrival.log.warn("IPv6 ND RA options not present in the userdata");
    resumeWith(arrival, result?.bit, false);
    return;
  }
  const reply = replyTo(arrival, result.rest);
  resumeWith(arrival, result.bit, reply !== undefined, reply);
}

function replyTo({ headers, log }: Arrival, advertisement: Uint8Array): Uint8Array | undefined {
  const { ip } = headers;
  if (ip?.family !== 6 || !isRouterSolicitation(headers)) {
    log.warn("put_nd_ra action on invalid or unsupported packet");
    return undefined;
  }
  const reply = new Uint8Array(ip.upperOffset + advertisement.length);
  reply.set(headers.packet.subarray(0, ip.upperOffset));
  reply.set(advertisement, ip.upperOffset);
  const header = reply.subarray(headers.ipOffset);
  writeU16(header, 4, advertisement.length);
  // The next action turns the addresses round: who had none yet is answered together with all others.
  if (readIpv6(header, sourceOffset) === 0n) writeIpv6(allHosts, header, sourceOffset);
  const message = reply.subarray(ip.upperOffset);
  writeU16(message, checksumOffset, 0);
  const [src, dst] = [readIpv6(header, sourceOffset), readIpv6(header, destinationOffset)];
  fillChecksum(message, checksumOffset, pseudoHeaderSum({ family: 6, address: src }, { family: 6, address: dst }, ipProtocol.icmpv6, message.length));
  return reply;
}
