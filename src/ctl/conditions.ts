/** `COLUMN[:KEY] OPERATOR VALUE`: what find selects by and wait-until waits for (ovs-vsctl(8), "find"). */
import type { ColumnType, Database, Datum } from "../ovsdb/index.ts";
import { fail } from "./command-error.ts";
import { compareDatums, excludesAll, includesAll, keyIndex } from "./datum-sets.ts";
import type { TableEntry } from "./names.ts";
import type { Symbols } from "./symbols.ts";
import { parseAssignment } from "./tokens.ts";
import { atomFromText, datumFromText } from "./value-text.ts";
import type { WorkRow, Workspace } from "./workspace.ts";

const relations: { readonly [operator: string]: (a: Datum, b: Datum) => boolean } = {
  "=": (a, b) => compareDatums(a, b) === 0,
  "!=": (a, b) => compareDatums(a, b) !== 0,
  "<": (a, b) => compareDatums(a, b) < 0,
  ">": (a, b) => compareDatums(a, b) > 0,
  "<=": (a, b) => compareDatums(a, b) <= 0,
  ">=": (a, b) => compareDatums(a, b) >= 0,
  "{=}": (a, b) => compareDatums(a, b) === 0,
  "{!=}": (a, b) => compareDatums(a, b) !== 0,
  "{<}": (a, b) => b.keys.length > a.keys.length && includesAll(a, b),
  "{>}": (a, b) => a.keys.length > b.keys.length && includesAll(b, a),
  "{<=}": includesAll,
  "{>=}": (a, b) => includesAll(b, a),
  "{in}": includesAll,
  "{not-in}": excludesAll,
};
const operators = Object.keys(relations);

export function holds<D extends Database>(db: Workspace<D>, table: TableEntry, row: WorkRow, text: string, symbols: Symbols): boolean {
  const { column, key, operator, value } = parseAssignment(table, text, operators);
  const relation = relations[operator] ?? fail(`${text}: unknown operator`);
  const { type } = column.schema;
  const have = db.datum(row, column.name);
  if (key === undefined) return relation(have, datumFromText(value, type, symbols));
  if (type.value === undefined) return fail(`cannot specify key to check for non-map column ${column.name}`);
  const at = keyIndex(have, atomFromText(key, type.key, symbols));
  const valueType: ColumnType = { key: type.value, min: type.min, max: Number.POSITIVE_INFINITY };
  const want = datumFromText(value, valueType, symbols);
  if (at < 0 && !operator.startsWith("{")) return false;
  const found = have.values?.[at];
  return relation({ keys: found === undefined ? [] : [found] }, want);
}
