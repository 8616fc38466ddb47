/**
 * One walk through the tables, as far as it has come: the flow key as the actions have changed it, what was looked at,
 * what is to be done to the packet.
 *
 * Header fields that actions have written are kept in the key and marked `pending`; `commit` turns them into one
 * datapath action just before something can see the packet. How steps are carried out: steps.ts.
 */
import { type FlowMod, ports as reserved } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import type { DatapathAction, FrozenState, RestOfRule, ToController } from "../packet/datapath-action.ts";
import type { FlowGroup, ReadyBucket } from "../flow/flow-group.ts";
import { firstHeaderWord, firstPacketWord, type FlowKey, keyWords, tunMetadataFields, W } from "../flow/flow-key.ts";
import type { FlowRule } from "../flow/flow-rule.ts";
import type { NativeTunnels } from "../native/native-tunnels.ts";
import type { PortMirror } from "../port/port-mirror.ts";
import { type Slice, type Step, type Write } from "./program.ts";
import { eachChunk, eachWrite, lowBits, readSlice } from "../flow/slice.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import { Wildcards } from "../flow/wildcards.ts";

/** Told of each step of a walk, for ofproto/trace. */
export interface WalkTracer {
  /** A table is entered; `isNested`: the rest of the list that led there is still to come. */
  enterTable(table: number, rule: FlowRule | undefined, isNested: boolean): void;
  leaveTable(isNested: boolean): void;
  enterBridge(name: string): void;
  step(step: Step): void;
  enterBucket(id: number): void;
  leaveBucket(): void;
  /** A remark on what the last step did. */
  note(kind: "detail" | "warning" | "error", text: string): void;
}

/** What a walk needs of the switch around it. */
export interface Surroundings {
  /** Port and bridge at the other end of a patch port. */
  peerOf(bridge: Bridge, port: SwitchPort): { readonly bridge: Bridge; readonly port: SwitchPort } | undefined;
  /** The same state for the same content, with a recirc_id. */
  freeze(state: Omit<FrozenState, "id">): FrozenState;
  /** Installs what a `learn` action has made. */
  learn(bridge: Bridge, flow: FlowMod): void;
  nowMs(): number;
  /** Tunnels that the switch carries itself; undefined: somebody else takes their packets. */
  readonly native: NativeTunnels | undefined;
}

/** Everything of a walk that is set back after a clone, a bucket or a patch port. */
export interface Saved {
  readonly bridge: Bridge;
  readonly key: FlowKey;
  readonly written: FlowKey;
  readonly pending: FlowKey;
  readonly table: number;
  readonly cookie: bigint;
  readonly stack: number[][];
  readonly actionSet: readonly Step[];
  readonly actions: DatapathAction[];
  readonly hasExited: boolean;
}

export type WalkError =
  | "resubmits too many" | "resubmits nested too deep" | "stack underflow" | "no such group" | "recursive group" | "too many actions";

/** Limits as OVS has them. */
export const maxDepth = 64;
export const maxResubmits = maxDepth * maxDepth;
const maxActions = 20_000;

export class Walk {
  readonly surroundings: Surroundings;
  bridge: Bridge;
  key: FlowKey = new Uint32Array(keyWords);
  readonly wildcards = new Wildcards();
  pending: FlowKey = new Uint32Array(keyWords);
  actions: DatapathAction[] = [];
  actionCount = 0;
  table = 0;
  cookie = 0n;
  /** Mirrors that have had the packet as it is. */
  readonly mirrored = new Set<PortMirror>();
  depth = 0;
  resubmits = 0;
  stack: number[][] = [];
  actionSet: readonly Step[] = [];
  /** Set by `exit`, by errors and by pausing: nothing more is done. */
  hasExited = false;
  /** Present while a paused walk unwinds: the packet-in that it ends in, and what was left to do, innermost first. */
  paused: { readonly notice: Omit<ToController, "continuation">; readonly rest: RestOfRule[] } | undefined;
  error: WalkError | undefined;
  readonly rules: FlowRule[] = [];
  readonly buckets: { readonly group: FlowGroup; readonly bucket: ReadyBucket | undefined }[] = [];
  readonly groupsEntered: FlowGroup[] = [];
  /** Things that seeing a packet does besides sending it on (learning addresses, flows): repeated while the flow lasts. */
  readonly effects: (() => void)[] = [];
  readonly tracer: WalkTracer | undefined;
  /** Generations of the bridges that were passed. */
  readonly passed = new Map<Bridge, number>();

  constructor(surroundings: Surroundings, bridge: Bridge, tracer?: WalkTracer) {
    this.surroundings = surroundings;
    this.bridge = bridge;
    this.tracer = tracer;
    this.enter(bridge);
  }

  enter(bridge: Bridge): void {
    this.bridge = bridge;
    if (!this.passed.has(bridge)) this.passed.set(bridge, bridge.generation);
  }

  look(word: number, mask: number): void {
    this.wildcards.look(word, mask);
  }

  /** The word's bits, noted as looked at. */
  read(word: number, mask = 0xffffffff): number {
    this.wildcards.look(word, mask);
    return ((this.key[word] ?? 0) & mask) >>> 0;
  }

  write(word: number, mask: number, value: number): void {
    this.key[word] = ((this.key[word] ?? 0) & ~mask) | (value & mask);
    if (word < firstPacketWord) return;
    if (word >= firstHeaderWord) this.mirrored.clear();
    this.wildcards.written[word] = (this.wildcards.written[word] ?? 0) | mask;
    if (word >= firstHeaderWord || word === W.pktMark) this.pending[word] = (this.pending[word] ?? 0) | mask;
  }

