/** The JSON of schemas (`*.ovsschema` files, get_schema; RFC 7047, section 3.2), read strictly and printed as C prints it. */
import type { Atom } from "../value/datum.ts";
import { datumFromJson } from "../value/datum-json.ts";
import { isJsonArray, isJsonObject, type Json, type JsonObject, printJson } from "../json/json.ts";
import { isId, isInteger, JsonMembers } from "../json/json-members.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { AtomKind, BaseType, ColumnSchema, ColumnType, DatabaseSchema, TableSchema } from "./schema.ts";

const unlimited = 0xffffffff;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function schemaFromJson(json: Json): DatabaseSchema | OvsdbError {
  const members = new JsonMembers(json, "database schema");
  const name = members.id("name");
  const version = members.string("version", true) ?? "";
  const cksum = members.string("cksum", true);
  const tablesJson = members.object("tables");
  const bad = members.finish();
  if (bad !== undefined) return bad;
  if (version !== "" && !/^\d+\.\d+\.\d+$/.test(version)) {
    return syntaxError(json, `schema version "${version}" not in format x.y.z`);
  }
  const tables: [string, TableSchema][] = [];
  const types: TypeMemo = new Map();
  for (const [table, tableJson] of Object.entries(tablesJson ?? {})) {
    const schema = namedPart(json, table) ?? tableFromJson(tableJson ?? null, table, types);
    if (schema instanceof OvsdbError) return schema;
    tables.push([table, schema]);
  }
  // Schemas older than "isRoot" knew no garbage collection: there every table is a root.
  const anyRoot = tables.some(([, table]) => table.isRoot);
  const byName = Object.fromEntries(anyRoot ? tables : tables.map(([n, t]) => [n, { ...t, isRoot: true }] as const));
  const checked = checkReferences(byName);
  if (checked instanceof OvsdbError) return checked;
  return { name: name ?? "", version, ...(cksum === undefined || cksum === "" ? {} : { cksum }), tables: checked };
}

function namedPart(json: Json, name: string): OvsdbError | undefined {
  if (name.startsWith("_")) return syntaxError(json, 'names beginning with "_" are reserved');
  return isId(name) ? undefined : syntaxError(json, "name must be a valid id");
}

/** Every refTable exists; a strong reference to a table of non-roots is kept on disk, or its rows would not survive a restart. */
function checkReferences(tables: { readonly [table: string]: TableSchema }): { [table: string]: TableSchema } | OvsdbError {
  const result: { [table: string]: TableSchema } = {};
  for (const [tableName, table] of Object.entries(tables)) {
    const columns: { [column: string]: ColumnSchema } = {};
    for (const [name, column] of Object.entries(table.columns)) {
      let keeps = false;
      for (const [base, part] of [[column.type.key, "key"], [column.type.value, "value"]] as const) {
        if (base?.refTable === undefined) continue;
        const target = Object.hasOwn(tables, base.refTable) ? tables[base.refTable] : undefined;
        if (target === undefined) return syntaxError(undefined, `column ${name} ${part} refers to undefined table ${base.refTable}`);
        keeps ||= base.refType === "strong" && !target.isRoot;
      }
      columns[name] = keeps && column.ephemeral ? { ...column, ephemeral: false } : column;
    }
    result[tableName] = { ...table, columns };
  }
  return result;
}

/** Most columns of a schema share a few types: each is read once, and found again by its text. */
type TypeMemo = Map<string, ColumnType>;

function tableFromJson(json: Json, name: string, types: TypeMemo): TableSchema | OvsdbError {
  const members = new JsonMembers(json, `table schema for table ${name}`);
  const columnsJson = members.object("columns") ?? {};
  members.boolean("mutable", true);
  const maxRows = members.integer("maxRows", true);
  const isRoot = members.boolean("isRoot", true) ?? false;
  const indexesJson = members.array("indexes", true) ?? [];
  const bad = members.finish();
  if (bad !== undefined) return bad;
  if (maxRows !== undefined && maxRows <= 0) return syntaxError(json, "maxRows must be at least 1");
  if (Object.keys(columnsJson).length === 0) return syntaxError(json, "table must have at least one column");
  const columns: { [column: string]: ColumnSchema } = {};
  for (const [column, columnJson] of Object.entries(columnsJson)) {
    const schema = namedPart(json, column) ?? columnFromJson(columnJson ?? null, column, types);
    if (schema instanceof OvsdbError) return schema;
    columns[column] = schema;
  }
  const indexes: string[][] = [];
  for (const indexJson of indexesJson) {
    const index = indexFromJson(json, indexJson, columns);
    if (index instanceof OvsdbError) return index;
    indexes.push(index);
  }
  const limit = maxRows === undefined || maxRows >= unlimited ? Number.POSITIVE_INFINITY : Number(maxRows);
  return { columns, isRoot, maxRows: limit, indexes };
}

