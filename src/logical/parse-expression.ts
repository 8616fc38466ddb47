/**
 * Text to expression (ovn-sb(5), Logical_Flow match). Recursive descent with one token of lookahead; faults are reported
 * in the words of the C program, since tests and users know them.
 */
import { checkTypes, type Constant, type ConstantSet, type IntegerConstant } from "./constant.ts";
import { allOnes, booleanExpression, combine, type Comparison, type Expression, not, type Relation, turned } from "./expression.ts";
import type { Lexer } from "./lexer.ts";
import { LogicalSyntaxError } from "./syntax-error.ts";
import type { FieldReference } from "./symbol.ts";
import type { SymbolTable } from "./symbol-table.ts";

const maxParenthesisDepth = 100;

/** What names in a match may stand for beyond symbols. The lookups are the caller's, so that it knows what was read. */
export interface ExpressionContext {
  readonly symbols: SymbolTable;
  /** `$name`: its addresses, in order. */
  addressSet?(name: string): readonly IntegerConstant[] | undefined;
  /** `@name`: its ports. */
  portGroup?(name: string): readonly string[] | undefined;
}

const relations: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
const isRelation = (kind: string): kind is Relation => relations.has(kind);

export class ExpressionParser {
  readonly #lexer: Lexer;
  readonly #context: ExpressionContext;
  /** Inside an odd number of `!`. */
  #negated = false;
  #depth = 0;

  constructor(lexer: Lexer, context: ExpressionContext) {
    this.#lexer = lexer;
    this.#context = context;
  }

  parse(): Expression {
    const lexer: Lexer = this.#lexer;
    let expression = this.#unary();
    const operator = lexer.kind;
    if (operator !== "&&" && operator !== "||") return expression;
    const kind = operator === "&&" ? "and" : "or";
    const terms: Expression[] = expression.kind === kind ? [...expression.terms] : [expression];
    while (lexer.match(operator)) {
      expression = this.#unary();
      if (expression.kind === kind) terms.push(...expression.terms);
      else terms.push(expression);
    }
    const next: string = lexer.kind;
    if (next === "&&" || next === "||") lexer.error("&& and || must be parenthesized when used together.");
    return { kind, terms };
  }

  #unary(): Expression {
    if (!this.#lexer.match("!")) return this.#primary().expression;
    this.#negated = !this.#negated;
    const { expression, atomic } = this.#primary();
    this.#negated = !this.#negated;
    if (!atomic) this.#lexer.error("Missing parentheses around operand of !.");
    return not(expression);
  }

  #primary(): { expression: Expression; atomic: boolean } {
    const lexer: Lexer = this.#lexer;
    if (lexer.match("(")) {
      if (this.#depth >= maxParenthesisDepth) lexer.error("Parentheses nested too deeply.");
      this.#depth++;
      const expression = this.parse();
      this.#depth--;
      lexer.expect(")");
      return { expression, atomic: true };
    }
    if (lexer.kind === "template") lexer.error("Unexpanded template.");
    if (lexer.kind === "id") return this.#fieldFirst();
    return this.#constantFirst();
  }

