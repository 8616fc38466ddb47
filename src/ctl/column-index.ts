/** Which rows hold a value in a column: made at the first question and kept right while rows change. */
import type { Atom } from "../ovsdb/index.ts";

export class ColumnIndex {
  readonly #rows = new Map<Atom, Set<string>>();

  add(uuid: string, keys: readonly Atom[]): void {
    for (const key of keys) {
      const rows = this.#rows.get(key);
      if (rows === undefined) this.#rows.set(key, new Set([uuid]));
      else rows.add(uuid);
    }
  }

  remove(uuid: string, keys: readonly Atom[]): void {
    for (const key of keys) this.#rows.get(key)?.delete(uuid);
  }

  /** UUIDs of rows. */
  holding(key: Atom): Iterable<string> {
    return this.#rows.get(key) ?? [];
  }
}
