/** What the kernel says, as far as rules read it: routes that a routing daemon put there, and the names of network devices. */
import { Cell, type Collection, type CollectionWatcher } from "../../engine/index.ts";
import type { KernelRouting } from "../../host/index.ts";

/** A route to learn: one for each of its next hops. */
export interface LearnableRoute {
  /** See tableKey. */
  readonly table: string;
  readonly prefix: string;
  readonly nextHop: string;
  readonly device: string | undefined;
}

const keyOf = ({ prefix, nextHop, device }: LearnableRoute): string => `${prefix} ${nextHop} ${device ?? ""}`;

export class KernelRoutes implements Collection<LearnableRoute> {
  readonly name = "kernel routes";
  readonly #byTable = new Map<string, Map<string, LearnableRoute>>();
  readonly #known = new Map<string, Cell<boolean>>();
  readonly #watchers = new Set<CollectionWatcher<LearnableRoute>>();

  *[Symbol.iterator](): Iterator<LearnableRoute> {
    for (const routes of this.#byTable.values()) yield* routes.values();
  }

  get size(): number {
    return [...this].length;
  }

  watch(watcher: CollectionWatcher<LearnableRoute>): () => void {
    for (const route of this) watcher.added(route);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** A tracked read: whether the table has been looked at. Until then nothing can be said to have gone from it. */
  isKnown(table: string): boolean {
    return this.#knownCell(table).get();
  }

  /** What there is to learn from the table now. */
  set(table: string, routes: readonly LearnableRoute[]): void {
    const before = this.#byTable.get(table) ?? new Map<string, LearnableRoute>();
    const after = new Map<string, LearnableRoute>();
    for (const route of routes) after.set(keyOf(route), before.get(keyOf(route)) ?? route);
    this.#byTable.set(table, after);
    for (const [key, route] of after) if (!before.has(key)) for (const watcher of this.#watchers) watcher.added(route);
    for (const [key, route] of before) if (!after.has(key)) for (const watcher of this.#watchers) watcher.removed(route);
    this.#knownCell(table).set(true);
  }

  /** Nobody exchanges routes with the table any more. */
  forget(table: string): void {
    this.set(table, []);
    this.#byTable.delete(table);
    this.#known.get(table)?.set(false);
    this.#known.delete(table);
  }

  #knownCell(table: string): Cell<boolean> {
    let cell = this.#known.get(table);
    if (cell === undefined) {
      cell = new Cell(`table ${table} looked at`, false);
      this.#known.set(table, cell);
    }
    return cell;
  }
}

/** Network devices by index: asked for once, known a moment later. */
export class DeviceNames {
  readonly #routing: KernelRouting | undefined;
  readonly #changed: () => void;
  readonly #cells = new Map<number, Cell<string | undefined>>();

  constructor(routing: KernelRouting | undefined, changed: () => void) {
    this.#routing = routing;
    this.#changed = changed;
  }

  /** A tracked read. */
  get(index: number): string | undefined {
    let cell = this.#cells.get(index);
    if (cell === undefined) {
      const asked = new Cell<string | undefined>(`device ${index}`, undefined);
      cell = asked;
      this.#cells.set(index, asked);
      void this.#routing?.deviceName(index).then((name) => {
        asked.set(name);
        this.#changed();
      }, () => undefined);
    }
    return cell.get();
  }
}
