/**
 * How many connections each zone may have: by CT_Zone rows (`limit`) and by `ovs-appctl dpctl/ct-set-limits`. A zone without a
 * limit of its own has the default one; no default, no limit. Zero is a limit too: nothing is committed there.
 */

export class ZoneLimits {
  readonly #own = new Map<number, number>();
  readonly #counts = new Map<number, number>();
  /** undefined: none. */
  default: number | undefined;

  get zones(): readonly number[] {
    return [...this.#own.keys()].sort((a, b) => a - b);
  }

  set(zone: number, limit: number): void {
    this.#own.set(zone, limit);
  }

  delete(zone: number): void {
    this.#own.delete(zone);
  }

  limitOf(zone: number): number | undefined {
    return this.#own.get(zone) ?? this.default;
  }

  countOf(zone: number): number {
    return this.#counts.get(zone) ?? 0;
  }

  isFull(zone: number): boolean {
    const limit = this.limitOf(zone);
    return limit !== undefined && this.countOf(zone) >= limit;
  }

  came(zone: number): void {
    this.#counts.set(zone, this.countOf(zone) + 1);
  }

  went(zone: number): void {
    const left = this.countOf(zone) - 1;
    if (left > 0) this.#counts.set(zone, left);
    else this.#counts.delete(zone);
  }
}
