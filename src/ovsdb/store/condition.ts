/**
 * Conditions (<condition> of RFC 7047, section 5.1, and the booleans that monitor_cond adds). In a `where` all clauses must
 * hold; in a monitor's `where` any one is enough, and none at all means every row.
 */
import { type Atom, compareAtoms, type Datum } from "../value/datum.ts";
import { datumFromJson, type NamedUuids } from "../value/datum-json.ts";
import { describeType, equalDatums, excludesAll, includesAll } from "../value/datum-sets.ts";
import { isJsonArray, type Json } from "../json/json.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { ColumnType } from "../schema/schema.ts";
import { type Fields, type StoredColumn, type StoredRow, type StoredTable, uuidIndex } from "./stored-table.ts";

const functions = ["==", "!=", "<", "<=", ">", ">=", "includes", "excludes"] as const;
type ConditionFunction = (typeof functions)[number];

export type Clause =
  | { readonly kind: "constant"; readonly holds: boolean }
  | { readonly kind: "column"; readonly column: StoredColumn; readonly function: ConditionFunction; readonly argument: Datum };

export type Condition = readonly Clause[];

export function conditionFromJson(table: StoredTable, json: readonly Json[], named?: NamedUuids): Condition | OvsdbError {
  const clauses: Clause[] = [];
  for (const item of json) {
    const clause = clauseFromJson(table, item, named);
    if (clause instanceof OvsdbError) return clause;
    clauses.push(clause);
  }
  return clauses;
}

function clauseFromJson(table: StoredTable, json: Json, named: NamedUuids | undefined): Clause | OvsdbError {
  if (typeof json === "boolean") return { kind: "constant", holds: json };
  const [columnName, functionName, argumentJson] = isJsonArray(json) && json.length === 3 ? json : [];
  if (typeof columnName !== "string" || typeof functionName !== "string") return syntaxError(json, "Parse error in condition.");
  const column = table.column(columnName);
  if (column === undefined) return syntaxError(json, `No column ${columnName} in table ${table.name}.`, "unknown column");
  const named_ = functions.find((f) => f === functionName);
  if (named_ === undefined) return new OvsdbError("unknown function", `No function named ${functionName}.`);
  const type = argumentType(column.type, named_);
  if (type === undefined) {
    const text = `"${named_}" operator may not be applied to column ${column.name} of type ${describeType(column.type)}.`;
    return syntaxError(json, `Type mismatch: ${text}`);
  }
  const argument = datumFromJson(argumentJson ?? null, type, named);
  return argument instanceof OvsdbError ? argument : { kind: "column", column, function: named_, argument };
}

/** The type an argument must have: sizes are relaxed where a part of a set makes sense. Undefined if the function does not apply. */
function argumentType(type: ColumnType, f: ConditionFunction): ColumnType | undefined {
  const single = type.value === undefined && type.max === 1;
  switch (f) {
    case "==":
    case "!=":
      return type;
    case "includes":
      return single && type.min === 1 ? type : { ...type, min: 0 };
    case "excludes":
      return single && type.min === 1 ? type : { ...type, min: 0, max: Number.POSITIVE_INFINITY };
    default:
      return single && (type.key.kind === "integer" || type.key.kind === "real") ? { ...type, min: 1 } : undefined;
  }
}

/** `row` for the columns that are no fields: its identity and version. */
function clauseHolds(clause: Clause, row: StoredRow, fields: Fields): boolean {
  if (clause.kind === "constant") return clause.holds;
  const { column, argument } = clause;
  const datum = column.index >= 0 ? column.in(fields) : column.of(row);
  switch (clause.function) {
    case "==":
      return equalDatums(datum, argument);
    case "!=":
      return !equalDatums(datum, argument);
    case "includes":
      return includesAll(datum, argument);
    case "excludes":
      return excludesAll(datum, argument);
    default: {
      const [left] = datum.keys;
      const [right] = argument.keys;
      if (left === undefined || right === undefined) return false;
      const order = compareAtoms(left, right);
      if (clause.function === "<") return order < 0;
      if (clause.function === "<=") return order <= 0;
      return clause.function === ">" ? order > 0 : order >= 0;
    }
  }
}

export const allHold = (condition: Condition, row: StoredRow, fields: Fields = row.fields): boolean =>
  condition.every((clause) => clauseHolds(clause, row, fields));

/**
 * A condition as monitors read it: one clause that holds is enough, and none at all means every row. Clients name hundreds
 * of values of one column (a chassis its datapaths): these are looked up, not tried one after the other.
 */
export class RowFilter {
  readonly #clauses: Condition;
  readonly #equal = new Map<StoredColumn, Set<Atom>>();
  readonly #others: Clause[] = [];

  constructor(clauses: Condition) {
    this.#clauses = clauses;
    for (const clause of clauses) {
      const [atom, ...more] = clause.kind === "column" ? clause.argument.keys : [];
      const isSingle = clause.kind === "column" && clause.column.type.max === 1 && clause.column.type.value === undefined;
      if (!isSingle || atom === undefined || more.length > 0 || (clause.function !== "==" && clause.function !== "includes")) {
        this.#others.push(clause);
        continue;
      }
      const atoms = this.#equal.get(clause.column);
      if (atoms === undefined) this.#equal.set(clause.column, new Set([atom]));
      else atoms.add(atom);
    }
  }

  matches(row: StoredRow, fields: Fields = row.fields): boolean {
    if (this.#clauses.length === 0) return true;
    for (const [column, atoms] of this.#equal) {
      const [atom] = (column.index >= 0 ? column.in(fields) : column.of(row)).keys;
      if (atom !== undefined && atoms.has(atom)) return true;
    }
    return this.#others.some((clause) => clauseHolds(clause, row, fields));
  }

  /** The rows that the filter can only pass if they have one of these UUIDs; undefined if it says anything else. */
  get uuids(): ReadonlySet<Atom> | undefined {
    const [[column, atoms] = []] = this.#equal;
    if (this.#clauses.length === 0 || this.#equal.size > 1 || this.#others.some((c) => c.kind !== "constant" || c.holds)) return undefined;
    return column === undefined ? new Set() : column.index === uuidIndex ? atoms : undefined;
  }
}

/** The rows for which all clauses hold, found by UUID or unique index where the clauses name one. */
export function query(table: StoredTable, condition: Condition): StoredRow[] {
  const rows: StoredRow[] = [];
  for (const row of candidates(table, condition)) if (allHold(condition, row)) rows.push(row);
  return rows;
}

function candidates(table: StoredTable, condition: Condition): Iterable<StoredRow> {
  if (condition.length === 0) return table.rows.values();
  const equals = new Map<StoredColumn, Datum>();
  for (const clause of condition) {
    if (clause.kind === "constant") {
      if (!clause.holds) return [];
    } else if (clause.function === "==" || (clause.function === "includes" && clause.column.index === uuidIndex)) {
      if (clause.column.index === uuidIndex) {
        const row = table.rows.get(String(clause.argument.keys[0]));
        return row === undefined ? [] : [row];
      }
      equals.set(clause.column, clause.argument);
    }
  }
  for (const index of table.indexes) {
    const values = index.columns.map((column) => equals.get(column));
    if (values.every((v) => v !== undefined)) return index.at(index.keyOf(values));
  }
  return table.rows.values();
}
