/**
 * Logical_Flow and Logical_DP_Group: the facts of the Lflow relation, gathered over datapaths. Flows that are alike in all
 * but the datapath are one row, which names its datapath, or a group of datapaths that many rows share.
 *
 * Written by hand rather than as wishes, since there are as many flows as everything else together times ten, and since one
 * more switch joins a hundred rows at once: these move together to a larger group, and the group's row is changed instead of
 * theirs. A group is known by the size of its set and 64 bits of hash that are kept as members come and go.
 */
import type { Sink } from "../../engine/index.ts";
import { stageNamed } from "../../logical/index.ts";
import type { CommitResult, Replica, Transaction, Uuid } from "../../ovsdb/index.ts";
import type { Lflow } from "../lflow.ts";
import type { FlowContent, FlowContents } from "../topology/flow-contents.ts";
import type { Sb, SbRow } from "../topology/topology.ts";
import { northboundUuidOf } from "../topology/topology.ts";

type FlowRow = SbRow<"Logical_Flow">;
type GroupRow = SbRow<"Logical_DP_Group">;

/** In Logical_Flow.tags: see FlowDetails.matchesTrackedPorts. */
const trackedTag = "acl_ct_translation";

interface Group {
  readonly id: string;
  readonly datapaths: ReadonlySet<string>;
  /** How many flows are in it. */
  uses: number;
  row: GroupRow | undefined;
  /** The group that the first of its flows came from: its row is taken over if nobody uses it any more. */
  from: Group | undefined;
}

interface Entry {
  readonly flow: Lflow;
  /** Keys of datapaths: one alone without a set. */
  datapaths: string | Set<string>;
  high: number;
  low: number;
  group: Group | undefined;
  row: FlowRow | undefined;
}

export class LogicalFlows implements Sink<Lflow> {
  readonly #replica: Replica<Sb>;
  readonly #contents: FlowContents;
  readonly #entries = new Map<FlowContent, Entry>();
  readonly #groups = new Map<string, Group>();
  readonly #hashes = new Map<string, readonly [number, number]>();
  readonly #entryOfRow = new Map<FlowRow, Entry>();
  readonly #groupRows = new Map<GroupRow, string>();
  /** Membership has moved: the group is to be found again. */
  readonly #moved = new Set<Entry>();
  #dirty = new Set<Entry>();
  #inFlight = new Set<Entry>();
  /** Rows that no entry has: to be deleted. */
  readonly #strays = new Set<FlowRow>();

