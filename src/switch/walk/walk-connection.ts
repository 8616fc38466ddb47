/** The `ct` action on a walk: what the connection tracker is asked to do, with everything known at walking time filled in. */
import { W } from "../flow/flow-key.ts";
import type { ConnectionStep } from "./program.ts";
import { eachWrite } from "../flow/slice.ts";
import type { Walk } from "./walk.ts";

export function connectionTrack(walk: Walk, step: ConnectionStep): void {
  walk.commit();
  const zone = typeof step.zone === "number" ? step.zone : (walk.readSlice(step.zone)[0] ?? 0) & 0xffff;
  const values = [0, 0, 0, 0, 0];
  const masks = [0, 0, 0, 0, 0];
  // ct_mark and the words of ct_label follow each other in the key.
  const mark = (word: number, mask: number, bits: number): void => {
    const i = word - W.ctMark;
    if (i < 0 || i > 4) return;
    masks[i] = ((masks[i] ?? 0) | mask) >>> 0;
    values[i] = (((values[i] ?? 0) & ~mask) | (bits & mask)) >>> 0;
  };
  for (const inner of step.exec) {
    if (inner.kind === "write") inner.words.forEach((word, i) => mark(word, inner.masks[i] ?? 0, inner.values[i] ?? 0));
    else if (inner.kind === "move") eachWrite(inner.to, walk.readSlice(inner.from), mark);
  }
  walk.emit({
    kind: "ct", commit: step.commit, force: step.force, zone, nat: step.nat,
    marks: masks.some((m) => m !== 0) ? { values, masks } : undefined,
  });
}
