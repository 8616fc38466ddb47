import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { ctlMain } from "../ctl/index.ts";

await ctlMain("ovs-ofctl", nodeProcess(), nodeHost);
