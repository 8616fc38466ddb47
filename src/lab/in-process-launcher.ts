/** All daemons in the lab's own process: nothing to start but functions, nothing shared but databases and wires. */
import { startController } from "../controller/index.ts";
import type { Daemon } from "../daemon/index.ts";
import { type Host, mortalHost } from "../host/index.ts";
import { startIc } from "../ic/index.ts";
import { startNorthd } from "../northd/index.ts";
import { startOvsdbServer } from "../ovsdb/index.ts";
import { assert } from "../std/index.ts";
import { startSwitch, type Switch } from "../switch/index.ts";
import { createDatabaseFile } from "./database-files.ts";
import type { DaemonPlan } from "./daemon-plan.ts";
import { type InProcessOptions, startInProcess } from "./in-process.ts";
import type { DaemonLauncher, LaunchedDaemon } from "./launcher.ts";
import { nodeFolder } from "./layout.ts";
import type { TopologyNode } from "./topology/nodes.ts";

/** `ended` is told of daemons that somebody asked to exit over their control sockets. */
export function inProcessLauncher(folder: string, pid: number, ended: (node: string, daemon: string) => void = () => {}): DaemonLauncher {
  return {
    async launch(host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
      const own = nodeFolder(folder, node.name);
      createDatabaseFile(host.disk, plan);
      let isRunning = true;
      let attached: Switch | undefined;
      const options: InProcessOptions = {
        ...identity(plan, own),
        name: plan.name,
        folder: own,
        pid,
        exited: () => {
          isRunning = false;
          ended(node.name, plan.name);
        },
      };
      const mortal = mortalHost(host);
      const running = await startInProcess(mortal.host, options, (ownHost) => {
        const daemon = start(ownHost, node, plan, own);
        if ("attachPort" in daemon) attached = daemon;
        return daemon;
      });
      const theSwitch = (): Switch => {
        assert(attached !== undefined, `${plan.name} is no switch`);
        return attached;
      };
      return {
        plan,
        node: node.name,
        pid,
        get isRunning() {
          return isRunning;
        },
        async stop() {
          if (!isRunning) return;
          isRunning = false;
          await running.stop();
        },
        kill() {
          isRunning = false;
          mortal.die();
        },
        attachPort(name, receive) {
          // A cable does not end with the daemon, but nothing passes the end of it that has died.
          const port = theSwitch().attachPort(name, (frame) => {
            if (isRunning) receive(frame);
          });
          return {
            name: port.name,
            send(frame) {
              if (isRunning) port.send(frame);
            },
            close: () => port.close(),
          };
        },
        tap: (port, see) => ({ attached: Promise.resolve(), stop: theSwitch().tap(port, see) }),
      };
    },
  };
}

function identity(plan: DaemonPlan, own: string): Pick<InProcessOptions, "program" | "family"> & { readonly controlSocket?: string } {
  switch (plan.kind) {
    case "database":
      return { program: "ovsdb-server", family: "ovs", controlSocket: `${own}/${plan.name}.ctl` };
    case "northd":
      return { program: "ovn-northd", family: "ovn" };
    case "ic":
      return { program: "ovn-ic", family: "ovn" };
    case "switch":
      return { program: "ovs-vswitchd", family: "ovs" };
    case "controller":
      return { program: "ovn-controller", family: "ovn" };
  }
}

function start(host: Host, node: TopologyNode, plan: DaemonPlan, own: string): Daemon | (Daemon & Switch) {
  switch (plan.kind) {
    case "database":
      return startOvsdbServer(host, { files: [plan.file], remotes: [`punix:${plan.socket}`, plan.connections] });
    case "northd":
      return startNorthd(host, plan);
    case "ic":
      return startIc(host, { nb: plan.northbound, sb: plan.southbound, icNb: plan.icNorthbound, icSb: plan.icSouthbound });
    case "switch":
      return startSwitch(host, { database: plan.database, runFolder: own });
    case "controller":
      return startController(host, { database: plan.database, ovsRunFolder: own, hostname: node.hostname });
  }
}
