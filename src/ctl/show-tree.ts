/** `show` as most ctl programs print it: a tree of rows along their references (ovs-vsctl(8), "show"). */
import { type ColumnType, type Database, type Datum, defaultAtom, printAtom, printDatum } from "../ovsdb/index.ts";
import type { Command, Context } from "./command.ts";
import { fail } from "./command-error.ts";
import { sameDatum } from "./datum-sets.ts";
import { findTable } from "./names.ts";
import type { WorkRow } from "./workspace.ts";

export interface ShowTable {
  readonly table: string;
  /** Printed after the table's name; without it a row is its UUID. */
  readonly name?: string;
  readonly columns: readonly string[];
  /** Rows of another table that refer to this one with a weak reference. */
  readonly referrer?: { readonly table: string; readonly name: string; readonly reference: string };
}

/** The first is the root of the tree. */
export type ShowTables = readonly [ShowTable, ...(readonly ShowTable[])];

type Filters = ReadonlyMap<string, ReadonlySet<string>>;

export function showCommand<D extends Database>(schema: D, tables: ShowTables): Command<D> {
  return {
    name: "show", usage: "", minArgs: 0, maxArgs: 0, options: "--filter=", help: "print an overview of the database", writes: false,
    reads: tables.flatMap(({ table, name, columns, referrer }) => [
      `${table}:${[...(name === undefined ? [] : [name]), ...columns].join(",")}`,
      ...(referrer === undefined ? [] : [`${referrer.table}:${referrer.name},${referrer.reference}`]),
    ]),
    run(context) {
      const filters = parseFilters(context.options.get("--filter") ?? "", schema, tables[0].table);
      const tree = new Tree(context, tables, filters);
      for (const row of context.db.anyRows(tables[0].table)) context.output += tree.row(row, 0, new Set());
    },
  };
}

/** `TABLE(value|value),value`: only rows whose text holds one of the values; a bare value is for the root's table. */
function parseFilters<D extends Database>(text: string, schema: D, root: string): Filters {
  const filters = new Map<string, Set<string>>();
  for (const item of text.split(",").filter((i) => i !== "")) {
    const open = item.indexOf("(");
    if (open >= 0 && !item.endsWith(")")) fail("Malformed filter: missing closing ')'");
    const table = open < 0 ? root : findTable(schema, item.slice(0, open)).name;
    const values = (open < 0 ? item : item.slice(open + 1, -1)).split("|").filter((v) => v !== "");
    filters.set(table, new Set([...(filters.get(table) ?? []), ...values]));
  }
  return filters;
}

class Tree<D extends Database> {
  readonly #context: Context<D>;
  readonly #tables: ShowTables;
  readonly #filters: Filters;

  constructor(context: Context<D>, tables: ShowTables, filters: Filters) {
    this.#context = context;
    this.#tables = tables;
    this.#filters = filters;
  }

  /** `above`: tables of the rows that this one hangs on, which are not gone into again. */
  row(row: WorkRow, level: number, above: ReadonlySet<string>): string {
    const show = this.#tables.find((t) => t.table === row._table);
    const title = show?.name === undefined ? row._uuid : `${row._table} ${this.#print(row, show.name)}`;
    const head = `${indent(level)}${title}\n`;
    if (show === undefined || above.has(row._table)) return head;
    const inside = new Set([...above, row._table]);
    const body = show.columns.map((column) => this.#column(row, column, level, inside)).join("");
    const text = head + body + this.#referrers(show, row, level);
    const filter = this.#filters.get(row._table);
    const folded = text.toLowerCase();
    return filter === undefined || [...filter].some((value) => folded.includes(value.toLowerCase())) ? text : "";
  }

  #column(row: WorkRow, column: string, level: number, inside: ReadonlySet<string>): string {
    const { db } = this.#context;
    const { type } = db.column(row._table, column);
    const datum = db.datum(row, column);
    const target = this.#tables.find((t) => t.table === (type.value ?? type.key).refTable);
    if (target !== undefined && type.value === undefined) {
      return this.#targets(target, datum).map((r) => this.row(r, level + 1, inside)).join("");
    }
    if (target?.name !== undefined) return this.#references(target, target.name, column, datum, type, level);
    return isDefault(datum, type) ? "" : `${indent(level + 1)}${column}: ${printDatum(datum, type)}\n`;
  }

  /** By name rather than by UUID, which is chance. */
  #targets({ table }: ShowTable, { keys }: Datum): readonly WorkRow[] {
    const wanted = new Set(keys);
    return wanted.size === 0 ? [] : this.#context.db.anyRows(table).filter((r) => wanted.has(r._uuid));
  }

  #references(target: ShowTable, name: string, column: string, datum: Datum, type: ColumnType, level: number): string {
    const { db } = this.#context;
    const lines = datum.keys.map((key, i) => {
      const referred = db.anyRow(target.table, String(datum.values?.[i]));
      const text = referred === undefined ? '"<null>"' : this.#print(referred, name);
      return `${indent(level + 2)}${printAtom(key, type.key.kind)}=${text}\n`;
    });
    return `${indent(level + 1)}${column}:\n${lines.join("")}`;
  }

  #referrers({ referrer }: ShowTable, row: WorkRow, level: number): string {
    if (referrer === undefined) return "";
    const { db } = this.#context;
    const rows = db.anyRows(referrer.table).filter((r) => db.datum(r, referrer.reference).keys[0] === row._uuid);
    return rows.map((r) => `${indent(level + 1)}${referrer.table} ${this.#print(r, referrer.name)}\n`).join("");
  }

  #print(row: WorkRow, column: string): string {
    const { db } = this.#context;
    return printDatum(db.datum(row, column), db.column(row._table, column).type);
  }
}

const indent = (level: number): string => " ".repeat(level * 4);

function isDefault(datum: Datum, type: ColumnType): boolean {
  if (type.min === 0) return datum.keys.length === 0;
  return sameDatum(datum, { keys: [defaultAtom(type.key.kind)] });
}
