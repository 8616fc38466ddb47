/**
 * What a bundle has done so far: how to take it back, and what to tell when it stands.
 * A single message is a bundle of one.
 */
export class Journal {
  readonly #undo: (() => void)[] = [];
  readonly #tell: (() => void)[] = [];

  done(undo: () => void, tell?: () => void): void {
    this.#undo.push(undo);
    if (tell !== undefined) this.#tell.push(tell);
  }

  /** Takes everything back, the last thing first. */
  revert(): void {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo();
    this.#tell.length = 0;
  }

  /** It stands: tells whoever wants to know. */
  finish(): void {
    this.#undo.length = 0;
    for (const tell of this.#tell) tell();
    this.#tell.length = 0;
  }
}
