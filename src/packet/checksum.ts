/** The Internet checksum (RFC 1071), whole and incremental (RFC 1624), the pseudo-headers it runs over, and SCTP's CRC32c. */
import { type Ip, writeIpv6 } from "../net/index.ts";
import { writeU16, writeU32 } from "./bytes.ts";

/** The one's-complement sum of 16-bit words from `from` to `to`, added to `sum`; not folded. An odd byte counts as if a zero followed. */
export function sumWords(b: Uint8Array, from: number, to: number, sum = 0): number {
  let total = sum;
  let at = from;
  for (; at + 1 < to; at += 2) total += ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);
  if (at < to) total += (b[at] ?? 0) << 8;
  return total;
}

/** The checksum that a sum stands for. */
export function finishChecksum(sum: number): number {
  // Sums of whole packets stay below 2^53, so the folding may use division.
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

export const checksum = (b: Uint8Array, sum = 0): number => finishChecksum(sumWords(b, 0, b.length, sum));

/** The checksum after one 16-bit word under it changed (RFC 1624, equation 3). */
export function updateChecksum(old: number, from: number, to: number): number {
  let sum = (~old & 0xffff) + (~from & 0xffff) + (to & 0xffff);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export const updateChecksum32 = (old: number, from: number, to: number): number =>
  updateChecksum(updateChecksum(old, from >>> 16, to >>> 16), from & 0xffff, to & 0xffff);

/** The sum of the pseudo-header (RFC 9293, section 3.1; RFC 8200, section 8.1) under `size` bytes of `protocol`. */
export function pseudoHeaderSum(src: Ip, dst: Ip, protocol: number, size: number): number {
  if (src.family === 4 && dst.family === 4) {
    return (src.address >>> 16) + (src.address & 0xffff) + (dst.address >>> 16) + (dst.address & 0xffff) + protocol + size;
  }
  const header = new Uint8Array(40);
  if (src.family === 6) writeIpv6(src.address, header, 0);
  if (dst.family === 6) writeIpv6(dst.address, header, 16);
  writeU32(header, 32, size);
  writeU16(header, 38, protocol);
  return sumWords(header, 0, 40);
}

/** Computes and writes the checksum of an upper-layer message at `at`; UDP's zero becomes 0xffff (RFC 768). */
export function fillChecksum(message: Uint8Array, at: number, sum: number, isUdp = false): void {
  writeU16(message, at, 0);
  const value = checksum(message, sum);
  writeU16(message, at, isUdp && value === 0 ? 0xffff : value);
}

/** Whether a message whose checksum stands inside it sums up to nothing. */
export const isChecksumRight = (message: Uint8Array, sum = 0): boolean => checksum(message, sum) === 0;

const crc32cTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** CRC32c as SCTP puts it on the wire (RFC 9260, appendix A): the bytes of the result in reverse order. */
export function crc32c(b: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of b) crc = (crc32cTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc & 0xff) << 24) | ((crc & 0xff00) << 8) | ((crc >>> 8) & 0xff00) | (crc >>> 24)) >>> 0;
}

