/**
 * `routers:` machines outside OVN that speak BGP, such as top-of-rack switches: each runs FRR in a network namespace of its own
 * and hangs on a provider bridge of a node.
 */
import * as z from "zod";
import { known, type Misfit } from "./complaint.ts";
import { mac, name, prefix } from "./names.ts";
import { isChassis, type TopologyNodes } from "./nodes.ts";
import { deviceName, frrConfiguration, mtu, type TopologyDevice } from "./speakers.ts";

export const routerSchema = z.strictObject({
  node: name,
  bridge: deviceName,
  interface: deviceName,
  mac,
  mtu,
  addresses: z.array(prefix).default([]),
  frr: frrConfiguration,
});

export interface TopologyRouter {
  readonly name: string;
  readonly node: string;
  readonly bridge: string;
  readonly device: TopologyDevice;
  readonly addresses: readonly string[];
  /** The text of its frr.conf. */
  readonly frr: string;
}

export type TopologyRouters = ReadonlyMap<string, TopologyRouter>;

export const routersOf = (file: Readonly<Record<string, z.infer<typeof routerSchema>>>): TopologyRouters =>
  new Map(Object.entries(file).map(([routerName, router]) => [routerName, {
    name: routerName,
    node: router.node,
    bridge: router.bridge,
    device: { name: router.interface, mac: router.mac, mtu: router.mtu },
    addresses: router.addresses,
    frr: router.frr,
  }]));

export function* routerMisfits(routers: TopologyRouters, nodes: TopologyNodes): Generator<Misfit> {
  for (const router of routers.values()) {
    const path = ["routers", router.name];
    const node = nodes.get(router.node);
    if (node === undefined) yield { path: [...path, "node"], message: `no such node; there are ${known(nodes.keys())}` };
    else if (!isChassis(node)) yield { path: [...path, "node"], message: `${router.node} has no bridges: routers hang on a chassis` };
    if (nodes.has(router.name)) yield { path, message: `${router.name} is a node already` };
  }
  for (const node of nodes.values()) {
    if (node.devices.length > 0 && !isChassis(node)) yield { path: ["nodes", node.name, "devices"], message: `${node.name} has no integration bridge: it is no chassis` };
    if (node.devices.length > 0 && node.frr === undefined) yield { path: ["nodes", node.name, "devices"], message: `devices are for nodes with "frr"` };
  }
}
