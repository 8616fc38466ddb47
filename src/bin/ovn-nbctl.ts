import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { ctlMain, nbctl } from "../ctl/index.ts";

await ctlMain(nbctl, nodeProcess(), nodeHost);
