/**
 * References between rows (RFC 7047, sections 3.2 and 4.1.3): strong ones are counted and must not dangle; a row of a
 * non-root table that has none left is deleted; weak ones go when the row they name goes. The cost is that of the changed
 * rows and of the rows that refer to deleted ones.
 */
import { assert } from "../../std/index.ts";
import type { Atom, Datum } from "../value/datum.ts";
import { diffDatums, findKey, hasKey, keep } from "../value/datum-sets.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import type { Fields, RowChange, StoredColumn, StoredRow, StoredTable } from "./stored-table.ts";

const zeroUuid = "00000000-0000-0000-0000-000000000000";
const violation = (details: string): OvsdbError => new OvsdbError("referential integrity violation", details);

/** The rows of the transaction that is being checked. */
export interface RowsUnderway {
  readonly changes: Iterable<RowChange>;
  rowEver(table: StoredTable, uuid: string): StoredRow | undefined;
  touch(row: StoredRow): RowChange;
  delete(row: StoredRow): void;
}

/** `betweenStrongAndWeak` is checked after rows without references are gone and before weak references are. */
export function checkReferences(txn: RowsUnderway, betweenStrongAndWeak: () => OvsdbError | undefined): OvsdbError | undefined {
  for (const change of [...txn.changes]) {
    const bad = countReferences(txn, change);
    if (bad !== undefined) return bad;
  }
  for (const { row, isDeleted, references } of txn.changes) {
    if (isDeleted && references > 0) {
      return violation(`cannot delete ${row.table.name} row ${row.uuid} because of ${references} remaining reference(s)`);
    }
  }
  collectGarbage(txn);
  const between = betweenStrongAndWeak();
  if (between !== undefined) return between;
  for (const change of txn.changes) {
    const bad = change.isDeleted ? dropReferencesTo(txn, change.row) : dropDanglingReferences(change);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

/** The atoms of a column that refer to rows with the given strength, each with the table referred to. */
function forEachReference(
  column: StoredColumn, datum: Datum, strength: "strong" | "weak", visit: (target: StoredTable, uuid: string) => void,
): void {
  const { key, value } = column.type;
  if (key.refType === strength && column.keyTable !== undefined) for (const uuid of datum.keys) visit(column.keyTable, String(uuid));
  if (value?.refType === strength && column.valueTable !== undefined) {
    for (const uuid of datum.values ?? []) visit(column.valueTable, String(uuid));
  }
}

/** Splits a change into what came and what went. */
function addedAndRemoved(column: StoredColumn, old: Fields | undefined, now: Fields | undefined): [added: Datum, removed: Datum] {
  const none: Datum = column.type.value === undefined ? { keys: [] } : { keys: [], values: [] };
  if (old === undefined) return [now === undefined ? none : column.in(now), none];
  if (now === undefined) return [none, column.in(old)];
  const [before, after] = [column.in(old), column.in(now)];
  if (before === after) return [none, none];
  // For the type of the column a diff would be the new value where it holds one element at most.
  const touched = diffDatums(before, after, { ...column.type, max: Number.POSITIVE_INFINITY });
  const differs = (datum: Datum, other: Datum): Datum =>
    keep(datum, (i) => {
      const key: Atom = datum.keys[i] ?? 0;
      if (!hasKey(touched, key)) return false;
      const at = datum.values === undefined ? -1 : findKey(other, key);
      return at < 0 || other.values?.[at] !== datum.values?.[i];
    });
  if (touched.keys.length === 0) return [none, none];
  return [differs(after, before), differs(before, after)];
}

/** A row does not keep itself alive. */
const isSelf = (row: StoredRow, target: StoredTable, uuid: string): boolean => target === row.table && uuid === row.uuid;

function countReferences(txn: RowsUnderway, change: RowChange): OvsdbError | undefined {
  const { row } = change;
  let bad: OvsdbError | undefined;
  for (const column of row.table.strongColumns) {
    const [added, removed] = addedAndRemoved(column, change.old, change.now);
    forEachReference(column, removed, "strong", (target, uuid) => {
      if (isSelf(row, target, uuid)) return;
      const referred = txn.rowEver(target, uuid);
      assert(referred !== undefined, "a committed reference dangles");
      txn.touch(referred).references--;
    });
    forEachReference(column, added, "strong", (target, uuid) => {
      if (isSelf(row, target, uuid)) return;
      const referred = txn.rowEver(target, uuid);
      if (referred !== undefined) txn.touch(referred).references++;
      else {
        const where = `Table ${row.table.name} column ${column.name} row ${row.uuid}`;
        bad ??= violation(`${where} references nonexistent row ${uuid} in table ${target.name}.`);
      }
    });
  }
  return bad;
}

/** Deletes rows of non-root tables that nothing refers to, and what only they referred to. */
function collectGarbage(txn: RowsUnderway): void {
  // Touching a row puts it at the end of `changes`, so that the walk comes to it; an earlier one is put on the stack.
  const doomed: StoredRow[] = [];
  const isGarbage = (change: RowChange): boolean => !change.isDeleted && change.references === 0 && !change.row.table.schema.isRoot;
  for (const change of txn.changes) if (isGarbage(change)) doomed.push(change.row);
  for (let row = doomed.pop(); row !== undefined; row = doomed.pop()) {
    if (txn.touch(row).isDeleted) continue;
    txn.delete(row);
    const doomedRow = row;
    for (const column of row.table.strongColumns) {
      forEachReference(column, column.of(row), "strong", (target, uuid) => {
        if (isSelf(doomedRow, target, uuid)) return;
        const referred = txn.rowEver(target, uuid);
        assert(referred !== undefined, "a reference of a checked row dangles");
        const change = txn.touch(referred);
        change.references--;
        if (isGarbage(change)) doomed.push(referred);
      });
    }
  }
}

/** Takes the references to a deleted row out of the rows that hold them. */
function dropReferencesTo(txn: RowsUnderway, gone: StoredRow): OvsdbError | undefined {
  for (const referrer of gone.weakReferrers?.keys() ?? []) {
    if (referrer.table.rows.get(referrer.uuid) !== referrer) continue;
    txn.touch(referrer);
    const bad = dropFrom(txn, referrer, (target, uuid) => target === gone.table && uuid === gone.uuid);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

/** Takes those new references out of a row that name no row. */
function dropDanglingReferences(change: RowChange): OvsdbError | undefined {
  const { row, old } = change;
  if (row.table.weakColumns.length === 0 || row.fields === old) return undefined;
  return dropFrom(undefined, row, (target, uuid) => !target.rows.has(uuid));
}

function dropFrom(
  txn: RowsUnderway | undefined, row: StoredRow, isGone: (target: StoredTable, uuid: string) => boolean,
): OvsdbError | undefined {
  let fields: Datum[] | undefined;
  for (const column of row.table.weakColumns) {
    const datum = column.in(row.fields);
    const before = row.change?.old;
    // What has not changed since it was checked cannot dangle for any other reason than a deletion, handled as such.
    if (txn === undefined && before !== undefined && column.in(before) === datum) continue;
    const { key, value } = column.type;
    const lost = (i: number): boolean =>
      (key.refType === "weak" && column.keyTable !== undefined && isGone(column.keyTable, String(datum.keys[i]))) ||
      (value?.refType === "weak" && column.valueTable !== undefined && isGone(column.valueTable, String(datum.values?.[i])));
    const places = datum.keys.map((_, i) => i).filter(lost);
    if (places.length === 0) continue;
    const rest = keep(datum, (i) => !lost(i));
    if (rest.keys.length < column.type.min) return becameEmpty(row, column, datum, places.length);
    fields ??= [...row.fields];
    fields[column.index] = rest;
  }
  if (fields !== undefined) row.replaceFields(fields);
  return undefined;
}

function becameEmpty(row: StoredRow, column: StoredColumn, datum: Datum, lost: number): OvsdbError {
  const inserted = row.change?.old === undefined;
  const where = `"${column.name}" in "${row.table.name}" row ${row.uuid}`;
  if (inserted && (datum.keys.includes(zeroUuid) || datum.values?.includes(zeroUuid) === true)) {
    return new OvsdbError(
      "constraint violation",
      `Weak reference column ${where} (inserted within this transaction) contained all-zeros UUID (probably as the default ` +
        "value for this column) but deleting this value caused a constraint volation because this column is not allowed to be empty.",
    );
  }
  return new OvsdbError(
    "constraint violation",
    `Deletion of ${lost} weak reference(s) to deleted (or never-existing) rows from column ${where} ` +
      `${inserted ? "(inserted within this transaction) " : ""}caused this column to become empty, but constraints on this column disallow an empty column.`,
  );
}

/** Brings the lists of referrers up to date with a change that stands. */
export function commitWeakReferences(change: RowChange): void {
  const { row } = change;
  for (const column of row.table.weakColumns) {
    if (change.old !== undefined && change.now !== undefined && column.in(change.old) === column.in(change.now)) continue;
    const [added, removed] = addedAndRemoved(column, change.old, change.now);
    forEachReference(column, removed, "weak", (target, uuid) => {
      const referrers = target.rows.get(uuid)?.weakReferrers;
      const count = referrers?.get(row) ?? 0;
      if (count > 1) referrers?.set(row, count - 1);
      else referrers?.delete(row);
    });
    forEachReference(column, added, "weak", (target, uuid) => {
      const referred = target.rows.get(uuid);
      if (referred === undefined) return;
      referred.weakReferrers ??= new Map();
      referred.weakReferrers.set(row, (referred.weakReferrers.get(row) ?? 0) + 1);
    });
  }
}