function indexFromJson(table: Json, json: Json, columns: { readonly [column: string]: ColumnSchema }): string[] | OvsdbError {
  const names: string[] = [];
  for (const name of isJsonArray(json) ? json : [null]) {
    if (typeof name !== "string" || names.includes(name)) return syntaxError(json, "array of distinct column names expected");
    if (!Object.hasOwn(columns, name)) return syntaxError(json, `${name} is not a valid column name`);
    names.push(name);
  }
  if (names.length === 0) return syntaxError(table, "index must have at least one column");
  const ephemeral = names.find((name) => columns[name]?.ephemeral === true);
  if (ephemeral !== undefined) return syntaxError(table, `ephemeral columns (such as ${ephemeral}) may not be indexed`);
  return names;
}

function columnFromJson(json: Json, name: string, types: TypeMemo): ColumnSchema | OvsdbError {
  // Most columns say nothing but their type, and most types have been seen before.
  if (isJsonObject(json) && Object.keys(json).length === 1) {
    const known = types.get(printJson(json["type"] ?? null));
    if (known !== undefined) return { type: known, ephemeral: false, mutable: true };
  }
  const members = new JsonMembers(json, `schema for column ${name}`);
  const mutable = members.boolean("mutable", true) ?? true;
  const ephemeral = members.boolean("ephemeral", true) ?? false;
  const typeJson = members.fitting("type", isBaseJson);
  const bad = members.finish();
  if (bad !== undefined) return bad;
  const text = printJson(typeJson ?? null);
  const type = types.get(text) ?? typeFromJson(typeJson ?? null);
  if (type instanceof OvsdbError) return type;
  types.set(text, type);
  // A weak reference changes when its row is deleted, so it cannot be immutable.
  const weak = type.key.refType === "weak" || type.value?.refType === "weak";
  return { type, ephemeral, mutable: mutable || weak };
}

const isBaseJson = (json: Json): json is string | JsonObject => typeof json === "string" || isJsonObject(json);
const isMaximum = (json: Json): json is string | number | bigint => typeof json === "string" || isInteger(json);

export function typeFromJson(json: Json): ColumnType | OvsdbError {
  if (typeof json === "string") {
    const key = baseFromJson(json);
    return key instanceof OvsdbError ? key : { key, min: 1, max: 1 };
  }
  if (!isJsonObject(json)) return syntaxError(json, "ovsdb type expected");
  const members = new JsonMembers(json, "ovsdb type");
  const keyJson = members.fitting("key", isBaseJson);
  const valueJson = members.fitting("value", isBaseJson, true);
  const minJson = members.integer("min", true) ?? 1;
  const maxJson = members.fitting("max", isMaximum, true) ?? 1;
  const bad = members.finish();
  if (bad !== undefined) return bad;
  const key = baseFromJson(keyJson ?? null);
  if (key instanceof OvsdbError) return key;
  const value = valueJson === undefined ? undefined : baseFromJson(valueJson);
  if (value instanceof OvsdbError) return value;
  const count = (n: string | number | bigint): boolean => typeof n !== "string" && n >= 0 && n < unlimited;
  if (!count(minJson)) return syntaxError(minJson, "bad min or max value");
  if (maxJson !== "unlimited" && !count(maxJson)) return syntaxError(maxJson, "bad min or max value");
  const min = Number(minJson);
  const max = maxJson === "unlimited" ? Number.POSITIVE_INFINITY : Number(maxJson);
  if (min > 1 || max < 1) return syntaxError(json, "ovsdb type fails constraint checks");
  return { key, ...(value === undefined ? {} : { value }), min, max };
}

const kinds: readonly string[] = ["integer", "real", "boolean", "string", "uuid"];
const isKind = (text: string): text is AtomKind => kinds.includes(text);

export function baseFromJson(json: Json): BaseType | OvsdbError {
  if (typeof json === "string") return isKind(json) ? { kind: json } : syntaxError(json, `"${json}" is not an atomic-type`);
  const members = new JsonMembers(json, "ovsdb type");
  const kind = members.string("type");
  if (kind === undefined) return members.error ?? syntaxError(json, "atomic-type expected");
  if (!isKind(kind)) return syntaxError(kind, `"${kind}" is not an atomic-type`);
  const base: Mutable<BaseType> = { kind };
  const bad = readConstraints(json, kind, members, base);
  return bad ?? members.finish() ?? base;
}

