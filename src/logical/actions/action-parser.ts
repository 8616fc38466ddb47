/**
 * What the families of actions need to read themselves: the lexer, fields with their prerequisites, and the flow's place
 * in the pipeline.
 */
import { annotatedText } from "../annotate.ts";
import { combine, type Expression } from "../expression.ts";
import { Lexer } from "../lexer.ts";
import { ExpressionParser } from "../parse-expression.ts";
import type { Pipeline } from "../stages.ts";
import type { FieldReference, WriteScope } from "../symbol.ts";
import type { SymbolTable } from "../symbol-table.ts";
import type { LogicalAction } from "./action.ts";
import type { OptionTable } from "./options.ts";

const maxNesting = 32;

/** Where the actions stand and what they may use. */
export interface ActionParameters {
  readonly symbols: SymbolTable;
  readonly dhcpOptions: OptionTable;
  readonly dhcpv6Options: OptionTable;
  readonly pipeline: Pipeline;
  /** Logical_Flow.table_id. */
  readonly table: number;
  /** How many tables the flow's pipeline has; 0 forbids `next`. */
  readonly tables: number;
}

/** Reads actions up to a closing token. Handed in, so that the families do not depend on the whole. */
export type ActionListReader = (parser: ActionParser, end: "}" | "end") => readonly LogicalAction[];

export class ActionParser {
  readonly lexer: Lexer;
  readonly parameters: ActionParameters;
  /** What the match must hold for the actions to make sense. */
  prerequisites: Expression | undefined;
  scope: WriteScope = "default";
  readonly #readList: ActionListReader;
  readonly #fields: ExpressionParser;
  #depth = 0;

  constructor(lexer: Lexer, parameters: ActionParameters, readList: ActionListReader) {
    this.lexer = lexer;
    this.parameters = parameters;
    this.#readList = readList;
    this.#fields = new ExpressionParser(lexer, { symbols: parameters.symbols });
  }

  /** Constants as in a match; address sets and port groups are unknown here. */
  get constants(): ExpressionParser {
    return this.#fields;
  }

  /** The table after this one. */
  get nextTable(): number {
    return this.parameters.table + 1;
  }

  /** Fails if `name` stands in the last table, whence nothing goes on. */
  refuseInLastTable(name: string): void {
    if (this.parameters.table >= this.parameters.tables) this.lexer.error(`"${name}" action not allowed in last table.`);
  }

  require(expression: Expression): void {
    this.prerequisites = combine("and", this.prerequisites, expression);
  }

  /** Demands what a text such as "ip" says, not yet annotated. */
  requireText(text: string): void {
    const { symbols } = this.parameters;
    let expression = symbols.parsed.get(text);
    if (expression === undefined) symbols.parsed.set(text, (expression = new ExpressionParser(new Lexer(text), { symbols }).parse()));
    this.require(expression);
  }

  /** A field or part of one, with what it demands. */
  field(): FieldReference {
    const lexer: Lexer = this.lexer;
    const reference = this.#fields.parseField();
    const { symbols } = this.parameters;
    if (reference.symbol.meaning.kind === "predicate") lexer.error(`Predicate symbol ${reference.symbol.name} used where lvalue required.`);
    let { symbol } = reference;
    for (;;) {
      if (symbol.prerequisites !== undefined) this.require(annotatedText(symbol.prerequisites, symbols));
      if (symbol.meaning.kind !== "subfield") return reference;
      symbol = symbol.meaning.parent;
    }
  }

  /** A field of `bits` bits (0: a string), which may be written if `writable`. */
  typedField(bits: number, writable = false): FieldReference {
    const reference = this.field();
    this.checkField(reference, bits, writable);
    return reference;
  }

  checkField({ symbol, offset, bits }: FieldReference, wanted: number, writable: boolean): void {
    const lexer: Lexer = this.lexer;
    if (bits !== wanted) {
      if (wanted > 0 && bits > 0) lexer.error(`Cannot use ${bits}-bit field ${symbol.name}[${offset}..${offset + bits - 1}] where ${wanted}-bit field is required.`);
      if (wanted > 0) lexer.error(`Cannot use string field ${symbol.name} where numeric field is required.`);
      lexer.error(`Cannot use numeric field ${symbol.name} where string field is required.`);
    }
    if (writable && !symbol.writable.includes(this.scope)) lexer.error(`Field ${symbol.name} is not modifiable.`);
  }

  uint16(what: string): number {
    const lexer: Lexer = this.lexer;
    if (!lexer.isSmallInteger() || lexer.value > 0xffffn) lexer.syntaxError(`expecting ${what}`);
    const value = Number(lexer.value);
    lexer.advance();
    return value;
  }

  /** A small number; undefined, with nothing read, if there is none: what follows then complains. */
  smallInteger(): number | undefined {
    return this.lexer.isSmallInteger() ? this.lexer.expectSmallInteger() : undefined;
  }

  string(message: string): string {
    const lexer: Lexer = this.lexer;
    if (lexer.kind !== "string") lexer.syntaxError(message);
    const { name } = lexer;
    lexer.advance();
    return name;
  }

  /**
   * `{ ... }`. What the inner actions demand is dropped for `prerequisite`, since they act on another packet; without
   * one it is demanded of this packet too.
   */
  nested(prerequisite: string | undefined, scope: WriteScope): readonly LogicalAction[] {
    const lexer: Lexer = this.lexer;
    lexer.expect("{");
    if (this.#depth + 1 === maxNesting) lexer.error("maximum depth of nested actions reached");
    const outer = this.prerequisites;
    const outerScope = this.scope;
    this.prerequisites = undefined;
    this.scope = scope;
    this.#depth++;
    const actions = this.#readList(this, "}");
    this.#depth--;
    this.scope = outerScope;
    const inner = this.prerequisites;
    this.prerequisites = outer;
    if (prerequisite !== undefined) this.requireText(prerequisite);
    else if (inner !== undefined) this.prerequisites = outer === undefined ? inner : combine("and", inner, outer);
    return actions;
  }
}
