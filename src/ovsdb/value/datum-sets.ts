/**
 * Set arithmetic on values, for mutations, conditions, diffs and references. A map counts as a set of pairs; where it
 * matters which of two values for one key wins, the function says so. Inputs are never changed; an operation without
 * effect returns its first input itself, so that `===` tells cheaply that nothing changed.
 */
import { type Atom, compareAtoms, type Datum, defaultAtom } from "./datum.ts";
import type { ColumnType } from "../schema/schema.ts";

export const emptySet: Datum = { keys: [] };
export const emptyMap: Datum = { keys: [], values: [] };
const empty = (like: Datum): Datum => (like.values === undefined ? emptySet : emptyMap);

export function defaultDatum(type: ColumnType): Datum {
  if (type.min === 0) return type.value === undefined ? emptySet : emptyMap;
  const keys = [defaultAtom(type.key.kind)];
  return type.value === undefined ? { keys } : { keys, values: [defaultAtom(type.value.kind)] };
}

export function isDefaultDatum(datum: Datum, type: ColumnType): boolean {
  if (datum.keys.length !== (type.min === 0 ? 0 : 1)) return false;
  if (type.min === 0) return true;
  const isKey = datum.keys[0] === defaultAtom(type.key.kind);
  return isKey && (type.value === undefined || datum.values?.[0] === defaultAtom(type.value.kind));
}

/** Whether a type can hold several elements: only then is a change written as a difference. */
export const isComposite = (type: ColumnType): boolean => type.max > 1;

const sameAtoms = (a: readonly Atom[], b: readonly Atom[]): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

export function equalDatums(a: Datum, b: Datum): boolean {
  if (a === b) return true;
  return sameAtoms(a.keys, b.keys) && (a.values === b.values || sameAtoms(a.values ?? [], b.values ?? []));
}

