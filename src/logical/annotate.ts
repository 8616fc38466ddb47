/**
 * Annotation: an expression over symbols becomes one over fields. Parts of symbols become bits of their parents,
 * predicates become what they stand for, and each field brings its prerequisites: `tcp.dst == 80` says that the packet is
 * IP and TCP. What a symbol brings is worked out once a table and shared from then on.
 */
import { combine, type Comparison, type Expression, not, uniqueSymbol } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { LogicalSyntaxError } from "./syntax-error.ts";
import { ExpressionParser } from "./parse-expression.ts";
import type { SymbolTable } from "./symbol-table.ts";

export const annotate = (expression: Expression, symbols: SymbolTable): Expression => annotateWithin(expression, symbols, true, []);

/** The annotated form of a prerequisite or predicate; `nesting` lists the symbols in whose expansion it was met. */
export function annotatedText(text: string, symbols: SymbolTable, nesting: readonly string[] = []): Expression {
  const known = symbols.annotated.get(text);
  if (known !== undefined) return known;
  try {
    const lexer = new Lexer(text);
    const expression = new ExpressionParser(lexer, { symbols }).parse();
    lexer.expectEnd();
    const annotated = annotateWithin(expression, symbols, true, nesting);
    symbols.annotated.set(text, annotated);
    return annotated;
  } catch (error) {
    if (!(error instanceof LogicalSyntaxError)) throw error;
    throw new LogicalSyntaxError(`Error parsing expression \`${text}' encountered as prerequisite or predicate of initial expression: ${error.message}`);
  }
}

function annotateWithin(expression: Expression, symbols: SymbolTable, withPrerequisites: boolean, nesting: readonly string[]): Expression {
  switch (expression.kind) {
    case "comparison": return annotateComparison(expression, symbols, withPrerequisites, nesting);
    case "boolean":
    case "chassis-resident": return expression;
    default: {
      // If all terms speak of one symbol, its prerequisites are stated once, beside them.
      const only = withPrerequisites ? uniqueSymbol(expression) : undefined;
      const terms: Expression[] = [];
      for (const term of expression.terms) {
        const annotated = annotateWithin(term, symbols, withPrerequisites && only === undefined, nesting);
        if (annotated.kind === expression.kind) terms.push(...annotated.terms);
        else terms.push(annotated);
      }
      const joined: Expression = { kind: expression.kind, terms };
      if (only?.prerequisites === undefined) return joined;
      return combine("and", joined, annotatedText(only.prerequisites, symbols, nesting));
    }
  }
}

function annotateComparison(comparison: Comparison, symbols: SymbolTable, withPrerequisites: boolean, nesting: readonly string[]): Expression {
  const { symbol } = comparison;
  if (nesting.includes(symbol.name)) throw new LogicalSyntaxError(`Recursive expansion of symbol \`${symbol.name}'.`);
  if (symbol.prerequisites === undefined && symbol.meaning.kind === "field") return comparison;
  const deeper = [...nesting, symbol.name];
  const prerequisites = withPrerequisites && symbol.prerequisites !== undefined ? annotatedText(symbol.prerequisites, symbols, deeper) : undefined;
  const expanded = expand(comparison, symbols, deeper);
  return prerequisites === undefined ? expanded : combine("and", expanded, prerequisites);
}

function expand(comparison: Comparison, symbols: SymbolTable, nesting: readonly string[]): Expression {
  const { meaning } = comparison.symbol;
  switch (meaning.kind) {
    case "field":
    case "controller-field": return comparison;
    case "subfield": {
      const shift = BigInt(meaning.offset);
      return { ...comparison, symbol: meaning.parent, value: comparison.value << shift, mask: comparison.mask << shift };
    }
    case "predicate": {
      const predicate = annotatedText(meaning.expansion, symbols, nesting);
      const positive = ((comparison.value & 1n) === 1n) !== (comparison.relation === "!=");
      if (positive) return predicate;
      const known = symbols.negated.get(predicate);
      if (known !== undefined) return known;
      const negated = not(predicate);
      symbols.negated.set(predicate, negated);
      return negated;
    }
  }
}
