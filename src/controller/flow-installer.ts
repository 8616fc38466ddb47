/**
 * Brings the switch's tables to what is desired, by differences: one atomic bundle for flows and groups, then a barrier. While
 * a barrier is out, changes gather for the next bundle. What had to wait for the flows (ports to be up, nb_cfg) hears of it
 * when the barrier comes back (controller/ofctrl.c, ofctrl_put).
 */
import type { Log } from "../host/index.ts";
import { type Action, type FlowMod, formatMatch, type GroupMod, groups, Match, type Message, meters, noBuffer, ports } from "../openflow/index.ts";
import { assert } from "../std/index.ts";
import type { DesiredFlows, SlotContent } from "./desired-flows.ts";
import type { ConnectionFlushes } from "./tracked-connections.ts";
import type { ExtensionTable, GroupUse, WantedMeter } from "./extension-tables.ts";

export interface InstallerSources {
  readonly flows: DesiredFlows;
  readonly groups: ExtensionTable<GroupUse>;
  readonly meters: ExtensionTable<WantedMeter>;
  /** Conntrack zones to be emptied. */
  takeFlushes(): readonly number[];
  readonly connections: ConnectionFlushes;
}

/** Sends one message; returns its xid, or undefined if the message was too large to be sent. */
export type SendMessage = (message: Message) => number | undefined;

const bundleFlags = 0b11; // ordered and atomic
const allTables = 0xff;
const anyGroup = 0xffffffff;

export class FlowInstaller {
  readonly #log: Log;
  readonly #sources: InstallerSources;
  #send: SendMessage | undefined;
  #installed = new Map<string, SlotContent>();
  #mustClear = false;
  #barrier: { readonly xid: number; readonly confirm: readonly (() => void)[] } | undefined;
  #waiting: (() => void)[] = [];
  #nextBundle = 0;
  /** Requests to forget connections since the last barrier: an older switch does not know of all kinds. */
  readonly #flushXids = new Set<number>();

  constructor(log: Log, sources: InstallerSources) {
    this.#log = log.module("ofctrl");
    this.#sources = sources;
  }

  get isConnected(): boolean {
    return this.#send !== undefined;
  }

  get installedCount(): number {
    return this.#installed.size;
  }

  /** A new connection: whatever the switch holds is replaced in the first bundle. */
  start(send: SendMessage): void {
    this.#log.dbg(() => "clearing all flows");
    this.#send = send;
    this.#mustClear = true;
    this.#installed.clear();
    this.#sources.flows.markAll();
    this.#sources.groups.markAll();
    this.#sources.meters.markAll();
    this.#waiting.unshift(...(this.#barrier?.confirm ?? []));
    this.#barrier = undefined;
  }

  stop(): void {
    this.#send = undefined;
  }

  /** Calls `confirm` when the switch has confirmed everything desired so far. */
  whenInstalled(confirm: () => void): void {
    this.#waiting.push(confirm);
  }

