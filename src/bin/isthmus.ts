/** isthmus: laboratories of interconnected OVN zones. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentLog } from "../host/index.ts";
import { eagerStart, nodeChildren, nodeHost, nodeProcess } from "../host/node/index.ts";
import { runIsthmus } from "../lab/index.ts";

eagerStart(3000);
const dist = dirname(fileURLToPath(import.meta.url));
const root = dirname(dist);
const process = nodeProcess();

// No `await` at the top: this program is bundled as a script, which V8 can keep compiled (scripts/code-cache.mjs).
void runIsthmus({
  host: nodeHost(silentLog),
  process,
  children: nodeChildren(dist),
  programsFolder: join(root, "bin"),
  examplesFolder: join(root, "examples"),
  isColourful: false,
}).then((exitCode) => process.exit(exitCode));
