/**
 * Constants of the logical-flow language as text: decimal, hexadecimal, IPv4, IPv6 and Ethernet, with masks. A constant keeps
 * the notation it was written in: it means the same, but is printed back as it was read.
 */
import { formatIpv4, formatIpv6, formatMac, ipv4MaskLength, ipv4Of, ipv6Mask, ipv6MaskLength, ipv6Of, macOf, parseIpv4, parseIpv6 } from "../net/index.ts";

export type NumberFormat = "decimal" | "hexadecimal" | "IPv4" | "IPv6" | "Ethernet";

export interface NumberConstant {
  readonly value: bigint;
  readonly format: NumberFormat;
}

const constant = (value: bigint, format: NumberFormat): NumberConstant => ({ value, format });

const max64 = (1n << 64n) - 1n;
const formatLimits: Readonly<Record<NumberFormat, bigint>> = {
  decimal: max64, hexadecimal: (1n << 1024n) - 1n, IPv4: 0xffffffffn, IPv6: (1n << 128n) - 1n, Ethernet: 0xffffffffffffn,
};

/** `0x1f`; zero is `0`. */
export const formatHex = (value: bigint): string => (value === 0n ? "0" : `0x${value.toString(16)}`);

function formatAs(value: bigint, format: NumberFormat): string {
  switch (format) {
    case "decimal": return value.toString();
    case "hexadecimal": return formatHex(value);
    case "IPv4": return formatIpv4(ipv4Of(Number(value)));
    case "IPv6": return formatIpv6(ipv6Of(value));
    case "Ethernet": return formatMac(macOf(Number(value)));
  }
}

/** A constant as text that reads back as the same constant; `mask` undefined if it has none. */
export function formatConstant(value: bigint, mask: bigint | undefined, format: NumberFormat): string {
  const limit = formatLimits[format];
  const fitting = value <= limit && (mask === undefined || mask <= limit) ? format : "hexadecimal";
  const text = formatAs(value, fitting);
  if (mask === undefined) return text;
  const length = fitting === "IPv4" ? ipv4MaskLength(ipv4Of(Number(mask))) : format === "IPv6" && fitting === "IPv6" ? ipv6MaskLength(ipv6Of(mask)) : undefined;
  return `${text}/${length ?? formatAs(mask, fitting)}`;
}

const isHex = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);

const onlyDigits = /^[0-9]+$/;

/** The constant that `digits` are, or what is wrong with them. */
export function readConstant(digits: string): NumberConstant | string {
  const length = digits.length;
  if (length === 0) return "Integer constant expected.";
  if (onlyDigits.test(digits)) {
    if (length > 1 && digits.charCodeAt(0) === 48) return "Decimal constants must not have leading zeros.";
    const value = BigInt(digits);
    if (value > max64) return "Decimal constants must be less than 2**64.";
    return constant(value, "decimal");
  }
  if (length === 17 && /^(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(digits)) {
    return constant(BigInt(`0x${digits.replaceAll(":", "")}`), "Ethernet");
  }
  const second = digits.charCodeAt(1);
  if (digits.charCodeAt(0) === 48 && (second === 120 || second === 88)) {
    if (length === 2) return `Hex digits expected following 0${digits[1]}.`;
    return readHex(digits.slice(2));
  }
  if (length >= 46) return "Invalid numeric constant.";
  const ipv4 = parseIpv4(digits);
  if (ipv4 !== undefined) return constant(BigInt(ipv4), "IPv4");
  const ipv6 = parseIpv6(digits);
  if (ipv6 !== undefined) return constant(ipv6, "IPv6");
  return "Invalid numeric constant.";
}

/** At most 1024 bits: what a field's value can hold. Read from the right, as C does, so the first fault is its. */
function readHex(digits: string): NumberConstant | string {
  for (let i = digits.length - 1; i >= 0; i--) {
    if (!isHex(digits.charCodeAt(i))) return "Invalid syntax in hexadecimal constant.";
    if (digits.charCodeAt(i) !== 48 && digits.length - 1 - i >= 256) return "Hexadecimal constant requires more than 1024 bits.";
  }
  return constant(BigInt(`0x${digits}`), "hexadecimal");
}

/** The mask that a constant after `/` means; undefined if it does not go with the value before it. */
export function maskFrom(format: NumberFormat, value: bigint, maskFormat: NumberFormat, mask: bigint): bigint | undefined {
  if (format === maskFormat) return mask;
  if (maskFormat === "decimal" && format === "IPv4" && mask <= 32n) return ipv4Prefix(Number(mask));
  if (maskFormat === "decimal" && format === "IPv6" && mask <= 128n) return ipv6Mask(Number(mask));
  if (format === "decimal" && maskFormat === "hexadecimal" && value === 0n) return mask;
  return undefined;
}

const ipv4Prefix = (length: number): bigint => (0xffffffffn << BigInt(32 - length)) & 0xffffffffn;
