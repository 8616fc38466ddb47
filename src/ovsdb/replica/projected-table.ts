/**
 * One projection at work: which keys must be looked at, since a wish for them or a row of theirs came, went or changed; and the
 * comparison of one key. Works on names and values without types: Projector<D> (projection.ts) is the typed door to it.
 */
import { type CollectionWatcher, type Engine, type RelationStore, sameValue, untracked } from "../../engine/index.ts";
import type { ClientTransaction, GivenColumns } from "./client-transaction.ts";
import { KeyedRows } from "./keyed-rows.ts";
import type { ReplicaRow } from "./replica-row.ts";
import type { ReplicaTable } from "./replica.ts";
import { type Find, isEntries, peek, resolveColumns } from "./resolve-columns.ts";
import { StandingWishes, type UntypedWish } from "./standing-wishes.ts";
import type { RowRef } from "../schema/row.ts";
import type { Uuid } from "../schema/typed-schema.ts";
import type { Wished } from "./wish.ts";

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

const parentOf = ({ parent }: UntypedWish, find: Find): Uuid | undefined => (typeof parent === "object" ? find(parent) : parent);

/** A set of fewer members is written whole. */
const largeSet = 8;

/** Of a large set in which little changes, only that is said; false where nothing was. */
function mutateSet(row: ReplicaRow, column: string, wanted: unknown, transaction: ClientTransaction): boolean {
  const present = peek(row, column);
  if (!(wanted instanceof Set) || !(present instanceof Set) || wanted.size < largeSet) return false;
  const come = [...wanted].filter((item) => !present.has(item));
  const go = [...present].filter((item) => !wanted.has(item));
  if (2 * (come.length + go.length) > wanted.size) return false;
  transaction.mutate(row, column, "delete", new Set(go));
  transaction.mutate(row, column, "insert", new Set(come));
  return true;
}

export class ProjectedTable implements CollectionWatcher<UntypedWish> {
  readonly name: string;
  readonly ownsRows: boolean;
  readonly #options: UntypedOptions;
  readonly #parents: Parents | undefined;
  readonly #wishes: StandingWishes;
  readonly #rows: KeyedRows;
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
    this.#wishes = new StandingWishes(factKey);
    this.#rows = new KeyedRows(name);
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
    this.#wishes.add(wish);
    this.touch(wish.key);
    if (this.awaited.delete(wish.key)) this.#touchDependents(wish.key);
  }

  removed(wish: UntypedWish): void {
    this.#wishes.remove(wish);
    this.touch(wish.key);
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
    return this.#rows.read(key);
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
    const wish = this.#wishes.of(key);
    const rows = this.#rows.of(key);
    const find = this.#finder(key, resolve);
    if (!this.ownsRows) {
      const columns = wish?.columns ?? this.#options.otherwise;
      for (const row of columns === undefined ? [] : rows) {
        const resolved = resolveColumns(columns ?? {}, row, find);
        if (resolved !== undefined) this.#update(row, columns ?? {}, resolved, transaction);
      }
      return;
    }
    const [kept, ...others] = rows;
    for (const row of wish === undefined ? rows : others) this.#delete(row, transaction);
    if (wish === undefined) return;
    if (kept === undefined) this.insert(key, transaction, resolve);
    else {
      const resolved = resolveColumns(wish.columns, kept, find);
      if (resolved !== undefined) this.#update(kept, wish.columns, resolved, transaction);
      const parent = parentOf(wish, find);
      if (parent !== undefined) this.#move(kept, parent, transaction);
    }
  }

  /** What others have in a map must be what was seen of it, or what they have just put there would be lost. */
  #update(row: ReplicaRow, columns: GivenColumns, resolved: GivenColumns, transaction: ClientTransaction): void {
    for (const name in columns) {
      if (isEntries(columns[name]) && !sameValue(resolved[name], peek(row, name))) transaction.verify(row, [name]);
    }
    const whole: { [column: string]: unknown } = {};
    for (const [name, value] of Object.entries(resolved)) if (!mutateSet(row, name, value, transaction)) whole[name] = value;
    transaction.update(row, whole);
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

  /** References within the wish for `key`: who is referred to learns of it. */
  #finder(key: string, resolve: Resolve): Find {
    const dependent = { table: this, key };
    return (wished) => resolve(wished, dependent);
  }

  /** The row of a wish: its UUID if it exists, that of its insertion if not. */
  uuidOf(key: string, transaction: ClientTransaction, resolve: Resolve): Uuid | undefined {
    // A row that is about to be deleted is nothing to refer to.
    if (this.ownsRows && !this.has(key)) return undefined;
    return this.#rows.kept(key)?._uuid ?? this.insert(key, transaction, resolve);
  }

  insert(key: string, transaction: ClientTransaction, resolve: Resolve): Uuid | undefined {
    const wish = this.#wishes.of(key);
    const already = this.#inserted.get(key);
    if (wish === undefined || already !== undefined || !this.ownsRows) return already;
    const find = this.#finder(key, resolve);
    const parent = parentOf(wish, find);
    if (this.#parents !== undefined && parent === undefined) return undefined;
    // Known before its columns are resolved, so that two rows may refer to one another.
    const uuid = transaction.insert(this.name, {}, wish.uuid === undefined ? {} : { uuid: wish.uuid });
    this.#inserted.set(key, uuid);
    this.#inFlight.add(key);
    const initial = typeof wish.initial === "function" ? wish.initial() : wish.initial;
    const columns = resolveColumns({ ...initial, ...wish.columns }, undefined, find);
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
      const key = this.#rows.keyOf(row);
      if (key !== undefined) this.touch(key);
    }));
  }

  #identified(row: ReplicaRow, key: string | undefined): void {
    const before = this.#rows.keyOf(row);
    if (before === key) return;
    if (before !== undefined) {
      this.#rows.leave(row);
      this.touch(before);
      this.#touchDependents(before);
    }
    if (key === undefined) return;
    this.#rows.enter(key, row);
    this.touch(key);
    if (this.awaited.delete(key)) this.#touchDependents(key);
  }
}
