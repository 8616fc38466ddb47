/**
 * Numbers for conjunctions (ovs-fields(7), "Conjunctive Match Fields"). A logical flow starts, on each datapath, at a hash of
 * both, so that the same flow gets the same numbers again; where some of those are taken, behind them.
 */
interface Range {
  readonly start: number;
  readonly count: number;
}

export class ConjunctionIds {
  readonly #ranges = new Map<string, Range>();
  readonly #taken = new Set<number>();

  /** The first of `count` consecutive numbers for the flow on the datapath. */
  start(flow: string, datapath: string, count: number): number {
    const key = `${flow} ${datapath}`;
    const known = this.#ranges.get(key);
    if (known !== undefined && known.count === count) return known.start;
    this.release(flow, datapath);
    let start = firstChoice(flow, datapath);
    for (;;) {
      const clash = this.#clash(start, count);
      if (clash === undefined) break;
      start = clash + count > 0xffffffff ? 1 : clash + 1;
    }
    for (let id = start; id < start + count; id++) this.#taken.add(id);
    this.#ranges.set(key, { start, count });
    return start;
  }

  release(flow: string, datapath: string): void {
    const key = `${flow} ${datapath}`;
    const range = this.#ranges.get(key);
    if (range === undefined) return;
    this.#ranges.delete(key);
    for (let id = range.start; id < range.start + range.count; id++) this.#taken.delete(id);
  }

  /** As debug/dump-lflow-conj-ids shows them; a star where a number other than the flow's own had to do. */
  list(): string {
    const lines = [...this.#ranges].map(([key, { start, count }]) => {
      const [flow = "", datapath = ""] = key.split(" ");
      return `lflow: ${flow}, dp: ${datapath}, start: ${start}, n: ${count}${start === firstChoice(flow, datapath) ? "" : " (*)"}\n`;
    });
    return `Conjunction IDs allocations:\n${lines.sort().join("")}---\nTotal ${this.#taken.size} IDs used.\n`;
  }

  /** The highest number of the range that is taken. */
  #clash(start: number, count: number): number | undefined {
    if (start + count - 1 > 0xffffffff) return 0xffffffff;
    for (let id = start + count - 1; id >= start; id--) if (this.#taken.has(id)) return id;
    return undefined;
  }
}

const firstChoice = (flow: string, datapath: string): number => hashOf(firstWord(flow), firstWord(datapath)) || 1;
const firstWord = (uuid: string): number => Number.parseInt(uuid.slice(0, 8), 16);

/** Two words under Murmur3's mixing, as Open vSwitch hashes them: its numbers and ours are the same. */
function hashOf(x: number, y: number): number {
  let hash = mix(mix(x, 0), y) ^ 8;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
const mix = (hash: number, word: number): number =>
  (Math.imul(rotate(hash ^ Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593), 13), 5) + 0xe6546b64) | 0;
