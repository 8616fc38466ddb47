/** The whole way from a match's text to flow matches, step by step or at once. */
import { annotate } from "./annotate.ts";
import type { Expression } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { type FlowMatches, type PortLookup, toMatches } from "./matches.ts";
import { normalize } from "./normalize.ts";
import { type IntegerConstant } from "./constant.ts";
import { type ExpressionContext, ExpressionParser, type Parsed, parsed } from "./parse-expression.ts";
import { evaluateConditions, simplify } from "./simplify.ts";

/** A match's text as it stands, over symbols. */
export const parseExpression = (text: string, context: ExpressionContext): Parsed<Expression> => parsed(() => {
  const lexer = new Lexer(text);
  const expression = new ExpressionParser(lexer, context).parse();
  lexer.expectEnd();
  return expression;
});

/** The same over fields, with prerequisites. */
export const annotateExpression = (expression: Expression, context: ExpressionContext): Parsed<Expression> =>
  parsed(() => annotate(expression, context.symbols));

export interface MatchContext extends ExpressionContext {
  readonly lookupPort: PortLookup;
  isChassisResident(port: string): boolean;
}

/** An annotated expression as flow matches. */
export const expressionToMatches = (annotated: Expression, context: MatchContext): FlowMatches =>
  toMatches(normalize(evaluateConditions(simplify(annotated), (port) => context.isChassisResident(port))), context.lookupPort);

/** The addresses of an address set as constants, in the order in which C keeps them; what is no address is left out. */
export function addressConstants(addresses: Iterable<string>): readonly IntegerConstant[] {
  const constants: IntegerConstant[] = [];
  for (const address of addresses) {
    const lexer = new Lexer(address);
    if (lexer.kind !== "integer" && lexer.kind !== "masked-integer") continue;
    const mask = lexer.kind === "integer" ? undefined : lexer.mask;
    constants.push({ kind: "integer", value: lexer.value, mask, format: lexer.format, addressSet: undefined });
  }
  return constants.sort((a, b) => {
    if (a.value !== b.value) return a.value < b.value ? -1 : 1;
    if (a.mask === undefined || b.mask === undefined) return (a.mask === undefined ? 1 : 0) - (b.mask === undefined ? 1 : 0);
    return a.mask < b.mask ? -1 : a.mask > b.mask ? 1 : 0;
  });
}
