/** Bytes as pairs of hexadecimal digits, which notes and userdata are written as: `00.01.ff`. */

export const dotted = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(".");

/** Pairs of digits with dots or white space between them where one likes; undefined if they are none. */
export function parseHexBytes(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/[. \t]/g, "");
  return /^([0-9a-fA-F]{2})*$/.test(digits) ? bytesOfDigits(digits) : undefined;
}

/** Of hexadecimal digits; an odd one at the end stands for a byte by itself. */
export const bytesOfDigits = (digits: string): Uint8Array =>
  Uint8Array.from({ length: Math.ceil(digits.length / 2) }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
