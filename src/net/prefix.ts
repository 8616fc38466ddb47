/** An address with a prefix length, as in `192.168.1.1/24`: the host bits are kept. */
import { formatIpv4, type Ipv4, ipv4Mask, ipv4MaskLength, ipv4Of, parseIpv4 } from "./ipv4.ts";
import { formatIpv6, type Ipv6, ipv6Mask, ipv6MaskLength, ipv6Of, parseIpv6 } from "./ipv6.ts";

export type Ip = { readonly family: 4; readonly address: Ipv4 } | { readonly family: 6; readonly address: Ipv6 };
export type Prefix = Ip & { readonly length: number };

/** An IPv4 or IPv6 address alone; undefined if it is neither. */
export function parseIp(text: string): Ip | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return { family: 4, address: ipv4 };
  const ipv6 = parseIpv6(text);
  return ipv6 === undefined ? undefined : { family: 6, address: ipv6 };
}

export const formatIp = (ip: Ip): string => (ip.family === 4 ? formatIpv4(ip.address) : formatIpv6(ip.address));

/** `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/MASK`; a missing length means the whole address. Undefined if it is anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === undefined) return undefined;
  const full = ip.family === 4 ? 32 : 128;
  if (slash < 0) return { ...ip, length: full };
  const tail = text.slice(slash + 1);
  if (/^\d{1,3}$/.test(tail)) return Number(tail) <= full ? { ...ip, length: Number(tail) } : undefined;
  const mask = parseIp(tail);
  if (mask === undefined || mask.family !== ip.family) return undefined;
  const length = mask.family === 4 ? ipv4MaskLength(mask.address) : ipv6MaskLength(mask.address);
  return length === undefined ? undefined : { ...ip, length };
}

export const formatPrefix = (prefix: Prefix): string => `${formatIp(prefix)}/${prefix.length}`;

/** The prefix with its host bits cleared. */
export function networkOf(prefix: Prefix): Prefix {
  return prefix.family === 4
    ? { family: 4, address: ipv4Of(prefix.address & ipv4Mask(prefix.length)), length: prefix.length }
    : { family: 6, address: ipv6Of(prefix.address & ipv6Mask(prefix.length)), length: prefix.length };
}

/** Whether `ip` lies inside `prefix`. Addresses of the other family never do. */
export function contains(prefix: Prefix, ip: Ip): boolean {
  if (prefix.family === 4) return ip.family === 4 && ((prefix.address ^ ip.address) & ipv4Mask(prefix.length)) === 0;
  return ip.family === 6 && ((prefix.address ^ ip.address) & ipv6Mask(prefix.length)) === 0n;
}
