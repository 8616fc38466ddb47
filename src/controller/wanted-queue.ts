/** A queue that a logical port here wants on an interface towards a physical network. */
import { relation } from "../engine/index.ts";
import type { Port } from "./rows.ts";

export interface WantedQueue {
  /** Where the packets leave. */
  readonly outer: Port;
  readonly number: number;
  readonly logicalPort: string;
  readonly config: ReadonlyMap<string, string>;
}

export const WantedQueue = relation<WantedQueue>("WantedQueue", (q) => JSON.stringify([q.outer._uuid, q.number, q.logicalPort, [...q.config]]));
