/**
 * Which thread runs what: the first zone and whatever belongs to no zone stay in the lab's own, every further zone gets the
 * next one, as far as there are cores. Zones meet only in the interconnection databases and in tunnels, over real sockets.
 */
import type { AddressMap, Threads } from "../../host/index.ts";
import type { CommandRunner } from "../command-runner.ts";
import type { DaemonLauncher } from "../launcher.ts";
import type { TopologyNode } from "../topology/nodes.ts";
import type { Topology } from "../topology/topology.ts";
import type { ThreadAnswer, ThreadRequest } from "./messages.ts";
import { NodeThread } from "./node-thread.ts";

export interface Spread {
  readonly launcher: DaemonLauncher;
  readonly commands: CommandRunner;
}

export function spreadOverThreads(threads: Threads, topology: Topology, folder: string, pid: number, carriers: AddressMap, own: Spread): Spread {
  const zones = [...new Set([...topology.nodes.values()].map((node) => node.zone).filter((zone) => zone !== undefined))];
  const others: NodeThread[] = [];
  // Nodes with a place in the underlay hang on its cables, which are here; those with FRR have kernels that are reached from here.
  const isHere = topology.underlay !== undefined || [...topology.nodes.values()].some((node) => node.frr !== undefined);
  const count = !isHere ? Math.min(zones.length, threads.parallelism) : 1;
  for (let i = 1; i < count; i++) {
    others.push(new NodeThread(threads.start<ThreadRequest, ThreadAnswer>(), folder, pid, carriers));
  }
  threads.endSpare();
  const threadOf = (node: TopologyNode): NodeThread | undefined => {
    const place = node.zone === undefined ? 0 : zones.indexOf(node.zone) % (others.length + 1);
    return others[place - 1];
  };
  return {
    launcher: { launch: (host, node, plan) => (threadOf(node) ?? own.launcher).launch(host, node, plan) },
    commands: { run: (place, argv) => (threadOf(place.node) ?? own.commands).run(place, argv) },
  };
}