/** The place of `key`, or where it would stand as `-1 - place`. */
export function findKey(datum: Datum, key: Atom): number {
  const { keys } = datum;
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareAtoms(keys[middle] ?? 0, key);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

export const hasKey = (datum: Datum, key: Atom): boolean => findKey(datum, key) >= 0;

/** Keys of `b` that `a` lacks are added with their values; where both have a key, `a`'s value stays. */
export function unionDatums(a: Datum, b: Datum): Datum {
  const added: number[] = [];
  for (let i = 0; i < b.keys.length; i++) if (!hasKey(a, b.keys[i] ?? 0)) added.push(i);
  if (added.length === 0) return a;
  if (a.keys.length === 0 && added.length === b.keys.length) return b;
  return merge(a, b, added);
}

/** Puts the elements of `b` at the places in `added`, none of which `a` has, among those of `a`. */
function merge(a: Datum, b: Datum, added: readonly number[]): Datum {
  const keys: Atom[] = [];
  const values: Atom[] | undefined = a.values === undefined ? undefined : [];
  let from = 0;
  for (const i of added) {
    const to = -1 - findKey(a, b.keys[i] ?? 0);
    for (; from < to; from++) {
      keys.push(a.keys[from] ?? 0);
      values?.push(a.values?.[from] ?? 0);
    }
    keys.push(b.keys[i] ?? 0);
    values?.push(b.values?.[i] ?? 0);
  }
  for (; from < a.keys.length; from++) {
    keys.push(a.keys[from] ?? 0);
    values?.push(a.values?.[from] ?? 0);
  }
  return values === undefined ? { keys } : { keys, values };
}

/** Takes the elements of `b` from `a`: pairs where `b` is a map, else whatever stands at its keys. */
export function subtractDatums(a: Datum, b: Datum): Datum {
  const gone = new Set<number>();
  for (let i = 0; i < b.keys.length; i++) {
    const at = findKey(a, b.keys[i] ?? 0);
    if (at >= 0 && (b.values === undefined || b.values[i] === a.values?.[at])) gone.add(at);
  }
  if (gone.size === 0) return a;
  if (gone.size === a.keys.length) return empty(a);
  return keep(a, (i) => !gone.has(i));
}

export function keep(datum: Datum, wanted: (place: number) => boolean): Datum {
  const keys: Atom[] = [];
  const values: Atom[] | undefined = datum.values === undefined ? undefined : [];
  for (let i = 0; i < datum.keys.length; i++) {
    if (!wanted(i)) continue;
    keys.push(datum.keys[i] ?? 0);
    values?.push(datum.values?.[i] ?? 0);
  }
  return values === undefined ? { keys } : { keys, values };
}

/** What leads from `old` to `new` and back: elements of only one of them; a pair whose value changed comes with its new value. */
export function diffDatums(old: Datum, now: Datum, type: ColumnType): Datum {
  if (!isComposite(type)) return now;
  const keys: Atom[] = [];
  const values: Atom[] | undefined = type.value === undefined ? undefined : [];
  const take = (datum: Datum, i: number): void => {
    keys.push(datum.keys[i] ?? 0);
    values?.push(datum.values?.[i] ?? 0);
  };
  let o = 0;
  let n = 0;
  while (o < old.keys.length && n < now.keys.length) {
    const a = old.keys[o] ?? 0;
    const b = now.keys[n] ?? 0;
    const order = a === b ? 0 : compareAtoms(a, b);
    if (order < 0) take(old, o++);
    else if (order > 0) take(now, n++);
    else {
      if (values !== undefined && old.values?.[o] !== now.values?.[n]) take(now, n);
      o++;
      n++;
    }
  }
  while (o < old.keys.length) take(old, o++);
  while (n < now.keys.length) take(now, n++);
  return values === undefined ? { keys } : { keys, values };
}

/** Undoes `diffDatums`: the new value, given the old one. */
export function applyDiff(old: Datum, diff: Datum, type: ColumnType): Datum {
  if (!isComposite(type)) return diff;
  if (diff.keys.length === 0) return old;
  const gone = new Set<number>();
  const replaced = new Map<number, Atom>();
  const added: number[] = [];
  for (let i = 0; i < diff.keys.length; i++) {
    const at = findKey(old, diff.keys[i] ?? 0);
    if (at < 0) added.push(i);
    else if (diff.values === undefined || diff.values[i] === old.values?.[at]) gone.add(at);
    else replaced.set(at, diff.values[i] ?? 0);
  }
  let result = old;
  if (replaced.size > 0) result = { keys: old.keys, values: (old.values ?? []).map((v, i) => replaced.get(i) ?? v) };
  if (gone.size > 0) result = keep(result, (i) => !gone.has(i));
  return added.length === 0 ? result : merge(result, diff, added);
}

/** Whether every element of `part` is in `whole` (pairs with equal values). */
export function includesAll(whole: Datum, part: Datum): boolean {
  return part.keys.every((key, i) => {
    const at = findKey(whole, key);
    return at >= 0 && (part.values === undefined || part.values[i] === whole.values?.[at]);
  });
}

/** Whether no element of `part` is in `whole`. */
export function excludesAll(whole: Datum, part: Datum): boolean {
  return part.keys.every((key, i) => {
    const at = findKey(whole, key);
    return at < 0 || (part.values !== undefined && part.values[i] !== whole.values?.[at]);
  });
}

/** First by size, then element by element. */
export function compareDatums(a: Datum, b: Datum): number {
  if (a.keys.length !== b.keys.length) return a.keys.length - b.keys.length;
  for (const [x, y] of [[a.keys, b.keys], [a.values ?? [], b.values ?? []]] as const) {
    for (let i = 0; i < x.length; i++) {
      const order = compareAtoms(x[i] ?? 0, y[i] ?? 0);
      if (order !== 0) return order;
    }
  }
  return 0;
}

/** `set of up to 3 strings`, as error texts name a type. */
export function describeType(type: ColumnType): string {
  if (type.min === 1 && type.max === 1 && type.value === undefined) return type.key.kind;
  const what = type.value === undefined ? "set" : "map";
  const count = !Number.isFinite(type.max)
    ? type.min > 0 ? ` of ${type.min} or more` : " of"
    : type.min > 0 ? ` of ${type.min} to ${type.max}` : ` of up to ${type.max}`;
  return what + count + (type.value === undefined ? ` ${type.key.kind}s` : ` (${type.key.kind}, ${type.value.kind}) pairs`);
}
