/** ovn-ic(8). */
import { runDaemon } from "../daemon/index.ts";
import { nodeHost, nodeProcess } from "../host/node/index.ts";
import { startIc } from "../ic/index.ts";

const help = `ovn-ic: OVN interconnection management daemon
usage: ovn-ic [OPTIONS]

Databases (the environment variables, then sockets in OVN's run-time folder, are the defaults):
  --ovnnb-db=DATABASE     northbound database of this zone (OVN_NB_DB)
  --ovnsb-db=DATABASE     southbound database of this zone (OVN_SB_DB)
  --ic-nb-db=DATABASE     northbound database of all zones (OVN_IC_NB_DB)
  --ic-sb-db=DATABASE     southbound database of all zones (OVN_IC_SB_DB)`;

const patienceMs = 1000;

await runDaemon(
  {
    name: "ovn-ic",
    family: "ovn",
    help,
    options: ["ovnnb-db", "ovnsb-db", "ic-nb-db", "ic-sb-db"].map((name) => ({ name, argument: "required" as const })),
    start(host, context) {
      const remote = (option: string, variable: string, socket: string): string =>
        context.value(option) ?? context.process.variable(variable) ?? `unix:${context.folders.ovnRun}/${socket}`;
      const ic = startIc(host, {
        nb: remote("ovnnb-db", "OVN_NB_DB", "ovnnb_db.sock"),
        sb: remote("ovnsb-db", "OVN_SB_DB", "ovnsb_db.sock"),
        icNb: remote("ic-nb-db", "OVN_IC_NB_DB", "ovn_ic_nb_db.sock"),
        icSb: remote("ic-sb-db", "OVN_IC_SB_DB", "ovn_ic_sb_db.sock"),
      });
      // Scripts go on when the daemon has left for the background; they expect it to be at work then, if it can be.
      const patience = new Promise<void>((resolve) => void host.clock.after(patienceMs, resolve));
      return { commands: ic.commands, ready: Promise.race([ic.firstRun, patience]), stop: () => ic.stop() };
    },
  },
  nodeProcess(),
  nodeHost,
);
