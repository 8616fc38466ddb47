/** The generic commands that change things: set, add, remove, clear, create, destroy (ovs-vsctl(8), "Database Command"). */
import { type ColumnType, type Database, type Datum, isUuid } from "../ovsdb/index.ts";
import { argument, type Call, type Command, commands, type Context } from "./command.ts";
import { CommandError, fail } from "./command-error.ts";
import { subtract, union } from "./datum-sets.ts";
import { type ColumnEntry, findColumn, findTable, type TableEntry } from "./names.ts";
import { findRecord, getRecord, readsToName, type RowNames } from "./record.ts";
import type { Symbols } from "./symbols.ts";
import { nextToken, parseAssignment } from "./tokens.ts";
import { atomFromText, datumFromText } from "./value-text.ts";
import { databaseGroup } from "./verbs-read.ts";
import type { WorkRow, Workspace } from "./workspace.ts";

export function writingVerbs<D extends Database>(schema: D, names: RowNames): readonly Command<D>[] {
  const tableOf = (call: Call): TableEntry => findTable(schema, argument(call, 0));
  const rowOf = (context: Context<D>): WorkRow | undefined => {
    const find = context.options.has("--if-exists") ? findRecord : getRecord;
    return find(context.db, names, tableOf(context).name, argument(context, 1));
  };
  const named = (call: Call, columns: readonly string[]): readonly string[] => {
    const table = tableOf(call);
    return [`${table.name}:${columns.map((c) => findColumn(table, c).name).join(",")}`, ...readsToName(table.name, names)];
  };
  const one = { maxArgs: Infinity, options: "--if-exists", writes: true, reads: [] };
  const list: readonly Command<D>[] = [
    {
      ...one, name: "set", usage: "TABLE RECORD COLUMN[:KEY]=VALUE...", minArgs: 3, help: "set columns of a record",
      readsOf: (call) => named(call, call.args.slice(2).map(columnWord)),
      run(context) {
        const row = rowOf(context);
        if (row !== undefined) for (const word of context.args.slice(2)) setColumn(context.db, tableOf(context), row, word, context.symbols);
      },
    },
    {
      ...one, name: "add", usage: "TABLE RECORD COLUMN [KEY=]VALUE...", minArgs: 4, help: "add values to a column of a record",
      readsOf: (call) => named(call, [argument(call, 2)]),
      run: (context) => change(context, tableOf(context), rowOf, addTo),
    },
    {
      ...one, name: "remove", usage: "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...", minArgs: 4, help: "remove values from a column",
      readsOf: (call) => named(call, [argument(call, 2)]),
      run: (context) => change(context, tableOf(context), rowOf, removeFrom),
    },
    {
      ...one, name: "clear", usage: "TABLE RECORD COLUMN...", minArgs: 3, help: "empty columns of a record",
      readsOf: (call) => named(call, call.args.slice(2)),
      run(context) {
        const row = rowOf(context);
        if (row !== undefined) for (const word of context.args.slice(2)) clear(context.db, tableOf(context), row, word);
      },
    },
    {
      ...one, name: "create", usage: "TABLE COLUMN[:KEY]=VALUE...", minArgs: 2, options: "--id=", help: "create a record",
      readsOf: (call) => {
        tableOf(call);
        return [];
      },
      run: (context) => create(context, tableOf(context)),
      committed(context, uuidOf) {
        context.output = `${uuidOf(context.output)}\n`;
      },
    },
    {
      ...one, name: "destroy", usage: "TABLE [RECORD]...", minArgs: 1, options: "--if-exists,--all", help: "delete records",
      readsOf: (call) => named(call, []),
      run: (context) => destroy(context, tableOf(context).name, names),
    },
  ];
  return commands(databaseGroup, list);
}

function columnWord(word: string): string {
  const { token } = nextToken(word, 0);
  return token === "" ? fail(`${word}: missing column name`) : token;
}

function checkMutable(table: TableEntry, row: WorkRow, column: ColumnEntry): void {
  if (column.schema.mutable || row.stored === undefined) return;
  fail(`cannot modify read-only column ${column.name} in table ${table.name}`);
}

