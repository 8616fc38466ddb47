/**
 * Derived values: functions whose results are kept, however many ask, until something they read has changed.
 *
 *     const addressesOf = derived("addresses", (port: LogicalSwitchPort) => parseAddresses(port.addresses));
 *
 * The first argument is an object (a row, a zone); the result is kept as long as it and a reader live. A new result that is
 * the same as the old one (sameValue) does not wake the readers.
 */
import { sameValue } from "./same-value.ts";
import { Computation, moved, type Source, track } from "./tracking.ts";

class DerivedValue<V> extends Computation implements Source {
  version = 0;
  readonly readers = new Set<Computation>();
  readonly #name: string;
  readonly #compute: () => V;
  readonly #forget: () => void;
  readonly #args: readonly unknown[];
  #value: V | undefined;
  #hasValue = false;

  constructor(name: string, args: readonly unknown[], compute: () => V, forget: () => void) {
    super();
    this.#name = name;
    this.#args = args;
    this.#compute = compute;
    this.#forget = forget;
  }

  get(): V {
    this.refresh();
    track(this);
    if (this.readers.size === 0) orphans.add(this);
    return this.#value as V;
  }

  refresh(): void {
    if (!this.mustRun()) return;
    const value = this.observe(this.#compute);
    if (this.#hasValue && sameValue(this.#value, value)) return;
    this.#value = value;
    if (this.#hasValue) moved(this);
    this.#hasValue = true;
  }

  protected override onStale(): void {
    for (const reader of this.readers) reader.mark("perhaps");
  }

  unread(): void {
    orphans.add(this);
  }

  forgetIfUnread(): void {
    if (this.readers.size > 0) return;
    this.#forget();
    this.detach();
  }

  describe(): string {
    return `${this.#name}(${this.#args.map(String).join(", ")})`;
  }
}

/** Values nobody reads at the moment; swept when an engine comes to rest, so that memory follows the live rows. */
const orphans = new Set<DerivedValue<unknown>>();

export function sweepOrphans(): void {
  while (orphans.size > 0) {
    const batch = [...orphans];
    orphans.clear();
    for (const value of batch) value.forgetIfUnread();
  }
}

interface Branch<V> {
  value: DerivedValue<V> | undefined;
  branches: Map<unknown, Branch<V>> | undefined;
}

/** A function like `compute` that remembers. Arguments after the first are told apart by identity (strings, numbers, rows). */
export function derived<First extends object, Rest extends readonly unknown[], V>(
  name: string,
  compute: (first: First, ...rest: Rest) => V,
): (first: First, ...rest: Rest) => V {
  const roots = new WeakMap<First, Branch<V>>();
  return (first, ...rest) => {
    let branch = roots.get(first);
    if (branch === undefined) {
      branch = { value: undefined, branches: undefined };
      roots.set(first, branch);
    }
    for (const argument of rest) {
      branch.branches ??= new Map();
      let next: Branch<V> | undefined = branch.branches.get(argument);
      if (next === undefined) {
        next = { value: undefined, branches: undefined };
        branch.branches.set(argument, next);
      }
      branch = next;
    }
    branch.value ??= new DerivedValue(name, [first, ...rest], () => compute(first, ...rest), () => forget(roots, first, rest));
    return branch.value.get();
  };
}

function forget<First extends object, V>(roots: WeakMap<First, Branch<V>>, first: First, rest: readonly unknown[]): void {
  const root = roots.get(first);
  if (root === undefined) return;
  const path: Branch<V>[] = [root];
  for (const argument of rest) {
    const next = path.at(-1)?.branches?.get(argument);
    if (next === undefined) return;
    path.push(next);
  }
  const last = path.at(-1);
  if (last !== undefined) last.value = undefined;
  for (let i = path.length - 1; i > 0; i--) {
    const branch = path[i];
    if (branch === undefined || branch.value !== undefined || (branch.branches?.size ?? 0) > 0) return;
    path[i - 1]?.branches?.delete(rest[i - 1]);
  }
}
