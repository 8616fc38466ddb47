/** Threads as Node has them: worker_threads. */
import { availableParallelism } from "node:os";
import { parentPort, Worker } from "node:worker_threads";
import type { Channel, Thread, Threads } from "../threads.ts";

/**
 * A thread takes as long to come up as the program takes to be read, so what loads the program (scripts/code-cache.mjs) starts
 * the first one before, where it will be needed, and leaves it here.
 */
const startedByLoader = Symbol.for("isthmus.thread");

function takeStarted(): Worker | undefined {
  const started: unknown = Reflect.get(process, startedByLoader);
  Reflect.deleteProperty(process, startedByLoader);
  return started instanceof Worker ? started : undefined;
}

/** Each thread has a nursery of its own, and a start fills whatever it is given; the loader says the same. */
const maxYoungGenerationSizeMb = 24;

/** Threads that run `program`, a file. */
export function nodeThreads(program: string): Threads {
  let spare = takeStarted();
  return {
    parallelism: availableParallelism(),
    start<Out, In>(): Thread<Out, In> {
      const worker = spare ?? new Worker(program, { resourceLimits: { maxYoungGenerationSizeMb } });
      spare = undefined;
      worker.on("error", (error) => {
        throw error;
      });
      return {
        post: (message) => worker.postMessage(message),
        onMessage: (take) => void worker.on("message", (message: In) => take(message)),
        end: async () => void (await worker.terminate()),
      };
    },
    endSpare() {
      void spare?.terminate();
      spare = undefined;
    },
  };
}

/** In a thread that `nodeThreads` started, the way back to who started it; undefined in the first thread. */
export function parentChannel<Out, In>(): Channel<Out, In> | undefined {
  const port = parentPort;
  if (port === null) return undefined;
  return { post: (message) => port.postMessage(message), onMessage: (take) => void port.on("message", (message: In) => take(message)) };
}
