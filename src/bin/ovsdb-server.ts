/** ovsdb-server(1). */
import { spawn } from "node:child_process";
import { type DaemonContext, isGiven, runDaemon, StartError } from "../daemon/index.ts";
import type { ActiveTarget, Host, PassiveTarget } from "../host/index.ts";
import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { OvsdbStartError, startOvsdbServer } from "../ovsdb/index.ts";

const help = `ovsdb-server: Open vSwitch database server
usage: ovsdb-server [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is conf.db in the database folder.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE

Other options:
  --run COMMAND           run COMMAND as a child process, and end with it
  --no-dbs                serve no database but _Server
  --read-only             refuse changes by clients`;

/** A relative socket name starts at the run-time folder, as in every program of the family. */
function inRunFolder(host: Host, folder: string): Host {
  const absolute = <T extends ActiveTarget | PassiveTarget>(target: T): T =>
    "path" in target && !target.path.startsWith("/") ? { ...target, path: `${folder}/${target.path}` } : target;
  const { streams } = host;
  return {
    ...host,
    streams: {
      connect: (target) => streams.connect(absolute(target)),
      listen: (target, accept) => streams.listen(absolute(target), accept),
    },
  };
}

function runChild(command: string, context: DaemonContext): void {
  spawn("/bin/sh", ["-c", command], { stdio: "inherit" }).on("exit", () => context.exit());
}

await runDaemon(
  {
    name: "ovsdb-server",
    family: "ovs",
    help,
    maxArgs: Number.POSITIVE_INFINITY,
    options: [
      { name: "remote", argument: "required" },
      { name: "run", argument: "required" },
      { name: "no-dbs", argument: "none" },
      { name: "read-only", argument: "none" },
      { name: "disable-file-column-diff", argument: "none" },
      { name: "disable-file-no-data-conversion", argument: "none" },
    ],
    start(host, context) {
      const { options, args, folders } = context;
      const files = args.length > 0 || isGiven(options, "no-dbs") ? args : [`${folders.ovsDatabases}/conf.db`];
      const remotes = options.filter((o) => o.name === "remote").map((o) => o.value ?? "");
      try {
        const daemon = startOvsdbServer(inRunFolder(host, folders.run), { files, remotes, readOnly: isGiven(options, "read-only") });
        const command = context.value("run");
        if (command !== undefined) void daemon.ready.then(() => runChild(command, context));
        return daemon;
      } catch (error) {
        if (error instanceof OvsdbStartError) throw new StartError(error.message);
        throw error;
      }
    },
  },
  nodeProcess(),
  nodeHost,
);
