/** The columns of a wish (wish.ts) as values that a transaction can carry: references become UUIDs, parts of maps whole maps. */
import type { GivenColumns } from "./client-transaction.ts";
import type { ReplicaRow } from "./replica-row.ts";
import type { Uuid } from "../schema/typed-schema.ts";
import type { Entries, Wished } from "./wish.ts";

const unresolved = Symbol("unresolved");

/** The UUID of the row that a wish refers to; undefined if nobody wishes for it. */
export type Find = (wished: Wished<string>) => Uuid | undefined;

/** The columns with references found and parts of maps filled in from `row`; undefined if a reference leads nowhere yet. */
export function resolveColumns(columns: GivenColumns, row: ReplicaRow | undefined, find: Find): GivenColumns | undefined {
  const result: { [column: string]: unknown } = {};
  for (const [name, given] of Object.entries(columns)) {
    const value = resolveValue(given, row === undefined ? undefined : peek(row, name), find);
    if (value === unresolved) return undefined;
    result[name] = value;
  }
  return result;
}

/** What a row has in a column, without having read it. */
export const peek = (row: ReplicaRow, column: string): unknown => row._peek(row._shape.positions.get(column) ?? -1);

const isKind = (value: unknown, kind: string): boolean => typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
const isWished = (value: unknown): value is Wished<string> => isKind(value, "wished");
export const isEntries = (value: unknown): value is Entries<unknown, unknown> => isKind(value, "entries");

function resolveAtom(value: unknown, find: Find): unknown {
  return isWished(value) ? (find(value) ?? unresolved) : value;
}

function resolveValue(given: unknown, before: unknown, find: Find): unknown {
  if (typeof given !== "object" || given === null) return given;
  if (isWished(given)) return resolveAtom(given, find);
  if (isEntries(given)) return resolveMap(mergeEntries(given, before), find);
  if (given instanceof Map) return resolveMap(given, find);
  if (!(Symbol.iterator in given)) return resolveMap(new Map(Object.entries(given).filter(([, v]) => v !== undefined)), find);
  const result = new Set<unknown>();
  for (const item of given as Iterable<unknown>) result.add(resolveAtom(item, find));
  return result.has(unresolved) ? unresolved : result;
}

function resolveMap(given: ReadonlyMap<unknown, unknown>, find: Find): unknown {
  const result = new Map<unknown, unknown>();
  for (const [key, value] of given) {
    const [k, v] = [resolveAtom(key, find), resolveAtom(value, find)];
    if (k === unresolved || v === unresolved) return unresolved;
    result.set(k, v);
  }
  return result;
}

function mergeEntries({ entries }: Entries<unknown, unknown>, before: unknown): Map<unknown, unknown> {
  const result = new Map<unknown, unknown>(before instanceof Map ? before : []);
  for (const [key, value] of entries) {
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}
