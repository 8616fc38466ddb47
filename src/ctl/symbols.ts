/** Names that begin with `@`: rows created or found in the same invocation, referred to before or after (ovs-vsctl(8), create). */
import type { Random } from "../host/index.ts";
import type { BaseType } from "../ovsdb/index.ts";
import { fail } from "./command-error.ts";

export interface RowSymbol {
  uuid: string;
  created: boolean;
  /** Whether something keeps the row alive, or at least refers to it. */
  strongRef: boolean;
  weakRef: boolean;
}

export class Symbols {
  readonly #random: Random;
  readonly #symbols = new Map<string, RowSymbol>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** What `@name` stands for in a value; need not be created yet. */
  refer(name: string, base: BaseType): string {
    const symbol = this.#get(name);
    if (base.refType === "strong") symbol.strongRef = true;
    else if (base.refType === "weak") symbol.weakRef = true;
    return symbol.uuid;
  }

  /** The one --id option that says what `@name` is. `isNew`: nothing has referred to it before. */
  define(name: string): { readonly symbol: RowSymbol; readonly isNew: boolean } {
    if (!name.startsWith("@")) fail(`row id "${name}" does not begin with "@"`);
    const isNew = !this.#symbols.has(name);
    const symbol = this.#get(name);
    if (symbol.created) fail(`row id "${name}" may only be specified on one --id option`);
    symbol.created = true;
    return { symbol, isNew };
  }

  #get(name: string): RowSymbol {
    let symbol = this.#symbols.get(name);
    if (symbol === undefined) {
      symbol = { uuid: this.#random.uuid(), created: false, strongRef: false, weakRef: false };
      this.#symbols.set(name, symbol);
    }
    return symbol;
  }

  /** Complains of names never created; warns of rows that the database will drop at once. */
  check(warn: (text: string) => void): void {
    for (const [name, { created, strongRef, weakRef }] of this.#symbols) {
      if (!created) fail(`row id "${name}" is referenced but never created (e.g. with "-- --id=${name} create ...")`);
      if (strongRef) continue;
      const what = weakRef ? "only a weak reference to it was inserted" : "no reference to it was inserted";
      warn(`row id "${name}" was created but ${what}, so it will not actually appear in the database`);
    }
  }
}
