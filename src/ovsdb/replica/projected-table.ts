/**
 * One projection at work: which wishes stand, which rows are whose, which keys must be looked at; and the comparison of one
 * key. Works on names and values without types: Projector<D> (projection.ts) is the typed door to it.
 */
import { type CollectionWatcher, type Engine, type RelationStore, sameValue, Signal, untracked } from "../../engine/index.ts";
import type { ClientTransaction, GivenColumns } from "./client-transaction.ts";
import type { ReplicaRow } from "./replica-row.ts";
import type { ReplicaTable } from "./replica.ts";
import type { RowRef } from "../schema/row.ts";
import type { Uuid } from "../schema/typed-schema.ts";
import type { Entries, Wished } from "./wish.ts";

export interface UntypedWish {
  readonly key: string;
  readonly columns: GivenColumns;
  readonly initial?: GivenColumns | (() => GivenColumns);
  readonly uuid?: Uuid;
  readonly parent?: Uuid | Wished<string>;
}

/** Where the rows of a table are held: finds the rows that hold one now. */
export interface Parents {
  readonly table: string;
  readonly column: string;
  of(child: Uuid): Iterable<RowRef>;
}

export interface UntypedOptions {
  readonly identify: (row: ReplicaRow) => string | undefined;
  readonly identityReads?: "row" | "anything";
  readonly owns?: "rows" | "columns";
  readonly otherwise?: GivenColumns;
}

/** Finds the UUID of a wished row, inserting it if need be; undefined if nobody wishes for it. */
export type Resolve = (wished: Wished<string>, dependent: { readonly table: ProjectedTable; readonly key: string }) => Uuid | undefined;

class Asked extends Signal {
  readonly #forget: () => void;
  constructor(describe: () => string, forget: () => void) {
    super(describe);
    this.#forget = forget;
  }
  unread(): void {
    this.#forget();
  }
}

const none: ReadonlySet<ReplicaRow> = new Set();

export class ProjectedTable implements CollectionWatcher<UntypedWish> {
  readonly name: string;
  readonly ownsRows: boolean;
  readonly #options: UntypedOptions;
  readonly #parents: Parents | undefined;
  readonly #factKey: (wish: UntypedWish) => string;
  readonly #wishes = new Map<string, UntypedWish>();
  /** Where more than one wish of a key stands: the others. */
  readonly #rivals = new Map<string, Set<UntypedWish>>();
  readonly #keys = new Map<ReplicaRow, string>();
  readonly #rows = new Map<string, ReplicaRow | Set<ReplicaRow>>();
  readonly #asked = new Map<string, Asked>();
  /** Keys that somebody referred to when there was no row: a row that comes by itself wakes them. */
  readonly awaited = new Set<string>();
  /** For a key of this table: who refers to its row, so must be looked at when that row goes. */
  readonly #dependents = new Map<string, Map<ProjectedTable, Set<string>>>();
  readonly #wake: () => void;
  readonly #stops: (() => void)[] = [];
  #dirty = new Set<string>();
  #inFlight = new Set<string>();
  /** Rows inserted by the transaction being built, by key. */
  #inserted = new Map<string, Uuid>();

  constructor(
    name: string, engine: Engine, rows: ReplicaTable<ReplicaRow>, facts: RelationStore<UntypedWish>, factKey: (wish: UntypedWish) => string,
    options: UntypedOptions, wake: () => void, parents: Parents | undefined,
  ) {
    this.#parents = parents;
    this.name = name;
    this.ownsRows = options.owns !== "columns";
    this.#options = options;
    this.#factKey = factKey;
    this.#wake = wake;
    this.#watchRows(engine, rows);
    this.#stops.push(facts.watch(this));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  get isInFlight(): boolean {
    return this.#inFlight.size > 0;
  }

  has(key: string): boolean {
    return this.#wishes.has(key);
  }

