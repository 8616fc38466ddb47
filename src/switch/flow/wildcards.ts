/**
 * What a walk through the tables has looked at: the mask of the cache entry that will stand for it.
 *
 * Bits that an action has written are no longer the packet's: their value follows from what was looked at before, so
 * looking at them again adds nothing.
 */
import { type FlowKey, keyWords } from "./flow-key.ts";

export class Wildcards {
  readonly mask: FlowKey = new Uint32Array(keyWords);
  readonly written: FlowKey = new Uint32Array(keyWords);

  reset(): void {
    this.mask.fill(0);
    this.written.fill(0);
  }

  look(word: number, bits: number): void {
    this.mask[word] = (this.mask[word] as number) | (bits & ~(this.written[word] as number));
  }
}
