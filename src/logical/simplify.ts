/**
 * Simplification: comparisons become tests for equality of masked bits, the only ones that a flow can make. `x >= 1234`
 * becomes one test for each bit that may make it larger.
 */
import { allOnes, bitRun, booleanExpression, combine, type Comparison, type Expression, always, type Junction, junction, never } from "./expression.ts";

export function simplify(expression: Expression): Expression {
  switch (expression.kind) {
    case "comparison": return simplifyComparison(expression);
    case "boolean":
    case "chassis-resident": return expression;
    default: return simplifyTerms(expression);
  }
}

/** What is simple already stays the same object, so that terms which came from one prerequisite can be told to be one. */
function simplifyTerms(expression: Junction): Expression {
  const terms = expression.terms.map(simplify);
  return terms.every((term, i) => term === expression.terms[i] && term.kind !== "boolean") ? expression : junction(expression.kind, terms);
}

function simplifyComparison(comparison: Comparison): Expression {
  if (comparison.symbol.width === 0) return comparison;
  switch (comparison.relation) {
    case "==": return comparison.mask === 0n ? always : comparison;
    case "!=": return simplifyUnequal(comparison);
    default: return simplifyOrder(comparison);
  }
}

/** One test a bit: this bit differs (and all above it are as given, so that the tests exclude one another). */
function simplifyUnequal({ symbol, value, mask }: Comparison): Expression {
  const terms: Expression[] = [];
  for (let bit = 0; bit < symbol.width; bit++) {
    const one = 1n << BigInt(bit);
    if ((mask & one) === 0n) continue;
    const above = ~(one - 1n);
    terms.push({ kind: "comparison", symbol, relation: "==", value: (value & above) ^ one, mask: mask & above, text: "", addressSet: undefined });
  }
  // "x != 0/0" is the opposite of "x == 0/0", which holds for every x.
  const [first] = terms;
  return first === undefined ? never : terms.length === 1 ? first : { kind: "or", terms };
}

function simplifyOrder(comparison: Comparison): Expression {
  const { value, mask, relation } = comparison;
  const run = bitRun(mask) ?? { start: 0, length: 0 };
  const end = run.start + run.length;
  const isLess = relation === "<" || relation === "<=";
  const orEqual = relation === "<=" || relation === ">=";
  // At the end of the range: "x >= 0" is true, and "x > 0" means no more than "x != 0".
  if ((isLess ? value === mask : value === 0n)) return orEqual ? booleanExpression(true) : simplifyUnequal(comparison);
  let result: Expression | undefined = orEqual ? { ...comparison, relation: "==" } : undefined;
  for (let bit = run.start; bit < end; bit++) {
    const one = 1n << BigInt(bit);
    if (((value & one) !== 0n) !== isLess) continue;
    const below = allOnes(bit);
    result = combine("or", result, { ...comparison, relation: "==", value: (value ^ one) & ~below, mask: mask & ~below });
  }
  return result ?? never;
}

/** Decides `is_chassis_resident` terms. */
export function evaluateConditions(expression: Expression, isChassisResident: (port: string) => boolean): Expression {
  switch (expression.kind) {
    case "comparison":
    case "boolean": return expression;
    case "chassis-resident": return booleanExpression(isChassisResident(expression.port) !== expression.not);
    default: {
      const terms = expression.terms.map((term) => evaluateConditions(term, isChassisResident));
      return terms.every((term, i) => term === expression.terms[i]) ? expression : junction(expression.kind, terms);
    }
  }
}

/** Whether any term waits for `evaluateConditions`. */
export function hasConditions(expression: Expression): boolean {
  switch (expression.kind) {
    case "comparison":
    case "boolean": return false;
    case "chassis-resident": return true;
    default: return expression.terms.some(hasConditions);
  }
}
