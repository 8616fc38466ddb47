/** The claimed ports whose flows the switch has confirmed: only these are reported as up. */
import { Cell } from "../engine/index.ts";

export class PortsInService {
  readonly #cells = new Map<string, Cell<boolean>>();

  /** A tracked read. */
  has(port: string): boolean {
    return this.#cell(port).get();
  }

  enter(port: string): void {
    this.#cell(port).set(true);
  }

  leave(port: string): void {
    this.#cells.get(port)?.set(false);
  }

  /** The row is gone for good. */
  forget(port: string): void {
    this.leave(port);
    this.#cells.delete(port);
  }

  #cell(port: string): Cell<boolean> {
    let cell = this.#cells.get(port);
    if (cell === undefined) {
      cell = new Cell(`${port} in service`, false);
      this.#cells.set(port, cell);
    }
    return cell;
  }
}
