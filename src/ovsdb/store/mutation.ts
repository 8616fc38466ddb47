/** Mutations (<mutation> of RFC 7047, section 5.1): arithmetic on numbers, insertion into and deletion from sets and maps. */
import { checkAtom } from "../value/constraints.ts";
import { type Atom, compareAtoms, type Datum } from "../value/datum.ts";
import { datumFromJson, type NamedUuids } from "../value/datum-json.ts";
import { describeType, subtractDatums, unionDatums } from "../value/datum-sets.ts";
import { isJsonArray, type Json } from "../json/json.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { ColumnType } from "../schema/schema.ts";
import type { Fields, StoredColumn, StoredTable } from "./stored-table.ts";

const mutators = ["+=", "-=", "*=", "/=", "%=", "insert", "delete"] as const;
type Mutator = (typeof mutators)[number];

export interface Mutation {
  readonly column: StoredColumn;
  readonly mutator: Mutator;
  readonly argument: Datum;
}

export function mutationsFromJson(table: StoredTable, json: readonly Json[], named?: NamedUuids): readonly Mutation[] | OvsdbError {
  const mutations: Mutation[] = [];
  for (const item of json) {
    const mutation = mutationFromJson(table, item, named);
    if (mutation instanceof OvsdbError) return mutation;
    mutations.push(mutation);
  }
  return mutations;
}

function mutationFromJson(table: StoredTable, json: Json, named: NamedUuids | undefined): Mutation | OvsdbError {
  const [columnName, mutatorName, argumentJson = null] = isJsonArray(json) && json.length === 3 ? json : [];
  if (typeof columnName !== "string" || typeof mutatorName !== "string") return syntaxError(json, "Parse error in mutation.");
  const column = table.column(columnName);
  if (column === undefined) return syntaxError(json, `No column ${columnName} in table ${table.name}.`, "unknown column");
  if (!column.mutable) {
    return syntaxError(json, `Cannot mutate immutable column ${columnName} in table ${table.name}.`, "constraint violation");
  }
  const mutator = mutators.find((m) => m === mutatorName);
  if (mutator === undefined) return new OvsdbError("unknown mutator", `No mutator named ${mutatorName}.`);
  const argument = argumentFromJson(column.type, mutator, argumentJson, named);
  if (argument === undefined) {
    const text = `"${mutator}" operator may not be applied to column ${column.name} of type ${describeType(column.type)}.`;
    return syntaxError(json, `Type mismatch: ${text}`);
  }
  return argument instanceof OvsdbError ? argument : { column, mutator, argument };
}

function argumentFromJson(type: ColumnType, mutator: Mutator, json: Json, named: NamedUuids | undefined): Datum | OvsdbError | undefined {
  const isSet = type.value === undefined && !(type.min === 1 && type.max === 1);
  if (mutator === "insert" || mutator === "delete") {
    if (!isSet && type.value === undefined) return undefined;
    const relaxed = { ...type, min: 0, ...(mutator === "delete" ? { max: Number.POSITIVE_INFINITY } : {}) };
    const argument = datumFromJson(json, relaxed, named);
    // From a map one may delete by key alone.
    if (!(argument instanceof OvsdbError) || type.value === undefined || mutator === "insert") return argument;
    return datumFromJson(json, { key: type.key, min: 0, max: Number.POSITIVE_INFINITY }, named);
  }
  const { kind } = type.key;
  if (type.value !== undefined || (kind !== "integer" && kind !== "real") || (mutator === "%=" && kind === "real")) return undefined;
  return datumFromJson(json, { key: { kind }, min: 1, max: 1 }, named);
}

/** The fields after all mutations, in order. */
export function mutate(fields: Fields, mutations: readonly Mutation[]): Fields | OvsdbError {
  const result = [...fields];
  for (const mutation of mutations) {
    const { column } = mutation;
    const datum = mutateDatum(column.in(result), mutation);
    if (datum instanceof OvsdbError) return datum;
    result[column.index] = datum;
  }
  return result;
}

function mutateDatum(old: Datum, { column, mutator, argument }: Mutation): Datum | OvsdbError {
  const { type } = column;
  if (mutator !== "insert" && mutator !== "delete") return compute(old, type, mutator, argument.keys[0] ?? 0);
  const datum = mutator === "insert" ? unionDatums(old, argument) : subtractDatums(old, argument);
  const n = datum.keys.length;
  if (n >= type.min && n <= type.max) return datum;
  return new OvsdbError("constraint violation", `Attempted to store ${n} elements in ${describeType(type)}.`);
}

function compute(old: Datum, type: ColumnType, mutator: Mutator, operand: Atom): Datum | OvsdbError {
  const keys: Atom[] = [];
  for (const key of old.keys) {
    const result = type.key.kind === "integer" ? computeInteger(key, mutator, operand) : computeReal(Number(key), mutator, Number(operand));
    if (result instanceof OvsdbError) return result;
    const bad = checkAtom(result, type.key);
    if (bad !== undefined) return bad;
    keys.push(result);
  }
  keys.sort(compareAtoms);
  if (keys.every((key, i) => i === 0 || key !== keys[i - 1])) return { keys };
  return new OvsdbError("constraint violation", `Result of "${mutator}" operation contains duplicates.`);
}

const divisionByZero = new OvsdbError("domain error", "Division by zero.");
const outOfRange = (mutator: Mutator): OvsdbError => new OvsdbError("range error", `Result of "${mutator}" operation is out of range.`);

function computeInteger(a: Atom, mutator: Mutator, b: Atom): Atom | OvsdbError {
  const [x, y] = [BigInt(a), BigInt(b)];
  if (y === 0n && (mutator === "/=" || mutator === "%=")) return divisionByZero;
  const result = mutator === "+=" ? x + y : mutator === "-=" ? x - y : mutator === "*=" ? x * y : mutator === "/=" ? x / y : x % y;
  if (BigInt.asIntN(64, result) !== result) return outOfRange(mutator);
  const small = Number(result);
  return Number.isSafeInteger(small) ? small : result;
}

function computeReal(x: number, mutator: Mutator, y: number): Atom | OvsdbError {
  if (y === 0 && mutator === "/=") return divisionByZero;
  const result = mutator === "+=" ? x + y : mutator === "-=" ? x - y : mutator === "*=" ? x * y : x / y;
  return Number.isFinite(result) ? result + 0 : outOfRange(mutator);
}
