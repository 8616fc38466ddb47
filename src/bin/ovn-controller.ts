/** ovn-controller(8). */
import { hostname } from "node:os";
import { startController } from "../controller/index.ts";
import { runDaemon } from "../daemon/index.ts";
import { type Disk, type Host, memoryRouting } from "../host/index.ts";
import { nodeHost, nodeKernelRouting, nodeProcess } from "../host/node/index.ts";

const help = `ovn-controller: OVN controller
usage ovn-controller [OPTIONS] [OVS-DATABASE]
where OVS-DATABASE is a socket on which the OVS OVSDB server is listening.
The default is unix:RUNDIR/db.sock in Open vSwitch's run-time folder.

Other options:
  -n SYSTEM-ID            use SYSTEM-ID instead of external_ids:system-id`;

/** The first line of the file that overrides the database's system-id. */
function systemIdFromFile(disk: Disk, folder: string): string | undefined {
  const path = `${folder}/system-id-override`;
  if (!disk.exists(path)) return undefined;
  const [line = ""] = disk.readText(path).split(/[\r\n]/);
  return line === "" ? undefined : line.slice(0, 63);
}

const ownProcess = nodeProcess();

/**
 * Whose routing tables routes are exchanged with. ISTHMUS_KERNEL, for controllers of a lab, says what leads to another kernel
 * (a JSON array of words that stand before each command), or "memory": to none.
 */
function withRouting(host: Host): Host {
  const kernel = ownProcess.variable("ISTHMUS_KERNEL");
  if (kernel === "memory") return { ...host, routing: memoryRouting() };
  const words: unknown = kernel === undefined ? [] : JSON.parse(kernel);
  const entry = Array.isArray(words) ? words.map(String) : [];
  return { ...host, routing: nodeKernelRouting({ entry, log: host.log }) };
}

await runDaemon(
  {
    name: "ovn-controller",
    family: "ovn",
    help,
    maxArgs: 1,
    options: [
      { name: "chassis", short: "n", argument: "required" },
      { name: "enable-dummy-vif-plug", argument: "none" },
    ],
    start: (host, context) => startController(withRouting(host), {
      database: (context.args[0] ?? `unix:${context.folders.ovsRun}/db.sock`).replace(/^unix:(?!\/)/, `unix:${context.folders.ovnRun}/`),
      ovsRunFolder: context.folders.ovsRun,
      systemId: context.value("chassis") ?? systemIdFromFile(host.disk, context.folders.ovnConfiguration),
      hostname: hostname(),
      exit: () => context.exit(),
    }),
  },
  ownProcess,
  nodeHost,
);
