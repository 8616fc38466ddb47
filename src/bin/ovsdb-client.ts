/** ovsdb-client(1). */
import { runOvsdbClient } from "../dbtools/index.ts";
import { nodeHost, nodeProcess } from "../host/node/index.ts";

const process = nodeProcess();
process.exit(await runOvsdbClient(process, nodeHost));
