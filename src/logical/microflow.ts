/**
 * A microflow: one stream of packets, described as a match that leaves nothing open but what may be zero
 * (ovn-trace(8)). `inport == "p1" && ip4 && tcp.dst == 80`.
 */
import { Match } from "../openflow/index.ts";
import { annotate } from "./annotate.ts";
import { type Expression, formatExpression } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { constrain, type PortLookup } from "./matches.ts";
import { normalize } from "./normalize.ts";
import { type ExpressionContext, ExpressionParser, type Parsed, parsed } from "./parse-expression.ts";
import { evaluateConditions, simplify } from "./simplify.ts";

/** The values that `text` gives to fields; all others are 0. */
export const parseMicroflow = (text: string, context: ExpressionContext, lookupPort: PortLookup): Parsed<Match> => parsed(() => {
  const lexer: Lexer = new Lexer(text);
  const expression = new ExpressionParser(lexer, context).parse();
  lexer.expectEnd();
  const annotated = annotate(expression, context.symbols);
  const normal = normalize(evaluateConditions(simplify(annotated), () => true));
  const ambiguous = (): never => lexer.error(`Constraints are ambiguous: ${formatExpression(annotated)}.`);
  let match = Match.any;
  const demand = (term: Expression): void => {
    if (term.kind === "comparison") match = constrain(match, term, lookupPort) ?? match;
    else ambiguous();
  };
  switch (normal.kind) {
    case "boolean":
      if (!normal.value) lexer.error("Constraints are contradictory.");
      break;
    case "and":
      for (const term of normal.terms) demand(term);
      break;
    default: demand(normal);
  }
  return match;
});

export type InportSearch = { readonly kind: "found"; readonly inport: string } | { readonly kind: "error"; readonly message: string };

/** The port that the expression demands the packet to come in by. */
export function findInport(expression: Expression): InportSearch {
  const inports = new Set<string>();
  const search = (e: Expression): void => {
    if (e.kind === "and" || e.kind === "or") e.terms.forEach(search);
    else if (e.kind === "comparison" && e.symbol.name === "inport" && e.symbol.width === 0 && e.relation === "==") inports.add(e.text);
  };
  search(expression);
  const [inport] = inports;
  if (inport === undefined) return { kind: "error", message: "flow match expression does not match on inport" };
  if (inports.size > 1) return { kind: "error", message: "flow match expression matches on multiple inports" };
  return { kind: "found", inport };
}
