/**
 * `routers:` machines outside OVN that speak BGP, such as top-of-rack switches and spines: each runs FRR in a network namespace of
 * its own. One hangs on a provider bridge of a node (`node`, `bridge`, `interface`, `mac`), on other routers (`links`), or on both.
 */
import * as z from "zod";
import { known, type Misfit } from "./complaint.ts";
import { mac, name, prefix } from "./names.ts";
import { isChassis, type TopologyNodes } from "./nodes.ts";
import { deviceName, frrConfiguration, mtu, type TopologyDevice } from "./speakers.ts";

export const routerSchema = z.strictObject({
  node: name.optional(),
  bridge: deviceName.optional(),
  interface: deviceName.optional(),
  mac: mac.optional(),
  mtu,
  /** Of the interface; without one, of the loopback device. */
  addresses: z.array(prefix).default([]),
  /** DEVICE: ROUTER/DEVICE. */
  links: z.record(deviceName, z.string().regex(/^[^/]+\/[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, "ROUTER/DEVICE")).default({}),
  frr: frrConfiguration,
});

/** Where a router hangs on a node. */
export interface RouterUplink {
  readonly node: string;
  readonly bridge: string;
  readonly device: TopologyDevice;
}

export interface RouterLink {
  readonly device: TopologyDevice;
  readonly peer: string;
  readonly peerDevice: TopologyDevice;
}

export interface TopologyRouter {
  readonly name: string;
  readonly uplink: RouterUplink | undefined;
  readonly links: readonly RouterLink[];
  readonly addresses: readonly string[];
  /** The text of its frr.conf. */
  readonly frr: string;
}

export type TopologyRouters = ReadonlyMap<string, TopologyRouter>;

export function routersOf(file: Readonly<Record<string, z.infer<typeof routerSchema>>>): TopologyRouters {
  return new Map(Object.entries(file).map(([routerName, router]) => {
    const { node, bridge, interface: device, mac: address, mtu: size } = router;
    const isWhole = node !== undefined && bridge !== undefined && device !== undefined && address !== undefined;
    return [routerName, {
      name: routerName,
      uplink: isWhole ? { node, bridge, device: { name: device, mac: address, mtu: size } } : undefined,
      links: Object.entries(router.links).map(([own, far]) => {
        const [peer = "", peerDevice = ""] = far.split("/");
        return { device: deviceOf(routerName, own, size), peer, peerDevice: deviceOf(peer, peerDevice, size) };
      }),
      addresses: router.addresses,
      frr: router.frr,
    }];
  }));
}

/** A device with a MAC address of its own that is always the same: local, unicast, and made of its names (FNV-1a). */
function deviceOf(router: string, device: string, size: number): TopologyDevice {
  let hash = 0x811c9dc5;
  for (const character of `${router}/${device}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  const tail = (hash >>> 0).toString(16).padStart(8, "0").match(/../g) ?? [];
  return { name: device, mac: `52:54:${tail.join(":")}`, mtu: size };
}

export function* routerMisfits(routers: TopologyRouters, nodes: TopologyNodes, file: Readonly<Record<string, z.infer<typeof routerSchema>>>): Generator<Misfit> {
  const taken = new Set<string>();
  for (const router of routers.values()) {
    const path = ["routers", router.name];
    const { node: nodeName, bridge, interface: device, mac: address } = file[router.name] ?? {};
    const given = [nodeName, bridge, device, address].filter((value) => value !== undefined).length;
    if (given > 0 && given < 4) yield { path, message: `"node", "bridge", "interface" and "mac" belong together` };
    const node = nodeName === undefined ? undefined : nodes.get(nodeName);
    if (nodeName !== undefined && node === undefined) yield { path: [...path, "node"], message: `no such node; there are ${known(nodes.keys())}` };
    else if (node !== undefined && !isChassis(node)) yield { path: [...path, "node"], message: `${node.name} has no bridges: routers hang on a chassis` };
    if (nodes.has(router.name)) yield { path, message: `${router.name} is a node already` };
    for (const link of router.links) {
      const linkPath = [...path, "links", link.device.name];
      if (!routers.has(link.peer)) yield { path: linkPath, message: `no such router; there are ${known(routers.keys())}` };
      for (const place of [`${router.name}/${link.device.name}`, `${link.peer}/${link.peerDevice.name}`]) {
        if (taken.has(place) || [...routers.values()].some((r) => `${r.name}/${r.uplink?.device.name ?? ""}` === place)) yield { path: linkPath, message: `${place} has its place already` };
        taken.add(place);
      }
    }
  }
  for (const node of nodes.values()) {
    if (node.devices.length > 0 && !isChassis(node)) yield { path: ["nodes", node.name, "devices"], message: `${node.name} has no integration bridge: it is no chassis` };
    if (node.devices.length > 0 && node.frr === undefined) yield { path: ["nodes", node.name, "devices"], message: `devices are for nodes with "frr"` };
  }
}
