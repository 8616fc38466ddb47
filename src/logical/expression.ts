/**
 * Expressions: what a Logical_Flow's match says, as an immutable tree.
 *
 * Invariants: an AND has at least two terms and none of them is an AND; so for OR. `conjunction` and `disjunction` keep
 * them. Every operation returns a new tree and shares what did not change, so that the expansion of a predicate is worked
 * out once and hangs in thousands of trees.
 */
import { formatHex } from "./number-text.ts";
import { quote } from "./string-text.ts";
import type { LogicalSymbol } from "./symbol.ts";

export type Relation = "==" | "!=" | "<" | "<=" | ">" | ">=";

export interface Comparison {
  readonly kind: "comparison";
  readonly symbol: LogicalSymbol;
  readonly relation: Relation;
  /** Numeric symbols: a one bit in value is a one bit in mask. */
  readonly value: bigint;
  readonly mask: bigint;
  /** String symbols. */
  readonly text: string;
  /** The address set that the constant came from, if the comparison still stands for exactly that address. */
  readonly addressSet: string | undefined;
}

export interface Junction {
  readonly kind: "and" | "or";
  readonly terms: readonly Expression[];
}

export interface BooleanConstant {
  readonly kind: "boolean";
  readonly value: boolean;
}

/** `is_chassis_resident("port")`: known only to a chassis. */
export interface ChassisResident {
  readonly kind: "chassis-resident";
  readonly port: string;
  readonly not: boolean;
}

export type Expression = Comparison | Junction | BooleanConstant | ChassisResident;

export const always: Expression = { kind: "boolean", value: true };
export const never: Expression = { kind: "boolean", value: false };
export const booleanExpression = (value: boolean): Expression => (value ? always : never);

/** `a AND b` or `a OR b`; an absent operand leaves the other. */
export function combine(kind: "and" | "or", a: Expression | undefined, b: Expression): Expression {
  if (a === undefined) return b;
  const left = a.kind === kind ? a.terms : [a];
  const right = b.kind === kind ? b.terms : [b];
  return { kind, terms: [...left, ...right] };
}

/** All of `terms` joined, flat; constants are dropped or decide, and a single term stays itself. */
export function junction(kind: "and" | "or", terms: readonly Expression[]): Expression {
  const decisive = kind === "or";
  const flat: Expression[] = [];
  for (const term of terms) {
    if (term.kind === "boolean") {
      if (term.value === decisive) return term;
    } else if (term.kind === kind) {
      for (const inner of term.terms) {
        if (inner.kind !== "boolean") flat.push(inner);
        else if (inner.value === decisive) return inner;
      }
    } else flat.push(term);
  }
  const [first] = flat;
  if (first === undefined) return booleanExpression(!decisive);
  return flat.length === 1 ? first : { kind, terms: flat };
}

const inverse: Readonly<Record<Relation, Relation>> = { "==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<" };
/** The relation after its operands change sides. */
export const turned: Readonly<Record<Relation, Relation>> = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** The opposite, with the negation carried down to the comparisons. */
export function not(expression: Expression): Expression {
  switch (expression.kind) {
    case "comparison": return { ...expression, relation: inverse[expression.relation] };
    case "and": return { kind: "or", terms: expression.terms.map(not) };
    case "or": return { kind: "and", terms: expression.terms.map(not) };
    case "boolean": return booleanExpression(!expression.value);
    case "chassis-resident": return { ...expression, not: !expression.not };
  }
}

/** The symbol, if the expression speaks of exactly one. */
export function uniqueSymbol(expression: Expression): LogicalSymbol | undefined {
  switch (expression.kind) {
    case "comparison": return expression.symbol;
    case "boolean":
    case "chassis-resident": return undefined;
    default: {
      let only: LogicalSymbol | undefined;
      for (const term of expression.terms) {
        const symbol = uniqueSymbol(term);
        if (symbol === undefined || (only !== undefined && symbol !== only)) return undefined;
        only = symbol;
      }
      return only;
    }
  }
}

/** The bits in `mask` if they are one run: where it starts and how long it is. */
export function bitRun(mask: bigint): { readonly start: number; readonly length: number } | undefined {
  if (mask === 0n) return undefined;
  let start = 0;
  let rest = mask;
  while ((rest & 0xffffffffn) === 0n) {
    rest >>= 32n;
    start += 32;
  }
  while ((rest & 1n) === 0n) {
    rest >>= 1n;
    start++;
  }
  return (rest & (rest + 1n)) === 0n ? { start, length: bitLength(rest) } : undefined;
}

/** How many bits `value` needs; 0 for 0. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] ?? "0", 16)));
}

export const allOnes = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

function formatComparison({ symbol, relation, value, mask, text }: Comparison): string {
  if (symbol.width === 0) return `${symbol.name} ${relation} ${quote(text)}`;
  const run = bitRun(mask);
  if (run === undefined) return `${symbol.name} ${relation} ${formatHex(value)}/${formatHex(mask)}`;
  if (run.length === 1 && (relation === "==" || relation === "!=")) {
    const positive = (value !== 0n) !== (relation === "!=");
    return `${positive ? "" : "!"}${symbol.name}${symbol.width > 1 ? `[${run.start}]` : ""}`;
  }
  const bits = run.length >= symbol.width ? "" : run.length > 1 ? `[${run.start}..${run.start + run.length - 1}]` : `[${run.start}]`;
  return `${symbol.name}${bits} ${relation} ${formatHex(value >> BigInt(run.start))}`;
}

/** The expression as text that parses back into an equivalent one. */
export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case "comparison": return formatComparison(expression);
    case "boolean": return expression.value ? "1" : "0";
    case "chassis-resident": return `${expression.not ? "!" : ""}is_chassis_resident(${quote(expression.port)})`;
    default: return expression.terms
      .map((term) => (term.kind === "and" || term.kind === "or" ? `(${formatExpression(term)})` : formatExpression(term)))
      .join(expression.kind === "and" ? " && " : " || ");
  }
}
