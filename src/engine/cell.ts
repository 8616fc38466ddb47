/** A value that is set from outside and read under observation. */
import { sameValue } from "./same-value.ts";
import { type Computation, moved, type Source, track } from "./tracking.ts";

export class Cell<T> implements Source {
  version = 0;
  readonly readers = new Set<Computation>();
  readonly #name: string;
  #value: T;

  constructor(name: string, value: T) {
    this.#name = name;
    this.#value = value;
  }

  get(): T {
    track(this);
    return this.#value;
  }

  /** Wakes the readers only if the value is another one. */
  set(value: T): void {
    if (sameValue(this.#value, value)) return;
    this.#value = value;
    moved(this);
  }

  describe(): string {
    return this.#name;
  }
}

/** A source without a value of its own: "something about this changed" (a column of a row, a membership, a bucket). */
export class Signal implements Source {
  version = 0;
  readonly readers = new Set<Computation>();
  readonly #describe: () => string;

  constructor(describe: () => string) {
    this.#describe = describe;
  }

  read(): void {
    track(this);
  }

  change(): void {
    moved(this);
  }

  describe(): string {
    return this.#describe();
  }
}
