/**
 * Tracked reads: who read what, and what must be looked at again when it changes. The numbered rules are in SPEC.md.
 *
 * A *source* is anything that can be read under observation: a cell, a derived value, a collection's membership, a bucket of
 * an index. A *computation* is a function whose reads are recorded while it runs: a derived value, an instance of a rule, an
 * index entry. A change marks its direct readers "stale" and everything behind a derived value "perhaps": a perhaps-stale
 * computation runs again only if something it read has really moved.
 *
 * There are hundreds of thousands of computations with a handful of reads each, so what they keep is as small as it gets:
 * reads are gathered on one stack for all, and cut off as an array of the right length when a run ends.
 */
import { assert } from "../std/index.ts";

export type Freshness = "fresh" | "perhaps" | "stale";

export interface Source {
  /** When it moved last, on the clock of all moves: it moves whenever what a reader would see is different. */
  movedAt: number;
  /** The run that noted it last: it is noted once in a run. */
  notedIn: number;
  /** Who has read it. Most sources have no reader or one: `others` are the ones beyond `reader`, and only then. */
  reader: Computation | undefined;
  others: OtherReaders;
  /** Brings a derived value up to date; nothing for a source that is always current. */
  refresh?(): void;
  /** The last reader is gone: a derived value may be forgotten. */
  unread?(): void;
  /** For `why()`: `Logical_Switch_Port p1.addresses`. */
  describe(): string;
}

/** Never empty. An array while they are few: a set of two costs ten times as much. */
export type OtherReaders = Computation[] | Set<Computation> | undefined;

const few = 8;

export const isRead = (source: Source): boolean => source.reader !== undefined || source.others !== undefined;

function addReader(source: Source, reader: Computation): void {
  const { others } = source;
  if (source.reader === reader) return;
  if (others === undefined) {
    if (source.reader === undefined) source.reader = reader;
    else source.others = [reader];
  } else if (!Array.isArray(others)) others.add(reader);
  else if (others.includes(reader)) return;
  // A copy of the right length: push would make room for sixteen more.
  else if (others.length < few) source.others = others.concat(reader);
  else source.others = new Set(others).add(reader);
}

function removeReader(source: Source, reader: Computation): void {
  if (source.reader === reader) source.reader = undefined;
  else if (source.others !== undefined) removeOther(source, source.others, reader);
  if (!isRead(source)) source.unread?.();
}

function removeOther(source: Source, others: Computation[] | Set<Computation>, reader: Computation): void {
  if (!Array.isArray(others)) {
    others.delete(reader);
    if (others.size === 0) source.others = undefined;
    return;
  }
  const place = others.indexOf(reader);
  if (place < 0) return;
  if (others.length === 1) source.others = undefined;
  else others.splice(place, 1);
}

/** Visits the readers there are now, whatever `visit` does to them. */
export function forEachReader(source: Source, visit: (reader: Computation) => void): void {
  const { reader, others } = source;
  if (others !== undefined) for (const other of [...others]) visit(other);
  if (reader !== undefined) visit(reader);
}

/** What the computations that are running have read so far; each has the part from its own base on. */
const sourcesRead: Source[] = [];
const nothing: readonly Source[] = [];

let observer: Computation | undefined;
let run = 0;
let runs = 0;
let moves = 0;
const notRunning = -1;

export abstract class Computation {
  freshness: Freshness = "stale";
  #sources: readonly Source[] = nothing;
  /** The clock of moves at the end of its last run: nothing that it read moves while it runs, so what has moved is later. */
  #ranAt = 0;
  /** Where its reads begin on the stack, while it runs. */
  #base = notRunning;

  /** Told when it turns from fresh to perhaps or stale: a derived value passes it on, a rule queues itself. */
  protected abstract onStale(): void;

  /** The work itself, of which the reads are recorded. */
  protected abstract evaluate(): void;

  /** What the last run read, in order. */
  get reads(): readonly Source[] {
    return [...new Set(this.#sources)];
  }

  get isRunning(): boolean {
    return this.#base !== notRunning;
  }

  mark(freshness: "perhaps" | "stale"): void {
    const was = this.freshness;
    if (was === "stale" || was === freshness) return;
    this.freshness = freshness;
    if (was === "fresh") this.onStale();
  }

  /** Whether anything it read has really moved. Settles "perhaps" one way or the other. */
  mustRun(): boolean {
    if (this.freshness === "perhaps") this.freshness = this.#hasMoved() ? "stale" : "fresh";
    return this.freshness === "stale";
  }

  /** Looks no further than the first: what comes after it may not even be read again. */
  #hasMoved(): boolean {
    for (const source of this.#sources) {
      source.refresh?.();
      if (source.movedAt > this.#ranAt) return true;
    }
    return false;
  }

  /** Evaluates it, recording its reads in place of those of the run before. */
  protected observe(): void {
    const before = this.#sources;
    const outer = observer;
    const outerRun = run;
    const base = sourcesRead.length;
    const thisRun = ++runs;
    this.#base = base;
    observer = this;
    run = thisRun;
    this.freshness = "fresh";
    try {
      this.evaluate();
    } finally {
      observer = outer;
      run = outerRun;
      this.#base = notRunning;
      this.#ranAt = moves;
      this.#sources = sourcesRead.length === base ? nothing : sourcesRead.slice(base);
      sourcesRead.length = base;
      if (before.length > 0) this.#leaveWhatIsNotReadAnyMore(before, thisRun);
    }
  }

  #leaveWhatIsNotReadAnyMore(before: readonly Source[], thisRun: number): void {
    // A run within this one may have noted some of them after this one did.
    for (const source of this.#sources) source.notedIn = thisRun;
    for (const source of before) if (source.notedIn !== thisRun) removeReader(source, this);
  }

  /** Whether it has read `source` in the run that is going on. */
  hasRead(source: Source): boolean {
    return this.isRunning && sourcesRead.includes(source, this.#base);
  }

  /** Forgets every read: nothing wakes it any more. */
  detach(): void {
    for (const source of this.#sources) removeReader(source, this);
    this.#sources = nothing;
    this.freshness = "stale";
  }
}

/** Notes that whoever runs now has read `source`. */
export function track(source: Source): void {
  if (observer === undefined || source.notedIn === run) return;
  source.notedIn = run;
  sourcesRead.push(source);
  addReader(source, observer);
}

export const isObserved = (): boolean => observer !== undefined;

/** Runs `body` without recording what it reads. For explanations and logs, never for values. */
export function untracked<V>(body: () => V): V {
  const outer = observer;
  observer = undefined;
  try {
    return body();
  } finally {
    observer = outer;
  }
}

/** Says that `source` has changed. A computation that changes what it has read would never come to rest. */
export function moved(source: Source): void {
  source.movedAt = ++moves;
  forEachReader(source, (reader) => {
    // A derived value that is brought up to date for a reader in the middle of its run may have been read in the run before.
    if (!reader.isRunning) reader.mark("stale");
    else assert(!reader.hasRead(source), `a computation changed what it reads: ${source.describe()}`);
  });
}
