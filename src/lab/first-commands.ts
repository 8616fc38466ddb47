/** What ovn-ctl, ovs-ctl and a hypervisor do on a node after its database servers have started, as the command lines they are. */
import { chassisExternalIds } from "./daemon-plan.ts";
import type { TopologyHost } from "./topology/hosts.ts";
import { isChassis, type TopologyNode } from "./topology/nodes.ts";
import type { Topology } from "./topology/topology.ts";

export function firstCommands(topology: Topology, node: TopologyNode): readonly (readonly string[])[] {
  const commands: (readonly string[])[] = [];
  const listen = (program: string, port: number): void => void commands.push([program, "init", "--", "set-connection", `ptcp:${port}:${node.address}`]);
  if (node.roles.has("interconnection")) {
    listen("ovn-ic-nbctl", 6645);
    listen("ovn-ic-sbctl", 6646);
  }
  if (node.roles.has("central")) {
    listen("ovn-nbctl", 6641);
    listen("ovn-sbctl", 6642);
  }
  if (isChassis(node)) {
    const ids = [...chassisExternalIds(topology, node)].map(([key, value]) => `external-ids:${key}="${value}"`);
    const hosts = [...topology.hosts.values()].filter((wanted) => wanted.node === node.name);
    commands.push(["ovs-vsctl", "--no-wait", "init", "--", "set", "Open_vSwitch", ".", ...ids, ...hosts.flatMap(plugged)]);
  }
  return commands;
}

/**
 * A machine's interface on the integration bridge, which is made as ovn-controller would make it, so that ports are there when that
 * starts: what it finds, it works out once.
 */
const plugged = ({ interfaceName, ifaceId, mac }: TopologyHost): readonly string[] => [
  "--", "--may-exist", "add-br", "br-int", "--", "set", "Bridge", "br-int", "fail-mode=secure", "--", "add-port", "br-int", interfaceName,
  "--", "set", "Interface", interfaceName, `external-ids:iface-id=${ifaceId}`, `external-ids:attached-mac="${mac}"`,
];
