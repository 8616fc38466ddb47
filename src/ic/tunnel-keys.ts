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

export class KeyPromises {
  readonly #promised = new Map<string, number>();

  /** The lowest key of `range` that is neither used nor promised to another owner; undefined if there is none. */
  promise(owner: string, range: KeyRange, isUsed: (key: number) => boolean): number | undefined {
    const held = this.#promised.get(owner);
    if (held !== undefined && held >= range.min && held <= range.max && !isUsed(held)) return held;
    const taken = new Set([...this.#promised].filter(([other]) => other !== owner).map(([, key]) => key));
    for (let key = range.min; key <= range.max; key++) {
      if (taken.has(key) || isUsed(key)) continue;
      this.#promised.set(owner, key);
      return key;
    }
    return undefined;
  }

  /** The owner has its row, or wants none any more. */
  release(owner: string): void {
    this.#promised.delete(owner);
  }
}
