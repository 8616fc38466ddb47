/**
 * DHCP (RFC 2131): BOOTP's fixed fields, a magic cookie, and options as (code, length, data) (RFC 2132).
 *
 *     |     op        |   htype 1     |    hlen 6     |     hops      |
 *     |                              xid                              |
 *     |             secs              |             flags             |
 *     | ciaddr | yiaddr | siaddr | giaddr  (4 each) | chaddr (16)     |
 *     | server name (64) | boot file (128) | 0x63825363 | options     |
 */
import { type Ipv4, ipv4Of, type Mac, readMac, writeMac } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export interface DhcpOption {
  readonly code: number;
  readonly data: Uint8Array;
}

export interface Dhcpv4 {
  /** 1 from clients, 2 from servers. */
  readonly op: number;
  readonly hops: number;
  readonly xid: number;
  readonly seconds: number;
  readonly broadcast: boolean;
  readonly clientIp: Ipv4;
  readonly yourIp: Ipv4;
  readonly serverIp: Ipv4;
  readonly relayIp: Ipv4;
  readonly clientMac: Mac;
  readonly serverName: string;
  readonly bootFile: string;
  /** In their order, without pad and end; those of one code that were split are joined (RFC 3396). */
  readonly options: readonly DhcpOption[];
}

export const dhcpMessage = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7, inform: 8 } as const;

/** Codes of the options that OVN and its hosts speak of. */
export const dhcpOption = {
  netmask: 1, router: 3, dnsServer: 6, logServer: 7, lprServer: 9, hostName: 12, domainName: 15, swapServer: 16, ipForward: 19,
  policyFilter: 21, defaultTtl: 23, mtu: 26, routerDiscovery: 31, routerSolicitation: 32, arpTimeout: 35, ethernetEncap: 36, tcpTtl: 37,
  tcpKeepalive: 38, nisServer: 41, ntpServer: 42, netbiosNameServer: 44, netbiosNodeType: 46, requestedIp: 50, leaseTime: 51, messageType: 53,
  serverId: 54, parameterRequest: 55, maxMessageSize: 57, t1: 58, t2: 59, vendorClass: 60, clientId: 61, tftpServer: 66, bootFileName: 67,
  nextServer: 253, domainSearch: 119, classlessRoutes: 121, tftpServerAddress: 150, pathPrefix: 210, wpad: 252, msClasslessRoutes: 249,
} as const;

const fixedSize = 240;
const magic = 0x63825363;

export function parseDhcpv4(b: Uint8Array): Dhcpv4 | undefined {
  if (b.length < fixedSize || readU32(b, 236) !== magic || b[1] !== 1 || b[2] !== 6) return undefined;
  const options = parseOptions(b.subarray(fixedSize));
  if (options === undefined) return undefined;
  return {
    op: b[0] ?? 0, hops: b[3] ?? 0, xid: readU32(b, 4), seconds: readU16(b, 8), broadcast: (readU16(b, 10) & 0x8000) !== 0,
    clientIp: ipv4Of(readU32(b, 12)), yourIp: ipv4Of(readU32(b, 16)), serverIp: ipv4Of(readU32(b, 20)), relayIp: ipv4Of(readU32(b, 24)),
    clientMac: readMac(b, 28), serverName: readText(b.subarray(44, 108)), bootFile: readText(b.subarray(108, 236)), options,
  };
}

function parseOptions(b: Uint8Array): DhcpOption[] | undefined {
  const byCode = new Map<number, Uint8Array>();
  for (let at = 0; at < b.length; ) {
    const code = b[at] ?? 0;
    if (code === 255) break;
    if (code === 0) {
      at++;
      continue;
    }
    const size = b[at + 1];
    if (size === undefined || at + 2 + size > b.length) return undefined;
    const data = b.slice(at + 2, at + 2 + size);
    const before = byCode.get(code);
    byCode.set(code, before === undefined ? data : Uint8Array.from([...before, ...data]));
    at += 2 + size;
  }
  return [...byCode].map(([code, data]) => ({ code, data }));
}

function readText(b: Uint8Array): string {
  const end = b.indexOf(0);
  return new TextDecoder().decode(end < 0 ? b : b.subarray(0, end));
}

/** An option of more than 255 bytes is split. */
const sizeofOption = (o: DhcpOption): number => o.data.length + 2 * Math.max(1, Math.ceil(o.data.length / 255));

export const sizeofDhcpv4 = (m: Dhcpv4): number => fixedSize + m.options.reduce((size, o) => size + sizeofOption(o), 0) + 1;

export function emitDhcpv4(m: Dhcpv4, b: Uint8Array): void {
  b.fill(0, 0, sizeofDhcpv4(m));
  b[0] = m.op;
  b[1] = 1;
  b[2] = 6;
  b[3] = m.hops;
  writeU32(b, 4, m.xid);
  writeU16(b, 8, m.seconds);
  writeU16(b, 10, m.broadcast ? 0x8000 : 0);
  [m.clientIp, m.yourIp, m.serverIp, m.relayIp].forEach((ip, i) => writeU32(b, 12 + 4 * i, ip));
  writeMac(m.clientMac, b, 28);
  b.set(new TextEncoder().encode(m.serverName).subarray(0, 63), 44);
  b.set(new TextEncoder().encode(m.bootFile).subarray(0, 127), 108);
  writeU32(b, 236, magic);
  let at = fixedSize;
  for (const { code, data } of m.options) {
    for (let from = 0; from === 0 || from < data.length; from += 255) {
      const piece = data.subarray(from, from + 255);
      b[at] = code;
      b[at + 1] = piece.length;
      b.set(piece, at + 2);
      at += 2 + piece.length;
    }
  }
  b[at] = 255;
}

export const findDhcpOption = (m: Dhcpv4, code: number): Uint8Array | undefined => m.options.find((o) => o.code === code)?.data;

/** The message type (dhcpMessage), 0 if there is none. */
export const dhcpMessageType = (m: Dhcpv4): number => findDhcpOption(m, dhcpOption.messageType)?.[0] ?? 0;

/** The addresses in an option's data: as many as are whole. */
export const dhcpIps = (data: Uint8Array | undefined): Ipv4[] =>
  data === undefined ? [] : Array.from({ length: Math.floor(data.length / 4) }, (_, i) => ipv4Of(readU32(data, 4 * i)));

export interface DhcpRoute {
  readonly network: Ipv4;
  readonly length: number;
  readonly gateway: Ipv4;
}

/** Classless static routes (RFC 3442); undefined if they are malformed. */
export function parseClasslessRoutes(data: Uint8Array): DhcpRoute[] | undefined {
  const routes: DhcpRoute[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data[at] ?? 0;
    const significant = Math.ceil(length / 8);
    if (length > 32 || at + 1 + significant + 4 > data.length) return undefined;
    let network = 0;
    for (let i = 0; i < 4; i++) network = network * 256 + (i < significant ? (data[at + 1 + i] ?? 0) : 0);
    routes.push({ length, network: ipv4Of(network), gateway: ipv4Of(readU32(data, at + 1 + significant)) });
    at += 1 + significant + 4;
  }
  return routes;
}
