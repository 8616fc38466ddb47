/** Values and their JSON (<value> of RFC 7047, section 5.1), checked against the column's type on the way in. */
import { checkAtom } from "./constraints.ts";
import { type Atom, compareAtoms, type Datum } from "./datum.ts";
import { isUuid } from "./datum-text.ts";
import { isJsonArray, type Json } from "../json/json.ts";
import { isId } from "../json/json-members.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { AtomKind, BaseType, ColumnType } from "../schema/schema.ts";

/** Gives the row that a <named-uuid> stands for; `base` says in what kind of reference it is used. */
export type NamedUuids = (name: string, base: BaseType) => string;

const emptySet: Datum = { keys: [] };
const emptyMap: Datum = { keys: [], values: [] };

export function datumFromJson(json: Json, type: ColumnType, named?: NamedUuids): Datum | OvsdbError {
  if (type.value === undefined && !(isJsonArray(json) && json[0] === "set")) {
    const key = atomFromJson(json, type.key, named);
    return key instanceof OvsdbError ? key : { keys: [key] };
  }
  const kind = type.value === undefined ? "set" : "map";
  const inner = isJsonArray(json) && json.length === 2 && json[0] === kind ? json[1] : undefined;
  if (!isJsonArray(inner)) return syntaxError(json, `expected ["${kind}", <array>]`);
  if (inner.length < type.min || inner.length > type.max) return wrongCount(json, kind, type, inner.length);
  if (inner.length === 0) return kind === "map" ? emptyMap : emptySet;
  return type.value === undefined ? setFromJson(inner, type.key, named) : mapFromJson(inner, type.key, type.value, named);
}

function wrongCount(json: Json, kind: string, type: ColumnType, n: number): OvsdbError {
  if (type.min === 1 && type.max === 1) return syntaxError(json, `${kind} must have exactly one member but ${n} are present`);
  const max = type.max === Number.POSITIVE_INFINITY ? 0xffffffff : type.max;
  return syntaxError(json, `${kind} must have ${type.min} to ${max} members but ${n} are present`);
}

function setFromJson(items: readonly Json[], base: BaseType, named: NamedUuids | undefined): Datum | OvsdbError {
  const keys: Atom[] = [];
  for (const item of items) {
    const key = atomFromJson(item, base, named);
    if (key instanceof OvsdbError) return key;
    keys.push(key);
  }
  if (isAscending(keys)) return { keys };
  keys.sort(compareAtoms);
  return isAscending(keys) ? { keys } : new OvsdbError("ovsdb error", "set contains duplicate");
}

function mapFromJson(items: readonly Json[], keyBase: BaseType, valueBase: BaseType, named: NamedUuids | undefined): Datum | OvsdbError {
  const keys: Atom[] = [];
  const values: Atom[] = [];
  for (const item of items) {
    if (!isJsonArray(item) || item.length !== 2) return syntaxError(item, "expected 2-element array");
    const key = atomFromJson(item[0] ?? null, keyBase, named);
    if (key instanceof OvsdbError) return key;
    const value = atomFromJson(item[1] ?? null, valueBase, named);
    if (value instanceof OvsdbError) return value;
    keys.push(key);
    values.push(value);
  }
  if (isAscending(keys)) return { keys, values };
  const order = keys.map((_, i) => i).sort((a, b) => compareAtoms(keys[a] ?? 0, keys[b] ?? 0));
  const sorted = { keys: order.map((i) => keys[i] ?? 0), values: order.map((i) => values[i] ?? 0) };
  return isAscending(sorted.keys) ? sorted : new OvsdbError("ovsdb error", "map contains duplicate key");
}

function isAscending(keys: readonly Atom[]): boolean {
  for (let i = 1; i < keys.length; i++) if (compareAtoms(keys[i - 1] ?? 0, keys[i] ?? 0) >= 0) return false;
  return true;
}

/** The same, without the type's constraints and counts: for conditions, which may name values that cannot occur. */
export function unconstrainedDatumFromJson(json: Json, type: ColumnType, named?: NamedUuids): Datum | OvsdbError {
  return datumFromJson(json, unconstrained(type), named);
}

