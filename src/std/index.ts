/** The cellar: what the language forgot. Knows nothing of networks, time or files. */
export { AssertionError, assert, present, unreachable } from "./assert.ts";
export { Heap } from "./heap.ts";
export { SeededRandom } from "./random.ts";
