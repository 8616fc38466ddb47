/**
 * Logical_Flow: the facts of the Lflow relation, gathered over datapaths. Flows that are alike in all but the datapath are one
 * row, which names its datapath, or a group of datapaths that many rows share (datapath-groups.ts). Written by hand rather than
 * as wishes, since there are as many flows as everything else together times ten.
 */
import type { Sink } from "../../engine/index.ts";
import { stageNamed } from "../../logical/index.ts";
import type { CommitResult, Replica, Transaction } from "../../ovsdb/index.ts";
import type { Lflow } from "../lflow.ts";
import type { FlowContent, FlowContents } from "../topology/flow-contents.ts";
import type { Sb, SbRow } from "../topology/topology.ts";
import type { DatapathGroup, DatapathGroups, DatapathUuid, Members } from "./datapath-groups.ts";

type FlowRow = SbRow<"Logical_Flow">;

/** In Logical_Flow.tags: see FlowDetails.matchesTrackedPorts. */
const trackedTag = "acl_ct_translation";

interface Entry extends Members {
  readonly flow: Lflow;
  group: DatapathGroup | undefined;
  row: FlowRow | undefined;
}

export class LogicalFlows implements Sink<Lflow> {
  readonly #contents: FlowContents;
  readonly #groups: DatapathGroups;
  readonly #entries = new Map<FlowContent, Entry>();
  readonly #entryOfRow = new Map<FlowRow, Entry>();
  /** Membership has moved: the group is to be found again. */
  readonly #moved = new Set<Entry>();
  #dirty = new Set<Entry>();
  #inFlight = new Set<Entry>();
  /** Rows that no entry has: to be deleted. */
  readonly #strays = new Set<FlowRow>();

  constructor(replica: Replica<Sb>, contents: FlowContents, groups: DatapathGroups) {
    this.#contents = contents;
    this.#groups = groups;
    const { Logical_Flow: flows } = replica.tables;
    flows.watch({ added: (row) => this.#rowCame(row), removed: (row) => this.#rowWent(row) });
    flows.watchColumns((row) => this.#rowChanged(row));
    // The flows that use it are compared again.
    groups.watch((group) => {
      for (const entry of this.#entries.values()) if (entry.group === group) this.#dirty.add(entry);
    });
  }

  added(flow: Lflow): void {
    const datapath: string = flow.datapath.row._uuid;
    let entry = this.#entries.get(flow.content);
    if (entry === undefined) {
      entry = { flow, datapaths: "", high: 0, low: 0, group: undefined, row: undefined };
      this.#entries.set(flow.content, entry);
    }
    this.#groups.add(entry, datapath);
    this.#moved.add(entry);
    this.#dirty.add(entry);
  }

  removed(flow: Lflow): void {
    const entry = this.#entries.get(flow.content);
    if (entry === undefined) return;
    this.#groups.remove(entry, flow.datapath.row._uuid);
    this.#moved.add(entry);
    this.#dirty.add(entry);
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
  write(transaction: Transaction<Sb>, uuidOf: DatapathUuid): void {
    for (const row of this.#strays) {
      const entry = this.#entryFor(row);
      if (entry !== undefined && entry.row === undefined) this.#adopt(entry, row);
      else transaction.delete(row);
    }
    for (const entry of this.#dirty) this.#writeEntry(entry, transaction, uuidOf);
    this.#inFlight = transaction.isEmpty ? new Set() : this.#dirty;
    this.#dirty = new Set();
  }

  finished(result: CommitResult): void {
    const isDone = result.kind === "committed" || result.kind === "unchanged";
    if (!isDone) for (const entry of this.#inFlight) this.#dirty.add(entry);
    this.#inFlight = new Set();
  }

  #writeEntry(entry: Entry, transaction: Transaction<Sb>, uuidOf: DatapathUuid): void {
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
    const logical_dp_group = group === undefined ? undefined : this.#groups.uuidOf(group, row?.logical_dp_group, transaction, uuidOf);
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

  /** One datapath alone needs no group. */
  #regroup(entry: Entry): void {
    if (typeof entry.datapaths !== "string") entry.group = this.#groups.regroup(entry, entry.group);
    else {
      this.#groups.leave(entry.group);
      entry.group = undefined;
    }
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
