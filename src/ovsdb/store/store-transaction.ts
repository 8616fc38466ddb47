/**
 * A transaction on a store: changes take effect at once, for the operations that follow to see; `check` then holds the whole
 * against the schema, after which it is either committed or undone. One transaction at a time.
 *
 * The order of the checks is that of the C server (ovsdb/transaction.c), since which error is reported depends on it.
 */
import { assert } from "../../std/index.ts";
import { listOf, printDatum } from "../value/datum-text.ts";
import { compareDatums, equalDatums } from "../value/datum-sets.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import { checkReferences, commitWeakReferences, type RowsUnderway } from "./references.ts";
import type { Store } from "./store.ts";
import { type Fields, RowChange, StoredRow, type StoredTable, type UniqueIndex } from "./stored-table.ts";

export class StoreTransaction implements RowsUnderway {
  readonly store: Store;
  readonly comments: string[] = [];
  readonly #changes = new Map<StoredRow, RowChange>();
  readonly #deleted = new Map<StoredTable, Map<string, StoredRow>>();
  #settling = false;

  constructor(store: Store) {
    this.store = store;
  }

  /** Every row that the transaction touched; after `check`, those that really changed. Grows while it is walked. */
  get changes(): Iterable<RowChange> {
    return this.#changes.values();
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** The row, even if this transaction has deleted it. */
  rowEver(table: StoredTable, uuid: string): StoredRow | undefined {
    return table.rows.get(uuid) ?? this.#deleted.get(table)?.get(uuid);
  }

  touch(row: StoredRow): RowChange {
    if (row.change !== undefined) return row.change;
    const change = new RowChange(row, row.fields);
    row.change = change;
    this.#changes.set(row, change);
    return change;
  }

  insert(table: StoredTable, uuid: string, fields: Fields): StoredRow {
    assert(this.rowEver(table, uuid) === undefined, "uuid is taken");
    const row = new StoredRow(table, uuid, fields);
    row.change = new RowChange(row, undefined);
    this.#changes.set(row, row.change);
    table.rows.set(uuid, row);
    for (const index of table.indexes) index.add(row, index.key(fields));
    return row;
  }

  update(row: StoredRow, fields: Fields): void {
    this.touch(row);
    row.replaceFields(fields);
  }

  delete(row: StoredRow): void {
    const change = this.touch(row);
    assert(!change.isDeleted, "row is deleted already");
    change.isDeleted = true;
    row.table.rows.delete(row.uuid);
    for (const index of row.table.indexes) index.remove(row, index.key(row.fields));
    // A row of this transaction's own leaves no trace, except while references are being settled.
    if (change.old === undefined && change.references === 0 && !this.#settling) {
      this.#drop(change);
      return;
    }
    const deleted = this.#deleted.get(row.table);
    if (deleted === undefined) this.#deleted.set(row.table, new Map([[row.uuid, row]]));
    else deleted.set(row.uuid, row);
  }

  /** Enforces what the schema demands of the result. After an error only `undo` is left; else `commit` or `undo`. */
  check(): OvsdbError | undefined {
    for (const change of this.#changes.values()) {
      if (change.old !== undefined && !change.isDeleted && !findChanged(change, change.old)) this.#drop(change);
    }
    if (this.isEmpty) return undefined;
    this.#settling = true;
    const bad = checkReferences(this, () => this.#checkMaxRows()) ?? this.#checkIndexes();
    if (bad !== undefined) return bad;
    for (const change of this.#changes.values()) {
      // A row that is here only because its references are counted has not changed.
      if (change.old === undefined && change.isDeleted) this.#drop(change);
      else if (change.old !== undefined && !change.isDeleted) findChanged(change, change.old);
    }
    return undefined;
  }

  #drop(change: RowChange): void {
    change.row.change = undefined;
    if (change.old !== undefined) change.row.fields = change.old;
    this.#changes.delete(change.row);
  }

  #checkMaxRows(): OvsdbError | undefined {
    const tables = new Set<StoredTable>();
    for (const change of this.#changes.values()) if (change.old === undefined) tables.add(change.row.table);
    for (const table of tables) {
      const { maxRows } = table.schema;
      if (table.rows.size > maxRows) {
        const text = `transaction causes "${table.name}" table to contain ${table.rows.size} rows, greater than the schema-defined limit of ${maxRows} row(s)`;
        return new OvsdbError("constraint violation", text);
      }
    }
    return undefined;
  }

  #checkIndexes(): OvsdbError | undefined {
    for (const { row, isDeleted } of this.#changes.values()) {
      if (isDeleted) continue;
      for (const index of row.table.indexes) {
        const other = index.at(index.key(row.fields)).find((r) => r !== row);
        if (other !== undefined) return duplicate(index, other, row);
      }
    }
    return undefined;
  }

