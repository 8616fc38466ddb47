/**
 * The addresses of a port, as they are written in the `addresses`, `port_security`, `networks` and `nat-addresses` of the
 * northbound database: a MAC and any number of IPv4 and IPv6 addresses with prefix lengths (ovn-nb(5)). Text forms are kept
 * beside the values, since flows need them over and over.
 */
import {
  formatIpv4, formatIpv6, formatMac, type Ipv4, type Ipv6, ipv4Mask, ipv4MaskLength, ipv4Of, ipv6Mask, ipv6MaskLength, ipv6Of,
  linkLocalOf, type Mac, macZero, parseIpv4, parseIpv6, parseMac, solicitedNode,
} from "../net/index.ts";

export interface Ipv4Network {
  readonly address: Ipv4;
  readonly text: string;
  readonly length: number;
  readonly network: Ipv4;
  readonly networkText: string;
  readonly broadcastText: string;
}

export interface Ipv6Network {
  readonly address: Ipv6;
  readonly text: string;
  readonly length: number;
  readonly network: Ipv6;
  readonly networkText: string;
  readonly solicitedNodeText: string;
}

export interface PortAddresses {
  /** Zero where none was given. */
  readonly mac: Mac;
  readonly macText: string;
  readonly ipv4: readonly Ipv4Network[];
  readonly ipv6: readonly Ipv6Network[];
}

export function ipv4Network(address: Ipv4, length: number): Ipv4Network {
  const mask = ipv4Mask(length);
  const network = ipv4Of(address & mask);
  const broadcast = ipv4Of(address | ~mask);
  return {
    address, text: formatIpv4(address), length, network,
    networkText: formatIpv4(network), broadcastText: formatIpv4(broadcast),
  };
}

export function ipv6Network(address: Ipv6, length: number): Ipv6Network {
  const network = ipv6Of(address & ipv6Mask(length));
  return {
    address, text: formatIpv6(address), length, network,
    networkText: formatIpv6(network), solicitedNodeText: formatIpv6(solicitedNode(address)),
  };
}

/** Each byte may have any number of digits, as for sscanf: the last two count. */
const macAtStart = /^\s*((?:[0-9a-fA-F]+:){5}[0-9a-fA-F]+)/;

/** The MAC that `text` begins with, and where it ends. */
export function macAt(text: string): { readonly mac: Mac; readonly end: number } | undefined {
  const found = macAtStart.exec(text);
  const mac = found?.[1] === undefined ? undefined : parseMac(found[1].split(":").map((byte) => byte.slice(-2)).join(":"));
  return found === null || mac === undefined ? undefined : { mac, end: found[0].length };
}

export interface ParsedAddresses {
  readonly addresses: PortAddresses;
  /** What follows the last address that could be read. */
  readonly rest: string;
}

/** `MAC [IP ...]`, up to the first thing that is no address; undefined where it does not begin with a MAC. */
export function parseMacAndIps(text: string): ParsedAddresses | undefined {
  const start = macAt(text);
  if (start === undefined) return undefined;
  const { ipv4, ipv6, rest } = parseIps(text.slice(start.end));
  return { addresses: { mac: start.mac, macText: formatMac(start.mac), ipv4, ipv6 }, rest };
}

/** `IP [IP ...]`; undefined where there is none. */
export function parseIpsAlone(text: string): PortAddresses | undefined {
  const { ipv4, ipv6 } = parseIps(text);
  return ipv4.length + ipv6.length === 0 ? undefined : { mac: macZero, macText: "", ipv4, ipv6 };
}

function parseIps(text: string): { readonly ipv4: Ipv4Network[]; readonly ipv6: Ipv6Network[]; readonly rest: string } {
  const ipv4: Ipv4Network[] = [];
  const ipv6: Ipv6Network[] = [];
  let rest = text;
  while (rest !== "") {
    const four = ipv4CidrAt(rest);
    if (four !== undefined) {
      ipv4.push(four.network);
      rest = rest.slice(four.size);
      continue;
    }
    const six = ipv6CidrAt(rest);
    if (six === undefined) break;
    ipv6.push(six.network);
    rest = rest.slice(six.size);
  }
  return { ipv4, ipv6, rest };
}

const ipv4Start = /^\s*(\d{1,3}(?:\.\d{1,3}){3})(?:\/(\d{1,3}(?:\.\d{1,3}){3}|\d{1,3}))?/;
const ipv6Start = /^\s*([0-9a-fA-F:.]{2,46})(?:\/([0-9a-fA-F:.]{2,46}|\d{1,3}))?/;

