/** A copy of a store under another schema: what both have is taken over; values must fit the new types. */
import type { Datum } from "../value/datum.ts";
import { checkAtom } from "../value/constraints.ts";
import { describeType } from "../value/datum-sets.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import type { ColumnType, DatabaseSchema } from "../schema/schema.ts";
import { Store } from "./store.ts";
import { StoreTransaction } from "./store-transaction.ts";
import type { Fields, StoredRow, StoredTable } from "./stored-table.ts";

export function convertStore(from: Store, schema: DatabaseSchema): Store | OvsdbError {
  const to = new Store(schema, from.makeUuid);
  const transaction = new StoreTransaction(to);
  for (const source of from.tables.values()) {
    const target = to.tables.get(source.name);
    if (target === undefined) continue;
    for (const row of source.rows.values()) {
      const fields = convertRow(row, target);
      if (fields instanceof OvsdbError) return fields;
      transaction.insert(target, row.uuid, fields);
    }
  }
  const bad = transaction.check();
  if (bad !== undefined) return bad;
  transaction.commit();
  return to;
}

function convertRow(row: StoredRow, target: StoredTable): Fields | OvsdbError {
  const fields = [...target.defaults];
  for (const column of row.table.columns) {
    const wanted = target.column(column.name);
    if (wanted === undefined) continue;
    const datum = convertDatum(column.of(row), column.type, wanted.type);
    if (datum instanceof OvsdbError) return datum;
    fields[wanted.index] = datum;
  }
  return fields;
}

function convertDatum(datum: Datum, from: ColumnType, to: ColumnType): Datum | OvsdbError {
  if (from.key.kind !== to.key.kind || from.value?.kind !== to.value?.kind || datum.keys.length < to.min || datum.keys.length > to.max) {
    return new OvsdbError("constraint violation", `value of type ${describeType(from)} cannot be converted to ${describeType(to)}`);
  }
  for (const [atoms, base] of [[datum.keys, to.key], [datum.values ?? [], to.value ?? to.key]] as const) {
    for (const atom of atoms) {
      const bad = checkAtom(atom, base);
      if (bad !== undefined) return bad;
    }
  }
  return datum;
}
