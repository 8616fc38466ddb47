/**
 * Keeps a flood of log lines from filling disks. The C programs limit each place in the code; here each distinct line of a
 * module has a bucket of its own, and the module as a whole a larger one. What was dropped is counted and said.
 */
import type { Clock } from "../host/index.ts";

/** The same line again: 20 at once, then one every 3 seconds. */
const lineBurst = 20;
const lineIntervalMs = 3000;
/** Whatever lines of one module: 1000 at once, then one every 10 ms. */
const moduleBurst = 1000;
const moduleIntervalMs = 10;
const maxBuckets = 2000;

interface Bucket {
  tokens: number;
  filledAt: number;
  dropped: number;
  firstDroppedAt: number;
  lastDroppedAt: number;
}

/** What is asked for line by line, and limited by a meter if it is to be. */
const unlimitedModules: ReadonlySet<string> = new Set(["acl_log"]);

/** Whether a line may pass; with `report`, what to say first of those that did not. */
export type Verdict = { readonly pass: false } | { readonly pass: true; readonly report: string | undefined };

export class RateLimit {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  judge(module: string, text: string): Verdict {
    if (unlimitedModules.has(module)) return { pass: true, report: undefined };
    const now = this.#clock.now();
    const line = this.#bucket(`${module}|${text}`, lineBurst, lineIntervalMs, now);
    const all = this.#bucket(module, moduleBurst, moduleIntervalMs, now);
    if (line.tokens < 1 || all.tokens < 1) {
      if (line.dropped++ === 0) line.firstDroppedAt = now;
      line.lastDroppedAt = now;
      return { pass: false };
    }
    line.tokens--;
    all.tokens--;
    return { pass: true, report: reportOf(line, now) };
  }

  #bucket(key: string, burst: number, intervalMs: number, now: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: burst, filledAt: now, dropped: 0, firstDroppedAt: 0, lastDroppedAt: 0 };
      this.#evict();
    } else {
      bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.filledAt) / intervalMs);
      bucket.filledAt = now;
      this.#buckets.delete(key);
    }
    // Last used, last in the map: the first is the one to forget.
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #evict(): void {
    if (this.#buckets.size < maxBuckets) return;
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

function reportOf(bucket: Bucket, now: number): string | undefined {
  if (bucket.dropped === 0) return undefined;
  const seconds = (since: number): number => Math.floor((now - since) / 1000);
  const text =
    `Dropped ${bucket.dropped} log messages in last ${seconds(bucket.firstDroppedAt)} seconds ` +
    `(most recently, ${seconds(bucket.lastDroppedAt)} seconds ago) due to excessive rate`;
  bucket.dropped = 0;
  return text;
}