  commit(): void {
    for (const change of this.#changes.values()) commitWeakReferences(change);
    for (const change of this.#changes.values()) {
      const { row } = change;
      row.change = undefined;
      row.strongReferences = change.references;
      if (change.changed.length > 0) change.oldVersion = row.forgetVersion();
    }
  }

  undo(): void {
    for (const { row, old, isDeleted } of [...this.#changes.values()].reverse()) {
      row.change = undefined;
      if (old === undefined) {
        if (!isDeleted) {
          row.table.rows.delete(row.uuid);
          for (const index of row.table.indexes) index.remove(row, index.key(row.fields));
        }
      } else if (isDeleted) {
        row.fields = old;
        row.table.rows.set(row.uuid, row);
        for (const index of row.table.indexes) index.add(row, index.key(old));
      } else {
        row.replaceFields(old);
      }
    }
    this.#changes.clear();
  }
}

/** Fills in `changed`; false if nothing differs. */
function findChanged(change: RowChange, old: Fields): boolean {
  const now = change.row.fields;
  const changed: number[] = [];
  if (now !== old) {
    for (const { index, defaultValue } of change.row.table.columns) {
      if (!equalDatums(old[index] ?? defaultValue, now[index] ?? defaultValue)) changed.push(index);
    }
  }
  change.changed = changed;
  return changed.length > 0;
}

function duplicate(index: UniqueIndex, a: StoredRow, b: StoredRow): OvsdbError {
  // In an order that does not depend on chance, as UUIDs do: the greater row first.
  const compared = a.table.columns.filter(({ type }) => type.key.kind !== "uuid" && type.value?.kind !== "uuid");
  const inOrder = [...compared].sort((x, y) => (x.name < y.name ? -1 : 1));
  const order = inOrder.map((column) => compareDatums(column.of(a), column.of(b))).find((o) => o !== 0) ?? 0;
  const [first, second] = order < 0 ? [b, a] : [a, b];
  const values = (fields: Fields): string => listOf(index.columns.map((c) => printDatum(c.in(fields), c.type)));
  const history = (row: StoredRow): string => {
    const { change } = row;
    if (change === undefined || (change.old !== undefined && change.changed.length === 0)) {
      return "existed in the database before this transaction and was not modified by the transaction.";
    }
    const { old } = change;
    if (old === undefined) return "was inserted by this transaction.";
    if (index.columns.every((c) => equalDatums(c.in(old), c.in(row.fields)))) {
      return "existed in the database before this transaction, which modified some of the row's columns but not any columns in this index.";
    }
    return `had the following index values before the transaction: ${values(old)}.`;
  };
  const names = index.columns.map((c) => `"${c.name}"`);
  const text =
    `Transaction causes multiple rows in "${a.table.name}" table to have identical values (${values(first.fields)}) ` +
    `for index on column${names.length > 1 ? "s" : ""} ${listOf(names)}.  ` +
    `First row, with UUID ${first.uuid}, ${history(first)}  Second row, with UUID ${second.uuid}, ${history(second)}`;
  return new OvsdbError("constraint violation", text);
}
