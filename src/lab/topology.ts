/**
 * Topology files: which nodes there are, what runs on them, which hosts hang where, and the commands that set them up.
 *
 * A file is YAML. `examples/*.lab.yml` are the reference by example; the schema below is the reference by rule. Every
 * complaint names its place in the file and points at it (see `yaml-source.ts`).
 */
import * as z from "zod";
import { parseIpv4, parseMac, parsePrefix, parseIp, contains, type Prefix } from "../net/index.ts";
import { YamlSource } from "./yaml-source.ts";

/** What a node can run. `gateway` is a chassis that joins zones (`ovn-is-interconn`). */
export const roles = ["central", "interconnection", "chassis", "gateway"] as const;
export type Role = (typeof roles)[number];

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, "a name: a letter, then letters, digits, '_', '-' or '.'");
const ipv4 = z.string().refine((text) => parseIpv4(text) !== undefined, "an IPv4 address such as 192.168.50.10");
const ip = z.string().refine((text) => parseIp(text) !== undefined, "an IP address");
const mac = z.string().refine((text) => parseMac(text) !== undefined, "a MAC address such as 40:44:00:00:00:01");
const prefix = z
  .string()
  .refine((text) => text.includes("/") && parsePrefix(text) !== undefined, "an address with its prefix length, such as 192.168.1.11/24");

const nodeSchema = z.strictObject({
  address: ipv4,
  zone: name.optional(),
  roles: z.array(z.enum(roles)).min(1),
  hostname: z.string().min(1).optional(),
  "system-id": z.string().min(1).optional(),
  "external-ids": z.record(z.string(), z.string()).default({}),
});

const hostSchema = z.strictObject({
  node: name,
  mac,
  interface: z.string().min(1).max(15, "an interface name of at most 15 characters").optional(),
  "iface-id": z.string().min(1).optional(),
  addresses: z.array(prefix).default([]),
  gateway: z.union([ip, z.array(ip)]).optional(),
  dhcp: z.boolean().default(false),
  dhcpv6: z.boolean().default(false),
  mtu: z.int().min(576).max(65535).default(1400),
});

const setupSchema = z.strictObject({ on: name, run: z.string().min(1) });

