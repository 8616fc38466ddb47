/** ovn-northd(8). */
import { runDaemon } from "../daemon/index.ts";
import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { startNorthd } from "../northd/index.ts";

const help = `ovn-northd: OVN northbound management daemon
usage: ovn-northd [OPTIONS]

Options:
  --ovnnb-db=DATABASE       connect to ovn-nb database at DATABASE
                            (default: OVN_NB_DB, or the socket in OVN's run-time folder)
  --ovnsb-db=DATABASE       connect to ovn-sb database at DATABASE
                            (default: OVN_SB_DB, or the socket in OVN's run-time folder)
  --dry-run                 start in paused state (do not commit db changes)
  --n-threads=N             accepted; what changes is worked out by one thread
  --unixctl=SOCKET          override default control socket name`;

await runDaemon(
  {
    name: "ovn-northd",
    family: "ovn",
    help,
    options: [
      { name: "ovnnb-db", argument: "required" },
      { name: "ovnsb-db", argument: "required" },
      { name: "dry-run", argument: "none" },
      { name: "n-threads", argument: "required" },
      { name: "dump-inc-proc-graph", argument: "optional" },
    ],
    start(host, context) {
      const remote = (option: string, variable: string, socket: string): string => {
        return context.value(option) ?? context.process.variable(variable) ?? `unix:${context.folders.ovnRun}/${socket}`;
      };
      return startNorthd(host, {
        northbound: remote("ovnnb-db", "OVN_NB_DB", "ovnnb_db.sock"),
        southbound: remote("ovnsb-db", "OVN_SB_DB", "ovnsb_db.sock"),
        isPaused: context.given("dry-run"),
      });
    },
  },
  nodeProcess(),
  nodeHost,
);
