/** Numbers in network order inside a Uint8Array. Callers have checked the bounds; beyond the end a read gives 0. */
export const readU16 = (b: Uint8Array, at: number): number => ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);

export const readU32 = (b: Uint8Array, at: number): number => ((readU16(b, at) << 16) | readU16(b, at + 2)) >>> 0;

export function writeU16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8;
  b[at + 1] = value;
}

export function writeU32(b: Uint8Array, at: number, value: number): void {
  writeU16(b, at, value >>> 16);
  writeU16(b, at + 2, value);
}

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