/** `COLUMN[:KEY]=VALUE` on a row, new or old: also what create and the options of several specific commands do. */
export function setColumn<D extends Database>(db: Workspace<D>, table: TableEntry, row: WorkRow, word: string, symbols: Symbols): void {
  const { column, key, value } = parseAssignment(table, word);
  checkMutable(table, row, column);
  const { type } = column.schema;
  if (key === undefined) {
    db.write(row, column.name, datumFromText(value, type, symbols), "assign");
    return;
  }
  if (type.value === undefined) throw new CommandError(`cannot specify key to set for non-map column ${column.name}`);
  const pair: Datum = { keys: [atomFromText(key, type.key, symbols)], values: [atomFromText(value, type.value, symbols)] };
  db.write(row, column.name, union(db.datum(row, column.name), pair), "merge");
}

type Combine = (old: Datum, word: string, column: ColumnEntry, symbols: Symbols) => Datum;

function change<D extends Database>(context: Context<D>, table: TableEntry, rowOf: (context: Context<D>) => WorkRow | undefined, combine: Combine): void {
  const { db, symbols, args } = context;
  const column = findColumn(table, argument(context, 2));
  const row = rowOf(context);
  if (row === undefined) return;
  checkMutable(table, row, column);
  const result = args.slice(3).reduce((old, word) => combine(old, word, column, symbols), db.datum(row, column.name));
  const { min, max, value } = column.schema.type;
  const what = value === undefined ? "values" : "pairs";
  const where = `${what} in column ${column.name} of table ${table.name}`;
  if (result.keys.length > max) fail(`"add" operation would put ${result.keys.length} ${where} but the maximum number is ${max}`);
  if (result.keys.length < min) fail(`"remove" operation would put ${result.keys.length} ${where} but the minimum number is ${min}`);
  db.write(row, column.name, result, "merge");
  if (max <= 1 || min > 0) db.verify(row, column.name);
}

const anyNumber = (type: ColumnType): ColumnType => ({ ...type, min: 1, max: Number.POSITIVE_INFINITY });

/** A key that is there already keeps its value. */
const addTo: Combine = (old, word, { schema: { type } }, symbols) => union(datumFromText(word, anyNumber(type), symbols), old);

const removeFrom: Combine = (old, word, { schema: { type } }, symbols) => {
  if (type.value === undefined) return subtract(old, datumFromText(word, anyNumber(type), symbols));
  try {
    return subtract(old, datumFromText(word, anyNumber(type), symbols));
  } catch (error) {
    // Keys alone will do.
    if (!(error instanceof CommandError)) throw error;
    return subtract(old, datumFromText(word, { key: type.key, min: 1, max: Number.POSITIVE_INFINITY }, symbols));
  }
};

function clear<D extends Database>(db: Workspace<D>, table: TableEntry, row: WorkRow, word: string): void {
  const column = findColumn(table, word);
  checkMutable(table, row, column);
  const { type } = column.schema;
  if (type.min > 0) fail(`"clear" operation cannot be applied to column ${column.name} of table ${table.name}, which is not allowed to be empty`);
  db.write(row, column.name, type.value === undefined ? { keys: [] } : { keys: [], values: [] }, "assign");
}

function create<D extends Database>(context: Context<D>, table: TableEntry): void {
  const { db, symbols } = context;
  const id = context.options.get("--id");
  if (id === undefined && !table.schema.isRoot) {
    context.warn(`applying "create" command to table ${table.name} without --id option will have no effect`, "db_ctl_base");
  }
  const row = newRow(context, table, id);
  for (const word of context.args.slice(1)) setColumn(db, table, row, word, symbols);
  context.output = row._uuid;
}

function newRow<D extends Database>({ db, symbols }: Context<D>, table: TableEntry, id: string | undefined): WorkRow {
  if (id === undefined) return db.insertAny(table.name, db.newUuid(), false);
  if (isUuid(id)) return db.insertAny(table.name, id.toLowerCase(), true);
  const { symbol } = symbols.define(id);
  // Rows of a root table stay without anything referring to them.
  if (table.schema.isRoot) symbol.strongRef = true;
  return db.insertAny(table.name, symbol.uuid, false);
}

function destroy<D extends Database>(context: Context<D>, table: string, names: RowNames): void {
  const { db, options } = context;
  const given = context.args.slice(1);
  const all = options.has("--all");
  if (all && given.length > 0) fail("--all and records argument should not be specified together");
  if (all && options.has("--if-exists")) fail("--all and --if-exists should not be specified together");
  if (!all && given.length === 0) context.warn("either --all or records argument should be specified", "db_ctl_base");
  if (all) for (const row of db.anyRows(table)) db.delete(row);
  for (const word of given) {
    const row = options.has("--if-exists") ? findRecord(db, names, table, word) : getRecord(db, names, table, word);
    if (row !== undefined) db.delete(row);
  }
}
