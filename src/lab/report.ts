/** What a lab says of itself (a type, not an interface, since it travels as JSON): for `isthmus inspect` and for the summary after `isthmus up`. */
import type { AddressMap } from "../host/index.ts";
import type { Lab } from "./lab.ts";

export type LabReport = {
  readonly name: string;
  readonly folder: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly zone: string;
    readonly roles: readonly string[];
    readonly address: string;
    readonly carrier: string;
    readonly daemons: readonly { readonly name: string; readonly pid: number; readonly running: boolean }[];
  }[];
  readonly hosts: readonly {
    readonly name: string;
    readonly node: string;
    readonly interface: string;
    readonly mac: string;
    readonly addresses: readonly string[];
  }[];
};

export function reportOf(lab: Lab, folder: string, carriers: AddressMap): LabReport {
  const daemons = lab.daemons();
  return {
    name: lab.topology.name,
    folder,
    nodes: [...lab.topology.nodes.values()].map((node) => ({
      name: node.name,
      zone: node.zone ?? "",
      roles: [...node.roles],
      address: node.address,
      carrier: carriers.get(node.address) ?? "",
      daemons: daemons.filter((d) => d.node === node.name).map((d) => ({ name: d.plan.name, pid: d.pid, running: d.isRunning })),
    })),
    hosts: [...lab.hosts.values()].map((host) => ({
      name: host.topology.name,
      node: host.topology.node,
      interface: host.topology.interfaceName,
      mac: host.topology.mac,
      addresses: host.addresses(),
    })),
  };
}
