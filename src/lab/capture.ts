/** What a capture passes on: so many packets and no more, and no more than its reader can take. */
import type { CapturedFrame } from "../switch/index.ts";

/** Frames that a slow reader may leave waiting before new ones are dropped (and counted). */
export const maxWaitingBytes = 16 << 20;

/** Passes `count` frames on, then calls `done`. */
export function limitFrames(count: number, see: (frame: CapturedFrame) => void, done: () => void): (frame: CapturedFrame) => void {
  let seen = 0;
  return (frame) => {
    if (count > 0 && seen >= count) return;
    seen++;
    see(frame);
    if (seen === count) done();
  };
}
