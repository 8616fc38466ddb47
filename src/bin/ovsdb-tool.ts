/** ovsdb-tool(1). */
import { runOvsdbTool } from "../dbtools/index.ts";
import { nodeHost, nodeProcess } from "../host/node/index.ts";

const process = nodeProcess();
process.exit(runOvsdbTool(process, nodeHost));
