/**
 * Columns as readers see them: a scalar as it is, an optional value as itself or undefined, a set as a Set, a map as a Map.
 *
 * A replica of a large table holds values few of which are ever looked at, so sets and maps stay the JSON they came as until
 * the first look. A *slot* is therefore a value or, for sets and maps, JSON not yet read; a Set or Map tells them apart.
 */
import { sameValue } from "../../engine/index.ts";
import { type Atom, compareAtoms, type Datum, defaultAtom } from "./datum.ts";
import { isJsonArray, type Json } from "../json/json.ts";
import { isScalar, type AtomKind, type ColumnType } from "../schema/schema.ts";

export type ColumnValue = Atom | undefined | ReadonlySet<Atom> | ReadonlyMap<Atom, Atom>;
export type Slot = ColumnValue | Json;

const emptySet: ReadonlySet<Atom> = new Set();
const emptyMap: ReadonlyMap<Atom, Atom> = new Map();

export type Shape = "scalar" | "optional" | "set" | "map";

export function shapeOf(type: ColumnType): Shape {
  if (type.value !== undefined) return "map";
  if (isScalar(type)) return "scalar";
  return type.max === 1 ? "optional" : "set";
}

/** What a column holds that nobody has set. */
export function defaultValue(type: ColumnType): ColumnValue {
  switch (shapeOf(type)) {
    case "scalar":
      return defaultAtom(type.key.kind);
    case "optional":
      return undefined;
    case "set":
      return type.min === 0 ? emptySet : new Set([defaultAtom(type.key.kind)]);
    case "map":
      return emptyMap;
  }
}


const isAtom = (json: Json | undefined): json is Atom =>
  typeof json === "string" || typeof json === "number" || typeof json === "boolean" || typeof json === "bigint";

/** The server says what makes no sense: the connection ends with it, and the next begins from an empty hand. */
export class ProtocolFault extends Error {}

/** JSON that is not what the column's type says. */
export class MalformedValue extends ProtocolFault {
  constructor(json: Json | undefined, type: ColumnType) {
    super(`${JSON.stringify(json, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))} is not ${type.key.kind}`);
  }
}

function atomOf(json: Json | undefined, kind: AtomKind, type: ColumnType): Atom {
  if (kind === "uuid") {
    if (isJsonArray(json) && json.length === 2 && json[0] === "uuid" && typeof json[1] === "string") return json[1];
  } else if (kind === "string" ? typeof json === "string" : kind === "boolean" ? typeof json === "boolean" : typeof json === "number" || typeof json === "bigint") {
    if (isAtom(json)) return json;
  }
  throw new MalformedValue(json, type);
}

function itemsOf(json: Json, tag: "set" | "map", type: ColumnType): readonly Json[] {
  const items = isJsonArray(json) && json.length === 2 && json[0] === tag ? json[1] : undefined;
  if (!isJsonArray(items)) throw new MalformedValue(json, type);
  return items;
}

const isTagged = (json: Json, tag: string): boolean => isJsonArray(json) && json[0] === tag;

export function valueFromJson(json: Json, type: ColumnType): ColumnValue {
  const { kind } = type.key;
  switch (shapeOf(type)) {
    case "scalar":
      return atomOf(isTagged(json, "set") ? itemsOf(json, "set", type)[0] : json, kind, type);
    case "optional": {
      if (!isTagged(json, "set")) return atomOf(json, kind, type);
      const [item] = itemsOf(json, "set", type);
      return item === undefined ? undefined : atomOf(item, kind, type);
    }
    case "set": {
      if (!isTagged(json, "set")) return new Set([atomOf(json, kind, type)]);
      const items = itemsOf(json, "set", type);
      return items.length === 0 ? emptySet : new Set(items.map((item) => atomOf(item, kind, type)));
    }
    case "map": {
      const items = itemsOf(json, "map", type);
      if (items.length === 0) return emptyMap;
      const valueKind = type.value?.kind ?? "string";
      const map = new Map<Atom, Atom>();
      for (const pair of items) {
        if (!isJsonArray(pair)) throw new MalformedValue(json, type);
        map.set(atomOf(pair[0], kind, type), atomOf(pair[1], valueKind, type));
      }
      return map;
    }
  }
}

