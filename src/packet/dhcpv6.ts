/**
 * DHCPv6 (RFC 8415): a type, a transaction id, and options that may hold options.
 *
 *     |    msg-type   |               transaction-id                  |
 *     |          option-code          |           option-len          |
 *     |                          option-data                          |
 */
import { type Ipv6, readIpv6, writeIpv6 } from "../net/index.ts";
import { concatenate, readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export interface Dhcpv6Option {
  readonly code: number;
  readonly data: Uint8Array;
}

export interface Dhcpv6 {
  readonly type: number;
  readonly transactionId: number;
  readonly options: readonly Dhcpv6Option[];
}

export const dhcpv6Message = {
  solicit: 1, advertise: 2, request: 3, confirm: 4, renew: 5, rebind: 6, reply: 7, release: 8, decline: 9, informationRequest: 11,
} as const;

export const dhcpv6Option = {
  clientId: 1, serverId: 2, iaNa: 3, iaTa: 4, iaAddress: 5, optionRequest: 6, preference: 7, elapsedTime: 8, statusCode: 13, rapidCommit: 14,
  userClass: 15, vendorClass: 16, dnsServers: 23, domainSearch: 24, iaPd: 25, iaPrefix: 26, bootFileUrl: 59, fqdn: 39,
} as const;

/** Of a message that is cut short, the options that are whole. */
export const parseDhcpv6 = (b: Uint8Array): Dhcpv6 | undefined =>
  (b.length < 4 ? undefined : { type: b[0] ?? 0, transactionId: readU32(b, 0) & 0xffffff, options: wholeOptions(b.subarray(4)).options });

/** The options of a message, or inside one; undefined if one is cut short. */
export function parseDhcpv6Options(b: Uint8Array): Dhcpv6Option[] | undefined {
  const { options, end } = wholeOptions(b);
  return end === b.length ? options : undefined;
}

function wholeOptions(b: Uint8Array): { readonly options: Dhcpv6Option[]; readonly end: number } {
  const options: Dhcpv6Option[] = [];
  let at = 0;
  while (at + 4 <= b.length) {
    const next = at + 4 + readU16(b, at + 2);
    if (next > b.length) break;
    options.push({ code: readU16(b, at), data: b.slice(at + 4, next) });
    at = next;
  }
  return { options, end: at };
}

export const sizeofDhcpv6Options = (options: readonly Dhcpv6Option[]): number => options.reduce((size, o) => size + 4 + o.data.length, 0);
export const sizeofDhcpv6 = (m: Dhcpv6): number => 4 + sizeofDhcpv6Options(m.options);

export function emitDhcpv6(m: Dhcpv6, b: Uint8Array): void {
  writeU32(b, 0, ((m.type << 24) | m.transactionId) >>> 0);
  emitDhcpv6Options(m.options, b.subarray(4));
}

export function emitDhcpv6Options(options: readonly Dhcpv6Option[], b: Uint8Array): void {
  let at = 0;
  for (const { code, data } of options) {
    writeU16(b, at, code);
    writeU16(b, at + 2, data.length);
    b.set(data, at + 4);
    at += 4 + data.length;
  }
}

export const findDhcpv6Option = (options: readonly Dhcpv6Option[], code: number): Uint8Array | undefined => options.find((o) => o.code === code)?.data;

/** An identity association (options 3 and 25): an id, two times in seconds, and options. */
export interface IdentityAssociation {
  readonly id: number;
  readonly t1: number;
  readonly t2: number;
  readonly options: readonly Dhcpv6Option[];
}

export function parseIdentityAssociation(data: Uint8Array): IdentityAssociation | undefined {
  const options = data.length < 12 ? undefined : parseDhcpv6Options(data.subarray(12));
  return options && { id: readU32(data, 0), t1: readU32(data, 4), t2: readU32(data, 8), options };
}

export function emitIdentityAssociation(ia: IdentityAssociation): Uint8Array {
  const b = new Uint8Array(12 + sizeofDhcpv6Options(ia.options));
  writeU32(b, 0, ia.id);
  writeU32(b, 4, ia.t1);
  writeU32(b, 8, ia.t2);
  emitDhcpv6Options(ia.options, b.subarray(12));
  return b;
}

export interface IaAddress {
  readonly address: Ipv6;
  readonly preferredLifetime: number;
  readonly validLifetime: number;
}

export const parseIaAddress = (data: Uint8Array): IaAddress | undefined =>
  data.length < 24 ? undefined : { address: readIpv6(data, 0), preferredLifetime: readU32(data, 16), validLifetime: readU32(data, 20) };

export function emitIaAddress(a: IaAddress): Uint8Array {
  const b = new Uint8Array(24);
  writeIpv6(a.address, b, 0);
  writeU32(b, 16, a.preferredLifetime);
  writeU32(b, 20, a.validLifetime);
  return b;
}

/** Option 26, in an association of type 25 (RFC 8415, section 21.22). */
export interface IaPrefix {
  readonly preferredLifetime: number;
  readonly validLifetime: number;
  readonly length: number;
  readonly prefix: Ipv6;
}

export const parseIaPrefix = (data: Uint8Array): IaPrefix | undefined =>
  data.length < 25 ? undefined : { preferredLifetime: readU32(data, 0), validLifetime: readU32(data, 4), length: data[8] ?? 0, prefix: readIpv6(data, 9) };

export function emitIaPrefix(p: IaPrefix): Uint8Array {
  const b = new Uint8Array(25);
  writeU32(b, 0, p.preferredLifetime);
  writeU32(b, 4, p.validLifetime);
  b[8] = p.length;
  writeIpv6(p.prefix, b, 9);
  return b;
}

/** A DUID based on a link-layer address (type 3, Ethernet). */
export const duidOfMac = (mac: Uint8Array): Uint8Array => concatenate(Uint8Array.of(0, 3, 0, 1), mac);