  writeAll({ words, masks, values }: Write): void {
    for (let i = 0; i < words.length; i++) this.write(words[i] ?? 0, masks[i] ?? 0, values[i] ?? 0);
  }

  readSlice(slice: Slice): number[] {
    eachChunk(slice, (word, shift, bits) => this.wildcards.look(word, lowBits(bits) << shift));
    return readSlice(this.key, slice);
  }

  writeSlice(slice: Slice, value: readonly number[]): void {
    eachWrite(slice, value, (word, mask, bits) => this.write(word, mask, bits));
    // Whoever writes to a tunnel option wants it sent.
    const option = slice.lastWord - W.tunMetadata;
    if (option >= 0 && option < tunMetadataFields) this.write(W.tunMetadataPresent, 1 << option, 1 << option);
  }

  emit(action: DatapathAction): void {
    if (++this.actionCount > maxActions) return this.fail("too many actions");
    this.actions.push(action);
  }

  fail(error: WalkError): void {
    this.error ??= error;
    this.hasExited = true;
    this.tracer?.note("error", `${error}, dropping packet`);
  }

  /** Says what the pending writes come to. */
  commit(): void {
    const vlan = this.pending[W.vlan] ?? 0;
    if (vlan !== 0) {
      this.pending[W.vlan] = 0;
      this.emit({ kind: "vlan", tci: this.key[W.vlan] ?? 0, tpid: 0x8100 });
    }
    let words: number[] | undefined;
    let masks: number[] = [];
    let values: number[] = [];
    for (let w = W.pktMark; w < keyWords; w++) {
      const mask = this.pending[w] as number;
      if (mask === 0) continue;
      if (words === undefined) [words, masks, values] = [[], [], []];
      words.push(w);
      masks.push(mask);
      values.push(((this.key[w] as number) & mask) >>> 0);
      this.pending[w] = 0;
    }
    if (words !== undefined) this.emit({ kind: "set", ethType: this.key[W.ethType] ?? 0, protocol: (this.key[W.nwMisc] ?? 0) >>> 24, words, masks, values });
  }

  save(): Saved {
    const { bridge, key, pending, table, cookie, stack, actionSet, actions } = this;
    return {
      bridge, key: key.slice(), written: this.wildcards.written.slice(), pending: pending.slice(), table, cookie,
      stack: stack.map((s) => [...s]), actionSet, actions, hasExited: this.hasExited,
    };
  }

  restore(saved: Saved): void {
    this.bridge = saved.bridge;
    this.key.set(saved.key);
    this.wildcards.written.set(saved.written);
    this.pending.set(saved.pending);
    this.table = saved.table;
    this.cookie = saved.cookie;
    this.stack = saved.stack;
    this.actionSet = saved.actionSet;
    this.actions = saved.actions;
    this.hasExited = saved.hasExited || this.error !== undefined;
  }

  /** Does `body` to a copy of the packet: afterwards everything is as it was before. */
  onCopy(body: () => void): void {
    const saved = this.save();
    const inner: DatapathAction[] = [];
    this.actions = inner;
    body();
    this.finishPause();
    this.restore(saved);
    if (inner.some(changesPacket)) this.actions.push({ kind: "clone", actions: inner });
    else this.actions.push(...inner);
  }

  /** The walk has unwound after a pause: now it is known where the packet would go on. */
  finishPause(): void {
    if (this.paused === undefined) return;
    const { notice, rest } = this.paused;
    this.paused = undefined;
    this.emit({ ...notice, continuation: { id: 0, ...this.freeze(undefined, rest) } });
  }

  get inPort(): number {
    return this.key[W.inPort] ?? 0;
  }

  /** Takes over what `freeze` has kept: registers, metadata, tunnel. The packet's own words are in the key already. */
  thaw(state: FrozenState): void {
    const { key, wildcards } = this;
    for (let w = 0; w < firstPacketWord; w++) key[w] = state.pipeline[w] ?? 0;
    for (let w = W.tunId; w <= W.tunMetadataPresent; w++) {
      key[w] = state.pipeline[w] ?? 0;
      wildcards.written[w] = 0xffffffff;
    }
    key[W.inPort] = state.inPort;
    wildcards.written[W.inPort] = 0xffffffff;
    this.stack = state.stack.map((s) => [...s]);
    this.actionSet = state.actionSet;
    for (const mirror of state.mirrored ?? []) this.mirrored.add(mirror);
  }

  /** The pipeline as it is here, to go on later at `table` or with `rest`. */
  freeze(table: number | undefined, rest: readonly RestOfRule[]): Omit<FrozenState, "id"> {
    for (let w = W.tunId; w <= W.tunMetadataPresent; w++) this.look(w, 0xffffffff);
    return {
      bridge: this.bridge, table, pipeline: this.key.slice(0, W.ethDst), inPort: this.inPort,
      stack: this.stack.map((s) => [...s]), actionSet: this.actionSet, rest,
      ...(this.mirrored.size === 0 ? {} : { mirrored: new Set(this.mirrored) }),
    };
  }

  isPortLive(number: number): boolean {
    if (number === reserved.none) return false;
    const port = this.bridge.portsByNumber.get(number);
    return port !== undefined && port.isUp && port.isForwarding;
  }
}

/** Whether a packet is another one afterwards, or may not come out. */
export const changesPacket = (action: DatapathAction): boolean =>
  action.kind !== "output" && action.kind !== "tunnel" && action.kind !== "controller" && action.kind !== "clone" && action.kind !== "recirculate";
