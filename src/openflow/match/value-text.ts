/** Values of fields as ovs-ofctl writes and reads them, with their masks (ovs-fields(7)). */
import {
  formatIpv4, formatIpv6, formatMac, type Ipv4, ipv4Mask, ipv4MaskLength, ipv4Of, ipv6Mask, ipv6MaskLength, ipv6Of, macOf, parseIpv4, parseIpv6, parseMac,
} from "../../net/index.ts";
import type { Field, FieldValue } from "./field.ts";
import { exactMask } from "./match.ts";
import { formatPort, parsePort, portFromWire, portToWire } from "../message/port.ts";
import { type Complaint, fullHex, hex, parseInteger } from "../text-input.ts";

export const ctStateFlags = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"] as const;
const tcpFlags = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"] as const;
const tunnelFlags = ["oam"] as const;

/** What nw_frag can be: by bits "is a fragment" (1) and "not the first" (2). */
const fragments: readonly (readonly [name: string, mask: number, value: number])[] = [
  ["no", 3, 0], ["first", 3, 1], ["later", 3, 3], ["no", 1, 0], ["yes", 1, 1], ["not_later", 2, 0], ["later", 2, 2],
];

export const formatIpv4Masked = (value: FieldValue, mask: FieldValue): string => {
  const [ip, m] = [ipv4Of(Number(value)), ipv4Of(Number(mask))];
  const length = ipv4MaskLength(m);
  return formatIpv4(ip) + (length === 32 ? "" : length === undefined ? `/${formatIpv4(m)}` : `/${length}`);
};

export const formatIpv6Masked = (value: FieldValue, mask: FieldValue): string => {
  const [ip, m] = [ipv6Of(BigInt(value)), ipv6Of(BigInt(mask))];
  const length = ipv6MaskLength(m);
  return formatIpv6(ip) + (length === 128 ? "" : length === undefined ? `/${formatIpv6(m)}` : `/${length}`);
};

export const formatMacMasked = (value: FieldValue, mask: FieldValue): string =>
  formatMac(macOf(Number(value))) + (mask === 0xffffffffffff ? "" : `/${formatMac(macOf(Number(mask)))}`);

export function formatFlags(names: readonly string[], value: number, mask: number, whole: number): string {
  const bits = names.map((name, i) => ({ name, bit: 1 << i }));
  if (mask === whole) return value === 0 ? "0" : bits.filter(({ bit }) => (value & bit) !== 0).map(({ name }) => name).join("|");
  if (mask === 0) return "0/0";
  return bits.filter(({ bit }) => (mask & bit) !== 0).map(({ name, bit }) => ((value & bit) !== 0 ? "+" : "-") + name).join("");
}

export const formatTcpFlags = (value: number, mask: number): string => formatFlags(tcpFlags, value, mask & 0xfff, 0xfff);
export const formatTunnelFlags = (value: number, mask: number): string => formatFlags(tunnelFlags, value, mask & 1, 1);
export const formatFragment = (value: number, mask: number): string => fragments.find(([, m, v]) => m === mask && v === value)?.[0] ?? "<error>";

/** As set_field and learn write it. */
export function formatValue(f: Field, value: FieldValue, mask: FieldValue): string {
  const isExact = mask === exactMask(f);
  switch (f.notation) {
    case "decimal":
      return isExact ? String(value) : `${value}/${fullHex(mask)}`;
    case "hexadecimal":
      return isExact ? hex(value) : `${hex(value)}/${hex(mask)}`;
    case "ethernet":
      return formatMacMasked(value, mask);
    case "ipv4":
      return formatIpv4Masked(value, mask);
    case "ipv6":
      return formatIpv6Masked(value, mask);
    case "port":
      return formatPort(f.size === 4 ? (portFromWire(Number(value)) ?? 0) : Number(value));
    case "frag":
      return formatFragment(Number(value), Number(mask));
    case "ct-state":
      return formatFlags(ctStateFlags, Number(value), Number(mask), 0xff);
    case "tcp-flags":
      return formatTcpFlags(Number(value), Number(mask));
    case "tunnel-flags":
      return formatTunnelFlags(Number(value), Number(mask));
    case "packet-type":
      return `(${Number(value) >>> 16},${hex(Number(value) & 0xffff)})`;
  }
}

export interface Masked {
  readonly value: FieldValue;
  readonly mask: FieldValue;
}

/** `text` as a value of `f`, perhaps with `/MASK`; complains and returns undefined if it is none. */
export function parseMasked(f: Field, text: string, complaint: Complaint): Masked | undefined {
  if (text === "*") return { value: f.isWide ? 0n : 0, mask: f.isWide ? 0n : 0 };
  const parsed = parseByNotation(f, text, complaint);
  if (parsed === undefined) return undefined;
  if (!f.maskable && parsed.mask !== exactMask(f) && parsed.mask !== f.full) return complaint.say(`${text}: invalid mask for field ${f.name}`);
  return parsed;
}

