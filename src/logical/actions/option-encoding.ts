/**
 * The bytes of options, as the controller finds them in a packet-in's userdata: DHCPv4 (RFC 2132, 3442, 3397), DHCPv6
 * (RFC 8415, 4704), router advertisements (RFC 4861, 4191, 8106) and events.
 */
import { ipv4MaskLength, ipv4Of, ipv6Mask, ipv6MaskLength, ipv6Of, parseIpv6 } from "../../net/index.ts";
import type { Constant, IntegerConstant } from "../constant.ts";
import type { OptionValue } from "./action.ts";
import { Bytes } from "./controller-op.ts";
import { dhcpCodes, ndRaCodes } from "./options.ts";

const none: IntegerConstant = { kind: "integer", value: 0n, mask: undefined, format: "decimal", addressSet: undefined };
const numberOf = (c: Constant | undefined): bigint => (c?.kind === "integer" ? c.value : 0n);
const textOf = (c: Constant | undefined): string => (c?.kind === "string" ? c.text : "");
const low32 = (c: Constant | undefined): bigint => numberOf(c) & 0xffffffffn;

export const optionWithCode = (options: readonly OptionValue[], code: number): OptionValue | undefined =>
  options.find(({ option }) => option.code === code);

/** Everything of put_dhcp_opts: the offered address, what goes elsewhere than into options, and the options. */
export function putDhcpv4Options(bytes: Bytes, options: readonly OptionValue[]): Bytes {
  const [offer, bootfile, alternative, nextServer] =
    [dhcpCodes.offerIp, dhcpCodes.bootfile, dhcpCodes.bootfileAlternative, dhcpCodes.nextServer].map((code) => optionWithCode(options, code));
  bytes.uint(low32(offer?.value.values[0]), 4);
  for (const text of [bootfile, alternative]) if (text !== undefined) putShort(bytes, text.option.code, utf8(textOf(text.value.values[0])));
  if (nextServer !== undefined) bytes.uint(nextServer.option.code, 1).uint(4, 1).uint(low32(nextServer.value.values[0]), 4);
  for (const option of options) {
    if (option !== offer && option !== bootfile && option !== alternative && option !== nextServer) putShort(bytes, option.option.code, dhcpv4Value(option));
  }
  return bytes;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A one-byte code, a one-byte length, and as much as the length says. */
function putShort(bytes: Bytes, code: number, value: Uint8Array): void {
  const length = value.length & 0xff;
  bytes.uint(code, 1).uint(length, 1).put(value.subarray(0, length));
}

function dhcpv4Value({ option: { type }, value: { values } }: OptionValue): Uint8Array {
  const [first = none] = values;
  const bytes = new Bytes();
  switch (type) {
    case "bool":
    case "uint8": return bytes.uint(numberOf(first) & 0xffn, 1).take();
    case "uint16": return bytes.uint(numberOf(first) & 0xffffn, 2).take();
    case "uint32": return bytes.uint(low32(first), 4).take();
    case "ipv4":
      for (const c of values) bytes.uint(low32(c), 4);
      return bytes.take();
    case "static_routes": return staticRoutes(values);
    case "str": return utf8(textOf(first));
    case "host_id": return first.kind === "string" ? utf8(first.text) : bytes.uint(low32(first), 4).take();
    case "domains": return searchList(textOf(first));
    default: return bytes.take();
  }
}

/** Pairs of prefix and next hop; of a prefix only the bytes that its length covers (RFC 3442). */
function staticRoutes(values: readonly Constant[]): Uint8Array {
  const bytes = new Bytes();
  for (let i = 0; i + 1 < values.length; i += 2) {
    const prefix = values[i];
    const mask = prefix?.kind === "integer" && prefix.mask !== undefined ? ipv4MaskLength(ipv4Of(Number(prefix.mask & 0xffffffffn))) : 32;
    const length = mask ?? 32;
    const significant = Math.ceil(length / 8);
    bytes.uint(length, 1);
    if (significant > 0) bytes.uint(low32(prefix) >> BigInt(8 * (4 - significant)), significant);
    bytes.uint(low32(values[i + 1]), 4);
  }
  return bytes.take();
}

/** Domain names, each end that was written before replaced by a pointer to it (RFC 1035, section 4.1.4; RFC 3397). */
function searchList(list: string): Uint8Array {
  const bytes = new Bytes();
  const written = new Map<string, number>();
  for (const domain of list.split(",").filter((d) => d !== "")) {
    if (domain.length > 255) return new Uint8Array();
    const labels = domain.split(".").filter((label) => label !== "");
    let pointed = false;
    for (let i = 0; i < labels.length && !pointed; i++) {
      const suffix = labels.slice(i).join(".");
      const at = written.get(suffix);
      if (at !== undefined) {
        bytes.uint(0xc000 | at, 2);
        pointed = true;
      } else {
        written.set(suffix, bytes.length);
        putLabel(bytes, labels[i] ?? "");
      }
    }
    if (!pointed) bytes.uint(0, 1);
  }
  return bytes.take();
}

function putLabel(bytes: Bytes, label: string): void {
  const encoded = utf8(label).subarray(0, 255);
  bytes.uint(encoded.length, 1).put(encoded);
}

export function putDhcpv6Option(bytes: Bytes, { option: { code, type }, value: { values } }: OptionValue): void {
  const [first = none] = values;
  const value = new Bytes();
  if (type === "ipv6") for (const c of values) value.uint(numberOf(c), 16);
  else if (type === "mac") value.uint(numberOf(first), 6);
  else if (type === "str") value.text(textOf(first));
  else if (type === "domain") value.put(domainName(textOf(first)));
  bytes.uint(code, 2).uint(value.length, 2).put(value.take());
}

/** Labels and a zero; as C does it, always two bytes longer than the text. */
function domainName(text: string): Uint8Array {
  const value = new Bytes();
  for (const label of text.split(".")) if (label !== "") putLabel(value, label);
  const encoded = value.take();
  const out = new Uint8Array(Math.max(encoded.length + 1, utf8(text).length + 2));
  out.set(encoded);
  return out;
}

/** A whole ICMPv6 router advertisement, without checksum. */
export function routerAdvertisement(options: readonly OptionValue[]): Uint8Array {
  const flagsAt = 5;
  // Type 134, hop limit 255, no flags, lifetime 65535 s, reachable time and retransmit timer unspecified.
  const bytes = new Bytes().uint(134, 1).uint(0, 3).uint(255, 1).uint(0, 1).uint(0xffff, 2).uint(0, 8);
  for (const option of options) putNdOption(bytes, option, flagsAt);
  return bytes.take();
}

const modeFlags: Readonly<Record<string, number>> = { dhcpv6_stateful: 0x80, dhcpv6_stateless: 0x40 };
const preferenceFlags: Readonly<Record<string, number>> = { HIGH: 0x08, LOW: 0x18 };

function putNdOption(bytes: Bytes, { option: { code }, value: { values } }: OptionValue, flagsAt: number): void {
  const [first = none] = values;
  const flag = (mask: number): void => bytes.set(flagsAt, bytes.get(flagsAt) | mask);
  switch (code) {
    case ndRaCodes.addressMode: return flag(modeFlags[textOf(first)] ?? 0);
    case ndRaCodes.preference: return flag(preferenceFlags[textOf(first)] ?? 0);
    case ndRaCodes.sourceLinkAddress:
      bytes.uint(code, 1).uint(1, 1).uint(numberOf(first), 6);
      return;
    case ndRaCodes.mtu:
      bytes.uint(code, 1).uint(1, 1).uint(0, 2).uint(low32(first), 4);
      return;
    case ndRaCodes.prefix: {
      const length = first.kind === "integer" && first.mask !== undefined ? (ipv6MaskLength(ipv6Of(first.mask)) ?? 128) : 128;
      // On-link; and, unless addresses come by DHCPv6, to be used for autoconfiguration. Both lifetimes are infinite.
      const managed = (bytes.get(flagsAt) & 0x80) !== 0;
      bytes.uint(code, 1).uint(4, 1).uint(length, 1).uint(managed ? 0x80 : 0xc0, 1).uint(0xffffffff, 4).uint(0xffffffff, 4).uint(0, 4).uint(numberOf(first), 16);
      return;
    }
    case ndRaCodes.rdnss:
      bytes.uint(code, 1).uint(3, 1).uint(0, 2).uint(0xffffffff, 4).uint(numberOf(first), 16);
      return;
    case ndRaCodes.dnssl: return putDnssl(bytes, textOf(first));
    case ndRaCodes.routeInformation: return putRouteInformation(bytes, textOf(first));
  }
}

/** The option is left out if it would not fit 255 bytes. */
function putDnssl(bytes: Bytes, list: string): void {
  const names = new Bytes();
  let size = 8;
  for (const domain of list.split(",").filter((d) => d !== "")) {
    size += utf8(domain).length + 2;
    if (size > 255) return;
    for (const label of domain.split(".").filter((l) => l !== "")) putLabel(names, label);
    names.uint(0, 1);
  }
  const padded = Math.ceil(size / 8) * 8;
  bytes.uint(ndRaCodes.dnssl, 1).uint(padded / 8, 1).uint(0, 2).uint(0xffffffff, 4).put(names.take()).put(new Uint8Array(padded - 8 - names.length));
}

/** `HIGH-2001:db8::/48,LOW-...`: what follows a fault is left out. */
function putRouteInformation(bytes: Bytes, list: string): void {
  for (const entry of list.split(",").filter((e) => e !== "")) {
    const [preference = "", ...prefixes] = entry.split("-").filter((part) => part !== "");
    for (const prefix of prefixes) {
      const match = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(prefix.trim());
      const ip = parseIpv6(match?.[1] ?? "");
      const length = Number(match?.[2] ?? 128);
      if (ip === undefined || length > 128) return;
      const words = Math.ceil(length / 64);
      const network = ip & ipv6Mask(length);
      bytes.uint(ndRaCodes.routeInformation, 1).uint(1 + words, 1).uint(length, 1).uint(preferenceFlags[preference] ?? 0, 1).uint(0xffffffff, 4);
      if (words > 0) bytes.uint(network >> BigInt(128 - 64 * words), 8 * words);
    }
  }
}

export function putEventOption(bytes: Bytes, { option: { code }, value: { values } }: OptionValue): void {
  const text = utf8(textOf(values[0]));
  bytes.uint(code, 2).uint(text.length, 2).put(text);
}
