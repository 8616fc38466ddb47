/** ovsdb-tool and ovsdb-client. */
export { runOvsdbTool } from "./ovsdb-tool.ts";
export { runOvsdbClient } from "./ovsdb-client.ts";
