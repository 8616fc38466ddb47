/** `hosts:` the machines that hang on the chassis: virtual machines, containers, whatever has an interface in OVN. */
import * as z from "zod";
import { contains, parseIp, parsePrefix, type Prefix } from "../../net/index.ts";
import { known, type Misfit } from "./complaint.ts";
import { ip, mac, name, prefix } from "./names.ts";
import { isChassis, type TopologyNodes } from "./nodes.ts";

/** `simulated`: a network stack of the lab's own. `netns`: a network namespace of this machine, with its kernel and its tools. */
const hostKinds = ["simulated", "netns"] as const;
export type HostKind = (typeof hostKinds)[number];

export const hostSchema = z.strictObject({
  node: name,
  kind: z.enum(hostKinds).default("simulated"),
  mac,
  interface: z.string().min(1).max(15, "an interface name of at most 15 characters").optional(),
  "iface-id": z.string().min(1).optional(),
  addresses: z.array(prefix).default([]),
  gateway: z.union([ip, z.array(ip)]).optional(),
  dhcp: z.boolean().default(false),
  dhcpv6: z.boolean().default(false),
  mtu: z.int().min(576).max(65535).default(1400),
});

export interface TopologyHost {
  readonly name: string;
  readonly kind: HostKind;
  readonly node: string;
  readonly mac: string;
  readonly interfaceName: string;
  readonly ifaceId: string;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly dhcp: boolean;
  readonly dhcpv6: boolean;
  readonly mtu: number;
}

export type TopologyHosts = ReadonlyMap<string, TopologyHost>;

export function hostsOf(file: Readonly<Record<string, z.infer<typeof hostSchema>>>): TopologyHosts {
  const hosts = new Map<string, TopologyHost>();
  for (const [hostName, host] of Object.entries(file)) {
    const interfaceName = host.interface ?? hostName;
    hosts.set(hostName, {
      name: hostName,
      kind: host.kind,
      node: host.node,
      mac: host.mac,
      interfaceName,
      ifaceId: host["iface-id"] ?? interfaceName,
      addresses: host.addresses,
      gateways: host.gateway === undefined ? [] : typeof host.gateway === "string" ? [host.gateway] : host.gateway,
      dhcp: host.dhcp,
      dhcpv6: host.dhcpv6,
      mtu: host.mtu,
    });
  }
  return hosts;
}

/** The same hosts as network namespaces, all of them. */
export const asNetns = (hosts: TopologyHosts): TopologyHosts => new Map([...hosts].map(([hostName, host]) => [hostName, { ...host, kind: "netns" }]));

/** Hosts on nodes that are none or no chassis, interfaces with two owners, gateways out of reach. */
export function* hostMisfits(hosts: TopologyHosts, nodes: TopologyNodes): Generator<Misfit> {
  const interfaces = new Map<string, string>();
  for (const host of hosts.values()) {
    const path = ["hosts", host.name];
    const node = nodes.get(host.node);
    if (node === undefined) yield { path: [...path, "node"], message: `no such node; there are ${known(nodes.keys())}` };
    else if (!isChassis(node)) yield { path: [...path, "node"], message: `${host.node} has neither role chassis nor gateway: hosts hang on a chassis` };
    const place = `${host.node}/${host.interfaceName}`;
    const twin = interfaces.get(place);
    if (twin !== undefined) yield { path, message: `interface ${host.interfaceName} of ${host.node} is ${twin}'s already` };
    interfaces.set(place, host.name);
    const networks = host.addresses.map((a) => parsePrefix(a)).filter((p): p is Prefix => p !== undefined);
    for (const gateway of host.gateways) {
      const address = parseIp(gateway);
      const isReachable = address !== undefined && networks.some((n) => contains(n, address));
      if (networks.some((n) => n.family === address?.family) && !isReachable) {
        yield { path: [...path, "gateway"], message: `${gateway} is in none of the host's networks` };
      }
    }
  }
}
