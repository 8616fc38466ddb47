/** Values out of string maps, as OVS's smap.c reads them: forgiving, with a default for whatever cannot be read. */

export type Options = ReadonlyMap<string, string>;

/** With `missing` true anything but "false" is true; with `missing` false nothing but "true" is. Case does not matter. */
export function boolOption(options: Options, key: string, missing: boolean): boolean {
  const value = options.get(key)?.toLowerCase();
  return missing ? value !== "false" : value === "true";
}

/** A decimal 32-bit integer; `missing` where there is none. */
export function intOption(options: Options, key: string, missing: number): number {
  const value = wholeNumber(options.get(key));
  return value !== undefined && value >= -0x8000_0000 && value <= 0x7fff_ffff ? value : missing;
}

export function uintOption(options: Options, key: string, missing: number): number {
  const value = wholeNumber(options.get(key));
  return value !== undefined && value >= 0 && value <= 0xffff_ffff ? value : missing;
}

/** A decimal integer within ±(2^53 - 1). */
export function bigOption(options: Options, key: string, missing: number): number {
  return wholeNumber(options.get(key)) ?? missing;
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
