/**
 * Database schemas (RFC 7047, section 3.2), as data. `typed-schema.ts` makes them from TypeScript constants;
 * `schema-json.ts` reads and prints their JSON.
 */
export type AtomKind = "integer" | "real" | "boolean" | "string" | "uuid";

/** <base-type>. Bounds are absent where the schema sets none. */
export interface BaseType {
  readonly kind: AtomKind;
  readonly enum?: readonly (string | number | bigint | boolean)[];
  readonly minInteger?: number | bigint;
  readonly maxInteger?: number | bigint;
  readonly minReal?: number;
  readonly maxReal?: number;
  /** In characters. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly refTable?: string;
  /** Present exactly when refTable is. */
  readonly refType?: "strong" | "weak";
}

/** <type>: a scalar has min 1 and max 1; an optional value min 0 and max 1; a map has a value type. */
export interface ColumnType {
  readonly key: BaseType;
  readonly value?: BaseType;
  readonly min: number;
  /** Infinity for "unlimited". */
  readonly max: number;
}

export interface ColumnSchema {
  readonly type: ColumnType;
  readonly ephemeral: boolean;
  readonly mutable: boolean;
  /** Rows of a client give it as it is, be it a bigint; otherwise as the nearest number. Says nothing about the database. */
  readonly isExact?: boolean;
}

export interface TableSchema {
  readonly columns: { readonly [column: string]: ColumnSchema };
  readonly isRoot: boolean;
  /** Infinity where the schema sets none. */
  readonly maxRows: number;
  readonly indexes: readonly (readonly string[])[];
}

export interface DatabaseSchema {
  readonly name: string;
  /** `x.y.z` */
  readonly version: string;
  readonly cksum?: string;
  readonly tables: { readonly [table: string]: TableSchema };
}

/** Whether the type is exactly one atom. */
export const isScalar = (type: ColumnType): boolean => type.min === 1 && type.max === 1 && type.value === undefined;
