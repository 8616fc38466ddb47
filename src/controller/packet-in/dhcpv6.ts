/**
 * put_dhcpv6_opts: turns a client's DHCPv6 request into the answer (ovn-sb(5); RFC 8415). Addresses are given for ever: they
 * are the port's.
 */
import {
  concatenate, dhcpv6Message, dhcpv6Option, type Dhcpv6, type Dhcpv6Option, duidOfMac, emitDhcpv6Options, fillUdpChecksum, findDhcpv6Option, ipProtocol,
  parseDhcpv6, parseDhcpv6Options, parseUdp, pseudoHeaderSum, sizeofDhcpv6Options, udpSize, writeU16, writeU32,
} from "../../packet/index.ts";
import { type Arrival, pullResultBit, resumeWith } from "./arrival.ts";
import { type Headers, type IpHeaders, upperLayer } from "./headers.ts";

const forever = 0xffffffff;
const bootFileAlternative = 254;
const statusSuccess = new Uint8Array(2);
/** Where the user class says so, the client has come as far as iPXE. */
const ipxeMark = "iPXE";
/** Flags of option 39 (RFC 4704): the client is not to update the name itself; its wish to was overruled. */
const fqdn = { server: 1, overridden: 2, noUpdate: 4 } as const;

export function answerDhcpv6(arrival: Arrival): void {
  const result = pullResultBit(arrival.userdata);
  if (result === undefined) {
    arrival.log.warn("bad result OXM or offset in the userdata of DHCPv6 options");
    resumeWith(arrival, undefined, false);
    return;
  }
  const reply = replyTo(arrival, result.rest);
  resumeWith(arrival, result.bit, reply !== undefined, reply);
}

const replyTypes: ReadonlyMap<number, number> = new Map([
  [dhcpv6Message.solicit, dhcpv6Message.advertise], [dhcpv6Message.request, dhcpv6Message.reply], [dhcpv6Message.confirm, dhcpv6Message.reply],
  [dhcpv6Message.decline, dhcpv6Message.reply], [dhcpv6Message.informationRequest, dhcpv6Message.reply], [dhcpv6Message.release, dhcpv6Message.reply],
]);

type Ipv6Headers = Extract<IpHeaders, { family: 6 }>;

function replyTo({ headers, log }: Arrival, userdata: Uint8Array): Uint8Array | undefined {
  const { ip } = headers;
  const upper = ip?.family === 6 && ip.protocol === ipProtocol.udp ? upperLayer(headers, ip) : undefined;
  const request = upper && parseDhcpv6(upper.subarray(udpSize, parseUdp(upper)?.size));
  if (ip?.family !== 6 || upper === undefined || request === undefined) {
    log.warn("truncated dhcpv6 packet");
    return undefined;
  }
  const type = replyTypes.get(request.type);
  if (type === undefined) return undefined;
  const clientId = findDhcpv6Option(request.options, dhcpv6Option.clientId);
  if (clientId === undefined) {
    log.warn("DHCPv6 option - Client id not present in the DHCPv6 packet");
    return undefined;
  }
  const association = findDhcpv6Option(request.options, dhcpv6Option.iaNa)?.subarray(0, 4);
  const hasAssociation = association !== undefined && association.some((byte) => byte !== 0);
  if (!hasAssociation && request.type !== dhcpv6Message.informationRequest) {
    log.warn("DHCPv6 option - IA NA not present in the DHCPv6 packet");
    return undefined;
  }
  const given = parseDhcpv6Options(userdata);
  if (given === undefined || given.length === 0) {
    log.warn("Invalid userdata");
    return undefined;
  }
  const options = request.type === dhcpv6Message.release ? releaseOptions(given) : given.flatMap((o) => answerOption(o, request, hasAssociation ? association : undefined));
  return makeReply(headers, ip, upper, type, [{ code: dhcpv6Option.clientId, data: clientId }, ...options]);
}

const serverId = (mac: Uint8Array): Dhcpv6Option => ({ code: dhcpv6Option.serverId, data: duidOfMac(mac) });

const releaseOptions = (given: readonly Dhcpv6Option[]): readonly Dhcpv6Option[] => [
  ...given.filter((o) => o.code === dhcpv6Option.serverId).map((o) => serverId(o.data)), { code: dhcpv6Option.statusCode, data: statusSuccess },
];

function answerOption({ code, data }: Dhcpv6Option, request: Dhcpv6, association: Uint8Array | undefined): readonly Dhcpv6Option[] {
  switch (code) {
    case dhcpv6Option.serverId:
      return [serverId(data)];
    case dhcpv6Option.iaAddress:
      return association === undefined || data.length !== 16 ? [] : [{ code: dhcpv6Option.iaNa, data: associationOf(association, data) }];
    case dhcpv6Option.domainSearch:
      return [{ code, data: concatenate(Uint8Array.of(data.length), data, Uint8Array.of(0)) }];
    case dhcpv6Option.bootFileUrl:
      return isIpxe(request) ? [{ code, data }] : [];
    case bootFileAlternative:
      return isIpxe(request) ? [] : [{ code: dhcpv6Option.bootFileUrl, data }];
    case dhcpv6Option.fqdn: {
      const asked = findDhcpv6Option(request.options, dhcpv6Option.fqdn)?.[0];
      return asked === undefined ? [] : [{ code, data: concatenate(Uint8Array.of(fqdn.noUpdate | ((asked & fqdn.server) === 0 ? 0 : fqdn.overridden)), data) }];
    }
    default:
      return [{ code, data }];
  }
}

/** The address inside the identity association that the client named. */
function associationOf(id: Uint8Array, address: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + 4 + 24);
  bytes.set(id);
  writeU32(bytes, 4, forever);
  writeU32(bytes, 8, forever);
  writeU16(bytes, 12, dhcpv6Option.iaAddress);
  writeU16(bytes, 14, 24);
  bytes.set(address, 16);
  writeU32(bytes, 32, forever);
  writeU32(bytes, 36, forever);
  return bytes;
}

function isIpxe(request: Dhcpv6): boolean {
  const userClass = findDhcpv6Option(request.options, dhcpv6Option.userClass);
  return userClass !== undefined && new TextDecoder("latin1").decode(userClass.subarray(2, 6)) === ipxeMark;
}

/** The request's frame, type and transaction kept or replaced, with the new options. */
function makeReply(headers: Headers, ip: Ipv6Headers, upper: Uint8Array, type: number, options: readonly Dhcpv6Option[]): Uint8Array {
  const size = udpSize + 4 + sizeofDhcpv6Options(options);
  const reply = new Uint8Array(ip.upperOffset + size);
  reply.set(headers.packet.subarray(0, ip.upperOffset));
  const udp = reply.subarray(ip.upperOffset);
  udp.set(upper.subarray(0, udpSize + 4));
  udp[udpSize] = type;
  emitDhcpv6Options(options, udp.subarray(udpSize + 4));
  writeU16(udp, 4, size);
  writeU16(reply.subarray(headers.ipOffset), 4, size);
  fillUdpChecksum(udp, pseudoHeaderSum({ family: 6, address: ip.src }, { family: 6, address: ip.dst }, ipProtocol.udp, size));
  return reply;
}

