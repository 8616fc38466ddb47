/**
 * The flow cache: what walks have come to, for packets to come.
 *
 * Two levels, as in OVS's user-space datapath. An exact-match table of fixed size (one slot a hash) knows the whole key of a
 * packet; below it, entries with wildcards, found mask by mask. An entry holds as long as no bridge that its walk passed has
 * changed (`Bridge.generation`): one that has is dropped when the next packet comes to it, and the tables are walked again.
 * So a change costs nothing by itself. Entries that nobody uses go after `idleMs`; there are at most `maxEntries`.
 */
import type { Bridge } from "../bridge.ts";
import type { DatapathAction } from "../packet/datapath-action.ts";
import type { FlowGroup, ReadyBucket } from "./flow-group.ts";
import { firstPacketWord, type FlowKey, keyWords, W } from "./flow-key.ts";
import type { FlowRule } from "./flow-rule.ts";
import { finish, type Minimask, mix } from "./minimask.ts";

export class CacheEntry {
  readonly mask: Minimask;
  readonly values: Uint32Array;
  readonly actions: readonly DatapathAction[];
  readonly rules: readonly FlowRule[];
  readonly buckets: readonly { readonly group: FlowGroup; readonly bucket: ReadyBucket | undefined }[];
  readonly effects: readonly (() => void)[];
  readonly bridges: readonly Bridge[];
  readonly generations: readonly number[];
  next: CacheEntry | undefined;
  isGone = false;
  packets = 0;
  bytes = 0;
  /** Of the packet that led to it. */
  firstBytes = 0;
  /** Of these, how many the rules know of. */
  creditedPackets = 0;
  creditedBytes = 0;
  usedMs: number;
  effectsMs: number;

  constructor(
    mask: Minimask, values: Uint32Array, actions: readonly DatapathAction[], rules: readonly FlowRule[], buckets: CacheEntry["buckets"],
    effects: readonly (() => void)[], passed: ReadonlyMap<Bridge, number>, nowMs: number,
  ) {
    this.mask = mask;
    this.values = values;
    this.actions = actions;
    this.rules = rules;
    this.buckets = buckets;
    this.effects = effects;
    this.bridges = [...passed.keys()];
    this.generations = [...passed.values()];
    this.usedMs = nowMs;
    this.effectsMs = nowMs;
  }

  get isValid(): boolean {
    for (let i = 0; i < this.bridges.length; i++) if ((this.bridges[i] as Bridge).generation !== this.generations[i]) return false;
    return true;
  }

  /** Tells the rules and groups of the packets since the last time. */
  credit(): void {
    const packets = this.packets - this.creditedPackets;
    if (packets === 0) return;
    const bytes = this.bytes - this.creditedBytes;
    this.creditedPackets = this.packets;
    this.creditedBytes = this.bytes;
    for (const rule of this.rules) {
      rule.packets += packets;
      rule.bytes += bytes;
      if (rule.usedMs < this.usedMs) rule.usedMs = this.usedMs;
    }
    for (const { group, bucket } of this.buckets) {
      const counted = bucket ?? group;
      counted.packets += packets;
      counted.bytes += bytes;
    }
  }
}

interface MaskTable {
  readonly mask: Minimask;
  readonly entries: Map<number, CacheEntry>;
  count: number;
}

/** Words that tell flows apart well: what the exact-match table is indexed by. */
const hashedWords: readonly number[] = [
  W.inPort, W.recircId, W.ctState, W.ctZone, W.ctMark, W.tunId + 1, W.tunSrc, W.tunMetadata, W.ethDst + 1, W.ethSrc + 1, W.vlan, W.ethType,
  W.nwSrc, W.nwDst, W.ipv6Src + 2, W.ipv6Src + 3, W.ipv6Dst + 2, W.ipv6Dst + 3, W.nwMisc, W.tpPorts, W.tcpFlags,
];

const packetWords = keyWords - firstPacketWord;

export class FlowCache {
  readonly maxEntries: number;
  readonly idleMs: number;
  readonly #slots: (CacheEntry | undefined)[];
  readonly #slotKeys: Uint32Array;
  readonly #slotMask: number;
  readonly #masks = new Map<string, MaskTable>();
  /** The same, those that were hit move forward. */
  #order: MaskTable[] = [];
  count = 0;
  hits = 0;
  misses = 0;
  exactHits = 0;

  constructor({ slots = 2048, maxEntries = 16_384, idleMs = 10_000 } = {}) {
    this.#slots = new Array<CacheEntry | undefined>(slots).fill(undefined);
    this.#slotKeys = new Uint32Array(slots * packetWords);
    this.#slotMask = slots - 1;
    this.maxEntries = maxEntries;
    this.idleMs = idleMs;
  }