  /** Sends what has changed, unless a barrier is out or there is no connection. */
  run(): void {
    const send = this.#send;
    if (send === undefined || this.#barrier !== undefined) return;
    const { flows, groups: groupTable, meters: meterTable, connections } = this.#sources;
    const flushes = this.#sources.takeFlushes();
    if (!this.#mustClear && !flows.hasChanges && !groupTable.hasChanges && !meterTable.hasChanges && !connections.hasChanges && flushes.length === 0) {
      this.#confirm(this.#waiting.splice(0));
      return;
    }
    for (const zone of flushes) send({ kind: "ct_flush_zone", zone });
    const meterChanges = meterTable.takeChanges();
    if (this.#mustClear) send({ kind: "meter_mod", command: "delete", meter: meters.all, flags: 0, bands: [] });
    for (const meter of meterChanges.added) send({ kind: "meter_mod", command: "add", meter: meter.number, flags: meter.flags, bands: meter.bands });
    for (const meter of meterChanges.changed) send({ kind: "meter_mod", command: "modify", meter: meter.number, flags: meter.flags, bands: meter.bands });
    this.#sendBundle(send, this.#bundleContents());
    for (const meter of meterChanges.removed) send({ kind: "meter_mod", command: "delete", meter, flags: 0, bands: [] });
    for (const flush of connections.take()) this.#flushXids.add(xidOf(send(flush)));
    this.#mustClear = false;
    this.#barrier = { xid: xidOf(send({ kind: "barrier_request" })), confirm: this.#waiting.splice(0) };
  }

  barrierReplied(xid: number): void {
    if (this.#barrier?.xid !== xid) return;
    const { confirm } = this.#barrier;
    this.#barrier = undefined;
    this.#flushXids.clear();
    this.#confirm(confirm);
    this.run();
  }

  /** Whether the switch's complaint is about something that it may refuse. */
  mayFail(xid: number): boolean {
    return this.#flushXids.has(xid);
  }

  #confirm(waiting: readonly (() => void)[]): void {
    for (const confirm of waiting) confirm();
  }

  #bundleContents(): readonly Message[] {
    const contents: Message[] = [];
    const groupChanges = this.#sources.groups.takeChanges();
    if (this.#mustClear) {
      contents.push({ ...flowMod, command: "delete", table: allTables }, { ...groupMod, command: "delete", group: groups.all });
    }
    for (const { number, group } of groupChanges.added) contents.push({ ...groupMod, ...group, command: "add", group: number });
    for (const { number, group } of groupChanges.changed) contents.push({ ...groupMod, ...group, command: "modify", group: number });
    for (const slot of this.#sources.flows.takeChanges()) contents.push(...this.#changesOf(slot));
    for (const group of groupChanges.removed) contents.push({ ...groupMod, command: "delete", group });
    return contents;
  }

  #changesOf(slot: string): readonly FlowMod[] {
    const [before, after] = [this.#installed.get(slot), this.#sources.flows.contentOf(slot)];
    const removal = before && { ...flowMod, ...placeOf(before), command: "delete_strict" as const };
    if (after === undefined) {
      this.#installed.delete(slot);
      return removal === undefined ? [] : [removal];
    }
    if (before !== undefined && before.fingerprint === after.fingerprint && before.cookie === after.cookie) return [];
    this.#installed.set(slot, after);
    // What a flow taught lives as long as the flow: if it is to teach something else, that ends too.
    if (removal !== undefined && before?.actions.some(isTeachingForLife) === true) return [removal, additionOf(after)];
    // A change of cookie alone is beyond what a modification can do.
    const addition = additionOf(after);
    return [before === undefined || before.cookie !== after.cookie ? addition : { ...addition, command: "modify_strict" }];
  }

  #sendBundle(send: SendMessage, contents: readonly Message[]): void {
    if (contents.length === 0) return;
    const bundle = this.#nextBundle;
    this.#nextBundle = (this.#nextBundle + 1) >>> 0;
    send({ kind: "bundle_control", bundle, control: "open_request", flags: bundleFlags });
    const put = (message: Message): boolean => send({ kind: "bundle_add", bundle, flags: bundleFlags, message }) !== undefined;
    for (const message of contents) {
      if (message.kind === "group_mod") putGroup(put, message);
      else if (!put(message) && message.kind === "flow_mod") this.#log.err(`The FLOW_MOD message is too big: ${describe(message)}`);
    }
    send({ kind: "bundle_control", bundle, control: "commit_request", flags: bundleFlags });
  }
}

function xidOf(sent: number | undefined): number {
  assert(sent !== undefined, "a small message");
  return sent;
}

/** A group with more buckets than one message can hold is sent in parts. */
function putGroup(put: (message: GroupMod) => boolean, group: GroupMod): void {
  if (put(group) || group.buckets.length < 2) return;
  const half = Math.ceil(group.buckets.length / 2);
  putGroup(put, { ...group, buckets: group.buckets.slice(0, half) });
  // How the group chooses is said once.
  putGroup(put, {
    ...group, command: "insert_bucket", commandBucket: groups.bucketLast, buckets: group.buckets.slice(half),
    selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any,
  });
}

const describe = ({ table, priority, match, cookie }: FlowMod): string =>
  `table=${table}, priority=${priority}, cookie=0x${cookie.toString(16)}, ${formatMatch(match)}`;
const isTeachingForLife = (action: Action): boolean => action.kind === "learn" && action.deleteLearned;
const additionOf = (after: SlotContent): FlowMod =>
  ({ ...flowMod, ...placeOf(after), command: "add", cookie: BigInt(after.cookie), actions: after.actions });

const placeOf = ({ table, priority, match }: SlotContent): Pick<FlowMod, "table" | "priority" | "match"> => ({ table, priority, match });

const flowMod: Omit<FlowMod, "command" | "table"> = {
  kind: "flow_mod", cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 0, bufferId: noBuffer, outPort: ports.none,
  outGroup: anyGroup, importance: 0, flags: {}, match: Match.any, actions: [],
};

const groupMod: Omit<GroupMod, "command" | "group"> = {
  kind: "group_mod", type: "all", buckets: [], selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any,
  commandBucket: groups.bucketAll,
};
