/** Where a running lab keeps what: one folder for the lab, one within it for each node, named as the real programs name things. */
import { type AddressMap, formatAddressMap } from "../host/index.ts";
import { carriersOf } from "./carriers.ts";
import type { TopologyNode } from "./topology/nodes.ts";
import { centralOf, interconnectionOf, type Topology } from "./topology/topology.ts";

/** The lab's own record of itself: enough for every other command to find it. */
export interface LabRecord {
  readonly name: string;
  readonly topologyFile: string;
  /** Of the process that runs the lab. */
  readonly pid: number;
  readonly carriers: readonly (readonly [string, string])[];
  readonly isSplitIntoProcesses: boolean;
}

export const recordPath = (folder: string): string => `${folder}/lab.json`;
export const topologyPath = (folder: string): string => `${folder}/topology.lab.yml`;
export const controlSocketPath = (folder: string): string => `${folder}/isthmus.ctl`;
export const portsFolder = (folder: string, node: string): string => `${folder}/${node}/ports`;
export const nodeFolder = (folder: string, node: string): string => `${folder}/${node}`;

/** The longest path a unix socket may have on Linux (sun_path, less its terminating zero). */
export const maxSocketPathSize = 107;

export const sockets = {
  northbound: "ovnnb_db.sock",
  southbound: "ovnsb_db.sock",
  icNorthbound: "ovn_ic_nb_db.sock",
  icSouthbound: "ovn_ic_sb_db.sock",
  switchDatabase: "db.sock",
} as const;

/** What the environment of a program on `node` says, so that it finds that node's databases and sockets. */
export function nodeEnvironment(folder: string, topology: Topology, node: TopologyNode, carriers: AddressMap): Map<string, string> {
  const own = nodeFolder(folder, node.name);
  const environment = new Map<string, string>();
  for (const family of ["OVN", "OVS"]) for (const what of ["RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"]) environment.set(`${family}_${what}`, own);
  const central = node.zone === undefined ? undefined : centralOf(topology, node.zone);
  if (central !== undefined) {
    environment.set("OVN_NB_DB", `unix:${nodeFolder(folder, central.name)}/${sockets.northbound}`);
    environment.set("OVN_SB_DB", `unix:${nodeFolder(folder, central.name)}/${sockets.southbound}`);
  }
  const interconnection = interconnectionOf(topology);
  if (interconnection !== undefined) {
    environment.set("OVN_IC_NB_DB", `unix:${nodeFolder(folder, interconnection.name)}/${sockets.icNorthbound}`);
    environment.set("OVN_IC_SB_DB", `unix:${nodeFolder(folder, interconnection.name)}/${sockets.icSouthbound}`);
  }
  environment.set("ISTHMUS_UNDERLAY", formatAddressMap(carriersOf(node.address, carriers)));
  return environment;
}

/** `export` lines for a shell; values are quoted so that any folder name survives. */
export function exportLines(environment: ReadonlyMap<string, string>, programsFolder: string | undefined): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = [...environment].map(([name, value]) => `export ${name}=${quote(value)}`);
  if (programsFolder !== undefined) lines.push(`export PATH=${quote(programsFolder)}:"$PATH"`);
  // What a daemon-mode client of another shell left behind would send these commands elsewhere.
  lines.push("unset OVN_NB_DAEMON OVN_SB_DAEMON");
  return `${lines.join("\n")}\n`;
}
