/**
 * `tripleo:` within `underlay:` networks and roles as they stand in a TripleO deployment's own files.
 *
 *     underlay:
 *       tripleo:
 *         environment: tripleo/network-environment.yaml    beside the topology file; it names the nic-config files of roles
 *         machines:
 *           controller-0:
 *             role: Controller
 *             nics: { nic1: { interface: ens3, mac: "52:54:00:74:29:4f", plug: management/vnet9 } }
 *             addresses: { ControlPlane: 192.168.24.15, InternalApi: 172.17.1.72 }
 *
 * The environment's parameters (ExternalNetCidr, ExternalNetworkVlanID ...) become networks; each machine's interfaces are what its
 * role's nic-config makes of its cards and addresses. What the topology file says itself is added, and wins.
 */
import * as z from "zod";
import { parsePrefix } from "../../net/index.ts";
import { YamlSource } from "../yaml-source.ts";
import { messageOf, pathOf, type TopologyComplaint } from "./complaint.ts";
import { NicConfig, type RoleInterface } from "./nic-config.ts";
import type { TripleoEntry } from "./tripleo-schema.ts";
import type { UnderlayFile } from "./underlay-schema.ts";

function environmentSchema() {
  const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
  return z.object({ resource_registry: z.record(z.string(), scalar).default({}), parameter_defaults: z.record(z.string(), z.unknown()).default({}) });
}

/** Reads a file beside the topology file; undefined if it cannot be read. */
export type ReadBeside = (path: string) => string | undefined;

type Networks = UnderlayFile["networks"];
type Machines = UnderlayFile["machines"];
type Interfaces = Machines[string]["interfaces"];

/** `complain`: points at the place in the topology file that asked for it. */
export function readTripleo(wanted: TripleoEntry, readBeside: ReadBeside, complain: (path: readonly string[], message: string) => string): { readonly networks: Networks; readonly machines: Machines } | TopologyComplaint {
  const text = readBeside(wanted.environment);
  if (text === undefined) return { complaint: complain(["environment"], `${wanted.environment} cannot be read`) };
  const source = YamlSource.parse(text, wanted.environment);
  if ("complaint" in source) return source;
  const checked = environmentSchema().safeParse(source.value);
  if (!checked.success) return { complaint: checked.error.issues.map((issue) => source.complain(pathOf(issue), messageOf(issue))).join("\n\n") };
  const parameters = new Map<string, string>();
  for (const [key, value] of Object.entries(checked.data.parameter_defaults)) if (typeof value === "string" || typeof value === "number") parameters.set(key, String(value));
  const read = networksOf(parameters, source);
  if ("complaint" in read) return read;
  const { networks } = read;
  const configs = new Map<string, NicConfig>();
  const machines: Machines = {};
  for (const [machine, entry] of Object.entries(wanted.machines)) {
    const key = `OS::TripleO::${entry.role}::Net::SoftwareConfig`;
    const path = checked.data.resource_registry[key];
    if (typeof path !== "string") return { complaint: complain(["machines", machine, "role"], `${wanted.environment} has no ${key} in its resource_registry`) };
    const beside = wanted.environment.includes("/") ? `${wanted.environment.replace(/[^/]*$/, "")}${path}` : path;
    const config = configs.get(beside) ?? readNicConfig(beside, readBeside, () => source.complain(["resource_registry", key], `${beside} cannot be read`));
    if ("complaint" in config) return config;
    configs.set(beside, config);
    const interfaces = config.interfaces(new Map([...parameters, ...ownParameters(entry.addresses, networks)]));
    if ("complaint" in interfaces) return interfaces;
    const made = machineOf(interfaces, entry, networks, (message) => complain(["machines", machine, "nics"], message));
    if ("complaint" in made) return made;
    machines[machine] = { kind: "simulated", interfaces: made.interfaces, routes: [], sysctl: {}, bfd: [] };
  }
  return { networks, machines };
}

