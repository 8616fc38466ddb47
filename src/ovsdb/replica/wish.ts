/** What a wish can say beyond plain values: references to rows that do not exist yet, and parts of maps. See projection.ts. */

/** The row that another projection of the same replica keeps for `key`; its UUID is found when the wish is written. */
export interface Wished<N extends string> {
  readonly kind: "wished";
  readonly table: N;
  readonly key: string;
}

export const wished = <const N extends string>(table: N, key: string): Wished<N> => ({ kind: "wished", table, key });

/** Some entries of a map column: the given ones are to have these values (undefined: to be absent); the rest is left alone. */
export interface Entries<K, V> {
  readonly kind: "entries";
  readonly entries: ReadonlyMap<K, V | undefined>;
}

export const entries = <V>(values: { readonly [key: string]: V | undefined }): Entries<string, V> => ({
  kind: "entries",
  entries: new Map(Object.entries(values)),
});
