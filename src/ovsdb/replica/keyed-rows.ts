/** The rows of a table that one projection answers for, by key. More than one may be there for a key; the first that came is kept. */
import { Answers } from "./answers.ts";
import type { ReplicaRow } from "./replica-row.ts";

export class KeyedRows {
  readonly #keys = new Map<ReplicaRow, string>();
  readonly #rows = new Map<string, ReplicaRow | Set<ReplicaRow>>();
  /** Keys that rules have asked for. */
  readonly #asked: Answers;

  constructor(table: string) {
    this.#asked = new Answers((key) => `row of ${table} ${key}`);
  }

  keyOf(row: ReplicaRow): string | undefined {
    return this.#keys.get(row);
  }

  keys(): Iterable<string> {
    return this.#rows.keys();
  }

  of(key: string): readonly ReplicaRow[] {
    const rows = this.#rows.get(key);
    return rows === undefined ? [] : rows instanceof Set ? [...rows] : [rows];
  }

  kept(key: string): ReplicaRow | undefined {
    return this.of(key)[0];
  }

  /** The row kept, as read by the rule that runs: another row for the key makes it stale. */
  read(key: string): ReplicaRow | undefined {
    this.#asked.read(key);
    return this.kept(key);
  }

  enter(key: string, row: ReplicaRow): void {
    this.#keys.set(row, key);
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, row);
    else if (rows instanceof Set) rows.add(row);
    else this.#rows.set(key, new Set([rows, row]));
    this.#asked.change(key);
  }

  leave(row: ReplicaRow): void {
    const key = this.#keys.get(row);
    if (key === undefined) return;
    this.#keys.delete(row);
    const rows = this.#rows.get(key);
    if (rows instanceof Set) {
      rows.delete(row);
      if (rows.size === 0) this.#rows.delete(key);
    } else this.#rows.delete(key);
    this.#asked.change(key);
  }
}
