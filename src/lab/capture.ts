/** What a capture on a node shows, and how it stops: a count of packets, or Ctrl-C. Written as pcap, or told as text. */
import type { CapturedFrame } from "../switch/index.ts";

export interface CaptureRequest {
  readonly node: string;
  /** A port's name, or "tunnel" for the outer frames of every tunnel. */
  readonly port: string;
  /** Stops after so many packets; 0: never. */
  readonly count: number;
}

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
