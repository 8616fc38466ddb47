/** What a lab says of itself (a type, not an interface, since it travels as JSON): for `isthmus inspect` and for the summary after `isthmus up`. */
import type { AddressMap } from "../host/index.ts";
import type { Lab } from "./lab.ts";
import type { UnderlayInterface } from "./topology/underlay.ts";

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
  /** Of the underlay, as it was written down. */
  readonly machines: readonly {
    readonly name: string;
    readonly kind: string;
    readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly place: string; readonly addresses: readonly string[] }[];
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
    machines: [...(lab.topology.underlay?.machines.values() ?? [])].map(({ name, kind, interfaces }) => ({
      name, kind, interfaces: [...interfaces.values()].map((i) => ({ name: i.name, mac: i.mac, place: placeOf(i), addresses: i.addresses })),
    })),
  };
}

/** What an interface is: `data/vnet10 in br-tenant`, `VLAN 20 of ens3`, `VLAN 50 in br-tenant`. */
function placeOf({ plug, of, bridge, vlan }: Omit<UnderlayInterface, "impairment">): string {
  const cable = plug === undefined ? "" : `${plug.switch}/${plug.port}`;
  const tag = vlan === undefined || plug !== undefined ? "" : `VLAN ${vlan}`;
  return [cable, tag, of === undefined ? "" : `of ${of}`, bridge === undefined ? "" : `in ${bridge}`].filter((part) => part !== "").join(" ");
}
