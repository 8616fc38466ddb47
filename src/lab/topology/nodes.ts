/** `nodes:` which machines there are, where they stand in the underlay, and what runs on them. */
import * as z from "zod";
import type { Misfit } from "./complaint.ts";
import { ipv4, name } from "./names.ts";
import { devicesOf, type NodeDevice, speakerKeys } from "./speakers.ts";

/** What a node can run. `gateway` is a chassis that joins zones (`ovn-is-interconn`). */
export const roles = ["central", "interconnection", "chassis", "gateway"] as const;
export type Role = (typeof roles)[number];

export const nodeSchema = z.strictObject({
  address: ipv4,
  zone: name.optional(),
  roles: z.array(z.enum(roles)).min(1),
  hostname: z.string().min(1).optional(),
  "system-id": z.string().min(1).optional(),
  "external-ids": z.record(z.string(), z.string()).default({}),
  ...speakerKeys,
});

export interface TopologyNode {
  readonly name: string;
  /** Its address in the underlay. */
  readonly address: string;
  readonly zone: string | undefined;
  readonly roles: ReadonlySet<Role>;
  readonly hostname: string;
  readonly systemId: string;
  /** Added to Open_vSwitch external_ids of a chassis. */
  readonly externalIds: ReadonlyMap<string, string>;
  /** The text of its frr.conf; undefined: no FRR runs there. */
  readonly frr: string | undefined;
  readonly devices: readonly NodeDevice[];
}

export type TopologyNodes = ReadonlyMap<string, TopologyNode>;

export function nodesOf(file: Readonly<Record<string, z.infer<typeof nodeSchema>>>): TopologyNodes {
  const nodes = new Map<string, TopologyNode>();
  for (const [nodeName, node] of Object.entries(file)) {
    nodes.set(nodeName, {
      name: nodeName,
      address: node.address,
      zone: node.zone,
      roles: new Set(node.roles),
      hostname: node.hostname ?? nodeName.replaceAll("_", "-"),
      systemId: node["system-id"] ?? nodeName,
      externalIds: new Map(Object.entries(node["external-ids"])),
      frr: node.frr,
      devices: devicesOf(node.devices),
    });
  }
  return nodes;
}

export const isChassis = (node: TopologyNode): boolean => node.roles.has("chassis") || node.roles.has("gateway");

/** Addresses that two nodes want, zones without a central node, roles that only one node can have. */
export function* nodeMisfits(nodes: TopologyNodes): Generator<Misfit> {
  const centralOf = new Map<string, string>();
  const byAddress = new Map<string, string>();
  let interconnection: string | undefined;
  for (const node of nodes.values()) {
    const path = ["nodes", node.name];
    const twin = byAddress.get(node.address);
    if (twin !== undefined) yield { path: [...path, "address"], message: `${node.address} is the address of ${twin} already` };
    byAddress.set(node.address, node.name);
    const needsZone = node.roles.has("central") || isChassis(node);
    if (needsZone && node.zone === undefined) yield { path: [...path, "roles"], message: `a node with role ${[...node.roles].join(", ")} needs a zone` };
    if (node.roles.has("central") && node.zone !== undefined) {
      const other = centralOf.get(node.zone);
      if (other !== undefined) yield { path: [...path, "roles"], message: `zone ${node.zone} has its central node already: ${other}` };
      centralOf.set(node.zone, node.name);
    }
    if (node.roles.has("interconnection")) {
      if (interconnection !== undefined) yield { path: [...path, "roles"], message: `the interconnection databases run on ${interconnection} already` };
      interconnection = node.name;
    }
  }
  for (const node of nodes.values()) {
    if (node.zone !== undefined && !centralOf.has(node.zone)) {
      yield { path: ["nodes", node.name, "zone"], message: `no node has role central in zone ${node.zone}` };
    }
  }
}
