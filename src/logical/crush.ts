/**
 * Crushing: an expression over one symbol becomes a single comparison, a disjunction of comparisons, or a constant.
 * `x[0] == 1 && x[1] == 1` becomes `x[0..1] == 3`.
 */
import { always, combine, type Comparison, type Expression, junction, never } from "./expression.ts";
import type { LogicalSymbol } from "./symbol.ts";

/** `expression` must speak of `symbol` only and have been simplified. */
export function crush(expression: Expression, symbol: LogicalSymbol): Expression {
  switch (expression.kind) {
    case "or": return crushOr(expression.terms, symbol);
    case "and": return symbol.width > 0 ? crushNumericAnd(expression.terms, symbol) : crushStringAnd(expression.terms, symbol);
    default: return expression;
  }
}

interface Masked {
  readonly value: bigint;
  readonly mask: bigint;
}

/** The values that fit both; undefined if none does. */
function intersect(a: Masked, b: Masked): Masked | undefined {
  if (((a.value ^ b.value) & a.mask & b.mask) !== 0n) return undefined;
  return { value: a.value | b.value, mask: a.mask | b.mask };
}

const equals = (symbol: LogicalSymbol, { value, mask }: Masked, text = ""): Comparison =>
  ({ kind: "comparison", symbol, relation: "==", value, mask, text, addressSet: undefined });

const comparisonsOf = (expression: Expression): readonly Comparison[] =>
  expression.kind === "or" ? expression.terms.filter((t) => t.kind === "comparison") : expression.kind === "comparison" ? [expression] : [];

function crushOr(terms: readonly Expression[], symbol: LogicalSymbol): Expression {
  const joined = junction("or", terms.map((term) => crush(term, symbol)));
  if (joined.kind !== "or") return joined;
  return junction("or", withoutSupersets(comparisonsOf(joined), symbol));
}

const countOnes = (mask: bigint): number => {
  let count = 0;
  for (let rest = mask; rest !== 0n; rest >>= 32n) {
    let word = Number(rest & 0xffffffffn);
    for (; word !== 0; word = (word & (word - 1)) >>> 0) count++;
  }
  return count;
};

/** Sorted; without duplicates; and, where no address set needs its own flows, without what a wider mask covers. */
function withoutSupersets(comparisons: readonly Comparison[], symbol: LogicalSymbol): readonly Comparison[] {
  const fromAddressSet = comparisons.some((c) => c.addressSet !== undefined);
  const sized = comparisons.map((c) => ({ c, ones: symbol.width > 0 ? countOnes(c.mask) : 0 }));
  sized.sort((a, b) => a.ones - b.ones || compare(a.c, b.c));
  const kept: { c: Comparison; ones: number }[] = [];
  for (const next of sized) {
    const last = kept.at(-1);
    if (last === undefined || last.ones !== next.ones || compare(last.c, next.c) !== 0) kept.push(next);
    // Two sources, one test: it no longer stands for the address set alone.
    else if (last.c.addressSet !== undefined) last.c = { ...last.c, addressSet: undefined };
  }
  if (symbol.width === 0 || symbol.level !== "ordinal" || fromAddressSet) return kept.map(({ c }) => c);
  return uncovered(kept);
}

/** Those that no other of a shorter mask covers. One hash look-up for each different mask, rather than each pair. */
function uncovered(sorted: readonly { c: Comparison; ones: number }[]): readonly Comparison[] {
  const byMask = new Map<bigint, Set<bigint>>();
  const result: Comparison[] = [];
  for (const { c } of sorted) {
    let covered = false;
    for (const [mask, values] of byMask) {
      if ((c.mask & mask) === mask && values.has(c.value & mask)) {
        covered = true;
        break;
      }
    }
    if (covered) continue;
    result.push(c);
    const values = byMask.get(c.mask);
    if (values === undefined) byMask.set(c.mask, new Set([c.value]));
    else values.add(c.value);
  }
  return result;
}

function compare(a: Comparison, b: Comparison): number {
  if (a.symbol.width === 0) return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.mask < b.mask ? -1 : a.mask > b.mask ? 1 : 0;
}

function crushNumericAnd(terms: readonly Expression[], symbol: LogicalSymbol): Expression {
  let common: Masked = { value: 0n, mask: 0n };
  const choices: Expression[] = [];
  for (const term of terms) {
    const crushed = crush(term, symbol);
    if (crushed.kind === "comparison") {
      const both = intersect(common, crushed);
      if (both === undefined) return never;
      common = both;
    } else if (crushed.kind === "boolean") {
      if (!crushed.value) return crushed;
    } else choices.push(crushed);
  }
  const [first, second, ...rest] = choices;
  if (first === undefined) return common.mask === 0n ? always : equals(symbol, common);
  const alternatives: Comparison[] = [];
  if (second === undefined) {
    // a && (b || c) becomes ab || ac.
    for (const choice of comparisonsOf(first)) {
      const both = intersect(common, choice);
      if (both !== undefined) alternatives.push({ ...choice, ...both });
    }
  } else {
    // x && (a0 || a1) && (b0 || b1) becomes xa0b0 || xa0b1 || xa1b0 || xa1b1, and so on with what is left.
    const others = comparisonsOf(second);
    for (const a of comparisonsOf(first)) {
      const left = intersect(common, a);
      if (left === undefined) continue;
      for (const b of others) {
        const both = intersect(left, b);
        if (both !== undefined) alternatives.push(equals(symbol, both));
      }
    }
  }
  const [only] = alternatives;
  if (only === undefined) return never;
  const product: Expression = alternatives.length === 1 ? only : { kind: "or", terms: alternatives };
  if (rest.length === 0) return crush(product, symbol);
  return crush(rest.reduce((joined, term) => combine("and", joined, term), product), symbol);
}

function crushStringAnd(terms: readonly Expression[], symbol: LogicalSymbol): Expression {
  let single: Comparison | undefined;
  const choices: ReadonlySet<string>[] = [];
  for (const term of terms) {
    const crushed = crush(term, symbol);
    if (crushed.kind === "comparison") {
      if (single !== undefined && single.text !== crushed.text) return never;
      single ??= crushed;
    } else if (crushed.kind === "boolean") {
      if (!crushed.value) return crushed;
    } else choices.push(new Set(comparisonsOf(crushed).map((c) => c.text)));
  }
  if (single !== undefined) {
    const { text } = single;
    return choices.every((choice) => choice.has(text)) ? single : never;
  }
  const [first, ...others] = choices;
  if (first === undefined) return always;
  const common = [...first].filter((text) => others.every((other) => other.has(text)));
  return junction("or", common.map((text) => equals(symbol, { value: 0n, mask: 0n }, text)));
}
