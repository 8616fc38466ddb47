/**
 * put_dhcp_opts: turns a client's DHCP request into the answer with the options that came along, and lets it go on in the
 * pipeline (ovn-sb(5); RFC 2131). Options 53 (type) stands first; the rest is as northd gave it.
 */
import { formatIpv4, formatMac, type Ipv4, ipv4Of } from "../../net/index.ts";
import {
  checksum, dhcpIps, dhcpMessage, dhcpMessageType, dhcpOption, type Dhcpv4, findDhcpOption, ipProtocol, parseDhcpv4, readU32, udpSize, writeU16, writeU32,
} from "../../packet/index.ts";
import { type Arrival, pullResultBit, resumeWith } from "./arrival.ts";
import { type Headers, type IpHeaders, upperLayer } from "./headers.ts";

const fixedSize = 236;
const cookieSize = 4;
const bootReply = 2;
const etherbootOption = 175;
const bootFileAlternative = 254;
const endOption = 255;
/** Zero bytes before the end option, and after it. */
const paddingSize = 4;

export function answerDhcp(arrival: Arrival): void {
  const result = pullResultBit(arrival.userdata);
  if (result === undefined) {
    arrival.log.warn("bad result OXM or offset in the userdata of DHCP options");
    resumeWith(arrival, undefined, false);
    return;
  }
  const reply = replyTo(arrival, result.rest);
  resumeWith(arrival, result.bit, reply !== undefined, reply);
}

type Ipv4Headers = Extract<IpHeaders, { family: 4 }>;

function replyTo({ headers, log }: Arrival, userdata: Uint8Array): Uint8Array | undefined {
  if (userdata.length <= 4) {
    log.warn("DHCP options not present in the userdata");
    return undefined;
  }
  const offer = ipv4Of(readU32(userdata, 0));
  const { ip } = headers;
  const payload = ip?.family === 4 && ip.protocol === ipProtocol.udp ? upperLayer(headers, ip).subarray(udpSize) : undefined;
  const request = payload && parseDhcpv4(payload);
  if (ip?.family !== 4 || payload === undefined || request === undefined) {
    log.warn("DHCP: Invalid or incomplete DHCP packet received");
    return undefined;
  }
  if (request.op !== 1) {
    log.warn(`Invalid opcode in the DHCP packet: ${request.op}`);
    return undefined;
  }
  const type = answerType({ headers, log }, request, offer);
  return type === undefined ? undefined : makeReply(headers, ip, payload, request, type, offer, userdata.subarray(4), log);
}

/** What the answer is, and what the log says of the request; undefined: there is none. */
function answerType({ headers, log }: Pick<Arrival, "headers" | "log">, request: Dhcpv4, offer: Ipv4): number | undefined {
  const requested = dhcpIps(findDhcpOption(request, dhcpOption.requestedIp))[0] ?? request.clientIp;
  const client = formatMac(headers.src);
  switch (dhcpMessageType(request)) {
    case 0:
      log.warn("Missing DHCP message type");
      return undefined;
    case dhcpMessage.discover:
      return dhcpMessage.offer;
    case dhcpMessage.request:
      if (requested === offer) return dhcpMessage.ack;
      log.warn(`DHCPREQUEST requested IP ${formatIpv4(requested)} does not match offer ${formatIpv4(offer)}`);
      return dhcpMessage.nak;
    case dhcpMessage.release:
      log.info(`DHCPRELEASE ${client} ${formatIpv4(request.clientIp)}`);
      return undefined;
    case dhcpMessage.inform:
      log.info(`DHCPINFORM from ${client} ${headers.ip?.family === 4 ? formatIpv4(headers.ip.src) : ""}`);
      return dhcpMessage.ack;
    case dhcpMessage.decline:
      if (requested === offer) log.info(`DHCPDECLINE from ${client}, ${formatIpv4(offer)} duplicated`);
      return undefined;
    default:
      log.warn(`Invalid DHCP message type: ${dhcpMessageType(request)}`);
      return undefined;
  }
}

const typeNames: ReadonlyMap<number, string> = new Map([[dhcpMessage.offer, "OFFER"], [dhcpMessage.ack, "ACK"], [dhcpMessage.nak, "NAK"]]);

