/**
 * Derived values: functions whose results are kept, however many ask, until something they read has changed.
 *
 *     const addressesOf = derived("addresses", (port: LogicalSwitchPort) => parseAddresses(port.addresses));
 *
 * The first argument is an object (a row, a zone); the result is kept as long as it and a reader live. A new result that is
 * the same as the old one (sameValue) does not wake the readers.
 */
import { assert } from "../std/index.ts";
import { sameValue } from "./same-value.ts";
import { Computation, forEachReader, isRead, moved, type OtherReaders, type Source, track } from "./tracking.ts";

/** What the values of one derived function share. */
interface Definition<First extends object, Rest extends readonly unknown[], V> {
  readonly name: string;
  compute(first: First, ...rest: Rest): V;
  forget(first: First, rest: Rest): void;
}

/** Stands for "not computed yet": undefined is a result like any other. */
const absent = Symbol("absent");

class DerivedValue<First extends object, Rest extends readonly unknown[], V> extends Computation implements Source {
  movedAt = 0;
  notedIn = 0;
  reader: Computation | undefined = undefined;
  others: OtherReaders = undefined;
  readonly #definition: Definition<First, Rest, V>;
  readonly #first: First;
  readonly #rest: Rest;
  #value: V | typeof absent = absent;
  #hasChanged = false;

  constructor(definition: Definition<First, Rest, V>, first: First, rest: Rest) {
    super();
    this.#definition = definition;
    this.#first = first;
    this.#rest = rest;
  }

  get(): V {
    this.refresh();
    track(this);
    if (!isRead(this)) orphans.add(this);
    assert(this.#value !== absent);
    return this.#value;
  }

  refresh(): void {
    assert(!this.isRunning, "a derived value depends on itself");
    if (!this.mustRun()) return;
    this.#hasChanged = false;
    this.observe();
    if (this.#hasChanged) moved(this);
  }

  protected override evaluate(): void {
    const before = this.#value;
    const value = this.#definition.compute(this.#first, ...this.#rest);
    if (before !== absent && sameValue(before, value)) return;
    this.#value = value;
    // Whoever asks for the first value has seen no other.
    this.#hasChanged = before !== absent;
  }

  protected override onStale(): void {
    forEachReader(this, (reader) => reader.mark("perhaps"));
  }

  unread(): void {
    orphans.add(this);
  }

  forgetIfUnread(): void {
    if (isRead(this) || this.isRunning) return;
    this.#definition.forget(this.#first, this.#rest);
    this.detach();
  }

  describe(): string {
    return `${this.#definition.name}(${[this.#first, ...this.#rest].map(String).join(", ")})`;
  }
}

/** Values nobody reads at the moment; swept when an engine comes to rest, so that memory follows the live rows. */
const orphans = new Set<{ forgetIfUnread(): void }>();

export function sweepOrphans(): void {
  while (orphans.size > 0) {
    const batch = [...orphans];
    orphans.clear();
    for (const value of batch) value.forgetIfUnread();
  }
}

/** The values of one first argument: by the arguments after it, told apart by identity (strings, numbers, rows). */
type Branch<Leaf> = Leaf | Map<unknown, Branch<Leaf>>;

/** A function like `compute` that remembers. Every call must have the same number of arguments. */
export function derived<First extends object, Rest extends readonly unknown[], V>(
  name: string,
  compute: (first: First, ...rest: Rest) => V,
): (first: First, ...rest: Rest) => V {
  type Leaf = DerivedValue<First, Rest, V>;
  const roots = new WeakMap<First, Branch<Leaf>>();
  const definition: Definition<First, Rest, V> = { name, compute, forget: (first, rest) => forget(roots, first, rest) };
  return (first, ...rest) => {
    if (rest.length === 0) {
      let value = roots.get(first);
      if (value === undefined) {
        value = new DerivedValue(definition, first, rest);
        roots.set(first, value);
      }
      assert(value instanceof DerivedValue, `${name} is called with fewer arguments than before`);
      return value.get();
    }
    let branch = roots.get(first);
    if (branch === undefined) {
      branch = new Map();
      roots.set(first, branch);
    }
    for (let i = 0; i < rest.length; i++) {
      assert(branch instanceof Map, `${name} is called with more arguments than before`);
      const argument = rest[i];
      let next: Branch<Leaf> | undefined = branch.get(argument);
      if (next === undefined) {
        next = i === rest.length - 1 ? new DerivedValue(definition, first, rest) : new Map();
        branch.set(argument, next);
      }
      branch = next;
    }
    assert(branch instanceof DerivedValue, `${name} is called with fewer arguments than before`);
    return branch.get();
  };
}

function forget<First extends object, Leaf>(roots: WeakMap<First, Branch<Leaf>>, first: First, rest: readonly unknown[]): void {
  const path: Map<unknown, Branch<Leaf>>[] = [];
  let branch = roots.get(first);
  for (const argument of rest) {
    if (!(branch instanceof Map)) return;
    path.push(branch);
    branch = branch.get(argument);
  }
  // From the end: a branch without entries is an entry too many in the one before it.
  for (let i = path.length - 1; i >= 0; i--) {
    path[i]?.delete(rest[i]);
    if ((path[i]?.size ?? 0) > 0) return;
  }
  roots.delete(first);
}