function readNicConfig(path: string, readBeside: ReadBeside, missing: () => string): NicConfig | TopologyComplaint {
  const text = readBeside(path);
  return text === undefined ? { complaint: missing() } : NicConfig.parse(text, path);
}

/** `InternalApiNetCidr` and `InternalApiNetworkVlanID`; the control plane's is `ControlPlaneSubnetCidr`. */
function networksOf(parameters: ReadonlyMap<string, string>, source: YamlSource): { readonly networks: Networks } | TopologyComplaint {
  const networks: Networks = {};
  for (const [key, cidr] of parameters) {
    const network = /^(\w+)NetCidr$/.exec(key)?.[1] ?? (key === "ControlPlaneSubnetCidr" && cidr.includes("/") ? "ControlPlane" : undefined);
    if (network === undefined) continue;
    if (!cidr.includes("/") || parsePrefix(cidr) === undefined) return { complaint: source.complain(["parameter_defaults", key], `expected a network such as 172.17.1.0/24`) };
    const tag = parameters.get(`${network}NetworkVlanID`);
    const vlan = tag === undefined ? undefined : Number(tag);
    if (vlan !== undefined && (!Number.isInteger(vlan) || vlan < 1 || vlan > 4094)) return { complaint: source.complain(["parameter_defaults", `${network}NetworkVlanID`], `expected a VLAN from 1 to 4094`) };
    const roles = network === "Tenant" ? ["tunnel" as const] : network === "ControlPlane" ? ["control" as const] : network === "External" ? ["external" as const] : [];
    networks[network] = { cidr, roles, ...(vlan !== undefined && { vlan }) };
  }
  return { networks };
}

/** What Heat gives each machine: its address on each network. */
function ownParameters(addresses: Readonly<Record<string, string>>, networks: Networks): Map<string, string> {
  const own = new Map<string, string>();
  for (const [network, address] of Object.entries(addresses)) {
    const length = networks[network]?.cidr.split("/")[1] ?? (address.includes(":") ? "64" : "24");
    own.set(`${network}Ip`, address);
    own.set(`${network}IpSubnet`, `${address}/${length}`);
    // Heat joins address and this with a slash: it is a length, whatever else deployments write there.
    if (network === "ControlPlane") own.set("ControlPlaneSubnetCidr", length);
  }
  return own;
}

function machineOf(interfaces: readonly RoleInterface[], { nics }: TripleoEntry["machines"][string], networks: Networks, complain: (message: string) => string): { readonly interfaces: Interfaces } | TopologyComplaint {
  const nameOf = (nic: string): string => nics[nic]?.interface ?? nic;
  const made: Interfaces = {};
  for (const i of interfaces) {
    const nic = i.isCard ? nics[i.name] : undefined;
    if (i.isCard && nic === undefined) return { complaint: complain(`its role has a card ${i.name}, and it has none of that name`) };
    made[nameOf(i.name)] = {
      mtu: i.mtu ?? 1500, addresses: [...i.addresses], impairment: "",
      ...(nic !== undefined && { plug: nic.plug }),
      ...(nic?.mac !== undefined && { mac: nic.mac }),
      ...(i.of !== undefined && { of: nameOf(i.of) }),
      ...(i.bridge !== undefined && { bridge: i.bridge }),
      ...(i.network !== undefined && networks[i.network] !== undefined && { network: i.network }),
      ...(i.vlan !== undefined && { vlan: i.vlan }),
    };
  }
  return { interfaces: made };
}

/** The underlay with what its `tripleo:` stands for; the file's own words win, interface by interface. */
export function withTripleo(file: UnderlayFile, read: { readonly networks: Networks; readonly machines: Machines }): UnderlayFile {
  const machines: Machines = { ...read.machines };
  for (const [machine, own] of Object.entries(file.machines)) {
    const interfaces = { ...read.machines[machine]?.interfaces };
    for (const [i, given] of Object.entries(own.interfaces)) interfaces[i] = given;
    machines[machine] = { ...own, interfaces };
  }
  return { ...file, networks: { ...read.networks, ...file.networks }, machines };
}
