/**
 * Normalization: a disjunction of conjunctions, each of whose clauses speaks of one field only: a comparison or a
 * disjunction of comparisons. That is what the switch's conjunctive matches can express.
 */
import { always, type Comparison, type Expression, type Junction, junction, never, uniqueSymbol } from "./expression.ts";
import { crush } from "./crush.ts";
import type { LogicalSymbol } from "./symbol.ts";

/** `expression` must have been simplified, and its conditions evaluated. */
export function normalize(expression: Expression): Expression {
  switch (expression.kind) {
    case "and": return normalizeAnd(expression);
    case "or": return normalizeOr(expression.terms);
    default: return expression;
  }
}

interface Clause {
  readonly expression: Expression;
  readonly symbol: LogicalSymbol | undefined;
}

const rank = { comparison: 0, and: 1, or: 2, boolean: 3, "chassis-resident": 4 } as const;
const sizeOf = (e: Expression): number => (e.kind === "and" || e.kind === "or" ? e.terms.length : 0);

/** Clauses over one symbol first, by its name; then the others, short ones first. */
function compareClauses(a: Clause, b: Clause): number {
  const kinds = (a.symbol ? 0 : rank[a.expression.kind]) - (b.symbol ? 0 : rank[b.expression.kind]);
  if (kinds !== 0) return kinds;
  if (a.symbol !== undefined && b.symbol !== undefined) {
    if (a.symbol.name !== b.symbol.name) return a.symbol.name < b.symbol.name ? -1 : 1;
    return rank[a.expression.kind] - rank[b.expression.kind];
  }
  return sizeOf(a.expression) - sizeOf(b.expression);
}

/** All of `terms`, flat. */
function conjunction(terms: readonly Expression[]): Expression {
  const [only] = terms;
  if (only !== undefined && terms.length === 1) return only;
  if (!terms.some((term) => term.kind === "and")) return { kind: "and", terms };
  const flat: Expression[] = [];
  for (const term of terms) {
    if (term.kind === "and") flat.push(...term.terms);
    else flat.push(term);
  }
  return { kind: "and", terms: flat };
}

/** Brings together the clauses over one symbol and crushes them. */
function gather(terms: readonly Expression[]): Expression {
  const clauses = terms.map((expression): Clause => ({ expression, symbol: uniqueSymbol(expression) })).sort(compareClauses);
  const gathered: Expression[] = [];
  for (let i = 0; i < clauses.length; ) {
    const clause = clauses[i];
    if (clause === undefined) break;
    const { symbol } = clause;
    let { expression } = clause;
    i++;
    if (symbol !== undefined) {
      // Several fields bring the same prerequisite, as one object: it counts once.
      const together = [expression];
      for (let next = clauses[i]; next?.symbol === symbol; next = clauses[++i]) if (!together.includes(next.expression)) together.push(next.expression);
      expression = crush(conjunction(together), symbol);
      if (expression.kind === "boolean" && !expression.value) return never;
      if (expression.kind === "boolean") continue;
    }
    gathered.push(expression);
  }
  return gathered.length === 0 ? always : conjunction(gathered);
}

/** The terms in order, if all are comparisons, each of another symbol: most matches are, and nothing is to be brought together. */
function differentComparisons(terms: readonly Expression[]): readonly Comparison[] | undefined {
  const sorted: Comparison[] = [];
  for (const term of terms) {
    if (term.kind !== "comparison") return undefined;
    const { name } = term.symbol;
    let at = sorted.length;
    for (; at > 0; at--) {
      const before = sorted[at - 1];
      if (before === undefined || before.symbol.name < name) break;
      if (before.symbol === term.symbol) return undefined;
    }
    sorted.splice(at, 0, term);
  }
  return sorted;
}

function normalizeAnd(expression: Junction): Expression {
  const plain = differentComparisons(expression.terms);
  if (plain !== undefined) return { kind: "and", terms: plain };
  const gathered = gather(expression.terms);
  if (gathered.kind !== "and") return gathered;
  const merged = mergeNeighbours(gathered.terms);
  if (merged === undefined) return never;
  const [only] = merged;
  if (merged.length === 1 && only !== undefined) return only;
  for (const [i, term] of merged.entries()) {
    if (term.kind !== "or") continue;
    const symbol = uniqueSymbol(term);
    if (symbol !== undefined && !symbol.mustCrossproduct) continue;
    // Multiply out: this disjunction cannot be a clause by itself.
    const products = term.terms.map((choice): Expression => {
      const factors: Expression[] = [];
      for (const [j, other] of merged.entries()) {
        const factor = i === j ? choice : other;
        if (factor.kind === "and") factors.push(...factor.terms);
        else factors.push(factor);
      }
      return { kind: "and", terms: factors };
    });
    return normalizeOr(products);
  }
  return merged.length === gathered.terms.length ? gathered : { kind: "and", terms: merged };
}

/** Joins neighbouring comparisons of one symbol; undefined if they exclude each other. */
function mergeNeighbours(terms: readonly Expression[]): readonly Expression[] | undefined {
  const merged: Expression[] = [];
  for (const term of terms) {
    const last = merged.at(-1);
    if (last?.kind !== "comparison" || term.kind !== "comparison" || last.symbol !== term.symbol) {
      merged.push(term);
      continue;
    }
    if (term.symbol.width === 0 ? last.text !== term.text : ((last.value ^ term.value) & last.mask & term.mask) !== 0n) return undefined;
    merged.pop();
    merged.push({ ...term, value: last.value | term.value, mask: last.mask | term.mask });
  }
  return merged;
}

function normalizeOr(terms: readonly Expression[]): Expression {
  const normalized: Expression[] = [];
  for (const term of terms) {
    const done = term.kind === "and" ? normalizeAnd(term) : term;
    if (done.kind === "boolean") {
      if (done.value) return done;
    } else if (done.kind === "or") normalized.push(...done.terms);
    else normalized.push(done);
  }
  return junction("or", normalized);
}