  added(wish: UntypedWish): void {
    const { key } = wish;
    if (this.#wishes.has(key)) {
      let rivals = this.#rivals.get(key);
      if (rivals === undefined) {
        rivals = new Set();
        this.#rivals.set(key, rivals);
      }
      rivals.add(wish);
    } else this.#wishes.set(key, wish);
    this.touch(key);
    if (this.awaited.delete(key)) this.#touchDependents(key);
  }

  removed(wish: UntypedWish): void {
    const { key } = wish;
    const rivals = this.#rivals.get(key);
    if (this.#wishes.get(key) !== wish) rivals?.delete(wish);
    else {
      const [heir] = rivals ?? [];
      if (heir === undefined) this.#wishes.delete(key);
      else {
        this.#wishes.set(key, heir);
        rivals?.delete(heir);
      }
    }
    if (rivals?.size === 0) this.#rivals.delete(key);
    this.touch(key);
  }

  touch(key: string): void {
    this.#dirty.add(key);
    this.#wake();
  }

  touchAll(): void {
    for (const key of this.#wishes.keys()) this.touch(key);
    for (const key of this.#rows.keys()) this.touch(key);
  }

  /** The row kept for `key`: the first that came. */
  row(key: string): ReplicaRow | undefined {
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = new Asked(() => `row of ${this.name} ${key}`, () => this.#asked.delete(key));
      asked.read();
      if (asked.isRead) this.#asked.set(key, asked);
    } else asked.read();
    return this.#kept(key);
  }

  /** Starts on the keys to be looked at; they count as in flight until `finish`. */
  begin(): readonly string[] {
    this.#inFlight = this.#dirty;
    this.#dirty = new Set();
    return [...this.#inFlight];
  }

  /** How the transaction ended: what was not done is to be done again. */
  finish(isDone: boolean): void {
    const inFlight = this.#inFlight;
    this.#inFlight = new Set();
    this.#inserted = new Map();
    if (!isDone) for (const key of inFlight) this.#dirty.add(key);
  }

  /** Adds what `key` needs to the transaction. */
  compare(key: string, transaction: ClientTransaction, resolve: Resolve): void {
    const wish = this.#wishOf(key);
    const rows = this.#rowsOf(key);
    if (!this.ownsRows) {
      const columns = wish?.columns ?? this.#options.otherwise;
      for (const row of columns === undefined ? none : rows) {
        const resolved = this.#resolveAll(columns ?? {}, row, key, resolve);
        if (resolved !== undefined) this.#update(row, columns ?? {}, resolved, transaction);
      }
      return;
    }
    const [kept, ...others] = rows;
    for (const row of wish === undefined ? rows : others) this.#delete(row, transaction);
    if (wish === undefined) return;
    if (kept === undefined) this.insert(key, transaction, resolve);
    else {
      const resolved = this.#resolveAll(wish.columns, kept, key, resolve);
      if (resolved !== undefined) this.#update(kept, wish.columns, resolved, transaction);
      const parent = this.#parentOf(wish, key, resolve);
      if (parent !== undefined) this.#move(kept, parent, transaction);
    }
  }

  /** What others have in a map must be what was seen of it, or what they have just put there would be lost. */
  #update(row: ReplicaRow, columns: GivenColumns, resolved: GivenColumns, transaction: ClientTransaction): void {
    for (const name in columns) {
      if (isEntries(columns[name]) && !sameValue(resolved[name], row._peek(row._shape.positions.get(name) ?? -1))) transaction.verify(row, [name]);
    }
    transaction.update(row, resolved);
  }

  /** A row that another holds goes when it is held no more. */
  #delete(row: ReplicaRow, transaction: ClientTransaction): void {
    if (this.#parents === undefined) transaction.delete(row);
    else for (const parent of this.#parents.of(row._uuid)) transaction.mutate(parent, this.#parents.column, "delete", [row._uuid]);
  }

  #move(row: ReplicaRow, to: Uuid, transaction: ClientTransaction): void {
    if (this.#parents === undefined) return;
    let isThere = false;
    for (const parent of this.#parents.of(row._uuid)) {
      if (parent._uuid === to) isThere = true;
      else transaction.mutate(parent, this.#parents.column, "delete", [row._uuid]);
    }
    if (!isThere) transaction.mutate({ _table: this.#parents.table, _uuid: to }, this.#parents.column, "insert", [row._uuid]);
  }

  #parentOf(wish: UntypedWish, key: string, resolve: Resolve): Uuid | undefined {
    const { parent } = wish;
    return typeof parent === "object" ? resolve(parent, { table: this, key }) : parent;
  }

  /** The row of a wish: its UUID if it exists, that of its insertion if not. */
  uuidOf(key: string, transaction: ClientTransaction, resolve: Resolve): Uuid | undefined {
    // A row that is about to be deleted is nothing to refer to.
    if (this.ownsRows && !this.has(key)) return undefined;
    return this.#kept(key)?._uuid ?? this.insert(key, transaction, resolve);
  }

  insert(key: string, transaction: ClientTransaction, resolve: Resolve): Uuid | undefined {
    const wish = this.#wishOf(key);
    const already = this.#inserted.get(key);
    if (wish === undefined || already !== undefined || !this.ownsRows) return already;
    const parent = this.#parentOf(wish, key, resolve);
    if (this.#parents !== undefined && parent === undefined) return undefined;
    // Known before its columns are resolved, so that two rows may refer to one another.
    const uuid = transaction.insert(this.name, {}, wish.uuid === undefined ? {} : { uuid: wish.uuid });
    this.#inserted.set(key, uuid);
    this.#inFlight.add(key);
    const initial = typeof wish.initial === "function" ? wish.initial() : wish.initial;
    const columns = this.#resolveAll({ ...initial, ...wish.columns }, undefined, key, resolve);
    const row = { _table: this.name, _uuid: uuid };
    if (columns !== undefined) {
      transaction.update(row, columns);
      if (this.#parents !== undefined && parent !== undefined) {
        transaction.mutate({ _table: this.#parents.table, _uuid: parent }, this.#parents.column, "insert", [uuid]);
      }
      return uuid;
    }
    // Something it refers to is neither there nor wished for: it waits for that.
    transaction.delete(row);
    this.#inserted.delete(key);
    return undefined;
  }

  dependOn(key: string, dependent: { readonly table: ProjectedTable; readonly key: string }): void {
    let tables = this.#dependents.get(key);
    if (tables === undefined) {
      tables = new Map();
      this.#dependents.set(key, tables);
    }
    let keys = tables.get(dependent.table);
    if (keys === undefined) {
      keys = new Set();
      tables.set(dependent.table, keys);
    }
    keys.add(dependent.key);
    // Those that are wished for no more are swept out now and then, so that wishes that come and go leave nothing behind.
    if (keys.size > 2 * dependent.table.#wishes.size + 64) for (const known of keys) if (!dependent.table.has(known)) keys.delete(known);
  }

  #touchDependents(key: string): void {
    const tables = this.#dependents.get(key);
    if (tables === undefined) return;
    this.#dependents.delete(key);
    for (const [table, keys] of tables) for (const dependent of keys) table.touch(dependent);
  }

  #watchRows(engine: Engine, rows: ReplicaTable<ReplicaRow>): void {
    if (this.#options.identityReads === "anything") {
      // The index runs this again for a row whenever something it read has changed.
      engine.index(`keys of ${this.name}`, rows, (row) => {
        const key = this.#options.identify(row);
        untracked(() => this.#identified(row, key));
        return key === undefined ? [] : [key];
      });
    }
    const identify = (row: ReplicaRow): void => this.#identified(row, untracked(() => this.#options.identify(row)));
    this.#stops.push(rows.watch({
      added: (row) => {
        if (this.#options.identityReads !== "anything") identify(row);
      },
      removed: (row) => this.#identified(row, undefined),
    }));
    this.#stops.push(rows.watchColumns((row) => {
      if (this.#options.identityReads !== "anything") identify(row);
      const key = this.#keys.get(row);
      if (key !== undefined) this.touch(key);
    }));
  }

  #identified(row: ReplicaRow, key: string | undefined): void {
    const before = this.#keys.get(row);
    if (before === key) return;
    if (before !== undefined) this.#leave(before, row);
    if (key === undefined) this.#keys.delete(row);
    else {
      this.#keys.set(row, key);
      this.#enter(key, row);
    }
  }

  #enter(key: string, row: ReplicaRow): void {
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, row);
    else if (rows instanceof Set) rows.add(row);
    else this.#rows.set(key, new Set([rows, row]));
    this.#rowsMoved(key);
    if (this.awaited.delete(key)) this.#touchDependents(key);
  }

  #leave(key: string, row: ReplicaRow): void {
    const rows = this.#rows.get(key);
    if (rows instanceof Set) {
      rows.delete(row);
      if (rows.size === 0) this.#rows.delete(key);
    } else this.#rows.delete(key);
    this.#rowsMoved(key);
    this.#touchDependents(key);
  }

  #rowsMoved(key: string): void {
    this.#asked.get(key)?.change();
    this.touch(key);
  }