function readConstraints(json: Json, kind: AtomKind, members: JsonMembers, base: Mutable<BaseType>): OvsdbError | undefined {
  const enumJson = members.any("enum", true);
  if (enumJson !== undefined) {
    const datum = datumFromJson(enumJson, { key: { kind }, min: 1, max: Number.POSITIVE_INFINITY });
    if (datum instanceof OvsdbError) return datum;
    base.enum = datum.keys;
    return undefined;
  }
  switch (kind) {
    case "integer":
      return readRange(json, "Integer", members.integer("minInteger", true), members.integer("maxInteger", true), (min, max) => {
        Object.assign(base, min === undefined ? {} : { minInteger: min }, max === undefined ? {} : { maxInteger: max });
      });
    case "real":
      return readRange(json, "Real", members.number("minReal", true), members.number("maxReal", true), (min, max) => {
        Object.assign(base, min === undefined ? {} : { minReal: Number(min) }, max === undefined ? {} : { maxReal: Number(max) });
      });
    case "string":
      return readLengths(json, members, base);
    case "uuid": {
      const refTable = members.id("refTable", true);
      if (refTable === undefined) return undefined;
      const refType = members.id("refType", true) ?? "strong";
      if (refType !== "strong" && refType !== "weak") {
        return syntaxError(json, `refType must be "strong" or "weak" (not "${refType}")`);
      }
      base.refTable = refTable;
      base.refType = refType;
      return undefined;
    }
    default:
      return undefined;
  }
}

type Bound = number | bigint | undefined;

function readRange(json: Json, what: string, min: Bound, max: Bound, put: (min: Bound, max: Bound) => void): OvsdbError | undefined {
  if (min !== undefined && max !== undefined && min > max) return syntaxError(json, `min${what} exceeds max${what}`);
  put(min, max);
  return undefined;
}

function readLengths(json: Json, members: JsonMembers, base: Mutable<BaseType>): OvsdbError | undefined {
  for (const name of ["minLength", "maxLength"] as const) {
    const value = members.integer(name, true);
    if (value === undefined) continue;
    if (value < 0 || value > unlimited) return syntaxError(value, `${name} out of valid range 0 to ${unlimited}`);
    if (name === "minLength" ? value > 0 : value < unlimited) base[name] = Number(value);
  }
  return (base.minLength ?? 0) > (base.maxLength ?? unlimited) ? syntaxError(json, "minLength exceeds maxLength") : undefined;
}

export function schemaToJson(schema: DatabaseSchema): JsonObject {
  const tables = Object.entries(schema.tables);
  const allRoot = tables.every(([, table]) => table.isRoot);
  return {
    name: schema.name,
    ...(schema.version === "" ? {} : { version: schema.version }),
    ...(schema.cksum === undefined ? {} : { cksum: schema.cksum }),
    tables: Object.fromEntries(tables.map(([name, table]) => [name, tableToJson(table, allRoot)])),
  };
}

function tableToJson(table: TableSchema, defaultIsRoot: boolean): JsonObject {
  return {
    columns: Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, columnToJson(column)])),
    ...(Number.isFinite(table.maxRows) ? { maxRows: table.maxRows } : {}),
    ...(table.isRoot === defaultIsRoot ? {} : { isRoot: table.isRoot }),
    ...(table.indexes.length === 0 ? {} : { indexes: table.indexes }),
  };
}

const columnToJson = (column: ColumnSchema): JsonObject => ({
  ...(column.mutable ? {} : { mutable: false }),
  ...(column.ephemeral ? { ephemeral: true } : {}),
  type: typeToJson(column.type),
});

export function typeToJson(type: ColumnType): Json {
  const key = baseToJson(type.key);
  if (typeof key === "string" && type.value === undefined && type.min === 1 && type.max === 1) return key;
  return {
    key,
    ...(type.value === undefined ? {} : { value: baseToJson(type.value) }),
    ...(type.min === 1 ? {} : { min: type.min }),
    ...(type.max === Number.POSITIVE_INFINITY ? { max: "unlimited" } : type.max === 1 ? {} : { max: type.max }),
  };
}

function baseToJson(base: BaseType): Json {
  const { kind, refTable, refType, enum: allowed, ...bounds } = base;
  const members: { [name: string]: Json } = { type: kind };
  if (allowed !== undefined) members["enum"] = enumToJson(allowed, kind);
  for (const [name, value] of Object.entries(bounds)) if (value !== undefined) members[name] = value;
  if (refTable !== undefined) members["refTable"] = refTable;
  if (refType === "weak") members["refType"] = "weak";
  return Object.keys(members).length === 1 ? kind : members;
}

function enumToJson(allowed: readonly Atom[], kind: AtomKind): Json {
  const items = allowed.map((atom): Json => (kind === "uuid" && typeof atom === "string" ? ["uuid", atom] : atom));
  return items.length === 1 ? items[0] ?? null : ["set", items];
}