function makeReply(
  headers: Headers, ip: Ipv4Headers, payload: Uint8Array, request: Dhcpv4, type: number, offer: Ipv4, given: Uint8Array, log: Arrival["log"],
): Uint8Array {
  const isInform = dhcpMessageType(request) === dhcpMessage.inform;
  const isRefused = type === dhcpMessage.nak;
  const chosen = chooseOptions(splitOptions(given), isInform, findDhcpOption(request, etherbootOption) !== undefined);
  const options = isRefused ? new Uint8Array(0) : joinOptions(chosen);
  const nextServer = chosen.find((o) => o.code === dhcpOption.nextServer);
  const udpLength = udpSize + fixedSize + cookieSize + 3 + options.length + paddingSize + 1 + paddingSize;
  const reply = new Uint8Array(ip.upperOffset + udpLength);
  reply.set(headers.packet.subarray(0, ip.upperOffset + udpSize));
  const dhcp = reply.subarray(ip.upperOffset + udpSize);
  dhcp.set(payload.subarray(0, fixedSize + cookieSize));
  dhcp[0] = bootReply;
  writeU32(dhcp, 16, isRefused || isInform ? 0 : offer);
  if (!isInform) writeU32(dhcp, 20, isRefused ? 0 : nextServer === undefined ? request.serverIp : readU32(nextServer.data, 0));
  dhcp.set([dhcpOption.messageType, 1, type], fixedSize + cookieSize);
  dhcp.set(options, fixedSize + cookieSize + 3);
  dhcp[fixedSize + cookieSize + 3 + options.length + paddingSize] = endOption;
  finish(reply, headers, ip, udpLength, request.broadcast ? 0xffffffff : offer);
  log.info(`DHCP${typeNames.get(type) ?? ""} ${formatMac(headers.src)} ${formatIpv4(offer)}`);
  return reply;
}

/** The lengths and checksums of the headers around; addresses and ports are turned round by later actions. */
function finish(reply: Uint8Array, headers: Headers, ip: Ipv4Headers, udpLength: number, destination: number): void {
  const header = reply.subarray(headers.ipOffset, ip.upperOffset);
  writeU16(header, 2, header.length + udpLength);
  writeU32(header, 16, destination);
  writeU16(header, 10, 0);
  writeU16(header, 10, checksum(header));
  const udp = reply.subarray(ip.upperOffset);
  writeU16(udp, 4, udpLength);
  writeU16(udp, 6, 0);
}

interface RawOption {
  readonly code: number;
  readonly data: Uint8Array;
}

function splitOptions(bytes: Uint8Array): readonly RawOption[] {
  const options: RawOption[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const size = bytes[at + 1] ?? 0;
    if (at + 2 + size > bytes.length) break;
    options.push({ code: bytes[at] ?? 0, data: bytes.subarray(at + 2, at + 2 + size) });
    at += 2 + size;
  }
  return options;
}

/** Options of an address are not for those that have one (RFC 2131, section 3.4). */
const ofAddress: ReadonlySet<number> = new Set([dhcpOption.netmask, dhcpOption.leaseTime, dhcpOption.t1, dhcpOption.t2]);

/** There may be two boot files: the first for clients that have come as far as iPXE, the other for the rest. */
function chooseOptions(options: readonly RawOption[], isInform: boolean, isIpxe: boolean): readonly RawOption[] {
  const kept = isInform ? options.filter((o) => !ofAddress.has(o.code)) : options;
  const hasBoth = kept.some((o) => o.code === dhcpOption.bootFileName) && kept.some((o) => o.code === bootFileAlternative);
  const unwanted = hasBoth ? (isIpxe ? bootFileAlternative : dhcpOption.bootFileName) : -1;
  return kept.filter((o) => o.code !== unwanted).map((o) => (o.code === bootFileAlternative ? { ...o, code: dhcpOption.bootFileName } : o));
}

function joinOptions(options: readonly RawOption[]): Uint8Array {
  const joined = new Uint8Array(options.reduce((size, o) => size + 2 + o.data.length, 0));
  let at = 0;
  for (const { code, data } of options) {
    joined[at] = code;
    joined[at + 1] = data.length;
    joined.set(data, at + 2);
    at += 2 + data.length;
  }
  return joined;
}
