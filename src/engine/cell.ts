/** A value that is set from outside and read under observation. */
import { sameValue } from "./same-value.ts";
import { type Computation, isRead, moved, type OtherReaders, type Source, track } from "./tracking.ts";

export class Cell<T> implements Source {
  movedAt = 0;
  notedIn = 0;
  reader: Computation | undefined = undefined;
  others: OtherReaders = undefined;
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
export abstract class ChangeSource implements Source {
  movedAt = 0;
  notedIn = 0;
  reader: Computation | undefined = undefined;
  others: OtherReaders = undefined;

  abstract describe(): string;

  get isRead(): boolean {
    return isRead(this);
  }

  read(): void {
    track(this);
  }

  change(): void {
    moved(this);
  }
}

/** One that is described by a function; where there are many, a class of their own is smaller. */
export class Signal extends ChangeSource {
  readonly #describe: () => string;

  constructor(describe: () => string) {
    super();
    this.#describe = describe;
  }

  describe(): string {
    return this.#describe();
  }
}