  constructor(replica: Replica<Sb>, contents: FlowContents) {
    this.#replica = replica;
    this.#contents = contents;
    const { Logical_Flow: flows, Logical_DP_Group: groups } = replica.tables;
    flows.watch({ added: (row) => this.#rowCame(row), removed: (row) => this.#rowWent(row) });
    flows.watchColumns((row) => this.#rowChanged(row));
    groups.watch({ added: (row) => this.#groupRowCame(row), removed: (row) => this.#groupRowWent(row) });
    groups.watchColumns((row) => {
      this.#groupRowWent(row);
      this.#groupRowCame(row);
    });
  }

  added(flow: Lflow): void {
    const datapath: string = flow.datapath.row._uuid;
    let entry = this.#entries.get(flow.content);
    if (entry === undefined) {
      entry = { flow, datapaths: datapath, high: 0, low: 0, group: undefined, row: undefined };
      this.#entries.set(flow.content, entry);
    } else if (typeof entry.datapaths === "string") entry.datapaths = entry.datapaths === "" ? datapath : new Set([entry.datapaths, datapath]);
    else entry.datapaths.add(datapath);
    this.#stir(entry, datapath);
  }

  removed(flow: Lflow): void {
    const entry = this.#entries.get(flow.content);
    if (entry === undefined) return;
    const datapath: string = flow.datapath.row._uuid;
    if (typeof entry.datapaths === "string") entry.datapaths = "";
    else {
      entry.datapaths.delete(datapath);
      if (entry.datapaths.size === 1) for (const last of entry.datapaths) entry.datapaths = last;
    }
    this.#stir(entry, datapath);
  }

  settle(): void {
    for (const entry of this.#moved) this.#regroup(entry);
    this.#moved.clear();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Nothing to write, nothing in flight. */
  get isSettled(): boolean {
    return this.#dirty.size + this.#inFlight.size + this.#strays.size === 0;
  }

  compareAll(): void {
    for (const entry of this.#entries.values()) this.#dirty.add(entry);
  }

  /** Adds what is to be written. `uuidOf` gives the Datapath_Binding row of a datapath. */
  write(transaction: Transaction<Sb>, uuidOf: (datapath: string) => Uuid<"Datapath_Binding"> | undefined): void {
    for (const row of this.#strays) {
      const entry = this.#entryFor(row);
      if (entry !== undefined && entry.row === undefined) this.#adopt(entry, row);
      else transaction.delete(row);
    }
    const made = new Map<Group, Uuid<"Logical_DP_Group">>();
    for (const entry of this.#dirty) this.#writeEntry(entry, transaction, uuidOf, made);
    this.#inFlight = transaction.isEmpty ? new Set() : this.#dirty;
    this.#dirty = new Set();
  }

  finished(result: CommitResult): void {
    const isDone = result.kind === "committed" || result.kind === "unchanged";
    if (!isDone) for (const entry of this.#inFlight) this.#dirty.add(entry);
    this.#inFlight = new Set();
  }

  #writeEntry(
    entry: Entry, transaction: Transaction<Sb>, uuidOf: (datapath: string) => Uuid<"Datapath_Binding"> | undefined,
    made: Map<Group, Uuid<"Logical_DP_Group">>,
  ): void {
    const { flow, group, row } = entry;
    if (entry.datapaths === "") {
      if (this.#entries.get(flow.content) === entry) {
        this.#entries.delete(flow.content);
        this.#contents.forget(flow.content);
      }
      if (row !== undefined) {
        // Should this come to nothing, the row is there for whoever says the same by then.
        entry.row = undefined;
        this.#entryOfRow.delete(row);
        this.#strays.add(row);
        transaction.delete(row);
      }
      return;
    }
    const logical_datapath = typeof entry.datapaths === "string" ? uuidOf(entry.datapaths) : undefined;
    const logical_dp_group = group === undefined ? undefined : this.#groupUuid(group, transaction, uuidOf, made);
    if (logical_datapath === undefined && logical_dp_group === undefined) {
      // Its datapath has no key, and so no row: the flow waits for that.
      if (row !== undefined) transaction.delete(row);
      return;
    }
    if (row !== undefined) {
      if (row.logical_datapath !== logical_datapath || row.logical_dp_group !== logical_dp_group) transaction.update(row, { logical_datapath, logical_dp_group });
      return;
    }
    const { details } = flow;
    const { stage, priority, match, actions, meter, matchesTrackedPorts } = flow.content;
    transaction.insert("Logical_Flow", {
      logical_datapath, logical_dp_group, pipeline: stage.pipeline, table_id: stage.table, priority, match, actions, controller_meter: meter, flow_desc: details.description,
      tags: { ...(details.ioPort === undefined ? {} : { in_out_port: details.ioPort }), ...(matchesTrackedPorts ? { [trackedTag]: "true" } : {}) },
      external_ids: {
        "stage-name": stage.name, source: `${stage.name.replaceAll("_", "-").replace(/^(l[sr])-(in|out)-/, "$1-")}.ts`,
        ...(details.hint === undefined ? {} : { "stage-hint": details.hint._uuid.slice(0, 8) }),
      },
    });
  }

  #groupUuid(
    group: Group, transaction: Transaction<Sb>, uuidOf: (datapath: string) => Uuid<"Datapath_Binding"> | undefined,
    made: Map<Group, Uuid<"Logical_DP_Group">>,
  ): Uuid<"Logical_DP_Group"> {
    if (group.row !== undefined && this.#groupRows.get(group.row) === group.id) return group.row._uuid;
    const already = made.get(group);
    if (already !== undefined) return already;
    const datapaths = [...group.datapaths].map(uuidOf).filter((uuid) => uuid !== undefined);
    const inherited = group.row ?? heirloom(group);
    let uuid: Uuid<"Logical_DP_Group">;
    if (inherited === undefined) uuid = transaction.insert("Logical_DP_Group", { datapaths });
    else {
      uuid = inherited._uuid;
      transaction.update(inherited, { datapaths });
    }
    made.set(group, uuid);
    return uuid;
  }

  #stir(entry: Entry, datapath: string): void {
    const [high, low] = this.#hashOf(datapath);
    entry.high = (entry.high ^ high) >>> 0;
    entry.low = (entry.low ^ low) >>> 0;
    this.#moved.add(entry);
    this.#dirty.add(entry);
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

  #regroup(entry: Entry): void {
    const before = entry.group;
    const { datapaths } = entry;
    if (typeof datapaths === "string") entry.group = undefined;
    else {
      const id = `${datapaths.size} ${entry.high} ${entry.low}`;
      let group = this.#groups.get(id);
      if (group === undefined) {
        group = { id, datapaths: new Set(datapaths), uses: 0, row: this.#findRow(id), from: before?.row === undefined ? before?.from : before };
        this.#groups.set(id, group);
      }
      entry.group = group;
    }
    if (entry.group === before) return;
    if (entry.group !== undefined) entry.group.uses++;
    if (before !== undefined && --before.uses === 0) this.#groups.delete(before.id);
  }

  #findRow(id: string): GroupRow | undefined {
    for (const [row, key] of this.#groupRows) if (key === id) return row;
    return undefined;
  }

  #groupRowCame(row: GroupRow): void {
    const datapaths = new Set<string>();
    let [high, low] = [0, 0];
    for (const uuid of row.datapaths) {
      const binding = this.#replica.tables.Datapath_Binding.get(uuid);
      const datapath = binding === undefined ? undefined : northboundUuidOf(binding);
      if (datapath === undefined || datapaths.has(datapath)) continue;
      datapaths.add(datapath);
      const hash = this.#hashOf(datapath);
      high = (high ^ hash[0]) >>> 0;
      low = (low ^ hash[1]) >>> 0;
    }
    const id = `${datapaths.size} ${high} ${low}`;
    this.#groupRows.set(row, id);
    const group = this.#groups.get(id);
    if (group === undefined) return;
    group.row ??= row;
    group.from = undefined;
  }

  #groupRowWent(row: GroupRow): void {
    const id = this.#groupRows.get(row);
    this.#groupRows.delete(row);
    const group = id === undefined ? undefined : this.#groups.get(id);
    if (group?.row !== row) return;
    // Changed by somebody else, or gone: the flows that use it are compared again.
    group.row = undefined;
    for (const entry of this.#entries.values()) if (entry.group === group) this.#dirty.add(entry);
  }

  /** The entry that says what the row says. */
  #entryFor(row: FlowRow): Entry | undefined {
    const stage = stageNamed(row.external_ids.get("stage-name") ?? "");
    if (stage === undefined || stage.pipeline !== row.pipeline || stage.table !== row.table_id) return undefined;
    const content = this.#contents.find(stage, row.priority, row.match, row.actions, row.controller_meter, row.tags.get(trackedTag) === "true");
    return content === undefined ? undefined : this.#entries.get(content);
  }

  #rowCame(row: FlowRow): void {
    const entry = this.#entryFor(row);
    if (entry === undefined || entry.row !== undefined) this.#strays.add(row);
    else this.#adopt(entry, row);
  }

  #adopt(entry: Entry, row: FlowRow): void {
    entry.row = row;
    this.#entryOfRow.set(row, entry);
    this.#strays.delete(row);
    this.#dirty.add(entry);
  }

  #rowWent(row: FlowRow): void {
    const entry = this.#entryOfRow.get(row);
    this.#entryOfRow.delete(row);
    this.#strays.delete(row);
    if (entry?.row !== row) return;
    entry.row = undefined;
    this.#dirty.add(entry);
  }

  #rowChanged(row: FlowRow): void {
    const entry = this.#entryOfRow.get(row);
    if (entry !== undefined && this.#entryFor(row) === entry) {
      this.#dirty.add(entry);
      return;
    }
    this.#rowWent(row);
    this.#rowCame(row);
  }
}

/** The row of the group that this one grew out of, if it is of no more use there. */
function heirloom(group: Group): GroupRow | undefined {
  const { from } = group;
  if (from === undefined || from.uses > 0 || from.row === undefined) return undefined;
  const { row } = from;
  from.row = undefined;
  group.row = row;
  return row;
}
