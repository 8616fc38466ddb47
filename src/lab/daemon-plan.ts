/** Which daemons run on a node, each once as data: from it follow the command line, the sockets, and the start in this process. */
import { nodeFolder, sockets } from "./layout.ts";
import { isChassis, type TopologyNode } from "./topology/nodes.ts";
import { centralOf, interconnectionOf, type Topology } from "./topology/topology.ts";
import { tunnelAddressOf } from "./topology/underlay.ts";

interface Plan {
  /** How `isthmus restart NODE DAEMON` calls it; also the name of its pid file and log. */
  readonly name: string;
}

export interface DatabasePlan extends Plan {
  readonly kind: "database";
  readonly database: "OVN_Northbound" | "OVN_Southbound" | "OVN_IC_Northbound" | "OVN_IC_Southbound" | "Open_vSwitch";
  readonly file: string;
  readonly socket: string;
  /** The column whose rows say where else to listen: `db:OVN_Northbound,NB_Global,connections`. */
  readonly connections: string;
}

export interface NorthdPlan extends Plan {
  readonly kind: "northd";
  readonly northbound: string;
  readonly southbound: string;
}

export interface IcPlan extends Plan {
  readonly kind: "ic";
  readonly northbound: string;
  readonly southbound: string;
  readonly icNorthbound: string;
  readonly icSouthbound: string;
}

export interface SwitchPlan extends Plan {
  readonly kind: "switch";
  readonly database: string;
}

export interface ControllerPlan extends Plan {
  readonly kind: "controller";
  readonly database: string;
}

export type DaemonPlan = DatabasePlan | NorthdPlan | IcPlan | SwitchPlan | ControllerPlan;

/** The daemons of `node`, in the order in which they start. */
export function planDaemons(folder: string, topology: Topology, node: TopologyNode): readonly DaemonPlan[] {
  const own = nodeFolder(folder, node.name);
  const database = (name: string, file: string, socket: string, databaseName: DatabasePlan["database"], connections: string): DatabasePlan => ({
    kind: "database",
    name,
    database: databaseName,
    file: `${own}/${file}`,
    socket: `${own}/${socket}`,
    connections: `db:${databaseName},${connections}`,
  });
  const plans: DaemonPlan[] = [];
  if (node.roles.has("interconnection")) {
    plans.push(database("ovn_ic_nb_db", "ovn_ic_nb_db.db", sockets.icNorthbound, "OVN_IC_Northbound", "IC_NB_Global,connections"));
    plans.push(database("ovn_ic_sb_db", "ovn_ic_sb_db.db", sockets.icSouthbound, "OVN_IC_Southbound", "IC_SB_Global,connections"));
  }
  if (node.roles.has("central")) {
    plans.push(database("ovnnb_db", "ovnnb_db.db", sockets.northbound, "OVN_Northbound", "NB_Global,connections"));
    plans.push(database("ovnsb_db", "ovnsb_db.db", sockets.southbound, "OVN_Southbound", "SB_Global,connections"));
    const zone = { northbound: `unix:${own}/${sockets.northbound}`, southbound: `unix:${own}/${sockets.southbound}` };
    plans.push({ kind: "northd", name: "ovn-northd", ...zone });
    const interconnection = interconnectionOf(topology);
    if (interconnection !== undefined) plans.push({ kind: "ic", name: "ovn-ic", ...zone, ...icRemotes(folder, node, interconnection) });
  }
  if (isChassis(node)) {
    plans.push(database("ovsdb-server", "conf.db", sockets.switchDatabase, "Open_vSwitch", "Open_vSwitch,manager_options"));
    plans.push({ kind: "switch", name: "ovs-vswitchd", database: `unix:${own}/${sockets.switchDatabase}` });
    plans.push({ kind: "controller", name: "ovn-controller", database: `unix:${own}/${sockets.switchDatabase}` });
  }
  return plans;
}

/** Over the underlay, as between real nodes; on the node itself by its sockets. */
function icRemotes(folder: string, node: TopologyNode, interconnection: TopologyNode): { icNorthbound: string; icSouthbound: string } {
  if (node.name !== interconnection.name) {
    return { icNorthbound: `tcp:${interconnection.address}:6645`, icSouthbound: `tcp:${interconnection.address}:6646` };
  }
  const own = nodeFolder(folder, node.name);
  return { icNorthbound: `unix:${own}/${sockets.icNorthbound}`, icSouthbound: `unix:${own}/${sockets.icSouthbound}` };
}

/** What ovs-vsctl sets on a chassis before its controller starts: who it is and where its zone's southbound database is. */
export function chassisExternalIds(topology: Topology, node: TopologyNode): ReadonlyMap<string, string> {
  const central = node.zone === undefined ? undefined : centralOf(topology, node.zone);
  return new Map([
    ["system-id", node.systemId],
    ["hostname", node.hostname],
    ["ovn-remote", `tcp:${central?.address ?? ""}:6642`],
    ["ovn-encap-type", "geneve"],
    ["ovn-encap-ip", (topology.underlay === undefined ? undefined : tunnelAddressOf(topology.underlay, node.name)) ?? node.address],
    ...(node.roles.has("gateway") ? ([["ovn-cms-options", "enable-chassis-as-gw"], ["ovn-is-interconn", "true"]] as const) : []),
    ...node.externalIds,
  ]);
}

/** Program and arguments, as one would type them. */
export function commandLine(folder: string, node: TopologyNode, plan: DaemonPlan): { readonly program: string; readonly args: readonly string[] } {
  const own = nodeFolder(folder, node.name);
  const common = [`--pidfile=${own}/${plan.name}.pid`, `--log-file=${own}/${plan.name}.log`, "-vconsole:off", "--no-chdir"];
  switch (plan.kind) {
    case "database":
      return {
        program: "ovsdb-server",
        args: [...common, `--unixctl=${own}/${plan.name}.ctl`, `--remote=punix:${plan.socket}`, `--remote=${plan.connections}`, plan.file],
      };
    case "northd":
      return { program: "ovn-northd", args: [...common, `--ovnnb-db=${plan.northbound}`, `--ovnsb-db=${plan.southbound}`] };
    case "ic":
      return {
        program: "ovn-ic",
        args: [
          ...common, `--ovnnb-db=${plan.northbound}`, `--ovnsb-db=${plan.southbound}`, `--ic-nb-db=${plan.icNorthbound}`,
          `--ic-sb-db=${plan.icSouthbound}`,
        ],
      };
    case "switch":
      return { program: "ovs-vswitchd", args: [...common, plan.database] };
    case "controller":
      return { program: "ovn-controller", args: [...common, plan.database] };
  }
}
