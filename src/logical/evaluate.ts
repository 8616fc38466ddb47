/** What an expression says of one packet: the trace asks this, and the tests hold flows against it. */
import type { Field } from "../openflow/index.ts";
import type { Comparison, Expression } from "./expression.ts";
import type { PortLookup } from "./matches.ts";

/** The fields of one packet, as unsigned numbers; 0 where the packet has no such field. */
export type FieldReader = (field: Field) => bigint;

export interface EvaluationContext {
  readonly read: FieldReader;
  readonly lookupPort: PortLookup;
  /** Of `is_chassis_resident`; true without it, since a trace stands for all chassis. */
  readonly isChassisResident?: (port: string) => boolean;
}

/** `expression` must be annotated: it may speak of fields only. */
export function evaluate(expression: Expression, context: EvaluationContext): boolean {
  switch (expression.kind) {
    case "comparison": return evaluateComparison(expression, context);
    case "and": return expression.terms.every((term) => evaluate(term, context));
    case "or": return expression.terms.some((term) => evaluate(term, context));
    case "boolean": return expression.value;
    case "chassis-resident": return (context.isChassisResident?.(expression.port) ?? true) !== expression.not;
  }
}

function evaluateComparison({ symbol, relation, value, mask, text }: Comparison, { read, lookupPort }: EvaluationContext): boolean {
  if (symbol.meaning.kind !== "field") return false;
  const actual = read(symbol.meaning.field);
  if (symbol.width > 0) return holds(actual & mask, relation, value);
  const port = lookupPort(text);
  return port !== undefined && holds(actual, relation, BigInt(port));
}

function holds(a: bigint, relation: Comparison["relation"], b: bigint): boolean {
  switch (relation) {
    case "==": return a === b;
    case "!=": return a !== b;
    case "<": return a < b;
    case "<=": return a <= b;
    case ">": return a > b;
    case ">=": return a >= b;
  }
}