  #fieldFirst(): { expression: Expression; atomic: boolean } {
    const lexer: Lexer = this.#lexer;
    if (lexer.lookahead() === "(") {
      if (lexer.name !== "is_chassis_resident") lexer.error("parsing function name");
      lexer.advance();
      lexer.advance();
      return { expression: this.#chassisResident(), atomic: true };
    }
    const field = this.parseField();
    const relation = lexer.kind;
    if (isRelation(relation)) {
      lexer.advance();
      return { expression: this.#compare(field, relation, this.parseConstants()), atomic: false };
    }
    if (field.bits === 0 || relation === "=") lexer.syntaxError("expecting relational operator");
    if (field.bits > 1 && !this.#negated) lexer.error("Explicit `!= 0' is required for inequality test of multibit field against 0.");
    const zero: IntegerConstant = { kind: "integer", value: 0n, mask: undefined, format: "hexadecimal", addressSet: undefined };
    return { expression: this.#compare(field, "!=", { kind: "integer", values: [zero], inCurlies: false }), atomic: true };
  }

  #chassisResident(): Expression {
    const lexer: Lexer = this.#lexer;
    if (lexer.kind !== "string") lexer.syntaxError("expecting string");
    const port = lexer.name;
    lexer.advance();
    lexer.expect(")");
    return { kind: "chassis-resident", port, not: false };
  }

  #constantFirst(): { expression: Expression; atomic: boolean } {
    const lexer: Lexer = this.#lexer;
    const constants = this.parseConstants();
    const [only] = constants.values;
    if (!isRelation(lexer.kind) && constants.values.length === 1 && !constants.inCurlies && only?.kind === "integer" && only.format === "decimal" && only.mask === undefined && only.value <= 1n) {
      return { expression: booleanExpression(only.value === 1n), atomic: true };
    }
    const first = this.#relation();
    const field = this.parseField();
    if (!isRelation(lexer.kind)) return { expression: this.#compare(field, turned[first], constants), atomic: false };
    const second = this.#relation();
    const others = this.parseConstants();
    if (!((first.startsWith("<") && second.startsWith("<")) || (first.startsWith(">") && second.startsWith(">")))) {
      lexer.error("Range expressions must have the form `x < field < y' or `x > field > y', with each `<' optionally replaced by `<=' or `>' by `>=').");
    }
    const left = this.#compare(field, turned[first], constants);
    return { expression: combine("and", left, this.#compare(field, second, others)), atomic: false };
  }

  #relation(): Relation {
    const relation = this.#lexer.kind;
    if (!isRelation(relation)) this.#lexer.syntaxError("expecting relational operator");
    this.#lexer.advance();
    return relation;
  }

  /** `name`, `name[3]` or `name[0..7]`. */
  parseField(): FieldReference {
    const lexer: Lexer = this.#lexer;
    const symbol = lexer.kind === "id" ? this.#context.symbols.get(lexer.name) : undefined;
    if (symbol === undefined) lexer.syntaxError("expecting field name");
    lexer.advance();
    if (!lexer.match("[")) return { symbol, offset: 0, bits: symbol.width };
    if (symbol.width === 0) lexer.error(`Cannot select subfield of string field ${symbol.name}.`);
    const low = lexer.expectSmallInteger();
    const high = lexer.match("..") ? lexer.expectSmallInteger() : low;
    lexer.expect("]");
    if (low > high) lexer.error(`Invalid bit range ${low} to ${high}.`);
    if (high >= symbol.width) lexer.error(`Cannot select bits ${low} to ${high} of ${symbol.width}-bit field ${symbol.name}.`);
    if (symbol.level === "nominal" && (low !== 0 || high !== symbol.width - 1)) lexer.error(`Cannot select subfield of nominal field ${symbol.name}.`);
    return { symbol, offset: low, bits: high - low + 1 };
  }

  /** One constant, or several in braces. */
  parseConstants(): ConstantSet {
    const lexer: Lexer = this.#lexer;
    const values: Constant[] = [];
    const inCurlies = lexer.match("{");
    let kind = this.#constant(values, "integer");
    if (inCurlies) {
      lexer.match(",");
      while (!lexer.match("}")) {
        kind = this.#constant(values, kind);
        lexer.match(",");
      }
    }
    return { kind, values, inCurlies };
  }

  /** One constant, or all that a name stands for. */
  parseConstant(): ConstantSet {
    const values: Constant[] = [];
    const kind = this.#constant(values, "integer");
    return { kind, values, inCurlies: false };
  }

  /** Adds a constant (or all that a name stands for) to `values`, which so far hold constants of `kind`. */
  #constant(values: Constant[], kind: "integer" | "string"): "integer" | "string" {
    const lexer: Lexer = this.#lexer;
    const of = (wanted: "integer" | "string"): void => {
      if (values.length > 0 && kind !== wanted) lexer.syntaxError(`expecting ${kind}`);
      kind = wanted;
    };
    switch (lexer.kind) {
      case "template": return lexer.error("Unexpanded template.");
      case "string":
        of("string");
        values.push({ kind: "string", text: lexer.name });
        break;
      case "integer":
      case "masked-integer":
        of("integer");
        values.push({ kind: "integer", value: lexer.value, mask: lexer.kind === "integer" ? undefined : lexer.mask, format: lexer.format, addressSet: undefined });
        break;
      case "address-set": {
        const addresses = this.#context.addressSet?.(lexer.name);
        if (addresses === undefined) lexer.syntaxError("expecting address set name");
        of("integer");
        const addressSet = lexer.name;
        for (const address of addresses) values.push(address.addressSet === addressSet ? address : { ...address, addressSet });
        break;
      }
      case "port-group": {
        const ports = this.#context.portGroup?.(lexer.name);
        if (ports === undefined) lexer.syntaxError("expecting port group name");
        of("string");
        for (const text of ports) values.push({ kind: "string", text });
        break;
      }
      default: lexer.syntaxError("expecting constant");
    }
    lexer.advance();
    return kind;
  }

  #compare(field: FieldReference, relation: Relation, constants: ConstantSet): Expression {
    checkTypes(this.#lexer, field, constants);
    this.#checkRelation(field, relation, constants);
    const { symbol } = field;
    const terms = constants.values.map((c) => comparison(field, relation, c));
    if (symbol.level === "nominal") this.#checkNominal(field, relation, constants);
    const [first] = terms;
    if (first === undefined) return booleanExpression(relation === "!=");
    return terms.length === 1 ? first : { kind: relation === "==" ? "or" : "and", terms };
  }

  #checkRelation({ symbol }: FieldReference, relation: Relation, { values, inCurlies }: ConstantSet): void {
    if (relation === "==" || relation === "!=") return;
    const lexer: Lexer = this.#lexer;
    if (inCurlies) lexer.error("Only == and != operators may be used with value sets.");
    if (symbol.level === "nominal") lexer.error(`Only == and != operators may be used with nominal field ${symbol.name}.`);
    if (symbol.level === "boolean") lexer.error(`Only == and != operators may be used with Boolean field ${symbol.name}.`);
    const [first] = values;
    if (first === undefined) lexer.error("Only == and != operators may be used to compare a field against an empty value set.");
    if (first.kind === "integer" && first.mask !== undefined) {
      lexer.error("Only == and != operators may be used with masked constants.  Consider using subfields instead (e.g. eth.src[0..15] > 0x1111 in place of eth.src > 00:00:00:00:11:11/00:00:00:00:ff:ff).");
    }
  }

  #checkNominal({ symbol }: FieldReference, relation: Relation, { values }: ConstantSet): void {
    if (symbol.meaning.kind !== "predicate") {
      if (relation !== (this.#negated ? "!=" : "==")) {
        this.#lexer.error(`Nominal field ${symbol.name} may only be tested for equality (taking enclosing \`!' operators into account).`);
      }
      return;
    }
    const { name } = symbol;
    for (const constant of values) {
      const bit = constant.kind === "integer" && (constant.value & 1n) === 1n;
      const positive = (bit !== (relation === "!=")) !== this.#negated;
      if (!positive) {
        this.#lexer.error(`Nominal predicate ${name} may only be tested positively, e.g. \`${name}' or \`${name} == 1' but not \`!${name}' or \`${name} == 0'.`);
      }
    }
  }
}

function comparison({ symbol, offset, bits }: FieldReference, relation: Relation, constant: Constant): Comparison {
  if (constant.kind === "string") return { kind: "comparison", symbol, relation, value: 0n, mask: 0n, text: constant.text, addressSet: undefined };
  const ones = allOnes(bits);
  const shift = BigInt(offset);
  const mask = constant.mask === undefined ? ones : constant.mask & ones;
  return { kind: "comparison", symbol, relation, value: (constant.value & ones) << shift, mask: mask << shift, text: "", addressSet: constant.addressSet };
}

/** A value, or why there is none. */
export type Parsed<T> = { readonly kind: "parsed"; readonly value: T } | { readonly kind: "error"; readonly message: string };

/** Runs `parse`, turning a syntax error into a value. */
export function parsed<T>(parse: () => T): Parsed<T> {
  try {
    return { kind: "parsed", value: parse() };
  } catch (error) {
    if (error instanceof LogicalSyntaxError) return { kind: "error", message: error.message };
    throw error;
  }
}
