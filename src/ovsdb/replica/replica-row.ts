/**
 * Rows of a replica, as objects. Each table has a class of its own, with a getter for each column; a row holds one slot for
 * each column, and a source for each column that somebody has read under observation.
 */
import { ChangeSource, isObserved } from "../../engine/index.ts";
import { type ColumnValue, type Slot, valueOfSlot } from "../value/column-value.ts";
import type { ColumnSchema } from "../schema/schema.ts";
import type { RowRef } from "../schema/row.ts";
import type { Uuid } from "../schema/typed-schema.ts";

/** What all rows of a table share. */
export interface RowShape {
  readonly table: string;
  readonly names: readonly string[];
  readonly columns: readonly ColumnSchema[];
  readonly positions: ReadonlyMap<string, number>;
  /** The column that names a row to people, if there is one. */
  readonly label: number | undefined;
}

export function rowShape(table: string, schema: { readonly columns: { readonly [column: string]: ColumnSchema } }): RowShape {
  const names = Object.keys(schema.columns);
  const positions = new Map(names.map((name, i) => [name, i]));
  const label = positions.get("name") ?? positions.get("logical_port") ?? positions.get("chassis_name") ?? positions.get("target");
  return { table, names, columns: Object.values(schema.columns), positions, label };
}

/** "Something about this column of this row changed": there is one for each that somebody has read. */
class ColumnSource extends ChangeSource {
  readonly #row: ReplicaRow;
  readonly #column: number;
  constructor(row: ReplicaRow, column: number) {
    super();
    this.#row = row;
    this.#column = column;
  }
  describe(): string {
    return `${String(this.#row)}.${this.#row._shape.names[this.#column]}`;
  }
}

// Members begin with an underscore, since no column does (RFC 7047, section 3.1), so none is hidden by a column.
export abstract class ReplicaRow implements RowRef {
  readonly _uuid: Uuid;
  readonly _slots: Slot[];
  #sources: (ColumnSource | undefined)[] | undefined;

  constructor(uuid: Uuid, slots: Slot[]) {
    this._uuid = uuid;
    this._slots = slots;
  }

  abstract get _shape(): RowShape;

  get _table(): string {
    return this._shape.table;
  }

  /** As the database holds it. Not tracked. */
  _peek(column: number): ColumnValue {
    const slot = this._slots[column];
    if (typeof slot !== "object" || slot instanceof Set || slot instanceof Map) return slot;
    const schema = this._shape.columns[column];
    const value = schema === undefined ? undefined : valueOfSlot(slot, schema.type);
    this._slots[column] = value;
    return value;
  }

  /** A tracked read. */
  _read(column: number): ColumnValue {
    if (isObserved()) {
      // A place for each column at once: arrays that grow take more room than they need.
      this.#sources ??= new Array<ColumnSource | undefined>(this._shape.names.length).fill(undefined);
      (this.#sources[column] ??= new ColumnSource(this, column)).read();
    }
    const value = this._peek(column);
    return typeof value === "bigint" && this._shape.columns[column]?.isExact !== true ? Number(value) : value;
  }

  _announce(column: number): void {
    this.#sources?.[column]?.change();
  }

  toString(): string {
    const { label } = this._shape;
    const name = label === undefined ? "" : String(this._peek(label) ?? "");
    return `${this._table} ${name === "" ? this._uuid.slice(0, 8) : name}`;
  }
}

export type RowClass = new (uuid: Uuid, slots: Slot[]) => ReplicaRow;

/** The class of a table's rows. */
export function rowClass(shape: RowShape): RowClass {
  class TableRow extends ReplicaRow {
    override get _shape(): RowShape {
      return shape;
    }
  }
  shape.names.forEach((name, i) => {
    Object.defineProperty(TableRow.prototype, name, {
      enumerable: true,
      get(this: ReplicaRow) {
        return this._read(i);
      },
    });
  });
  return TableRow;
}
