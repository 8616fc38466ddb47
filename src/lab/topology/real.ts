/** `--real`: the topology as it is written, but with this machine's kernel and tools wherever no daemon of the lab runs. */
import { asNetns } from "./hosts.ts";
import type { Topology } from "./topology.ts";
import type { Underlay } from "./underlay.ts";

/** Nodes stay simulated: the lab's own daemons run on them, and could not open sockets in another network namespace. */
export const asReal = (topology: Topology): Topology => ({
  ...topology,
  hosts: asNetns(topology.hosts),
  underlay: topology.underlay === undefined ? undefined : withRealMachines(topology.underlay, topology),
});

const withRealMachines = (underlay: Underlay, { nodes }: Topology): Underlay => {
  const homes = new Set([...underlay.switches.values()].map((s) => s.on));
  const machines = [...underlay.machines].map(([name, machine]) => [name, nodes.has(name) || homes.has(name) ? machine : { ...machine, kind: "netns" as const }] as const);
  return { ...underlay, machines: new Map(machines) };
};

/** Names of all that needs this machine's kernel. */
export const realNames = ({ hosts, underlay }: Topology): readonly string[] =>
  [...hosts.values(), ...(underlay?.machines.values() ?? [])].filter(({ kind }) => kind === "netns").map(({ name }) => name);
