/**
 * Tracked reads: who read what, and what must be looked at again when it changes. The numbered rules are in SPEC.md.
 *
 * A *source* is anything that can be read under observation: a cell, a derived value, a collection's membership, a bucket of
 * an index. A *computation* is a function whose reads are recorded while it runs: a derived value, an instance of a rule, an
 * index entry. A change marks its direct readers "stale" and everything behind a derived value "perhaps": a perhaps-stale
 * computation runs again only if one of the versions it recorded has really moved.
 */
import { assert } from "../std/index.ts";

export type Freshness = "fresh" | "perhaps" | "stale";

export interface Source {
  /** Moves whenever what a reader would see is different. */
  version: number;
  readonly readers: Set<Computation>;
  /** Brings a derived value up to date; nothing for a source that is always current. */
  refresh?(): void;
  /** The last reader is gone: a derived value may be forgotten. */
  unread?(): void;
  /** For `why()`: `Logical_Switch_Port p1.addresses`. */
  describe(): string;
}

export abstract class Computation {
  freshness: Freshness = "stale";
  /** What the last run read, in order, each with the version it saw. */
  reads: { readonly source: Source; readonly version: number }[] = [];
  /** While it runs: what it has read so far. */
  running: ReadonlySet<Source> | undefined;

  /** Told when it turns from fresh to perhaps or stale: a derived value passes it on, a rule queues itself. */
  protected abstract onStale(): void;

  mark(freshness: "perhaps" | "stale"): void {
    const was = this.freshness;
    if (was === "stale" || was === freshness) return;
    this.freshness = freshness;
    if (was === "fresh") this.onStale();
  }

  /** Whether anything it read has really moved. Settles "perhaps" one way or the other. */
  mustRun(): boolean {
    if (this.freshness === "perhaps") {
      this.freshness = this.reads.some(({ source, version }) => {
        source.refresh?.();
        return source.version !== version;
      })
        ? "stale"
        : "fresh";
    }
    return this.freshness === "stale";
  }

  /** Runs `body`, recording its reads in place of those of the run before. */
  protected observe<V>(body: () => V): V {
    const before = this.reads;
    const outer = observer;
    this.reads = [];
    const seen = new Set<Source>();
    observer = { computation: this, seen };
    this.running = seen;
    this.freshness = "fresh";
    try {
      return body();
    } finally {
      observer = outer;
      this.running = undefined;
      for (const { source } of before) if (!seen.has(source)) leave(source, this);
    }
  }

  /** Forgets every read: nothing wakes it any more. */
  detach(): void {
    for (const { source } of this.reads) leave(source, this);
    this.reads = [];
    this.freshness = "stale";
  }
}

let observer: { readonly computation: Computation; readonly seen: Set<Source> } | undefined;

/** Notes that whoever runs now has read `source`. */
export function track(source: Source): void {
  if (observer === undefined || observer.seen.has(source)) return;
  observer.seen.add(source);
  observer.computation.reads.push({ source, version: source.version });
  source.readers.add(observer.computation);
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
  source.version++;
  for (const reader of [...source.readers]) {
    // A derived value that is brought up to date for a reader in the middle of its run may have been read in the run before.
    if (reader.running === undefined) reader.mark("stale");
    else assert(!reader.running.has(source), `a computation changed what it reads: ${source.describe()}`);
  }
}

function leave(source: Source, reader: Computation): void {
  source.readers.delete(reader);
  if (source.readers.size === 0) source.unread?.();
}
