/** Which rows hold a value in a column: made at the first question and kept right while rows change. */
import type { Atom } from "../ovsdb/index.ts";

/** By what an index finds one of a column's values. */
export type Derivation = (value: Atom) => readonly Atom[];

export const asItIs: Derivation = (value) => [value];

export class ColumnIndex {
  readonly #derive: Derivation;
  readonly #rows = new Map<Atom, Set<string>>();

  constructor(derive: Derivation) {
    this.#derive = derive;
  }

  add(uuid: string, values: readonly Atom[]): void {
    for (const value of values) {
      for (const key of this.#derive(value)) {
        const rows = this.#rows.get(key);
        if (rows === undefined) this.#rows.set(key, new Set([uuid]));
        else rows.add(uuid);
      }
    }
  }

  remove(uuid: string, values: readonly Atom[]): void {
    for (const value of values) for (const key of this.#derive(value)) this.#rows.get(key)?.delete(uuid);
  }

  /** UUIDs of rows. */
  holding(key: Atom): Iterable<string> {
    return this.#rows.get(key) ?? [];
  }
}
