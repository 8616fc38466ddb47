/**
 * What lies below the logical network, as boxes and lines: switches, machines with their addresses, links between them, and the
 * hosts on their nodes. It is what the topology file says, since that is what the lab has built.
 */
import type { Topology } from "../topology/topology.ts";
import type { UnderlayMachine } from "../topology/underlay.ts";
import type { Box, Graph, Line } from "./graph.ts";

export function underlayGraph(topology: Topology): Graph {
  const boxes = new Map<string, Box>();
  const lines: Line[] = [];
  const { underlay } = topology;
  for (const machine of underlay?.machines.values() ?? []) {
    boxes.set(`machine/${machine.name}`, machineBox(topology, machine));
    for (const i of machine.interfaces.values()) {
      if (i.plug === undefined) continue;
      const bridge = i.bridge === undefined ? "" : ` in ${i.bridge}`;
      lines.push({ from: `switch/${i.plug.switch}`, to: `machine/${machine.name}`, label: `${i.name}${bridge}` });
    }
  }
  for (const s of underlay?.switches.values() ?? []) {
    boxes.set(`switch/${s.name}`, { id: `switch/${s.name}`, kind: "network", lines: [s.name, `bridge on ${s.on}`], group: undefined });
    // A bridge's own port is an interface of the machine that it is on.
    if (underlay?.machines.get(s.on)?.interfaces.has(s.name) === true) lines.push({ from: `switch/${s.name}`, to: `machine/${s.on}`, label: s.name });
  }
  for (const link of underlay?.links.values() ?? []) {
    const [a, b] = link.ends;
    lines.push({ from: `machine/${a.machine}`, to: `machine/${b.machine}`, label: `${a.interface} \u2013 ${b.interface}` });
  }
  // What the file says nothing of: nodes that find each other by their addresses alone.
  const others = [...topology.nodes.values()].filter((node) => !boxes.has(`machine/${node.name}`));
  if (underlay === undefined) boxes.set("switch/underlay", { id: "switch/underlay", kind: "network", lines: ["underlay"], group: undefined });
  for (const node of underlay === undefined ? others : []) {
    boxes.set(`machine/${node.name}`, { id: `machine/${node.name}`, kind: "chassis", lines: [node.name, node.address, [...node.roles].join(", ")], group: undefined });
    lines.push({ from: "switch/underlay", to: `machine/${node.name}`, label: "" });
  }
  for (const host of topology.hosts.values()) {
    if (!boxes.has(`machine/${host.node}`)) continue;
    boxes.set(`host/${host.name}`, { id: `host/${host.name}`, kind: "host", lines: [host.name, ...host.addresses], group: undefined });
    lines.push({ from: `machine/${host.node}`, to: `host/${host.name}`, label: host.interfaceName === host.name ? "" : host.interfaceName });
  }
  return { title: `${topology.name}: the underlay`, boxes: [...boxes.values()], lines };
}

function machineBox(topology: Topology, machine: UnderlayMachine): Box {
  const roles = topology.nodes.get(machine.name)?.roles;
  const addresses = [...machine.interfaces.values()].filter((i) => i.addresses.length > 0).map((i) => `${i.name} ${i.addresses.join(" ")}`);
  return {
    id: `machine/${machine.name}`,
    kind: roles === undefined ? "switch" : "chassis",
    lines: [machine.name, ...(roles === undefined ? [] : [[...roles].join(", ")]), ...addresses],
    group: undefined,
  };
}