  #rowsOf(key: string): Iterable<ReplicaRow> {
    const rows = this.#rows.get(key);
    return rows === undefined ? none : rows instanceof Set ? [...rows] : [rows];
  }

  #kept(key: string): ReplicaRow | undefined {
    for (const row of this.#rowsOf(key)) return row;
    return undefined;
  }

  /** Of several wishes always the same, in whatever order they came: the one whose fact comes first in the alphabet. */
  #wishOf(key: string): UntypedWish | undefined {
    const wish = this.#wishes.get(key);
    const rivals = this.#rivals.get(key);
    if (wish === undefined || rivals === undefined) return wish;
    return [wish, ...rivals].map((w) => [this.#factKey(w), w] as const).reduce((a, b) => (b[0] < a[0] ? b : a))[1];
  }

  /** The columns with references found and parts of maps filled in; undefined if a reference leads nowhere yet. */
  #resolveAll(columns: GivenColumns, row: ReplicaRow | undefined, key: string, resolve: Resolve): GivenColumns | undefined {
    const dependent = { table: this, key };
    const result: { [column: string]: unknown } = {};
    for (const [name, given] of Object.entries(columns)) {
      const before = row === undefined ? undefined : row._peek(row._shape.positions.get(name) ?? -1);
      const value = resolveValue(given, before, (wished) => resolve(wished, dependent));
      if (value === unresolved) return undefined;
      result[name] = value;
    }
    return result;
  }
}

