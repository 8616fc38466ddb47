/**
 * Groups and meters that flows refer to by number (lib/extend-table.h). A flow's translation yields that it uses one; while
 * any does, it is in the switch, and keeps its number.
 */
import { type Engine, relation, rule, type Sink } from "../engine/index.ts";
import type { Log } from "../host/index.ts";
import type { Group } from "../logical/index.ts";
import { type MeterBand, type MeterConfig, meterFlags } from "../openflow/index.ts";
import type { Node } from "./node.ts";
import type { NumberedNames } from "./numbered-names.ts";

export interface GroupUse {
  readonly name: string;
  readonly number: number;
  readonly group: Group;
}

export interface MeterUse {
  readonly name: string;
  readonly number: number;
}

export interface WantedMeter extends MeterUse {
  readonly flags: number;
  readonly bands: readonly MeterBand[];
}

export const GroupUse = relation<GroupUse>("GroupUse", ({ name, number }) => `${number} ${name}`);
export const MeterUse = relation<MeterUse>("MeterUse", ({ name, number }) => `${number} ${name}`);
const MissingMeter = relation<{ readonly name: string }>("MissingMeter", ({ name }) => name);
export const WantedMeter = relation<WantedMeter>("WantedMeter", (m) => JSON.stringify(m));

/** What `set_meter` asks for is in the name itself; every other name is that of a row of table Meter. */
const inlinePrefix = "__string: ";

export const wantedMeters = rule("wanted-meters", (node: Node) => node.engine.facts(MeterUse), function* (node, { name, number }) {
  if (name.startsWith(inlinePrefix)) {
    yield WantedMeter({ name, number, ...parseInlineMeter(name.slice(inlinePrefix.length)) });
    return;
  }
  const row = node.metersByName.first(name);
  if (row === undefined) {
    yield MissingMeter({ name });
    return;
  }
  const bands = [...row.bands].flatMap((uuid): readonly MeterBand[] => {
    const band = node.sb.tables.Meter_Band.get(uuid);
    return band === undefined ? [] : [{ type: "drop", rate: band.rate, burst: band.burst_size }];
  });
  const isBursty = bands.some(({ burst }) => burst > 0);
  yield WantedMeter({
    name, number, bands,
    flags: (row.unit === "pktps" ? meterFlags.pktps : meterFlags.kbps) | (isBursty ? meterFlags.burst : 0) | meterFlags.stats,
  });
});

/** `kbps burst stats bands=type=drop rate=N burst_size=N`, as ovs-ofctl takes it. */
function parseInlineMeter(text: string): Pick<MeterConfig, "flags" | "bands"> {
  const number = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1] ?? 0);
  const flag = (name: keyof typeof meterFlags): number => (new RegExp(`\\b${name}\\b`).test(text) ? meterFlags[name] : 0);
  return {
    flags: flag("kbps") | flag("pktps") | flag("burst") | flag("stats"),
    bands: [{ type: "drop", rate: number("rate"), burst: number("burst_size") }],
  };
}

interface Numbered {
  readonly name: string;
  readonly number: number;
}

/**
 * Tells of meters that flows refer to and that are still missing when everything has been worked out. Of one that was there
 * when the flow came nothing is said: whoever removed it knows.
 */
export class MissingMeters {
  readonly #log: Log;
  readonly #untold = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(log: Log) {
    this.#log = log.module("ofctrl");
  }

  watch(engine: Engine): void {
    engine.sink(MeterUse, { added: () => {}, removed: ({ name }) => this.#seen.delete(name) });
    engine.sink(WantedMeter, { added: ({ name }) => this.#seen.add(name), removed: () => {} });
    engine.sink(MissingMeter, { added: ({ name }) => this.#untold.add(name), removed: ({ name }) => this.#untold.delete(name) });
  }

  tell(): void {
    for (const name of this.#untold) if (!this.#seen.has(name)) this.#log.warn(`could not find meter named "${name}"`);
    this.#untold.clear();
  }
}

/** What of one kind is wanted in the switch, and what has changed since it was last told. */
export class ExtensionTable<T extends Numbered> implements Sink<T> {
  readonly #wanted = new Map<number, T>();
  readonly #installed = new Map<number, T>();
  readonly #dirty = new Set<number>();

  added(item: T): void {
    this.#wanted.set(item.number, item);
    this.#dirty.add(item.number);
  }

  removed(item: T): void {
    if (this.#wanted.get(item.number) !== item) return;
    this.#wanted.delete(item.number);
    this.#dirty.add(item.number);
  }

  get hasChanges(): boolean {
    return this.#dirty.size > 0;
  }

  markAll(): void {
    this.#installed.clear();
    this.#dirty.clear();
    for (const number of this.#wanted.keys()) this.#dirty.add(number);
  }

  /** Additions and changes are told before the flows that use them, removals after the flows that used them. */
  takeChanges(): { readonly added: readonly T[]; readonly changed: readonly T[]; readonly removed: readonly number[] } {
    const [added, changed]: [T[], T[]] = [[], []];
    const removed: number[] = [];
    for (const number of this.#dirty) {
      const [before, after] = [this.#installed.get(number), this.#wanted.get(number)];
      if (after !== undefined) {
        (before === undefined ? added : changed).push(after);
        this.#installed.set(number, after);
      } else if (before !== undefined) {
        removed.push(number);
        this.#installed.delete(number);
      }
    }
    this.#dirty.clear();
    return { added, changed, removed };
  }
}

/** Gives a name's number back when its last user is gone and no other has come in the same flush. */
export class NumberRelease<T extends Numbered> implements Sink<T> {
  readonly #names: NumberedNames;
  readonly #users = new Set<string>();
  readonly #gone = new Set<string>();

  constructor(names: NumberedNames) {
    this.#names = names;
  }

  added({ name }: T): void {
    this.#users.add(name);
    this.#gone.delete(name);
  }

  removed({ name }: T): void {
    this.#users.delete(name);
    this.#gone.add(name);
  }

  settle(): void {
    for (const name of this.#gone) if (!this.#users.has(name)) this.#names.release(name);
    this.#gone.clear();
  }
}
