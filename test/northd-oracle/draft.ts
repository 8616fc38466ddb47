/** A network that rows are added to, or changed in, before it goes into a database: what a family's generator works on. */
import { SeededRandom } from "../../src/std/index.ts";
import { entriesOf, itemsOf, type JsonValue, map, set } from "./columns.ts";
import { type Insert, type Network, NetworkGenerator } from "./network.ts";

export type DraftRow = { [column: string]: JsonValue };

export interface DraftInsert {
  readonly table: string;
  readonly uuid: string;
  readonly row: DraftRow;
}

export class Draft {
  readonly random: SeededRandom;
  readonly nb: DraftInsert[];
  readonly sb: Insert[];

  constructor(network: Network, random: SeededRandom) {
    this.random = random;
    this.nb = network.nb.map(({ table, uuid, row }) => ({ table, uuid, row: { ...row } }));
    this.sb = [...network.sb];
  }

  /** A base network and random numbers of the family's own, so that families do not disturb each other. */
  static onBase(seed: number): Draft {
    return new Draft(new NetworkGenerator(seed).generate(), new SeededRandom(seed + 0x5eed));
  }

  get network(): Network {
    return { nb: this.nb, sb: this.sb };
  }

  of(table: string): readonly DraftInsert[] {
    return this.nb.filter((i) => i.table === table);
  }

  insert(table: string, row: DraftRow, uuid = this.random.uuid()): DraftInsert {
    const insert = { table, uuid, row };
    this.nb.push(insert);
    return insert;
  }

  /** Adds to a column that is a set. */
  add(owner: DraftInsert, column: string, ...items: readonly JsonValue[]): void {
    owner.row[column] = set([...itemsOf(owner.row[column]), ...items]);
  }

  /** Adds to a column that is a map. */
  put(owner: DraftInsert, column: string, entries: { readonly [key: string]: string | number }): void {
    owner.row[column] = map({ ...entriesOf(owner.row[column]), ...entries });
  }

  /** Rows that a column of references names. */
  referred(owner: DraftInsert, column: string): readonly DraftInsert[] {
    const uuids = new Set(itemsOf(owner.row[column]).map((item) => (Array.isArray(item) ? String(item[1]) : "")));
    return this.nb.filter((i) => uuids.has(i.uuid));
  }

  maybe(probability: number, entries: { readonly [key: string]: string | number }): { readonly [key: string]: string | number } {
    return this.random.chance(probability) ? entries : {};
  }
}
