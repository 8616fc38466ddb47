/** What the parsers of text share: one complaint, numbers as C reads them, and lists of `key`, `key=value`, `key:value`, `key(value)`. */

/** Collects the first thing that is wrong; what comes after it does not matter. */
export class Complaint {
  text: string | undefined;

  /** Always undefined, so that a parser can return it. */
  say(text: string): undefined {
    this.text ??= text;
    return undefined;
  }
}

/** Text that could not be parsed: the message is for the user. */
export interface TextError {
  readonly error: string;
}

export const isTextError = (result: object): result is TextError => "error" in result && typeof result.error === "string";

/** A decimal, hexadecimal (0x) or octal (0) integer of any size, perhaps negative; undefined if it is anything else. */
export function parseInteger(text: string): bigint | undefined {
  const match = /^(-?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ""] = match;
  const isOctal = /^0[0-7]+$/.test(digits);
  if (!isOctal && /^0\d/.test(digits)) return undefined;
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  return sign === "-" ? -value : value;
}

/** An unsigned integer of at most `bits` bits, for the argument `what`. */
export function parseBounded(text: string, bits: number, what: string, complaint: Complaint): number | undefined {
  const value = parseInteger(text);
  if (value === undefined || value < 0n || value >> BigInt(bits) !== 0n) return complaint.say(`invalid ${what} "${text}"`);
  return Number(value);
}

/** 64 bits; negative numbers wrap, as strtoull does it ("-1" is all ones). */
export function parseU64(text: string): bigint | undefined {
  const value = parseInteger(text);
  return value === undefined || value >= 1n << 64n || value < -(1n << 63n) ? undefined : BigInt.asUintN(64, value);
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/**
 * Splits `text` at commas and white space outside parentheses. A key ends at `:`, `=` or `(`; a value after `(` at its `)`,
 * unless `->` follows, which belongs to the value.
 */
export function splitKeyValues(text: string): KeyValue[] {
  const pairs: KeyValue[] = [];
  let rest = text.replace(/^[, \t\r\n]+/, "");
  while (rest !== "") {
    const keySize = /[:=(, \t\r\n]/.exec(rest)?.index ?? rest.length;
    const [key, delimiter] = [rest.slice(0, keySize), rest[keySize] ?? ""];
    rest = rest.slice(keySize + 1);
    let value = "";
    if (delimiter === ":" || delimiter === "=" || delimiter === "(") {
      let size = valueSize(rest, delimiter === "(" ? ")" : ", \t\r\n");
      if (delimiter === "(" && rest.startsWith(")->", size)) size += valueSize(rest.slice(size), ", \t\r\n");
      value = rest.slice(0, size);
      rest = rest.slice(size + 1);
    }
    pairs.push({ key, value });
    rest = rest.replace(/^[, \t\r\n]+/, "");
  }
  return pairs;
}

/** Up to the first of `delimiters` that stands outside parentheses. */
function valueSize(text: string, delimiters: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (depth === 0 && delimiters.includes(c)) return i;
    if (c === "(") depth++;
    else if (c === ")" && depth > 0) depth--;
  }
  return text.length;
}

/** C's `%#x`. */
export const hex = (value: number | bigint): string => (BigInt(value) === 0n ? "0" : `0x${value.toString(16)}`);
/** 0x and digits, zero too. */
export const fullHex = (value: number | bigint): string => `0x${value.toString(16)}`;
