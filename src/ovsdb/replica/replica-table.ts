/**
 * The rows of one table of a replica. Updates come in two steps, so that whoever is woken finds everything in place: first
 * all changes of a batch are put into the rows, noting what they were, then `announce` tells of them.
 */
import { type CollectionWatcher, Signal } from "../../engine/index.ts";
import { applyDifference, defaultValue, sameSlot, type Slot, slotFromJson } from "../value/column-value.ts";
import { isJsonObject, type Json, type JsonObject, member } from "../json/json.ts";
import { type ReplicaRow, type RowClass, rowClass, type RowShape, rowShape } from "./replica-row.ts";
import type { ReplicaTable } from "./replica.ts";
import { Answers } from "./answers.ts";
import type { TableSchema } from "../schema/schema.ts";
import type { Uuid } from "../schema/typed-schema.ts";

export class ReplicaTableStore implements ReplicaTable<ReplicaRow> {
  readonly name: string;
  readonly shape: RowShape;
  readonly #rowClass: RowClass;
  readonly #defaults: readonly Slot[];
  readonly #rows = new Map<string, ReplicaRow>();
  readonly #watchers = new Set<CollectionWatcher<ReplicaRow>>();
  readonly #columnWatchers = new Set<(row: ReplicaRow, columns: readonly string[]) => void>();
  readonly #membership: Signal;
  /** Whether a row with a UUID exists. */
  readonly #existence: Answers;
  #added = new Set<ReplicaRow>();
  #removed = new Set<ReplicaRow>();
  #changed = new Map<ReplicaRow, Set<number>>();

  constructor(name: string, schema: TableSchema) {
    this.name = name;
    this.shape = rowShape(name, schema);
    this.#rowClass = rowClass(this.shape);
    this.#defaults = this.shape.columns.map(({ type }) => defaultValue(type));
    this.#existence = new Answers((uuid) => `${name} ${uuid.slice(0, 8)}`);
    this.#membership = new Signal(() => `rows of ${name}`);
  }

  [Symbol.iterator](): Iterator<ReplicaRow> {
    this.#membership.read();
    return this.#rows.values();
  }

  get size(): number {
    this.#membership.read();
    return this.#rows.size;
  }

  get(uuid: Uuid | undefined): ReplicaRow | undefined {
    if (uuid === undefined) return undefined;
    this.#existence.read(uuid);
    return this.#rows.get(uuid);
  }

  /** Not tracked. */
  peek(uuid: string): ReplicaRow | undefined {
    return this.#rows.get(uuid);
  }

  watch(watcher: CollectionWatcher<ReplicaRow>): () => void {
    for (const row of this.#rows.values()) watcher.added(row);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  watchColumns(changed: (row: ReplicaRow, columns: readonly string[]) => void): () => void {
    this.#columnWatchers.add(changed);
    return () => this.#columnWatchers.delete(changed);
  }

  /** A row with all its columns; those not mentioned hold their defaults. */
  put(uuid: string, columns: JsonObject): void {
    const row = this.#rows.get(uuid);
    const slots = this.shape.names.map((name, i) => this.#slotOf(columns, name, i) ?? this.#defaults[i]);
    if (row === undefined) this.#add(uuid, slots);
    else slots.forEach((slot, i) => this.#set(row, i, slot));
  }

  /** Some columns of a row, with their new values (`update`). False if there is no such row. */
  update(uuid: string, columns: JsonObject): boolean {
    const row = this.#rows.get(uuid);
    if (row === undefined) return false;
    for (const name of Object.keys(columns)) {
      const i = this.shape.positions.get(name);
      const slot = i === undefined ? undefined : this.#slotOf(columns, name, i);
      if (i !== undefined) this.#set(row, i, slot);
    }
    return true;
  }

  /** Some columns of a row, as differences (`update2`, `update3`). False if there is no such row. */
  modify(uuid: string, differences: JsonObject): boolean {
    const row = this.#rows.get(uuid);
    if (row === undefined) return false;
    for (const [name, difference] of Object.entries(differences)) {
      const i = this.shape.positions.get(name);
      const column = i === undefined ? undefined : this.shape.columns[i];
      if (i === undefined || column === undefined || difference === undefined) continue;
      this.#set(row, i, applyDifference(row._peek(i), difference, column.type));
    }
    return true;
  }

  delete(uuid: string): void {
    const row = this.#rows.get(uuid);
    if (row === undefined) return;
    this.#rows.delete(uuid);
    this.#changed.delete(row);
    if (!this.#added.delete(row)) this.#removed.add(row);
  }

  /** Makes the contents exactly these (a `<table-update2>` of initial rows, or a `<table-update>`). */
  replaceAll(contents: Json | undefined, rowOf: (update: JsonObject) => JsonObject | undefined): void {
    const updates = isJsonObject(contents) ? contents : {};
    for (const uuid of this.#rows.keys()) if (!Object.hasOwn(updates, uuid)) this.delete(uuid);
    for (const [uuid, update] of Object.entries(updates)) {
      const columns = isJsonObject(update) ? rowOf(update) : undefined;
      if (columns !== undefined) this.put(uuid, columns);
    }
  }

  /** Tells of everything since the last time. */
  announce(): void {
    const [added, removed, changed] = [this.#added, this.#removed, this.#changed];
    if (added.size === 0 && removed.size === 0 && changed.size === 0) return;
    [this.#added, this.#removed, this.#changed] = [new Set(), new Set(), new Map()];
    if (added.size > 0 || removed.size > 0) this.#membership.change();
    for (const row of removed) {
      this.#existence.change(row._uuid);
      for (const watcher of this.#watchers) watcher.removed(row);
    }
    for (const row of added) {
      this.#existence.change(row._uuid);
      for (const watcher of this.#watchers) watcher.added(row);
    }
    for (const [row, columns] of changed) {
      for (const column of columns) row._announce(column);
      if (this.#columnWatchers.size === 0) continue;
      const names = [...columns].map((column) => this.shape.names[column] ?? "");
      for (const watcher of this.#columnWatchers) watcher(row, names);
    }
  }

  #slotOf(columns: JsonObject, name: string, position: number): Slot {
    const json = member(columns, name);
    const column = this.shape.columns[position];
    return json === undefined || column === undefined ? undefined : slotFromJson(json, column.type);
  }

  #add(uuid: string, slots: Slot[]): void {
    // What the server calls a row's UUID in this table's updates is a UUID of this table.
    const row = new this.#rowClass(uuid as Uuid, slots);
    this.#rows.set(uuid, row);
    this.#added.add(row);
  }

  #set(row: ReplicaRow, position: number, slot: Slot): void {
    const column = this.shape.columns[position];
    if (column === undefined || sameSlot(row._slots[position], slot, column.type)) return;
    row._slots[position] = slot;
    if (this.#added.has(row)) return;
    let columns = this.#changed.get(row);
    if (columns === undefined) {
      columns = new Set();
      this.#changed.set(row, columns);
    }
    columns.add(position);
  }
}
