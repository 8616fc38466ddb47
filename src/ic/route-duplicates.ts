/** Says when a zone has two reasons to advertise one route: only one row can be written, and somebody may want to know. */
import type { Sink } from "../engine/index.ts";
import type { Log } from "../host/index.ts";
import type { WantedRoute } from "./wishes.ts";

export class RouteDuplicates implements Sink<WantedRoute> {
  readonly #log: Log;
  readonly #wishes = new Map<string, Set<WantedRoute>>();
  readonly #changed = new Set<string>();
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  added(wish: WantedRoute): void {
    const wishes = this.#wishes.get(wish.key);
    if (wishes === undefined) this.#wishes.set(wish.key, new Set([wish]));
    else wishes.add(wish);
    this.#changed.add(wish.key);
  }

  removed(wish: WantedRoute): void {
    const wishes = this.#wishes.get(wish.key);
    wishes?.delete(wish);
    if (wishes?.size === 0) this.#wishes.delete(wish.key);
    this.#changed.add(wish.key);
  }

  /** Only now, since a wish that is replaced is there twice for a moment. */
  settle(): void {
    for (const key of this.#changed) {
      const [, second] = this.#wishes.get(key) ?? [];
      if (second === undefined) this.#told.delete(key);
      else if (!this.#told.has(key)) {
        this.#told.add(key);
        this.#log.warn(`Duplicate ${second.origin} route advertisement was suppressed! NB ${second.source}`);
      }
    }
    this.#changed.clear();
  }
}