export function unconstrained(type: ColumnType): ColumnType {
  const key = { kind: type.key.kind };
  return { key, ...(type.value === undefined ? {} : { value: { kind: type.value.kind } }), min: 0, max: Number.POSITIVE_INFINITY };
}

export function atomFromJson(json: Json, base: BaseType, named?: NamedUuids): Atom | OvsdbError {
  const atom = plainAtom(json, base, named);
  if (atom === undefined) return syntaxError(json, `expected ${base.kind}`);
  return atom instanceof OvsdbError ? atom : checkAtom(atom, base) ?? atom;
}

function plainAtom(json: Json, base: BaseType, named: NamedUuids | undefined): Atom | OvsdbError | undefined {
  switch (base.kind) {
    case "string":
      // A string that ends at its first NUL in C cannot be kept here as it stands there.
      return typeof json === "string" ? json : undefined;
    case "boolean":
      return typeof json === "boolean" ? json : undefined;
    case "integer":
      return integerAtom(json);
    case "real":
      if (typeof json === "bigint") return Number(json);
      return typeof json === "number" && Number.isFinite(json) ? json + 0 : undefined;
    case "uuid":
      return uuidAtom(json, base, named);
  }
}

function integerAtom(json: Json): Atom | undefined {
  if (Number.isSafeInteger(json)) return typeof json === "number" ? json + 0 : undefined;
  if (typeof json === "bigint") return json;
  // 1e17 is an integer too, in C.
  if (typeof json !== "number" || !Number.isInteger(json) || Math.abs(json) >= 2 ** 63) return undefined;
  return BigInt(json);
}

function uuidAtom(json: Json, base: BaseType, named: NamedUuids | undefined): Atom | OvsdbError {
  const [tag, text] = isJsonArray(json) && json.length === 2 ? json : [];
  if (typeof text === "string") {
    if (tag === "uuid") return isUuid(text) ? text.toLowerCase() : syntaxError(json, `"${text}" is not a valid UUID`);
    if (tag === "named-uuid" && named !== undefined) {
      return isId(text) ? named(text, base) : syntaxError(json, "named-uuid string is not a valid <id>");
    }
  }
  return syntaxError(json, 'expected ["uuid", <string>]');
}

export const atomToJson = (atom: Atom, kind: AtomKind): Json => (kind === "uuid" && typeof atom === "string" ? ["uuid", atom] : atom);

export function datumToJson(datum: Datum, type: ColumnType): Json {
  const { keys, values } = datum;
  if (type.value !== undefined) {
    const valueKind = type.value.kind;
    return ["map", keys.map((key, i): Json => [atomToJson(key, type.key.kind), atomToJson(values?.[i] ?? 0, valueKind)])];
  }
  const items = keys.map((key) => atomToJson(key, type.key.kind));
  return items.length === 1 ? items[0] ?? null : ["set", items];
}

/** The text of `datumToJson`, without building it. */
export function datumText(datum: Datum, type: ColumnType): string {
  const { keys, values } = datum;
  const keyKind = type.key.kind;
  if (type.value === undefined) {
    const [only] = keys;
    if (keys.length === 1 && only !== undefined) return atomText(only, keyKind);
    let text = '["set",[';
    for (let i = 0; i < keys.length; i++) text += (i === 0 ? "" : ",") + atomText(keys[i] ?? 0, keyKind);
    return `${text}]]`;
  }
  const valueKind = type.value.kind;
  let text = '["map",[';
  for (let i = 0; i < keys.length; i++) {
    text += `${i === 0 ? "[" : ",["}${atomText(keys[i] ?? 0, keyKind)},${atomText(values?.[i] ?? 0, valueKind)}]`;
  }
  return `${text}]]`;
}

// Most strings need no escape; the test is much cheaper than JSON.stringify.
const plainString = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

export function atomText(atom: Atom, kind: AtomKind): string {
  if (kind === "uuid") return `["uuid","${atom}"]`;
  if (typeof atom === "string") return atom.length < 200 && plainString.test(atom) ? `"${atom}"` : JSON.stringify(atom);
  return String(atom);
}