const unresolved = Symbol("unresolved");
type Find = (wished: Wished<string>) => Uuid | undefined;

const isKind = (value: unknown, kind: string): boolean => typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
const isWished = (value: unknown): value is Wished<string> => isKind(value, "wished");
const isEntries = (value: unknown): value is Entries<unknown, unknown> => isKind(value, "entries");

function resolveAtom(value: unknown, find: Find): unknown {
  return isWished(value) ? (find(value) ?? unresolved) : value;
}

function resolveValue(given: unknown, before: unknown, find: Find): unknown {
  if (typeof given !== "object" || given === null) return given;
  if (isWished(given)) return resolveAtom(given, find);
  if (isEntries(given)) return resolveMap(mergeEntries(given, before), find);
  if (given instanceof Map) return resolveMap(given, find);
  if (!(Symbol.iterator in given)) return resolveMap(new Map(Object.entries(given).filter(([, v]) => v !== undefined)), find);
  const result = new Set<unknown>();
  for (const item of given as Iterable<unknown>) result.add(resolveAtom(item, find));
  return result.has(unresolved) ? unresolved : result;
}

function resolveMap(given: ReadonlyMap<unknown, unknown>, find: Find): unknown {
  const result = new Map<unknown, unknown>();
  for (const [key, value] of given) {
    const [k, v] = [resolveAtom(key, find), resolveAtom(value, find)];
    if (k === unresolved || v === unresolved) return unresolved;
    result.set(k, v);
  }
  return result;
}

function mergeEntries({ entries }: Entries<unknown, unknown>, before: unknown): Map<unknown, unknown> {
  const result = new Map<unknown, unknown>(before instanceof Map ? before : []);
  for (const [key, value] of entries) {
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}
