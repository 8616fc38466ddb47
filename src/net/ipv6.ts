/** IPv6 addresses (RFC 4291) as unsigned 128-bit bigints; text form by RFC 5952, as inet_ntop prints it. */
import { formatIpv4, ipv4Of, parseIpv4 } from "./ipv4.ts";
import type { Mac } from "./mac.ts";

declare const ipv6Brand: unique symbol;
/** An IPv6 address: an integer from 0 to 2^128 - 1. */
export type Ipv6 = bigint & { readonly [ipv6Brand]: true };

export const ipv6Of = (value: bigint): Ipv6 => BigInt.asUintN(128, value) as Ipv6;

/** Any text form of RFC 4291 section 2.2, without zone or prefix length; undefined if it is anything else. */
export function parseIpv6(text: string): Ipv6 | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || text.includes(":::")) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group);
  return value as Ipv6;
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes(".")) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === undefined) return undefined;
      groups.push(ipv4 >>> 16, ipv4 & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

export function formatIpv6(ip: Ipv6): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((ip >> shift) & 0xffffn));
  // The longest run of at least two zero groups becomes "::", the first such run where several are as long.
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    if (length > 0) i += length - 1;
  }
  const compatible = best.start === 0 && (best.length === 6 || (best.length === 5 && groups[5] === 0xffff));
  const last = compatible ? [formatIpv4(ipv4Of(Number(ip & 0xffffffffn)))] : groups.slice(6).map((g) => g.toString(16));
  const texts = [...groups.slice(0, 6).map((g) => g.toString(16)), ...last];
  if (best.start < 0) return texts.join(":");
  return `${texts.slice(0, best.start).join(":")}::${texts.slice(best.start + best.length).join(":")}`;
}

/** The mask with `length` leading one bits, 0 to 128. */
export const ipv6Mask = (length: number): Ipv6 => (((1n << 128n) - 1n) ^ ((1n << BigInt(128 - length)) - 1n)) as Ipv6;

/** The number of leading ones if `mask` is a CIDR mask; undefined if it has holes. */
export function ipv6MaskLength(mask: Ipv6): number | undefined {
  const inverse = ((1n << 128n) - 1n) ^ mask;
  if ((inverse & (inverse + 1n)) !== 0n) return undefined;
  return 128 - (inverse === 0n ? 0 : inverse.toString(2).length);
}

export const isMulticastIpv6 = (ip: Ipv6): boolean => ip >> 120n === 0xffn;
/** fe80::/10. */
export const isLinkLocalIpv6 = (ip: Ipv6): boolean => ip >> 118n === 0x3fan;

/** The modified EUI-64 interface identifier of `mac` under `prefix` (RFC 4291, appendix A). */
export function eui64(prefix: Ipv6, mac: Mac): Ipv6 {
  const m = BigInt(mac);
  const identifier = ((m >> 24n) << 40n) | 0xfffe000000n | (m & 0xffffffn);
  return ((prefix & ~((1n << 64n) - 1n)) | (identifier ^ (1n << 57n))) as Ipv6;
}

/** fe80::/64 with the EUI-64 identifier of `mac`. */
export const linkLocalOf = (mac: Mac): Ipv6 => eui64(0xfe80n << 112n as Ipv6, mac);

/** ff02::1:ffXX:XXXX, where the low 24 bits are those of `ip` (RFC 4291, section 2.7.1). */
export const solicitedNode = (ip: Ipv6): Ipv6 => ((0xff0200000000000000000001ff000000n) | (ip & 0xffffffn)) as Ipv6;

/** 33:33 and the low 32 bits of a multicast address (RFC 2464, section 7). */
export const multicastMacOf = (ip: Ipv6): Mac => (0x333300000000 + Number(ip & 0xffffffffn)) as Mac;

export function readIpv6(bytes: Uint8Array, offset: number): Ipv6 {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 16);
  return ((view.getBigUint64(0) << 64n) | view.getBigUint64(8)) as Ipv6;
}

export function writeIpv6(ip: Ipv6, bytes: Uint8Array, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 16);
  view.setBigUint64(0, ip >> 64n);
  view.setBigUint64(8, ip & 0xffffffffffffffffn);
}
