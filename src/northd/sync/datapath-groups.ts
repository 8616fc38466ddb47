/**
 * Logical_DP_Group: sets of datapaths that rows of Logical_Flow and Load_Balancer name. Whoever has the same datapaths names the
 * same row. When one more switch joins a hundred rows at once, these move together to a larger group, and the group's row is
 * changed instead of theirs. A group is known by the size of its set and 64 bits of hash that are kept as members come and go.
 */
import type { ReplicaTables, Transaction, Uuid } from "../../ovsdb/index.ts";
import { northboundUuidOf, type Sb, type SbRow } from "../topology/topology.ts";

type GroupRow = SbRow<"Logical_DP_Group">;

/** The Datapath_Binding row of a datapath. */
export type DatapathUuid = (datapath: string) => Uuid<"Datapath_Binding"> | undefined;

export interface DatapathGroup {
  readonly id: string;
  readonly datapaths: ReadonlySet<string>;
  /** How many rows name it. */
  uses: number;
  row: GroupRow | undefined;
  /** The group that the first of its users came from: its row is taken over if nobody uses it any more. */
  from: DatapathGroup | undefined;
}

/** The datapaths of one row, by the UUIDs of their northbound rows, with the hash of them all. */
export interface Members {
  /** One alone without a set; empty for none. */
  datapaths: string | Set<string>;
  high: number;
  low: number;
}

export const noMembers = (): Members => ({ datapaths: "", high: 0, low: 0 });

export class DatapathGroups {
  readonly #tables: ReplicaTables<Sb>;
  readonly #groups = new Map<string, DatapathGroup>();
  readonly #hashes = new Map<string, readonly [number, number]>();
  readonly #rows = new Map<GroupRow, string>();
  readonly #losers: ((group: DatapathGroup) => void)[] = [];
  /** Of the transaction that is being put together. */
  readonly #made = new Map<DatapathGroup, Uuid<"Logical_DP_Group">>();

