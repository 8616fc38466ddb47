/** The wishes of one projection by key. Several may stand for one key, while a fact is handed from one rule to another: one counts. */
import type { GivenColumns } from "./client-transaction.ts";
import type { Uuid } from "../schema/typed-schema.ts";
import type { Wished } from "./wish.ts";

/** A wish without its types: see Wish in projection.ts. */
export interface UntypedWish {
  readonly key: string;
  readonly columns: GivenColumns;
  readonly initial?: GivenColumns | (() => GivenColumns);
  readonly uuid?: Uuid;
  readonly parent?: Uuid | Wished<string>;
}

export class StandingWishes {
  readonly #factKey: (wish: UntypedWish) => string;
  readonly #wishes = new Map<string, UntypedWish>();
  /** Where more than one wish of a key stands: the others. */
  readonly #rivals = new Map<string, Set<UntypedWish>>();

  constructor(factKey: (wish: UntypedWish) => string) {
    this.#factKey = factKey;
  }

  /** How many keys are wished for. */
  get size(): number {
    return this.#wishes.size;
  }

  has(key: string): boolean {
    return this.#wishes.has(key);
  }

  keys(): Iterable<string> {
    return this.#wishes.keys();
  }

  add(wish: UntypedWish): void {
    const { key } = wish;
    if (!this.#wishes.has(key)) this.#wishes.set(key, wish);
    else {
      let rivals = this.#rivals.get(key);
      if (rivals === undefined) {
        rivals = new Set();
        this.#rivals.set(key, rivals);
      }
      rivals.add(wish);
    }
  }

  remove(wish: UntypedWish): void {
    const { key } = wish;
    const rivals = this.#rivals.get(key);
    if (this.#wishes.get(key) !== wish) rivals?.delete(wish);
    else {
      const [heir] = rivals ?? [];
      if (heir === undefined) this.#wishes.delete(key);
      else {
        this.#wishes.set(key, heir);
        rivals?.delete(heir);
      }
    }
    if (rivals?.size === 0) this.#rivals.delete(key);
  }

  /** Of several wishes always the same, in whatever order they came: the one whose fact comes first in the alphabet. */
  of(key: string): UntypedWish | undefined {
    const wish = this.#wishes.get(key);
    const rivals = this.#rivals.get(key);
    if (wish === undefined || rivals === undefined) return wish;
    return [wish, ...rivals].map((w) => [this.#factKey(w), w] as const).reduce((a, b) => (b[0] < a[0] ? b : a))[1];
  }
}