/** Keeps sets and maps as they came, but checks them now: what is malformed must not surface when a rule looks at it. */
export function slotFromJson(json: Json, type: ColumnType): Slot {
  const shape = shapeOf(type);
  if (shape === "scalar" || shape === "optional") return valueFromJson(json, type);
  if (shape === "map") {
    const pairs = itemsOf(json, "map", type);
    if (pairs.length === 0) return emptyMap;
    for (const pair of pairs) {
      if (!isJsonArray(pair)) throw new MalformedValue(json, type);
      atomOf(pair[0], type.key.kind, type);
      atomOf(pair[1], type.value?.kind ?? "string", type);
    }
    return json;
  }
  if (!isTagged(json, "set")) return new Set([atomOf(json, type.key.kind, type)]);
  const items = itemsOf(json, "set", type);
  if (items.length === 0) return emptySet;
  for (const item of items) atomOf(item, type.key.kind, type);
  return json;
}

export function valueOfSlot(slot: Slot, type: ColumnType): ColumnValue {
  if (slot instanceof Set || slot instanceof Map) return slot;
  const shape = shapeOf(type);
  // Slots of scalars and optional columns never hold JSON (slotFromJson).
  return shape === "set" || shape === "map" ? valueFromJson(slot as Json, type) : (slot as Atom | undefined);
}

/** The value after a difference as `update2` and `update3` carry it: ovsdb-server(7), section 4.1.14. */
export function applyDifference(old: ColumnValue, difference: Json, type: ColumnType): ColumnValue {
  const change = valueFromJson(difference, type);
  // A difference of at most one value is the new value itself, also for a map.
  if (type.max <= 1) return change;
  if (old instanceof Set && change instanceof Set) {
    const result = new Set<Atom>(old);
    for (const atom of change) if (!result.delete(atom)) result.add(atom);
    return result.size === 0 ? emptySet : result;
  }
  if (old instanceof Map && change instanceof Map) {
    const result = new Map<Atom, Atom>(old);
    for (const [key, value] of change) {
      if (result.get(key) === value) result.delete(key);
      else result.set(key, value);
    }
    return result.size === 0 ? emptyMap : result;
  }
  return change;
}

/** What a writer gave (any iterable, an object for a map) as a value of the column. */
export function valueFromWriter(given: unknown, type: ColumnType): ColumnValue {
  switch (shapeOf(type)) {
    case "scalar":
    case "optional":
      return given as Atom | undefined;
    case "set":
      return given instanceof Set ? given : new Set(given as Iterable<Atom>);
    case "map":
      if (given instanceof Map) return given;
      return new Map(Object.entries(given as { [key: string]: Atom | undefined }).filter((e): e is [string, Atom] => e[1] !== undefined));
  }
}

export type AtomToJson = (atom: Atom, kind: AtomKind) => Json;

/** In ascending order, so that equal values print equal. */
export function valueToJson(value: ColumnValue, type: ColumnType, atomToJson: AtomToJson): Json {
  const { kind } = type.key;
  if (value instanceof Map) {
    const valueKind = type.value?.kind ?? "string";
    const pairs = [...value].sort(([a], [b]) => compareAtoms(a, b));
    return ["map", pairs.map(([k, v]): Json => [atomToJson(k, kind), atomToJson(v, valueKind)])];
  }
  if (value instanceof Set) {
    const items = [...value].sort(compareAtoms).map((atom) => atomToJson(atom, kind));
    return items.length === 1 ? (items[0] ?? null) : ["set", items];
  }
  return value === undefined ? ["set", []] : atomToJson(value as Atom, kind);
}

export function datumOfValue(value: ColumnValue): Datum {
  if (value === undefined) return { keys: [] };
  if (value instanceof Map) {
    const pairs = [...value].sort(([a], [b]) => compareAtoms(a, b));
    return { keys: pairs.map(([k]) => k), values: pairs.map(([, v]) => v) };
  }
  return { keys: value instanceof Set ? [...value].sort(compareAtoms) : [value as Atom] };
}

export function valueOfDatum({ keys, values }: Datum, type: ColumnType): ColumnValue {
  switch (shapeOf(type)) {
    case "scalar":
    case "optional":
      return keys[0];
    case "set":
      return new Set(keys);
    case "map":
      return new Map(keys.map((key, i) => [key, values?.[i] ?? ""]));
  }
}

export function sameSlot(a: Slot, b: Slot, type: ColumnType): boolean {
  return a === b || sameValue(valueOfSlot(a, type), valueOfSlot(b, type));
}
