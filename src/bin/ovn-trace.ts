/** ovn-trace(8). */
import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { traceMain } from "../trace/index.ts";

await traceMain(nodeProcess(), nodeHost);
