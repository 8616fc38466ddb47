/** IPv4 addresses (RFC 791) as unsigned 32-bit numbers. */

declare const ipv4Brand: unique symbol;
/** An IPv4 address: an integer from 0 to 2^32 - 1. */
export type Ipv4 = number & { readonly [ipv4Brand]: true };

export const ipv4Of = (value: number): Ipv4 => (value >>> 0) as Ipv4;

/** Dotted quad, four decimal parts without leading zeros beyond inet_pton's rules; undefined if it is anything else. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    value = value * 256 + byte;
  }
  return value as Ipv4;
}

export const formatIpv4 = (ip: Ipv4): string => `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;

/** The mask with `length` leading one bits, 0 to 32. */
export const ipv4Mask = (length: number): Ipv4 => ipv4Of(length === 0 ? 0 : 0xffffffff << (32 - length));

/** The number of leading ones if `mask` is a CIDR mask; undefined if it has holes. */
export function ipv4MaskLength(mask: Ipv4): number | undefined {
  const inverse = ~mask >>> 0;
  return (inverse & (inverse + 1)) === 0 ? Math.clz32(inverse) : undefined;
}

export const isMulticastIpv4 = (ip: Ipv4): boolean => ip >>> 28 === 0xe;
/** 169.254.0.0/16 (RFC 3927). */
export const isLinkLocalIpv4 = (ip: Ipv4): boolean => ip >>> 16 === 0xa9fe;
