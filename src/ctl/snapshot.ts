/** What the server has told of the tables that commands read: kept up to date by a monitor, never written to. */
import type { Atom, ColumnSchema, Datum, Json, JsonObject } from "../ovsdb/index.ts";
import { datumFromJson, defaultAtom, OvsdbError } from "../ovsdb/index.ts";

/** A row as the server sent it; a column is read when it is first looked at. */
export class SnapshotRow {
  readonly uuid: string;
  readonly #json: JsonObject;
  readonly #datums = new Map<string, Datum>();

  constructor(uuid: string, json: JsonObject) {
    this.uuid = uuid;
    this.#json = json;
  }

  /** The keys of a column; without reading it as a whole where it is plain. */
  keys(column: string, schema: ColumnSchema): readonly Atom[] {
    const json = this.#json[column];
    return typeof json === "string" ? [json] : this.datum(column, schema).keys;
  }

  datum(column: string, schema: ColumnSchema): Datum {
    let datum = this.#datums.get(column);
    if (datum === undefined) {
      datum = readDatum(this.#json[column], schema);
      this.#datums.set(column, datum);
    }
    return datum;
  }
}

/** A column that the server does not have, or that holds what ours cannot, reads as its default. */
function readDatum(json: Json | undefined, schema: ColumnSchema): Datum {
  const { type } = schema;
  if (json === undefined) return defaultDatum(schema);
  // A newer or older server may allow values that our schema does not: counts and constraints are its business.
  const free = {
    key: { kind: type.key.kind },
    ...(type.value === undefined ? {} : { value: { kind: type.value.kind } }),
    min: 0,
    max: Number.POSITIVE_INFINITY,
  };
  const datum = datumFromJson(json, free);
  return datum instanceof OvsdbError ? defaultDatum(schema) : datum;
}

export function defaultDatum({ type }: ColumnSchema): Datum {
  if (type.value !== undefined) return { keys: [], values: [] };
  return type.min === 0 ? { keys: [] } : { keys: [defaultAtom(type.key.kind)] };
}

export interface SnapshotTable {
  /** Those that are monitored; the others cannot be read. */
  readonly columns: ReadonlySet<string>;
  readonly rows: Map<string, SnapshotRow>;
}

export type Snapshot = ReadonlyMap<string, SnapshotTable>;
