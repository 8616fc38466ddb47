/** Limits on the number of connections in a zone, and which of them were lifted again. */
import { relation, type Sink } from "../engine/index.ts";
import { Pending } from "./pending.ts";

interface ZoneLimit {
  readonly zone: number;
  readonly limit: number;
}

export const ZoneLimit = relation<ZoneLimit>("ZoneLimit", ({ zone, limit }) => `${zone} ${limit}`);

/** Of which zones the limit was lifted again: others' limits are left alone. */
export class LiftedLimits implements Sink<ZoneLimit> {
  readonly zones = new Pending<{ readonly zone: number }>("lifted limits");
  readonly #limits = new Map<number, ZoneLimit>();
  readonly #lifted = new Map<number, { readonly zone: number }>();

  added(limit: ZoneLimit): void {
    this.#limits.set(limit.zone, limit);
    const lifted = this.#lifted.get(limit.zone);
    if (lifted !== undefined) this.zones.remove(lifted);
    this.#lifted.delete(limit.zone);
  }

  removed(limit: ZoneLimit): void {
    if (this.#limits.get(limit.zone) !== limit) return;
    this.#limits.delete(limit.zone);
    const lifted = { zone: limit.zone };
    this.#lifted.set(limit.zone, lifted);
    this.zones.add(lifted);
  }
}
