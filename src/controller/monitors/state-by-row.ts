/** What sessions and checks have found, by the row that asks for them; rules write it into the database. */
import { Cell } from "../../engine/index.ts";

export class StateByRow<T> {
  readonly #name: string;
  readonly #cells = new Map<string, Cell<T | undefined>>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Undefined: nothing found yet. A tracked read. */
  of(row: string): T | undefined {
    return this.#cell(row).get();
  }

  set(row: string, state: T): void {
    this.#cell(row).set(state);
  }

  forget(row: string): void {
    this.#cells.get(row)?.set(undefined);
    this.#cells.delete(row);
  }

  #cell(row: string): Cell<T | undefined> {
    let cell = this.#cells.get(row);
    if (cell === undefined) {
      cell = new Cell<T | undefined>(`${this.#name} ${row}`, undefined);
      this.#cells.set(row, cell);
    }
    return cell;
  }
}