function ipv4CidrAt(text: string): { readonly network: Ipv4Network; readonly size: number } | undefined {
  const found = ipv4Start.exec(text);
  const address = found?.[1] === undefined ? undefined : parseDecimalIpv4(found[1]);
  if (found === null || address === undefined) return undefined;
  const length = found[2] === undefined ? 32 : ipv4Length(found[2]);
  return length === undefined ? undefined : { network: ipv4Network(address, length), size: found[0].length };
}

function ipv6CidrAt(text: string): { readonly network: Ipv6Network; readonly size: number } | undefined {
  const found = ipv6Start.exec(text);
  const address = found?.[1] === undefined ? undefined : parseIpv6(found[1]);
  if (found === null || address === undefined) return undefined;
  const length = found[2] === undefined ? 128 : ipv6Length(found[2]);
  return length === undefined ? undefined : { network: ipv6Network(address, length), size: found[0].length };
}

/** Leading zeros are read as decimal here, as sscanf does, where inet_pton would refuse them. */
function parseDecimalIpv4(text: string): Ipv4 | undefined {
  return parseIpv4(text.split(".").map(Number).join("."));
}

function ipv4Length(text: string): number | undefined {
  if (!text.includes(".")) return Number(text) <= 32 ? Number(text) : undefined;
  const mask = parseDecimalIpv4(text);
  return mask === undefined ? undefined : ipv4MaskLength(mask);
}

function ipv6Length(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= 128 ? Number(text) : undefined;
  const mask = parseIpv6(text);
  return mask === undefined ? undefined : ipv6MaskLength(mask);
}

/** The whole text as one IPv4 or IPv6 address with an optional prefix length. */
export function parseCidr(text: string): ({ readonly family: 4 } & Ipv4Network) | ({ readonly family: 6 } & Ipv6Network) | undefined {
  const four = ipv4CidrAt(text);
  if (four !== undefined && four.size === text.length) return { family: 4, ...four.network };
  const six = ipv6CidrAt(text);
  return six !== undefined && six.size === text.length ? { family: 6, ...six.network } : undefined;
}

/** What a logical router port has: its networks and, always last, the link-local address of its MAC. */
export interface RouterPortNetworks extends PortAddresses {
  /** What in `networks` could not be used. */
  readonly bad: readonly string[];
}

/** Undefined where `macText` is no MAC. `networks` are taken in the order of the database: by their bytes. */
export function parseRouterPort(macText: string, networks: Iterable<string>): RouterPortNetworks | undefined {
  const mac = parseMac(macText);
  if (mac === undefined) return undefined;
  const ipv4: Ipv4Network[] = [];
  const ipv6: Ipv6Network[] = [];
  const bad: string[] = [];
  for (const text of [...networks].sort(compareBytes)) {
    const network = parseCidr(text);
    if (network === undefined || (network.family === 4 && network.address === 0)) bad.push(text);
    else if (network.family === 4) ipv4.push(ipv4Network(network.address, network.length));
    else ipv6.push(ipv6Network(network.address, network.length));
  }
  ipv6.push(ipv6Network(linkLocalOf(mac), 64));
  return { mac, macText: formatMac(mac), ipv4, ipv6, bad };
}

/** The order of strcmp for what is ASCII; sets of the database have it. */
export const compareBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `MAC IP/LENGTH ...` without the generated link-local address: what Port_Binding.mac of a router port holds. */
export const routerPortText = ({ macText, ipv4, ipv6 }: PortAddresses): string =>
  [macText, ...ipv4.map((n) => `${n.text}/${n.length}`), ...ipv6.slice(0, -1).map((n) => `${n.text}/${n.length}`)].join(" ");

/** The text of the first of the port's addresses whose network holds `ip`. */
export function memberAddress(addresses: PortAddresses, ip: string): string | undefined {
  if (ip.includes(".") && !ip.includes(":")) {
    const address = parseIpv4(ip);
    return address === undefined ? undefined : addresses.ipv4.find((n) => ((n.network ^ address) & ipv4Mask(n.length)) === 0)?.text;
  }
  const address = parseIpv6(ip);
  return address === undefined ? undefined : addresses.ipv6.find((n) => ((n.network ^ address) & ipv6Mask(n.length)) === 0n)?.text;
}

/** Whether this entry of `addresses` asks northd for an address of its choice (ovn-nb(5), "dynamic"). */
export function isDynamicAddress(text: string): boolean {
  if (text.startsWith("dynamic")) {
    const rest = text.slice("dynamic".length);
    return rest === "" || /^\s+\d+\.\d+\.\d+\.\d+$/.test(rest) || /^\s+[0-9a-fA-F:.]{1,46}$/.test(rest) || /^\s+\d+\.\d+\.\d+\.\d+\s+[0-9a-fA-F:.]{1,46}$/.test(rest);
  }
  const start = macAt(text);
  return start !== undefined && /^\s+dynamic$/.test(text.slice(start.end));
}
