/** Threads as Node has them: worker_threads. */
import { availableParallelism } from "node:os";
import { parentPort, Worker } from "node:worker_threads";
import type { Channel, Thread, Threads } from "../threads.ts";

/** Each thread has a nursery of its own, and a start fills whatever it is given. */
const maxYoungGenerationSizeMb = 24;

/** Threads that run `program`, a file. */
export const nodeThreads = (program: string): Threads => ({
  parallelism: availableParallelism(),
  start<Out, In>(): Thread<Out, In> {
    const worker = new Worker(program, { resourceLimits: { maxYoungGenerationSizeMb } });
    worker.on("error", (error) => {
      throw error;
    });
    return {
      post: (message) => worker.postMessage(message),
      onMessage: (take) => void worker.on("message", (message: In) => take(message)),
      end: async () => void (await worker.terminate()),
    };
  },
});

/** In a thread that `nodeThreads` started, the way back to who started it; undefined in the first thread. */
export function parentChannel<Out, In>(): Channel<Out, In> | undefined {
  const port = parentPort;
  if (port === null) return undefined;
  return { post: (message) => port.postMessage(message), onMessage: (take) => void port.on("message", (message: In) => take(message)) };
}
