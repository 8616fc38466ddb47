/** The real world, for `bin` and `lab`. */
import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Host } from "../host.ts";
import type { Log } from "../log.ts";
import type { Random } from "../random.ts";
import { nodeChildren } from "./children.ts";
import { nodeDatagrams } from "./datagrams.ts";
import { nodeDisk } from "./disk.ts";
import { eagerStart } from "./eager-start.ts";
import { nodeFrameDevices } from "./frame-devices.ts";
import { type KernelRoutingOptions, nodeKernelRouting } from "./kernel-routing.ts";
import { nodeMachines } from "./machines.ts";
import { nodeProcess } from "./process.ts";
import { nodeStreams } from "./streams.ts";

export const nodeClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, action) {
    if (delayMs <= 0) {
      const immediate = setImmediate(action);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timeout = setTimeout(action, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

export const nodeRandom: Random = {
  next32: () => randomBytes(4).readUInt32BE(),
  uuid: () => randomUUID(),
};

export const nodeHost = (log: Log): Host => ({
  clock: nodeClock,
  random: nodeRandom,
  streams: nodeStreams,
  datagrams: nodeDatagrams,
  disk: nodeDisk,
  log,
});

export { eagerStart, nodeChildren, nodeDatagrams, nodeDisk, nodeFrameDevices, nodeKernelRouting, nodeMachines, nodeProcess, nodeStreams };
export type { KernelRoutingOptions };
export { nodeThreads, parentChannel } from "./threads.ts";