  constructor(tables: ReplicaTables<Sb>) {
    this.#tables = tables;
    const { Logical_DP_Group: rows } = tables;
    rows.watch({
      added: (row) => this.#rowCame(row),
      removed: (row) => {
        const group = this.#groupOf(row);
        this.#rows.delete(row);
        // One of several has no users any more, or it would not be gone.
        if (group?.row === row) this.#lose(group);
      },
    });
    rows.watchColumns((row) => {
      const group = this.#groupOf(row);
      this.#rowCame(row);
      if (group !== undefined && group !== this.#groupOf(row)) this.#lose(group);
    });
  }

  /** `lost` is told when a group's row was changed by somebody else, or is gone. */
  watch(lost: (group: DatapathGroup) => void): void {
    this.#losers.push(lost);
  }

  add(members: Members, datapath: string): void {
    const { datapaths } = members;
    if (typeof datapaths === "string") members.datapaths = datapaths === "" ? datapath : new Set([datapaths, datapath]);
    else datapaths.add(datapath);
    this.#mix(members, datapath);
  }

  remove(members: Members, datapath: string): void {
    const { datapaths } = members;
    if (typeof datapaths === "string") members.datapaths = "";
    else {
      datapaths.delete(datapath);
      if (datapaths.size === 1) for (const last of datapaths) members.datapaths = last;
    }
    this.#mix(members, datapath);
  }

  /** The group of these members, for a row that has had `before`. */
  regroup({ datapaths, high, low }: Members, before: DatapathGroup | undefined): DatapathGroup | undefined {
    let group: DatapathGroup | undefined;
    if (datapaths !== "") {
      const id = `${typeof datapaths === "string" ? 1 : datapaths.size} ${high} ${low}`;
      group = this.#groups.get(id);
      if (group === undefined) {
        const from = before?.row === undefined ? before?.from : before;
        group = { id, datapaths: new Set(typeof datapaths === "string" ? [datapaths] : datapaths), uses: 0, row: this.#findRow(id), from };
        this.#groups.set(id, group);
      }
    }
    if (group === before) return group;
    if (group !== undefined) group.uses++;
    this.leave(before);
    return group;
  }

  leave(group: DatapathGroup | undefined): void {
    if (group !== undefined && --group.uses === 0) this.#groups.delete(group.id);
  }

  /** Another transaction is put together. */
  begin(): void {
    this.#made.clear();
  }

  /**
   * The group's row, which the transaction makes or changes if need be. OVN's northd may have made several rows of the same datapaths:
   * who names one of them already, by `present`, goes on doing so.
   */
  uuidOf(group: DatapathGroup, present: Uuid<"Logical_DP_Group"> | undefined, transaction: Transaction<Sb>, datapathUuid: DatapathUuid): Uuid<"Logical_DP_Group"> {
    const named = this.#tables.Logical_DP_Group.get(present);
    if (named !== undefined && this.#rows.get(named) === group.id) return named._uuid;
    if (group.row !== undefined && this.#rows.get(group.row) === group.id) return group.row._uuid;
    const already = this.#made.get(group);
    if (already !== undefined) return already;
    const datapaths = [...group.datapaths].map(datapathUuid).filter((uuid) => uuid !== undefined);
    const inherited = group.row ?? heirloom(group);
    let uuid: Uuid<"Logical_DP_Group">;
    if (inherited === undefined) uuid = transaction.insert("Logical_DP_Group", { datapaths });
    else {
      uuid = inherited._uuid;
      transaction.update(inherited, { datapaths });
    }
    this.#made.set(group, uuid);
    return uuid;
  }

  #mix(members: Members, datapath: string): void {
    const [high, low] = this.#hashOf(datapath);
    members.high = (members.high ^ high) >>> 0;
    members.low = (members.low ^ low) >>> 0;
  }

  /** Two halves of a 64-bit hash of the datapath's UUID, which is as good as random already. */
  #hashOf(datapath: string): readonly [number, number] {
    let hash = this.#hashes.get(datapath);
    if (hash === undefined) {
      const hex = datapath.replaceAll("-", "");
      const part = (i: number): number => Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16);
      hash = [(part(0) ^ Math.imul(part(1), 0x9e3779b1)) >>> 0, (part(3) ^ Math.imul(part(2), 0x85ebca77)) >>> 0];
      this.#hashes.set(datapath, hash);
    }
    return hash;
  }

  #findRow(id: string): GroupRow | undefined {
    for (const [row, key] of this.#rows) if (key === id) return row;
    return undefined;
  }

  #rowCame(row: GroupRow): void {
    const members = noMembers();
    const datapaths = new Set<string>();
    for (const uuid of row.datapaths) {
      const binding = this.#tables.Datapath_Binding.get(uuid);
      const datapath = binding === undefined ? undefined : northboundUuidOf(binding);
      if (datapath === undefined || datapaths.has(datapath)) continue;
      datapaths.add(datapath);
      this.#mix(members, datapath);
    }
    const id = `${datapaths.size} ${members.high} ${members.low}`;
    this.#rows.set(row, id);
    const group = this.#groups.get(id);
    if (group === undefined) return;
    group.row ??= row;
    group.from = undefined;
  }

  #groupOf(row: GroupRow): DatapathGroup | undefined {
    const id = this.#rows.get(row);
    return id === undefined ? undefined : this.#groups.get(id);
  }

  #lose(group: DatapathGroup): void {
    group.row = this.#findRow(group.id);
    for (const lost of this.#losers) lost(group);
  }
}

/** The row of the group that this one grew out of, if it is of no more use there. */
function heirloom(group: DatapathGroup): GroupRow | undefined {
  const { from } = group;
  if (from === undefined || from.uses > 0 || from.row === undefined) return undefined;
  const { row } = from;
  from.row = undefined;
  group.row = row;
  return row;
}
