/**
 * What a sink gives out, by key: rules read a value under observation and run again when it is given, taken or another one.
 * A key is forgotten once it has no value and no reader, so that what is here follows what is in the databases.
 */
import { Cell, isObserved } from "../engine/index.ts";

class Value<V> extends Cell<V | undefined> {
  hasValue = false;
  readonly #forget: () => void;

  constructor(name: string, forget: () => void) {
    super(name, undefined);
    this.#forget = forget;
  }

  unread(): void {
    if (!this.hasValue) this.#forget();
  }
}

export class ValuesByKey<V> {
  readonly #what: string;
  readonly #values = new Map<string, Value<V>>();

  /** `what`: for explanations, "tunnel key" for example. */
  constructor(what: string) {
    this.#what = what;
  }

  get(key: string): V | undefined {
    return isObserved() ? this.#value(key).get() : this.#values.get(key)?.get();
  }

  set(key: string, value: V): void {
    const holder = this.#value(key);
    holder.hasValue = true;
    holder.set(value);
  }

  clear(key: string): void {
    const holder = this.#values.get(key);
    if (holder === undefined) return;
    holder.hasValue = false;
    holder.set(undefined);
    if (holder.reader === undefined && holder.others === undefined) this.#values.delete(key);
  }

  get size(): number {
    return this.#values.size;
  }

  #value(key: string): Value<V> {
    let value = this.#values.get(key);
    if (value === undefined) {
      const made = new Value<V>(`${this.#what} of ${key}`, () => {
        if (this.#values.get(key) === made) this.#values.delete(key);
      });
      value = made;
      this.#values.set(key, made);
    }
    return value;
  }
}
