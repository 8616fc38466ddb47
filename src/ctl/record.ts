/**
 * Which row a user means: by UUID, by `.` for the only one there is, by whatever names rows of that table, or by the
 * beginning of a UUID (at least four digits).
 */
import { type Atom, type Database, type Datum, isUuid } from "../ovsdb/index.ts";
import { fail } from "./command-error.ts";
import { keyIndex } from "./datum-sets.ts";
import type { WorkRow, Workspace } from "./workspace.ts";

/** A way of naming rows of a table: by a column of its own or, with `via`, by a column of the row that refers to them. */
export interface RowName {
  readonly column: string;
  /** Of a map column: the key whose value is the name. */
  readonly key?: string;
  /** The table that `column` is in, and its column that refers to the row meant. */
  readonly via?: { readonly table: string; readonly reference: string };
}

export type RowNames = { readonly [table: string]: readonly RowName[] };

/** What must be fetched so that rows of the table can be named. */
export function readsToName(table: string, names: RowNames): readonly string[] {
  return (names[table] ?? []).map(({ column, via }) => (via === undefined ? `${table}:${column}` : `${via.table}:${column},${via.reference}`));
}

export function findRecord<D extends Database>(db: Workspace<D>, names: RowNames, table: string, given: string): WorkRow | undefined {
  const byUuid = isUuid(given) ? db.anyRow(table, given.toLowerCase()) : undefined;
  if (byUuid !== undefined) return byUuid;
  if (given === ".") {
    const rows = db.anyRows(table);
    if (rows.length === 1) return rows[0];
  }
  for (const name of names[table] ?? []) {
    const row = findByName(db, table, name, given);
    if (row !== undefined) return row;
  }
  return isUuidBeginning(given) ? findByBeginning(db.anyRows(table), table, given) : undefined;
}

export function getRecord<D extends Database>(db: Workspace<D>, names: RowNames, table: string, given: string): WorkRow {
  return findRecord(db, names, table, given) ?? fail(`no row "${given}" in table ${table}`);
}

function findByName<D extends Database>(db: Workspace<D>, table: string, name: RowName, given: string): WorkRow | undefined {
  const namedTable = name.via?.table ?? table;
  if (!db.isFetched(namedTable, name.column)) return undefined;
  const found = candidates(db, namedTable, name, given).filter((row) => {
    const atom = nameAtom(db.datum(row, name.column), name.key);
    return atom !== undefined && isNamed(atom, given);
  });
  if (found.length > 1) fail(`multiple rows in ${namedTable} match "${given}"`);
  const [row] = found;
  if (row === undefined || name.via === undefined) return row;
  db.verify(row, name.via.reference);
  const [target, ...others] = db.datum(row, name.via.reference).keys;
  return typeof target === "string" && others.length === 0 ? db.anyRow(table, target) : undefined;
}

/** Only a name that may be a shortened UUID, or that is not a column's key, needs a look at every row. */
function candidates<D extends Database>(db: Workspace<D>, table: string, { column, key }: RowName, given: string): readonly WorkRow[] {
  const { kind } = db.column(table, column).type.key;
  const indexed = key === undefined && kind === "string" && !isUuidBeginning(given);
  return indexed ? db.anyRowsHolding(table, column, given) : db.anyRows(table);
}

function nameAtom(datum: Datum, key: string | undefined): Atom | undefined {
  if (key === undefined) return datum.keys.length === 1 ? datum.keys[0] : undefined;
  return datum.values?.[keyIndex(datum, key)];
}

function isNamed(atom: Atom, given: string): boolean {
  if (typeof atom === "string") {
    // A name that is itself a UUID may be shortened as one.
    return atom === given || (given.length >= 4 && isUuid(atom) && atom.startsWith(given));
  }
  return /^\d+$/.test(given) && BigInt(given) === BigInt(Number(atom));
}

const isUuidBeginning = (text: string): boolean =>
  text.length >= 4 && text.length <= 36 && [...text].every((c, i) => ([8, 13, 18, 23].includes(i) ? c === "-" : /[0-9a-fA-F]/.test(c)));

function findByBeginning(rows: readonly WorkRow[], table: string, given: string): WorkRow | undefined {
  const [first, second] = rows.filter((row) => row._uuid.startsWith(given.toLowerCase()));
  if (first !== undefined && second !== undefined) {
    fail(`${table} contains 2 or more rows whose UUIDs begin with ${given}: at least ${first._uuid} and ${second._uuid}`);
  }
  return first;
}
