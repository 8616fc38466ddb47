/** ovsdb-server(1). */
import { isGiven, runDaemon, StartError } from "../daemon/index.ts";
import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { OvsdbStartError, startOvsdbServer } from "../ovsdb/index.ts";

const help = `ovsdb-server: Open vSwitch database server
usage: ovsdb-server [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is conf.db in the database folder.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE

Other options:
  --no-dbs                serve no database but _Server
  --read-only             refuse changes by clients`;

/** A relative socket name starts at the run-time folder, as in every program of the family. */
const inRunFolder = (remote: string, folder: string): string => remote.replace(/^(p?unix):(?!\/)/, `$1:${folder}/`);

await runDaemon(
  {
    name: "ovsdb-server",
    family: "ovs",
    help,
    maxArgs: Number.POSITIVE_INFINITY,
    options: [
      { name: "remote", argument: "required" },
      { name: "no-dbs", argument: "none" },
      { name: "read-only", argument: "none" },
      { name: "disable-file-column-diff", argument: "none" },
      { name: "disable-file-no-data-conversion", argument: "none" },
    ],
    start(host, { options, args, folders }) {
      const files = args.length > 0 || isGiven(options, "no-dbs") ? args : [`${folders.ovsDatabases}/conf.db`];
      const remotes = options.filter((o) => o.name === "remote").map((o) => inRunFolder(o.value ?? "", folders.run));
      try {
        return startOvsdbServer(host, { files, remotes, readOnly: isGiven(options, "read-only") });
      } catch (error) {
        if (error instanceof OvsdbStartError) throw new StartError(error.message);
        throw error;
      }
    },
  },
  nodeProcess(),
  nodeHost,
);
