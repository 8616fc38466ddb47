/** Values as sets: what `add`, `remove`, `find` and the making of a transaction need of them. Keys are in ascending order. */
import { type Atom, compareAtoms, type Datum } from "../ovsdb/index.ts";

export function sameDatum(a: Datum, b: Datum): boolean {
  return compareDatums(a, b) === 0;
}

/** The order of ovsdb_datum_compare_3way: fewer elements first, then keys, then values. */
export function compareDatums(a: Datum, b: Datum): number {
  if (a.keys.length !== b.keys.length) return a.keys.length - b.keys.length;
  for (let i = 0; i < a.keys.length; i++) {
    const order = compareAtoms(a.keys[i] ?? 0, b.keys[i] ?? 0);
    if (order !== 0) return order;
  }
  for (let i = 0; i < (a.values?.length ?? 0); i++) {
    const order = compareAtoms(a.values?.[i] ?? 0, b.values?.[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** The place of `key`, or -1. */
export const keyIndex = (datum: Datum, key: Atom): number => datum.keys.findIndex((k) => compareAtoms(k, key) === 0);

function holds(datum: Datum, key: Atom, value: Atom | undefined): boolean {
  const at = keyIndex(datum, key);
  return at >= 0 && (value === undefined || compareAtoms(datum.values?.[at] ?? 0, value) === 0);
}

/** Whether everything in `a` is also in `b`, pairs with their values. */
export const includesAll = (a: Datum, b: Datum): boolean => a.keys.every((key, i) => holds(b, key, a.values?.[i]));

/** Whether nothing in `a` is in `b`. */
export const excludesAll = (a: Datum, b: Datum): boolean => !a.keys.some((key, i) => holds(b, key, a.values?.[i]));

/** Everything in either; where both have a key, `b` says its value. */
export function union(a: Datum, b: Datum): Datum {
  const kept = a.keys.map((key, i) => [key, a.values?.[i]] as const).filter(([key]) => keyIndex(b, key) < 0);
  return fromPairs([...kept, ...b.keys.map((key, i) => [key, b.values?.[i]] as const)], a.values !== undefined);
}

/** What is in `a` and not in `b`; if `b` has no values, keys alone decide. */
export function subtract(a: Datum, b: Datum): Datum {
  const left = a.keys.map((key, i) => [key, a.values?.[i]] as const).filter(([key, value]) => !holds(b, key, b.values === undefined ? undefined : value));
  return fromPairs(left, a.values !== undefined);
}

function fromPairs(pairs: readonly (readonly [Atom, Atom | undefined])[], isMap: boolean): Datum {
  const sorted = [...pairs].sort(([a], [b]) => compareAtoms(a, b));
  const keys = sorted.map(([key]) => key);
  return isMap ? { keys, values: sorted.map(([, value]) => value ?? 0) } : { keys };
}
