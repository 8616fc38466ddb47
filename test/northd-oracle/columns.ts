/** Values of columns as OVSDB writes them. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export const map = (entries: { readonly [key: string]: string | number }): JsonValue => ["map", Object.entries(entries).map(([k, v]) => [k, String(v)])];
export const set = (items: readonly JsonValue[]): JsonValue => ["set", items];
export const refs = (uuids: readonly string[]): JsonValue => ["set", uuids.map((u) => ["uuid", u])];
export const ref = (uuid: string): JsonValue => ["uuid", uuid];

export function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) && value[0] === "set" ? (value[1] as readonly JsonValue[]) : [value];
}

export function entriesOf(value: JsonValue | undefined): { readonly [key: string]: string } {
  return Array.isArray(value) && value[0] === "map" ? Object.fromEntries(value[1] as [string, string][]) : {};
}
