/**
 * `ovstest test-ovn exhaustive`: every expression of N terms over a few small variables, printed and read back, simplified,
 * normalized or made flows of, and held against itself for every packet there is (tests/test-ovn.c, main).
 */
import { field, type Field, type FieldName } from "../openflow/index.ts";
import { assert } from "../std/index.ts";
import { addField, addString } from "./define-symbol.ts";
import { evaluate } from "./evaluate.ts";
import { always, bitRun, type Expression, formatExpression, never, type Relation } from "./expression.ts";
import { parseExpression } from "./expressions.ts";
import { type FlowMatch, toMatches } from "./matches.ts";
import { normalize } from "./normalize.ts";
import { simplify } from "./simplify.ts";
import type { LogicalSymbol } from "./symbol.ts";
import { SymbolTable } from "./symbol-table.ts";

const operations = { convert: "converting", simplify: "simplifying", normalize: "normalizing", flow: "converting to flows" } as const;
type Operation = keyof typeof operations;

interface Settings {
  readonly operation: Operation;
  readonly relations: readonly Relation[];
  readonly numbers: number;
  readonly strings: number;
  readonly bits: number;
  readonly terms: number;
}

const allRelations: readonly Relation[] = ["==", "!=", "<", "<=", ">", ">="];

function parseSettings(args: readonly string[]): Settings {
  const given = new Map(args.map((arg): [string, string] => {
    const match = /^--(\w+)=(.*)$/.exec(arg);
    return match === null ? ["terms", arg] : [match[1] ?? "", match[2] ?? ""];
  }));
  const count = (name: string, fallback: number): number => Number(given.get(name) ?? fallback);
  const relations = given.get("relops");
  return {
    operation: Object.keys(operations).find((name): name is Operation => name === given.get("operation")) ?? "flow",
    relations: relations === undefined ? allRelations : allRelations.filter((r) => relations.split(/[ ,]+/).includes(r)),
    numbers: count("nvars", 2), strings: count("svars", 2), bits: count("bits", 3), terms: count("terms", 1),
  };
}

/** What the program prints at the end. Throws if anything does not hold. */
export function exhaustive(args: readonly string[]): string {
  const settings = parseSettings(args);
  const trial = new Trial(settings);
  for (const kind of ["and", "or"] as const) for (const shape of shapes(settings.terms)) trial.run(kind, shape);
  const { operation, terms, numbers, strings, bits, relations } = settings;
  const numeric = numbers === 0 ? "" : ` ${numbers} numeric vars (each ${bits} bits) in terms of operators ${relations.join(" ")}`;
  const textual = strings === 0 ? "" : ` ${strings} string vars`;
  const variables = numeric + textual === "" ? " in terms of Boolean constants only" : ` with${numeric}${numeric !== "" && textual !== "" ? " and" : ""}${textual}`;
  const tested = trial.tested > 0 ? `${trial.tested} expressions of ${terms} terminals` : `all ${terms}-terminal expressions`;
  return `Tested ${operations[operation]} ${tested}${variables}.\n`;
}

/** A tree without its terms: a leaf, or what is joined. */
type Shape = "leaf" | readonly Shape[];

/** Every tree with `leaves` leaves in which every inner node joins at least two. */
export function shapes(leaves: number): Shape[] {
  if (leaves === 1) return ["leaf"];
  return compositions(leaves).filter((parts) => parts.length > 1).flatMap((parts) => choices(parts.map(shapes)));
}

/** Every way to pick one of each. */
function choices<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((chosen, list) => chosen.flatMap((before) => list.map((next) => [...before, next])), [[]]);
}

/** Every way to add up positive numbers to `sum`. */
export function compositions(sum: number): number[][] {
  if (sum === 0) return [[]];
  return Array.from({ length: sum }, (_, i) => sum - i).flatMap((first) => compositions(sum - first).map((rest) => [first, ...rest]));
}

