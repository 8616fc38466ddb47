/**
 * How long things took: `stopwatch/show` and `stopwatch/reset` (ovs-appctl(8)). A stopwatch keeps whole milliseconds: how many samples
 * there were, the extremes, the 95th percentile, and two moving averages, in which a new sample weighs a half and a hundredth.
 */
import { type UnixctlCommand, UnixctlError } from "./unixctl-command.ts";

const shortWeight = 0.5;
const longWeight = 0.01;

export class Stopwatch {
  #samples = 0;
  /** Samples by their length: a program that runs for years has many of them, but few lengths. */
  readonly #counts = new Map<number, number>();
  #shortAverage = 0;
  #longAverage = 0;

  add(durationMs: number): void {
    const ms = Math.round(durationMs);
    this.#counts.set(ms, (this.#counts.get(ms) ?? 0) + 1);
    const isFirst = this.#samples++ === 0;
    this.#shortAverage = isFirst ? ms : shortWeight * ms + (1 - shortWeight) * this.#shortAverage;
    this.#longAverage = isFirst ? ms : longWeight * ms + (1 - longWeight) * this.#longAverage;
  }

  get hasSamples(): boolean {
    return this.#samples > 0;
  }

  show(name: string): string {
    const lengths = [...this.#counts.keys()].sort((a, b) => a - b);
    return [
      `Statistics for '${name}'`,
      `  Total samples: ${this.#samples}`,
      `  Maximum: ${lengths.at(-1) ?? 0} msec`,
      `  Minimum: ${lengths[0] ?? 0} msec`,
      `  95th percentile: ${this.#percentile(lengths, 0.95).toFixed(6)} msec`,
      `  Short term average: ${this.#shortAverage.toFixed(6)} msec`,
      `  Long term average: ${this.#longAverage.toFixed(6)} msec`,
    ].map((line) => `${line}\n`).join("");
  }

  #percentile(lengths: readonly number[], share: number): number {
    let left = Math.ceil(share * this.#samples);
    for (const length of lengths) {
      left -= this.#counts.get(length) ?? 0;
      if (left <= 0) return length;
    }
    return 0;
  }
}

export class Stopwatches {
  readonly #byName: Map<string, Stopwatch>;

  constructor(names: Iterable<string>) {
    this.#byName = new Map([...names].map((name) => [name, new Stopwatch()]));
  }

  add(name: string, durationMs: number): void {
    this.#byName.get(name)?.add(durationMs);
  }

  commands(): readonly UnixctlCommand[] {
    return [
      { name: "stopwatch/show", usage: "[NAME]", minArgs: 0, maxArgs: 1, run: ([name]) => (name === undefined ? this.#showAll() : this.#show(name)) },
      { name: "stopwatch/reset", usage: "[NAME]", minArgs: 0, maxArgs: 1, run: ([name]) => this.#reset(name) },
    ];
  }

  #show(name: string): string {
    const stopwatch = this.#byName.get(name);
    if (stopwatch === undefined) throw new UnixctlError("No such stopwatch");
    return stopwatch.show(name);
  }

  #showAll(): string {
    const used = [...this.#byName].filter(([, stopwatch]) => stopwatch.hasSamples);
    const unused = this.#byName.size - used.length;
    return used.map(([name, stopwatch]) => stopwatch.show(name)).join("") + (unused > 0 ? `${unused} stopwatches with no samples\n` : "");
  }

  /** Of a name that there is not, nothing is said. */
  #reset(name: string | undefined): string {
    for (const each of this.#byName.keys()) if (name === undefined || name === each) this.#byName.set(each, new Stopwatch());
    return "";
  }
}
