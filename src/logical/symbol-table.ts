/** A symbol table, and what has been worked out about its symbols. */
import type { Expression } from "./expression.ts";
import type { LogicalSymbol } from "./symbol.ts";

export class SymbolTable {
  readonly #symbols = new Map<string, LogicalSymbol>();
  /** What actions demand ("ip", "nd_ns"), parsed. Bounded likewise. */
  readonly parsed = new Map<string, Expression>();
  /** Prerequisites and expansions of predicates, by their text, annotated. Bounded by the table's own texts. */
  readonly annotated = new Map<string, Expression>();
  /** The same, negated. */
  readonly negated = new Map<Expression, Expression>();

  get(name: string): LogicalSymbol | undefined {
    return this.#symbols.get(name);
  }

  add(symbol: LogicalSymbol): void {
    this.#symbols.set(symbol.name, symbol);
  }

  [Symbol.iterator](): IterableIterator<LogicalSymbol> {
    return this.#symbols.values();
  }
}