class Trial {
  readonly #settings: Settings;
  readonly #symbols = new SymbolTable();
  readonly #terms: readonly Expression[];
  readonly #packets: readonly ((field: Field) => bigint)[];
  tested = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { numbers, strings, bits } = settings;
    const register = (i: number): FieldName => `reg${i}` as FieldName;
    for (let i = 0; i < numbers; i++) addField(this.#symbols, `n${i}`, register(i));
    for (let i = 0; i < strings; i++) addString(this.#symbols, `s${i}`, register(numbers + i));
    this.#terms = [...this.#symbols].flatMap((symbol) => (symbol.width > 0 ? numericTerms(symbol, settings) : textualTerms(symbol))).concat(never, always);
    this.#packets = Array.from({ length: 2 ** (bits * numbers + strings) }, (_, all) => {
      const values = new Map<Field, bigint>();
      for (let i = 0; i < numbers; i++) values.set(field(register(i)), BigInt((all >> (i * bits)) & ((1 << bits) - 1)));
      for (let i = 0; i < strings; i++) values.set(field(register(numbers + i)), BigInt((all >> (numbers * bits + i)) & 1));
      return (f: Field) => values.get(f) ?? 0n;
    });
  }

  /** All ways to put terms into the shape; as in the C program the first stays as it is. */
  run(kind: "and" | "or", shape: Shape): void {
    const { terms } = this.#settings;
    const picked = new Array<number>(terms).fill(0);
    for (;;) {
      let at = terms - 1;
      for (; at > 0; at--) {
        const next = (picked[at] ?? 0) + 1;
        picked[at] = next < this.#terms.length ? next : 0;
        if (next < this.#terms.length) break;
      }
      if (at === 0) return;
      const leaves = picked.map((i) => this.#terms[i] ?? always).values();
      this.#check(build(kind, shape, leaves));
      this.tested++;
    }
  }

  #check(expression: Expression): void {
    const { operation } = this.#settings;
    const modified = this.#modify(expression, operation);
    const flows = operation === "flow" ? toMatches(modified, Number).matches : undefined;
    for (const read of this.#packets) {
      const context = { read, lookupPort: Number };
      const expected = evaluate(expression, context);
      assert(evaluate(modified, context) === expected, `${formatExpression(expression)} evaluates to ${expected}, but not ${formatExpression(modified)}`);
      if (flows !== undefined) assert(flowsMatch(flows, read) === expected, `${formatExpression(expression)} evaluates to ${expected}, but not its flows`);
    }
  }

  #modify(expression: Expression, operation: Operation): Expression {
    if (operation === "convert") {
      const text = formatExpression(expression);
      const parsed = parseExpression(text, { symbols: this.#symbols });
      assert(parsed.kind === "parsed", `${text} fails to parse`);
      return parsed.value;
    }
    const simple = simplify(expression);
    return operation === "simplify" ? simple : normalize(simple);
  }
}

function build(kind: "and" | "or", shape: Shape, leaves: Iterator<Expression>): Expression {
  if (shape === "leaf") return leaves.next().value ?? always;
  const inner = kind === "and" ? "or" : "and";
  return { kind, terms: shape.map((part) => build(inner, part, leaves)) };
}

function numericTerms(symbol: LogicalSymbol, { relations, bits }: Settings): Expression[] {
  const terms: Expression[] = [];
  for (const relation of relations) {
    for (let mask = 0n; mask < 1n << BigInt(bits); mask++) {
      // Only runs of bits can be compared by size.
      if (relation !== "==" && relation !== "!=" && bitRun(mask) === undefined) continue;
      for (let value = 0n; value <= mask; value++) {
        if ((value & ~mask) === 0n) terms.push({ kind: "comparison", symbol, relation, value, mask, text: "", addressSet: undefined });
      }
    }
  }
  return terms;
}

const textualTerms = (symbol: LogicalSymbol): Expression[] =>
  ["0", "1"].map((text) => ({ kind: "comparison", symbol, relation: "==", value: 0n, mask: 0n, text, addressSet: undefined }));

/** What a switch would say: a flow without clauses matches by itself, or once all clauses of its conjunction have matched. */
export function flowsMatch(flows: readonly FlowMatch[], read: (field: Field) => bigint): boolean {
  const fitting = flows.filter(({ match }) => match.terms.every((term) => (read(term.field) & BigInt(term.mask)) === BigInt(term.value)));
  return fitting.some(({ conjunctions, conjunctionId }) => {
    if (conjunctionId === 0) return conjunctions.length === 0;
    const stated = fitting.flatMap((flow) => flow.conjunctions).filter(({ id }) => id === conjunctionId);
    const [first] = stated;
    return first !== undefined && new Set(stated.map(({ clause }) => clause)).size === first.clauses;
  });
}
