/** isthmus: laboratories of interconnected OVN zones. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentLog } from "../host/index.ts";
import { eagerStart, nodeChildren, nodeHost, nodeMachines, nodeProcess, nodeThreads, parentChannel } from "../host/node/index.ts";
import { runIsthmus, serveLabThread, type ThreadAnswer, type ThreadRequest } from "../lab/index.ts";

const dist = dirname(fileURLToPath(import.meta.url));
const root = dirname(dist);
const host = nodeHost(silentLog);
const parent = parentChannel<ThreadAnswer, ThreadRequest>();

// No `await` at the top: this program is bundled as a script, which V8 can keep compiled (scripts/code-cache.mjs).
if (parent !== undefined) serveLabThread(host, parent);
else {
  eagerStart(3000);
  const process = nodeProcess();
  void runIsthmus({
    host,
    process,
    children: nodeChildren(dist),
    machines: nodeMachines(silentLog),
    threads: nodeThreads(join(dist, "isthmus.cjs")),
    programsFolder: join(root, "bin"),
    examplesFolder: join(root, "examples"),
    isColourful: false,
  }).then((exitCode) => process.exit(exitCode));
}