  /** The entry for this packet, if there is a valid one. */
  find(key: FlowKey): CacheEntry | undefined {
    const slot = this.#slotOf(key);
    const exact = this.#slots[slot];
    if (exact !== undefined && !exact.isGone && this.#isSlotKey(slot, key)) {
      if (exact.isValid) {
        this.exactHits++;
        this.hits++;
        return exact;
      }
      this.remove(exact);
    }
    const entry = this.#findMasked(key);
    if (entry === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    this.#fillSlot(slot, key, entry);
    return entry;
  }

  insert(entry: CacheEntry, key: FlowKey, nowMs: number): void {
    if (this.count >= this.maxEntries) this.#makeRoom(nowMs);
    let table = this.#masks.get(entry.mask.text);
    if (table === undefined) {
      table = { mask: entry.mask, entries: new Map(), count: 0 };
      this.#masks.set(entry.mask.text, table);
      this.#order.push(table);
    }
    const hash = hashMasked(key, entry.mask);
    entry.next = table.entries.get(hash);
    table.entries.set(hash, entry);
    table.count++;
    this.count++;
    this.#fillSlot(this.#slotOf(key), key, entry);
  }

  remove(entry: CacheEntry): void {
    if (entry.isGone) return;
    entry.isGone = true;
    entry.credit();
    const table = this.#masks.get(entry.mask.text);
    if (table === undefined) return;
    let hash = 0;
    for (let i = 0; i < entry.values.length; i++) hash = mix(hash, entry.values[i] as number);
    hash = finish(hash);
    const first = table.entries.get(hash);
    if (first === entry) {
      if (entry.next === undefined) table.entries.delete(hash);
      else table.entries.set(hash, entry.next);
    } else for (let e = first; e !== undefined; e = e.next) if (e.next === entry) e.next = entry.next;
    table.count--;
    this.count--;
    if (table.count > 0) return;
    this.#masks.delete(entry.mask.text);
    this.#order = this.#order.filter((t) => t !== table);
  }

  /** Tells all rules of their packets. */
  credit(): void {
    for (const entry of this.entries()) entry.credit();
  }

  /** Drops what is out of use or out of date, and tells rules of their packets. */
  sweep(nowMs: number): void {
    for (const entry of [...this.entries()]) {
      if (nowMs - entry.usedMs > this.idleMs || !entry.isValid) this.remove(entry);
      else entry.credit();
    }
  }

  clear(): void {
    for (const entry of [...this.entries()]) this.remove(entry);
  }

  *entries(): IterableIterator<CacheEntry> {
    for (const { entries } of this.#masks.values()) {
      for (const first of entries.values()) for (let e: CacheEntry | undefined = first; e !== undefined; e = e.next) yield e;
    }
  }

  get maskCount(): number {
    return this.#masks.size;
  }

  #findMasked(key: FlowKey): CacheEntry | undefined {
    const order = this.#order;
    for (let t = 0; t < order.length; t++) {
      const { mask, entries } = order[t] as MaskTable;
      for (let entry = entries.get(hashMasked(key, mask)); entry !== undefined; entry = entry.next) {
        if (!matches(key, mask, entry.values)) continue;
        if (!entry.isValid) {
          this.remove(entry);
          return undefined;
        }
        if (t > 0) [order[t - 1], order[t]] = [order[t] as MaskTable, order[t - 1] as MaskTable];
        return entry;
      }
    }
    return undefined;
  }

  #slotOf(key: FlowKey): number {
    let hash = 0;
    for (let i = 0; i < hashedWords.length; i++) hash = mix(hash, key[hashedWords[i] as number] as number);
    return finish(hash) & this.#slotMask;
  }

  #isSlotKey(slot: number, key: FlowKey): boolean {
    const keys = this.#slotKeys;
    const base = slot * packetWords - firstPacketWord;
    for (let w = keyWords - 1; w >= firstPacketWord; w--) if (keys[base + w] !== key[w]) return false;
    return true;
  }

  #fillSlot(slot: number, key: FlowKey, entry: CacheEntry): void {
    this.#slots[slot] = entry;
    this.#slotKeys.set(key.subarray(firstPacketWord), slot * packetWords);
  }

  /** Lets go of what has not been used for a second; of everything if that is not enough. */
  #makeRoom(nowMs: number): void {
    for (const entry of [...this.entries()]) if (nowMs - entry.usedMs > 1000 || !entry.isValid) this.remove(entry);
    if (this.count > this.maxEntries * 0.9) this.clear();
  }
}

function hashMasked(key: FlowKey, { words, masks }: Minimask): number {
  let hash = 0;
  for (let i = 0; i < words.length; i++) hash = mix(hash, (key[words[i] as number] as number) & (masks[i] as number));
  return finish(hash);
}

function matches(key: FlowKey, { words, masks }: Minimask, values: Uint32Array): boolean {
  for (let i = 0; i < words.length; i++) {
    if ((((key[words[i] as number] as number) & (masks[i] as number)) >>> 0) !== values[i]) return false;
  }
  return true;
}
