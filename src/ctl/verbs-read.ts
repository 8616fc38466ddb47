/** The generic commands that only look: get, list, find, wait-until, comment (ovs-vsctl(8), "Database Command"). */
import { type ColumnType, type Database, printAtom, printDatum } from "../ovsdb/index.ts";
import { argument, type Call, type Command, commands, type Context } from "./command.ts";
import { fail, TryAgain } from "./command-error.ts";
import { holds } from "./conditions.ts";
import { keyIndex } from "./datum-sets.ts";
import { type ColumnEntry, findColumn, findTable, type TableEntry } from "./names.ts";
import type { Cell } from "./output-table.ts";
import { findRecord, getRecord, readsToName, type RowNames } from "./record.ts";
import { nextToken, parseColumnKey } from "./tokens.ts";
import { atomFromText } from "./value-text.ts";
import type { WorkRow, Workspace } from "./workspace.ts";

export const databaseGroup = "Any table";
const uuidType: ColumnType = { key: { kind: "uuid" }, min: 1, max: 1 };
const isUuidColumn = (text: string): boolean => /^[_-]uuid$/i.test(text);

/** The columns that arguments like `COLUMN:KEY=VALUE` name, for fetching. */
function columnsNamed(table: TableEntry, words: readonly string[]): readonly string[] {
  return words.filter((w) => !isUuidColumn(w)).map((word) => {
    const { token } = nextToken(word, 0);
    if (token === "") fail(`${word}: missing column name`);
    return findColumn(table, token).name;
  });
}

const reads = (table: TableEntry, columns: readonly string[], names: RowNames): readonly string[] => [
  `${table.name}:${columns.join(",")}`,
  ...readsToName(table.name, names),
];

/** `--columns=a,b`, or all of them in alphabetical order; undefined stands for the UUID. */
function chosenColumns(table: TableEntry, given: string | undefined): readonly (ColumnEntry | undefined)[] {
  if (given === undefined) {
    const names = Object.keys(table.schema.columns).sort();
    return [undefined, ...names.map((name) => findColumn(table, name))];
  }
  const words = given.split(/[, ]+/).filter((w) => w !== "");
  if (words.length === 0) fail("must specify at least one column name");
  return words.map((word) => (/^_uuid$/i.test(word) ? undefined : findColumn(table, word)));
}

const fetched = (columns: readonly (ColumnEntry | undefined)[]): readonly string[] => columns.flatMap((c) => c?.name ?? []);

function cells<D extends Database>(db: Workspace<D>, row: WorkRow, columns: readonly (ColumnEntry | undefined)[]): readonly Cell[] {
  return columns.map((column) =>
    column === undefined ? { datum: { keys: [row._uuid] }, type: uuidType } : { datum: db.datum(row, column.name), type: column.schema.type },
  );
}

export function readingVerbs<D extends Database>(schema: D, names: RowNames): readonly Command<D>[] {
  const tableOf = (call: Call): TableEntry => findTable(schema, argument(call, 0));
  const setTable = (context: Context<D>, rows: readonly WorkRow[]): void => {
    const columns = chosenColumns(tableOf(context), context.options.get("--columns"));
    context.table = { headings: columns.map((c) => c?.name ?? "_uuid"), rows: rows.map((row) => cells(context.db, row, columns)) };
  };
  const list: readonly Command<D>[] = [
    {
      name: "comment", usage: "[ARG]...", minArgs: 0, maxArgs: Infinity, options: "", help: "say why, in the database's log",
      writes: false, reads: [], run: () => undefined,
    },
    {
      name: "get", usage: "TABLE RECORD [COLUMN[:KEY]]...", minArgs: 2, maxArgs: Infinity, options: "--if-exists,--id=",
      help: "print values of columns of one record", writes: false, reads: [],
      readsOf: (call) => reads(tableOf(call), columnsNamed(tableOf(call), call.args.slice(2)), names),
      run: (context) => get(context, tableOf(context), names),
    },
    {
      name: "list", usage: "TABLE [RECORD]...", minArgs: 1, maxArgs: Infinity, options: "--if-exists,--columns=",
      help: "list records, or all of them", writes: false, reads: [],
      readsOf: (call) => reads(tableOf(call), fetched(chosenColumns(tableOf(call), call.options.get("--columns"))), names),
      run(context) {
        const { name } = tableOf(context);
        const given = context.args.slice(1);
        const find = context.options.has("--if-exists") ? findRecord : getRecord;
        setTable(context, given.length === 0 ? context.db.anyRows(name) : given.flatMap((g) => find(context.db, names, name, g) ?? []));
      },
    },
    {
      name: "find", usage: "TABLE [COLUMN[:KEY]=VALUE]...", minArgs: 1, maxArgs: Infinity, options: "--columns=",
      help: "list the records for which the conditions hold", writes: false, reads: [],
      readsOf: (call) => {
        const table = tableOf(call);
        const shown = fetched(chosenColumns(table, call.options.get("--columns")));
        return reads(table, [...shown, ...columnsNamed(table, call.args.slice(1))], names);
      },
      run(context) {
        const table = tableOf(context);
        const rows = context.db.anyRows(table.name);
        setTable(context, rows.filter((row) => context.args.slice(1).every((c) => holds(context.db, table, row, c, context.symbols))));
      },
    },
    {
      name: "wait-until", usage: "TABLE RECORD [COLUMN[:KEY]=VALUE]...", minArgs: 2, maxArgs: Infinity, options: "",
      help: "wait until the conditions hold for the record", writes: false, reads: [],
      readsOf: (call) => reads(tableOf(call), columnsNamed(tableOf(call), call.args.slice(2)), names),
      run(context) {
        const table = tableOf(context);
        const row = findRecord(context.db, names, table.name, argument(context, 1));
        const met = row !== undefined && context.args.slice(2).every((c) => holds(context.db, table, row, c, context.symbols));
        if (!met) throw new TryAgain();
      },
    },
  ];
  return commands(databaseGroup, list);
}

function get<D extends Database>(context: Context<D>, table: TableEntry, names: RowNames): void {
  const { db, options } = context;
  const [, given = "", ...wanted] = context.args;
  const ifExists = options.has("--if-exists");
  const id = options.get("--id");
  if (id !== undefined && ifExists) fail("--if-exists and --id may not be specified together");
  const row = ifExists ? findRecord(db, names, table.name, given) : getRecord(db, names, table.name, given);
  if (row === undefined) return;
  if (id !== undefined) {
    const { symbol, isNew } = context.symbols.define(id);
    if (!isNew) fail(`row id "${id}" specified on "get" command was used before it was defined`);
    symbol.uuid = row._uuid;
    symbol.strongRef = true;
  }
  for (const word of wanted) context.output += `${isUuidColumn(word) ? row._uuid : columnText(context, table, row, given, word, ifExists)}\n`;
}

function columnText<D extends Database>(context: Context<D>, table: TableEntry, row: WorkRow, given: string, word: string, ifExists: boolean): string {
  const { db, symbols } = context;
  const { column, key } = parseColumnKey(table, word);
  const { type } = column.schema;
  db.verify(row, column.name);
  const datum = db.datum(row, column.name);
  if (key === undefined) return printDatum(datum, type);
  if (type.value === undefined) return fail(`cannot specify key to get for non-map column ${column.name}`);
  const value = datum.values?.[keyIndex(datum, atomFromText(key, type.key, symbols))];
  if (value !== undefined) return printAtom(value, type.value.kind);
  return ifExists ? "" : fail(`no key "${key}" in ${table.name} record "${given}" column ${column.name}`);
}
