/** Adding symbols to a table: the level of a symbol follows from what it is made of. */
import { field, type FieldName } from "../openflow/index.ts";
import type { Expression } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { ExpressionParser } from "./parse-expression.ts";
import { controllerFields, type Level, type LogicalSymbol, type WriteScope } from "./symbol.ts";
import type { SymbolTable } from "./symbol-table.ts";

const defaultScope: readonly WriteScope[] = ["default"];

export interface SymbolOptions {
  readonly prerequisites?: string;
  readonly mustCrossproduct?: boolean;
  readonly scopes?: readonly WriteScope[];
}

/** `name` is the switch's field `of`. A field must not have two names in one table, else two tests of it would not meet. */
export function addField(symbols: SymbolTable, name: string, of: FieldName, options: SymbolOptions = {}): void {
  const f = field(of);
  symbols.add({
    name, width: f.bits, level: f.maskable ? "ordinal" : "nominal", prerequisites: options.prerequisites,
    mustCrossproduct: options.mustCrossproduct ?? false, writable: f.writable ? (options.scopes ?? defaultScope) : [],
    meaning: { kind: "field", field: f },
  });
}

/** `name` holds a string, which the switch keeps as a number in field `of`. */
export function addString(symbols: SymbolTable, name: string, of: FieldName): void {
  const f = field(of);
  symbols.add({
    name, width: 0, level: "nominal", prerequisites: undefined, mustCrossproduct: false,
    writable: f.writable ? defaultScope : [], meaning: { kind: "field", field: f },
  });
}

/** `name` is a part of another symbol: `vlan.tci[0..11]`. */
export function addSubfield(symbols: SymbolTable, name: string, part: string, options: SymbolOptions = {}): void {
  const lexer = new Lexer(part);
  const { symbol, offset, bits } = new ExpressionParser(lexer, { symbols }).parseField();
  lexer.expectEnd();
  symbols.add({
    name, width: bits, level: symbol.level, prerequisites: options.prerequisites, mustCrossproduct: false,
    writable: symbol.writable.length > 0 ? (options.scopes ?? defaultScope) : [],
    meaning: { kind: "subfield", parent: symbol, offset },
  });
}

/** `name` stands for the expression `expansion`. */
export function addPredicate(symbols: SymbolTable, name: string, expansion: string): void {
  const lexer = new Lexer(expansion);
  const expression = new ExpressionParser(lexer, { symbols }).parse();
  lexer.expectEnd();
  symbols.add({
    name, width: 1, level: levelOf(expression), prerequisites: undefined, mustCrossproduct: false, writable: [],
    meaning: { kind: "predicate", expansion },
  });
}

/** The fields that only the controller writes. */
export function addControllerFields(symbols: SymbolTable): void {
  for (const f of controllerFields) {
    symbols.add({
      name: f.name, width: f.bits, level: "nominal", prerequisites: undefined, mustCrossproduct: false,
      writable: ["default", "ct-commit"], meaning: { kind: "controller-field", field: f },
    });
  }
}

/** Nominal if any part is, else Boolean. */
function levelOf(expression: Expression): Level {
  switch (expression.kind) {
    case "comparison": return expression.symbol.level === "nominal" ? "nominal" : "boolean";
    case "boolean":
    case "chassis-resident": return "boolean";
    default: return expression.terms.some((term) => levelOf(term) === "nominal") ? "nominal" : "boolean";
  }
}

/** `ct.new = ct_state[0]`: a symbol's definition on one line, fields by the name they have on the wire. */
export function formatSymbol(symbol: LogicalSymbol, fieldName: (name: FieldName) => string): string {
  const { meaning } = symbol;
  switch (meaning.kind) {
    case "controller-field": return `${symbol.name} = ${symbol.name}`;
    case "predicate": return `${symbol.name} = ${meaning.expansion}`;
    case "field": return `${symbol.name} = ${fieldName(meaning.field.name)}`;
    case "subfield": {
      const { parent, offset } = meaning;
      if (offset === 0 && symbol.width === parent.width) return `${symbol.name} = ${parent.name}`;
      const bits = symbol.width === 1 ? `[${offset}]` : `[${offset}..${offset + symbol.width - 1}]`;
      return `${symbol.name} = ${parent.name}${bits}`;
    }
  }
}