function parseByNotation(f: Field, text: string, complaint: Complaint): Masked | undefined {
  const slash = text.indexOf("/");
  const [head, tail] = slash < 0 ? [text, undefined] : [text.slice(0, slash), text.slice(slash + 1)];
  switch (f.notation) {
    case "decimal":
    case "hexadecimal":
      return parseIntegerMasked(f, text, head, tail, complaint);
    case "ethernet": {
      const [mac, mask] = [parseMac(head), tail === undefined ? 0xffffffffffff : parseMac(tail)];
      return mac === undefined || mask === undefined ? complaint.say(`${text}: invalid Ethernet address`) : { value: mac, mask };
    }
    case "ipv4": {
      const ip = parseIpv4(head);
      const mask: Ipv4 | undefined = tail === undefined ? ipv4Mask(32) : /^\d{1,2}$/.test(tail) && Number(tail) <= 32 ? ipv4Mask(Number(tail)) : parseIpv4(tail);
      return ip === undefined || mask === undefined ? complaint.say(`${text}: invalid IP address`) : { value: ip, mask };
    }
    case "ipv6": {
      const ip = parseIpv6(head);
      const mask = tail === undefined ? ipv6Mask(128) : /^\d{1,3}$/.test(tail) && Number(tail) <= 128 ? ipv6Mask(Number(tail)) : parseIpv6(tail);
      return ip === undefined || mask === undefined ? complaint.say(`${text}: invalid IPv6 address`) : { value: ip, mask };
    }
    case "port": {
      const port = parsePort(text);
      return port === undefined ? complaint.say(`${text}: invalid or unknown port for ${f.name}`) : { value: f.size === 4 ? portToWire(port) : port, mask: f.full };
    }
    case "frag": {
      const found = fragments.find(([name]) => name === text.toLowerCase());
      if (found !== undefined) return { value: found[2], mask: found[1] };
      return complaint.say(`${text}: unknown fragment type (valid types are "no", "yes", "first", "later", "not_later"`);
    }
    case "ct-state":
      return parseFlags(ctStateFlags, 0xff, text, "ct_state", complaint);
    case "tcp-flags":
      return parseFlags(tcpFlags, 0xfff, text, "TCP", complaint);
    case "tunnel-flags":
      return parseFlags(tunnelFlags, 1, text, "tun_flags", complaint);
    case "packet-type": {
      const match = /^\((\w+),(\w+)\)$/.exec(text);
      const [ns, type] = [parseInteger(match?.[1] ?? ""), parseInteger(match?.[2] ?? "")];
      if (ns === undefined || type === undefined || ns > 0xffffn || type > 0xffffn) return complaint.say(`${text}: not a valid packet type`);
      return { value: Number((ns << 16n) | type), mask: f.full };
    }
  }
}

function parseIntegerMasked(f: Field, text: string, head: string, tail: string | undefined, complaint: Complaint): Masked | undefined {
  const limit = 1n << BigInt(8 * f.size);
  const part = (digits: string, what: string): bigint | undefined => {
    const value = parseInteger(digits);
    if (value === undefined) return complaint.say(`${text}: bad syntax for ${f.name} ${what}`);
    if (value >= limit || value < -(limit >> 1n)) return complaint.say(`${text}: ${what} too large for ${f.size}-byte field ${f.name}`);
    return BigInt.asUintN(8 * f.size, value);
  };
  const value = part(head, "value");
  const mask = tail === undefined ? undefined : part(tail, "mask");
  if (value === undefined || (tail !== undefined && mask === undefined)) return undefined;
  const fit = (n: bigint): FieldValue => (f.isWide ? n : Number(n));
  if (mask === undefined || mask === limit - 1n) return { value: fit(value), mask: exactMask(f) };
  return { value: fit(value), mask: fit(mask) };
}

/** `est|trk` (all bits counted), `+est-new`, or numbers. */
function parseFlags(names: readonly string[], whole: number, text: string, what: string, complaint: Complaint): Masked | undefined {
  const bitOf = (name: string): number | undefined => {
    const i = names.indexOf(name);
    return i < 0 ? undefined : 1 << i;
  };
  const unknown = (): undefined => complaint.say(`${text}: unknown ${what} flag(s)`);
  const numbers = /^(\w+)\/(\w+)$/.exec(text);
  if (numbers !== null) {
    const [value, mask] = [parseInteger(numbers[1] ?? ""), parseInteger(numbers[2] ?? "")];
    return value === undefined || mask === undefined ? unknown() : { value: Number(value), mask: Number(mask) };
  }
  let [value, mask] = [0, 0];
  if (/^[+-]/.test(text)) {
    for (const [, sign, name = ""] of text.matchAll(/([+-])([^+-]*)/g)) {
      const bit = bitOf(name);
      if (bit === undefined) return unknown();
      if ((mask & bit) !== 0) return complaint.say(`${text}: Each ${what} flag can be specified only once`);
      mask |= bit;
      if (sign === "+") value |= bit;
    }
    return { value, mask };
  }
  for (const name of text.split("|")) {
    const bit = bitOf(name) ?? (parseInteger(name) === undefined ? undefined : Number(parseInteger(name)));
    if (bit === undefined) return unknown();
    value |= bit;
  }
  return { value, mask: whole };
}
