/**
 * Neighbor discovery (RFC 4861): the bodies of ICMPv6 types 133 to 136, with their options.
 *
 *     solicitation    | reserved (4)                     | target (16)   | options |
 *     advertisement   |R|S|O| reserved                   | target (16)   | options |
 *     router solicit  | reserved (4)                     | options       |
 *     router advert   | hops |M|O| | lifetime (2) | reachable (4) | retransmit (4) | options |
 *
 * An option is a type, a length in units of 8 bytes, and that much data less two.
 */
import { type Ipv6, type Mac, readIpv6, readMac, writeIpv6, writeMac } from "../net/index.ts";
import { readU16, readU32, writeU16, writeU32 } from "./bytes.ts";

export type NdOption =
  | { readonly kind: "source-mac"; readonly mac: Mac }
  | { readonly kind: "target-mac"; readonly mac: Mac }
  | {
      readonly kind: "prefix"; readonly length: number; readonly onLink: boolean; readonly autonomous: boolean;
      /** Seconds; 0xffffffff: for ever. */
      readonly validLifetime: number; readonly preferredLifetime: number; readonly prefix: Ipv6;
    }
  | { readonly kind: "mtu"; readonly mtu: number }
  | { readonly kind: "dns-servers"; readonly lifetime: number; readonly servers: readonly Ipv6[] }
  | { readonly kind: "dns-search"; readonly lifetime: number; readonly domains: Uint8Array }
  | { readonly kind: "route"; readonly length: number; readonly preference: number; readonly lifetime: number; readonly prefix: Uint8Array }
  | { readonly kind: "other"; readonly type: number; readonly data: Uint8Array };

export type Nd =
  | { readonly kind: "neighbor-solicit"; readonly target: Ipv6; readonly options: readonly NdOption[] }
  | {
      readonly kind: "neighbor-advert"; readonly router: boolean; readonly solicited: boolean; readonly override: boolean; readonly target: Ipv6;
      readonly options: readonly NdOption[];
    }
  | { readonly kind: "router-solicit"; readonly options: readonly NdOption[] }
  | {
      readonly kind: "router-advert"; readonly hopLimit: number; readonly managed: boolean; readonly otherConfig: boolean;
      /** 0 medium, 1 high, 3 low (RFC 4191). */
      readonly preference: number;
      /** Seconds; 0: not a default router. */
      readonly lifetime: number; readonly reachableMs: number; readonly retransmitMs: number; readonly options: readonly NdOption[];
    };

export const ndTypes = { "router-solicit": 133, "router-advert": 134, "neighbor-solicit": 135, "neighbor-advert": 136 } as const;

const fixedSize = { "router-solicit": 4, "router-advert": 12, "neighbor-solicit": 20, "neighbor-advert": 20 } as const;

/** The body (after the checksum) of an ICMPv6 message of `type`; undefined if it is none of ND's, or malformed. */
export function parseNd(type: number, b: Uint8Array): Nd | undefined {
  const kind = type === 133 ? "router-solicit" : type === 134 ? "router-advert" : type === 135 ? "neighbor-solicit" : type === 136 ? "neighbor-advert" : undefined;
  if (kind === undefined || b.length < fixedSize[kind]) return undefined;
  const options = parseNdOptions(b.subarray(fixedSize[kind]));
  if (options === undefined) return undefined;
  const flags = b[0] ?? 0;
  switch (kind) {
    case "neighbor-solicit":
      return { kind, target: readIpv6(b, 4), options };
    case "neighbor-advert":
      return { kind, router: (flags & 0x80) !== 0, solicited: (flags & 0x40) !== 0, override: (flags & 0x20) !== 0, target: readIpv6(b, 4), options };
    case "router-solicit":
      return { kind, options };
    case "router-advert": {
      const f = b[1] ?? 0;
      return {
        kind, hopLimit: flags, managed: (f & 0x80) !== 0, otherConfig: (f & 0x40) !== 0, preference: (f >> 3) & 3, lifetime: readU16(b, 2),
        reachableMs: readU32(b, 4), retransmitMs: readU32(b, 8), options,
      };
    }
  }
}

function parseNdOptions(b: Uint8Array): NdOption[] | undefined {
  const options: NdOption[] = [];
  for (let at = 0; at < b.length; ) {
    const size = (b[at + 1] ?? 0) * 8;
    if (size === 0 || at + size > b.length) return undefined;
    options.push(parseNdOption(b[at] ?? 0, b.subarray(at, at + size)));
    at += size;
  }
  return options;
}

