/** How often things happened, with rates over the last five seconds, minute and hour (ovs-appctl(8), coverage/show). */
import type { Clock } from "../host/index.ts";
import { type UnixctlCommand, UnixctlError } from "./unixctl-command.ts";

const fineMs = 5000;
const fineSlots = 12;
const coarseMs = 60_000;
const coarseSlots = 60;

/** Counts in a ring of time slots; a slot that time has passed over counts nothing. */
class Ring {
  readonly #slotMs: number;
  readonly #counts: number[];
  readonly #stamps: number[];

  constructor(slotMs: number, slots: number) {
    this.#slotMs = slotMs;
    this.#counts = Array.from({ length: slots }, () => 0);
    this.#stamps = Array.from({ length: slots }, () => -1);
  }

  add(now: number, n: number): void {
    const stamp = Math.floor(now / this.#slotMs);
    const slot = stamp % this.#counts.length;
    this.#counts[slot] = (this.#stamps[slot] === stamp ? (this.#counts[slot] ?? 0) : 0) + n;
    this.#stamps[slot] = stamp;
  }

  /** The sum of the last `slots` completed slots. */
  sum(now: number, slots: number): number {
    const current = Math.floor(now / this.#slotMs);
    return this.#counts.reduce((sum, n, i) => {
      const stamp = this.#stamps[i] ?? -1;
      return stamp < current && stamp >= current - slots ? sum + n : sum;
    }, 0);
  }
}

interface Counter {
  total: number;
  readonly fine: Ring;
  readonly coarse: Ring;
}

export class Coverage {
  readonly #clock: Clock;
  readonly #counters = new Map<string, Counter>();

  constructor(clock: Clock, names: readonly string[] = []) {
    this.#clock = clock;
    for (const name of names) this.#counter(name);
  }

  count(name: string, n = 1): void {
    const counter = this.#counter(name);
    const now = this.#clock.now();
    counter.total += n;
    counter.fine.add(now, n);
    counter.coarse.add(now, n);
  }

  #counter(name: string): Counter {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      counter = { total: 0, fine: new Ring(fineMs, fineSlots + 1), coarse: new Ring(coarseMs, coarseSlots + 1) };
      this.#counters.set(name, counter);
    }
    return counter;
  }

  show(): string {
    const now = this.#clock.now();
    const hit = [...this.#counters].filter(([, c]) => c.total > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = hit.map(([name, { total, fine, coarse }]) => {
      const rates = [
        (fine.sum(now, 1) / 5).toFixed(1).padStart(5),
        (fine.sum(now, fineSlots) / 60).toFixed(3).padStart(9),
        (coarse.sum(now, coarseSlots) / 3600).toFixed(4).padStart(13),
      ];
      return `${name.padEnd(24)} ${rates.map((r) => `${r}/sec`).join(" ")}   total: ${total}`;
    });
    const title = "Event coverage, avg rate over last: 5 seconds, last minute, last hour:";
    return [title, ...lines, `${this.#counters.size - hit.length} events never hit`].map((line) => `${line}\n`).join("");
  }

  commands(): readonly UnixctlCommand[] {
    return [
      { name: "coverage/show", usage: "", minArgs: 0, maxArgs: 0, run: () => this.show() },
      {
        name: "coverage/read-counter",
        usage: "COUNTER",
        minArgs: 1,
        maxArgs: 1,
        run: ([name]) => {
          const counter = this.#counters.get(name ?? "");
          if (counter === undefined) throw new UnixctlError("No such counter");
          return `${counter.total}\n`;
        },
      },
    ];
  }
}
