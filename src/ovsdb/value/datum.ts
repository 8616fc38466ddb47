/**
 * Values as the database keeps them (RFC 7047, section 5.1): every column holds a datum, a sorted set of atoms or a sorted
 * map from atoms to atoms; a scalar is a set of one.
 */
import type { AtomKind } from "../schema/schema.ts";

/** uuid atoms are lower-case strings. Integers are exact: a number within ±(2^53 - 1), a bigint beyond. */
export type Atom = string | number | bigint | boolean;

/** Keys in ascending order without duplicates; `values`, for maps alone, in the order of the keys. */
export interface Datum {
  readonly keys: readonly Atom[];
  readonly values?: readonly Atom[];
}

/** The order of ovsdb_atom_compare_3way: numbers by size, false before true, strings by their bytes in UTF-8, UUIDs by value. */
export function compareAtoms(a: Atom, b: Atom): number {
  if (typeof a === "string" && typeof b === "string") return a === b ? 0 : compareStrings(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where UTF-16 order differs from byte order: surrogates against the range U+E000..U+FFFF. */
const beyondSurrogates = /[\ud800-\uffff]/;

function compareStrings(a: string, b: string): number {
  if (!beyondSurrogates.test(a) || !beyondSurrogates.test(b)) return a < b ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2000 : unit >= 0xe000 ? unit - 0x800 : unit);

/** What an unset column of this kind holds when it must hold something. */
export function defaultAtom(kind: AtomKind): Atom {
  switch (kind) {
    case "integer":
    case "real":
      return 0;
    case "boolean":
      return false;
    case "string":
      return "";
    case "uuid":
      return "00000000-0000-0000-0000-000000000000";
  }
}