function parseNdOption(type: number, o: Uint8Array): NdOption {
  if ((type === 1 || type === 2) && o.length === 8) return { kind: type === 1 ? "source-mac" : "target-mac", mac: readMac(o, 2) };
  if (type === 3 && o.length === 32) {
    const flags = o[3] ?? 0;
    return {
      kind: "prefix", length: o[2] ?? 0, onLink: (flags & 0x80) !== 0, autonomous: (flags & 0x40) !== 0, validLifetime: readU32(o, 4),
      preferredLifetime: readU32(o, 8), prefix: readIpv6(o, 16),
    };
  }
  if (type === 5 && o.length === 8) return { kind: "mtu", mtu: readU32(o, 4) };
  if (type === 24) return { kind: "route", length: o[2] ?? 0, preference: ((o[3] ?? 0) >> 3) & 3, lifetime: readU32(o, 4), prefix: o.slice(8) };
  if (type === 25 && o.length >= 24 && o.length % 16 === 8) {
    const servers = Array.from({ length: (o.length - 8) / 16 }, (_, i) => readIpv6(o, 8 + 16 * i));
    return { kind: "dns-servers", lifetime: readU32(o, 4), servers };
  }
  if (type === 31) return { kind: "dns-search", lifetime: readU32(o, 4), domains: o.slice(8) };
  return { kind: "other", type, data: o.slice(2) };
}

function sizeofNdOption(o: NdOption): number {
  switch (o.kind) {
    case "source-mac":
    case "target-mac":
    case "mtu":
      return 8;
    case "prefix":
      return 32;
    case "dns-servers":
      return 8 + 16 * o.servers.length;
    case "dns-search":
      return Math.ceil((8 + o.domains.length) / 8) * 8;
    case "route":
      return Math.ceil((8 + o.prefix.length) / 8) * 8;
    case "other":
      return Math.ceil((2 + o.data.length) / 8) * 8;
  }
}

export const sizeofNd = (nd: Nd): number => fixedSize[nd.kind] + nd.options.reduce((size, o) => size + sizeofNdOption(o), 0);

/** Writes the body of the message whose ICMPv6 type is ndTypes[nd.kind]. */
export function emitNd(nd: Nd, b: Uint8Array): void {
  const size = fixedSize[nd.kind];
  b.fill(0, 0, size);
  if (nd.kind === "neighbor-solicit" || nd.kind === "neighbor-advert") writeIpv6(nd.target, b, 4);
  if (nd.kind === "neighbor-advert") b[0] = (nd.router ? 0x80 : 0) | (nd.solicited ? 0x40 : 0) | (nd.override ? 0x20 : 0);
  if (nd.kind === "router-advert") {
    b[0] = nd.hopLimit;
    b[1] = (nd.managed ? 0x80 : 0) | (nd.otherConfig ? 0x40 : 0) | (nd.preference << 3);
    writeU16(b, 2, nd.lifetime);
    writeU32(b, 4, nd.reachableMs);
    writeU32(b, 8, nd.retransmitMs);
  }
  let at = size;
  for (const option of nd.options) {
    const optionSize = sizeofNdOption(option);
    emitNdOption(option, b.subarray(at, at + optionSize));
    at += optionSize;
  }
}

function emitNdOption(o: NdOption, b: Uint8Array): void {
  b.fill(0);
  b[1] = b.length / 8;
  switch (o.kind) {
    case "source-mac":
    case "target-mac":
      b[0] = o.kind === "source-mac" ? 1 : 2;
      writeMac(o.mac, b, 2);
      break;
    case "prefix":
      b[0] = 3;
      b[2] = o.length;
      b[3] = (o.onLink ? 0x80 : 0) | (o.autonomous ? 0x40 : 0);
      writeU32(b, 4, o.validLifetime);
      writeU32(b, 8, o.preferredLifetime);
      writeIpv6(o.prefix, b, 16);
      break;
    case "mtu":
      b[0] = 5;
      writeU32(b, 4, o.mtu);
      break;
    case "dns-servers":
      b[0] = 25;
      writeU32(b, 4, o.lifetime);
      o.servers.forEach((server, i) => writeIpv6(server, b, 8 + 16 * i));
      break;
    case "dns-search":
      b[0] = 31;
      writeU32(b, 4, o.lifetime);
      b.set(o.domains, 8);
      break;
    case "route":
      b[0] = 24;
      b[2] = o.length;
      b[3] = o.preference << 3;
      writeU32(b, 4, o.lifetime);
      b.set(o.prefix, 8);
      break;
    case "other":
      b[0] = o.type;
      b.set(o.data, 2);
      break;
  }
}
