/** A database in memory: its schema and the rows of its tables. All changes go through a StoreTransaction. */
import type { DatabaseSchema } from "../schema/schema.ts";
import { StoredTable } from "./stored-table.ts";

export class Store {
  readonly schema: DatabaseSchema;
  readonly tables = new Map<string, StoredTable>();
  readonly makeUuid: () => string;

  constructor(schema: DatabaseSchema, makeUuid: () => string) {
    this.schema = schema;
    this.makeUuid = makeUuid;
    for (const [name, table] of Object.entries(schema.tables)) this.tables.set(name, new StoredTable(name, table, makeUuid));
    for (const table of this.tables.values()) {
      for (const column of table.columns) {
        const { key, value } = column.type;
        column.keyTable = key.refTable === undefined ? undefined : this.tables.get(key.refTable);
        column.valueTable = value?.refTable === undefined ? undefined : this.tables.get(value.refTable);
      }
    }
  }

  get name(): string {
    return this.schema.name;
  }
}