const topologySchema = z.strictObject({
  name,
  description: z.string().optional(),
  nodes: z.record(name, nodeSchema),
  hosts: z.record(name, hostSchema).default({}),
  setup: z.array(setupSchema).default([]),
  probe: z.strictObject({ from: name, to: ip }).optional(),
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
}

export interface TopologyHost {
  readonly name: string;
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

/** Shell lines to run on a node, once the databases of every node are up. */
export interface SetupStep {
  readonly on: string;
  readonly run: string;
  /** Line of the file where the text begins, for messages. */
  readonly line: number;
}

export interface Topology {
  readonly name: string;
  readonly description: string | undefined;
  readonly nodes: ReadonlyMap<string, TopologyNode>;
  readonly hosts: ReadonlyMap<string, TopologyHost>;
  readonly setup: readonly SetupStep[];
  /** What shows that the lab carries packets. */
  readonly probe: { readonly from: string; readonly to: string } | undefined;
}

/** What is wrong with a topology file, as text with line, column and caret, ready to be printed. */
export interface TopologyComplaint {
  readonly complaint: string;
}

export function parseTopology(text: string, fileName: string): Topology | TopologyComplaint {
  const source = YamlSource.parse(text, fileName);
  if ("complaint" in source) return source;
  const checked = topologySchema.safeParse(source.value);
  if (!checked.success) {
    return { complaint: checked.error.issues.map((issue) => source.complain(pathOf(issue), messageOf(issue))).join("\n\n") };
  }
  const file = checked.data;
  const nodes = new Map<string, TopologyNode>();
  for (const [nodeName, node] of Object.entries(file.nodes)) {
    nodes.set(nodeName, {
      name: nodeName,
      address: node.address,
      zone: node.zone,
      roles: new Set(node.roles),
      hostname: node.hostname ?? nodeName.replaceAll("_", "-"),
      systemId: node["system-id"] ?? nodeName,
      externalIds: new Map(Object.entries(node["external-ids"])),
    });
  }
  const hosts = new Map<string, TopologyHost>();
  for (const [hostName, host] of Object.entries(file.hosts)) {
    const interfaceName = host.interface ?? hostName;
    hosts.set(hostName, {
      name: hostName,
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
  const setup = file.setup.map((step, i) => ({ ...step, line: source.lineOf(["setup", i, "run"]) }));
  const topology: Topology = { name: file.name, description: file.description, nodes, hosts, setup, probe: file.probe };
  const complaints = [...meaningComplaints(topology)].map(({ path, message }) => source.complain(path, message));
  return complaints.length > 0 ? { complaint: complaints.join("\n\n") } : topology;
}

type Path = readonly (string | number)[];

function pathOf(issue: z.core.$ZodIssue): Path {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  // An unknown key is better pointed at itself than at the mapping that holds it.
  return issue.code === "unrecognized_keys" && issue.keys[0] !== undefined ? [...path, issue.keys[0]] : path;
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown key "${issue.keys[0]}"`;
    case "invalid_type":
      return issue.input === undefined ? `"${String(issue.path.at(-1))}" is missing: expected ${issue.expected}` : `expected ${issue.expected}`;
    case "invalid_value":
      return `expected one of ${issue.values.join(", ")}`;
    case "invalid_key":
      return `not ${issue.issues[0]?.message ?? "a name"}`;
    case "custom":
    case "invalid_format":
      return `expected ${issue.message}`;
    default:
      return issue.message;
  }
}

/** What a schema cannot see: names that must exist, addresses that must differ. */
function* meaningComplaints(topology: Topology): Generator<{ path: Path; message: string }> {
  const known = (names: Iterable<string>): string => [...names].join(", ") || "(none)";
  const centralOf = new Map<string, string>();
  const byAddress = new Map<string, string>();
  let interconnection: string | undefined;
  for (const node of topology.nodes.values()) {
    const path = ["nodes", node.name];
    const twin = byAddress.get(node.address);
    if (twin !== undefined) yield { path: [...path, "address"], message: `${node.address} is the address of ${twin} already` };
    byAddress.set(node.address, node.name);
    const needsZone = node.roles.has("central") || node.roles.has("chassis") || node.roles.has("gateway");
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
  for (const node of topology.nodes.values()) {
    if (node.zone !== undefined && !centralOf.has(node.zone)) {
      yield { path: ["nodes", node.name, "zone"], message: `no node has role central in zone ${node.zone}` };
    }
  }
  yield* hostComplaints(topology, known);
  for (const [i, step] of topology.setup.entries()) {
    if (!topology.nodes.has(step.on)) yield { path: ["setup", i, "on"], message: `no such node; there are ${known(topology.nodes.keys())}` };
  }
  if (topology.probe !== undefined && !topology.hosts.has(topology.probe.from)) {
    yield { path: ["probe", "from"], message: `no such host; there are ${known(topology.hosts.keys())}` };
  }
}

function* hostComplaints(topology: Topology, known: (names: Iterable<string>) => string): Generator<{ path: Path; message: string }> {
  const interfaces = new Map<string, string>();
  for (const host of topology.hosts.values()) {
    const path = ["hosts", host.name];
    const node = topology.nodes.get(host.node);
    if (node === undefined) yield { path: [...path, "node"], message: `no such node; there are ${known(topology.nodes.keys())}` };
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

export const isChassis = (node: TopologyNode): boolean => node.roles.has("chassis") || node.roles.has("gateway");

/** The node that runs the databases of `zone`. */
export function centralOf(topology: Topology, zone: string): TopologyNode | undefined {
  return [...topology.nodes.values()].find((node) => node.zone === zone && node.roles.has("central"));
}

/** The node that runs the interconnection databases. */
export function interconnectionOf(topology: Topology): TopologyNode | undefined {
  return [...topology.nodes.values()].find((node) => node.roles.has("interconnection"));
}
