/**
 * Keys of transit datapaths and of transit ports (ovn-architecture(7), "Tunnel Encapsulations"): what numbers there are, and
 * who has been promised one. A promise holds until its row is there, so that two rows made at once get two keys.
 *
 * The used keys are those of all zones, not of this one alone as in ovn-ic from 26.03 on, where two zones that add a port to
 * one switch always collide first. A collision is still possible between two zones that ask in the same instant: the
 * database refuses the later one, which then sees the earlier and takes another key.
 */
export interface KeyRange {
  readonly min: number;
  readonly max: number;
}

/** Transit datapaths have keys of their own, above those of any zone; the lowest is never given out, as in the C program. */
export const transitKeys: KeyRange = { min: 16_711_682, max: 16_777_215 };
/** With VXLAN between the zones there are 12 bits. */
export const vxlanTransitKeys: KeyRange = { min: 1025, max: 4095 };
export const portKeys: KeyRange = { min: 1, max: 32767 };

/** For one kind of key; port keys are told apart by their transit switch or router, which is the scope of a promise. */
export class KeyPromises {
  readonly #held = new Map<string, { readonly scope: string; readonly key: number }>();
  readonly #owners = new Map<string, string>();

  /** The lowest key of `range` that is neither used nor promised to another owner; undefined if there is none. */
  promise(scope: string, owner: string, range: KeyRange, isUsed: (key: number) => boolean): number | undefined {
    const held = this.#held.get(owner);
    if (held !== undefined && held.key >= range.min && held.key <= range.max && !isUsed(held.key)) return held.key;
    this.release(owner);
    for (let key = range.min; key <= range.max; key++) {
      if (this.#owners.has(`${scope} ${key}`) || isUsed(key)) continue;
      this.#held.set(owner, { scope, key });
      this.#owners.set(`${scope} ${key}`, owner);
      return key;
    }
    return undefined;
  }

  /** The owner has its row, or wants none any more. */
  release(owner: string): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    this.#held.delete(owner);
    this.#owners.delete(`${held.scope} ${held.key}`);
  }
}
