/** Tables and columns as users name them: case and `-` or `_` do not matter, and a unique beginning is enough. */
import type { ColumnSchema, DatabaseSchema, TableSchema } from "../ovsdb/index.ts";
import { CommandError } from "./command-error.ts";

const fold = (text: string): string => text.toLowerCase().replaceAll("-", "_");

/** How well `given` names `name`: 0 not at all; more is better; exact is best. */
function score(name: string, given: string): number {
  if (name === given) return 3;
  const [a, b] = [fold(name), fold(given)];
  if (a === b) return 2;
  return b !== "" && a.startsWith(b) ? 1 : 0;
}

function bestMatches(names: readonly string[], given: string): readonly string[] {
  let best = 1;
  let matches: string[] = [];
  for (const name of names) {
    const points = score(name, given);
    if (points < best || points === 0) continue;
    if (points > best) matches = [];
    best = points;
    matches.push(name);
  }
  return matches;
}

export interface TableEntry {
  readonly name: string;
  readonly schema: TableSchema;
}

export function findTable(schema: DatabaseSchema, given: string): TableEntry {
  const matches = bestMatches(Object.keys(schema.tables), given);
  const [name] = matches;
  const table = name === undefined ? undefined : schema.tables[name];
  if (name === undefined || table === undefined) throw new CommandError(`unknown table "${given}"`);
  if (matches.length > 1) throw new CommandError(`"${given}" matches multiple table names: ${[...matches].sort().join(", ")}`);
  return { name, schema: table };
}

export interface ColumnEntry {
  readonly name: string;
  readonly schema: ColumnSchema;
}

export function findColumn(table: TableEntry, given: string): ColumnEntry {
  const matches = bestMatches(Object.keys(table.schema.columns), given);
  const [name] = matches;
  const column = name === undefined ? undefined : table.schema.columns[name];
  if (name === undefined || column === undefined) {
    throw new CommandError(`${table.name} does not contain a column whose name matches "${given}"`);
  }
  if (matches.length > 1) {
    throw new CommandError(`${table.name} contains more than one column whose name matches "${given}": ${[...matches].sort().join(", ")}`);
  }
  return { name, schema: column };
}
