/** The underlay as the lab builds it: every interface with its MAC address, its VLAN and what it is plugged into. */
import { changeImpairment, type Impairment, unimpaired } from "../../fabric/index.ts";
import { contains, formatMac, macOf, parseIp, parsePrefix } from "../../net/index.ts";
import { known, type Misfit } from "./complaint.ts";
import { isChassis, type TopologyNodes } from "./nodes.ts";
import type { machineKinds, networkRoles, UnderlayFile } from "./underlay-schema.ts";

export type NetworkRole = (typeof networkRoles)[number];

export interface UnderlayNetwork {
  readonly cidr: string;
  readonly vlan: number | undefined;
  readonly roles: ReadonlySet<NetworkRole>;
}

export interface UnderlaySwitch {
  readonly name: string;
  readonly on: string;
  readonly mac: string;
  readonly ageingMs: number;
  readonly ports: readonly string[];
  readonly isVlanAware: boolean;
}

export interface UnderlayInterface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly plug: { readonly switch: string; readonly port: string; readonly access: number | undefined; readonly trunk: readonly number[] | undefined } | undefined;
  /** The card that it is a VLAN of. */
  readonly of: string | undefined;
  /** The Open vSwitch bridge that it is in. */
  readonly bridge: string | undefined;
  readonly vlan: number | undefined;
  readonly network: string | undefined;
  readonly addresses: readonly string[];
  readonly impairment: Impairment;
}

export interface BfdPeer {
  readonly peer: string;
  readonly interfaceName: string;
  readonly minRxMs: number;
  readonly minTxMs: number;
  readonly multiplier: number;
}

export interface UnderlayMachine {
  readonly name: string;
  readonly kind: (typeof machineKinds)[number];
  readonly interfaces: ReadonlyMap<string, UnderlayInterface>;
  readonly routes: readonly string[];
  readonly sysctl: ReadonlyMap<string, string>;
  readonly bfd: readonly BfdPeer[];
  /** What FRR is told there. */
  readonly frr?: string | undefined;
}

export interface CableEndPlace {
  readonly machine: string;
  readonly interface: string;
}

export interface UnderlayLink {
  readonly name: string;
  readonly ends: readonly [CableEndPlace, CableEndPlace];
  readonly impairment: Impairment;
}

export interface VirtualAddress {
  readonly address: string;
  readonly interfaceName: string;
  readonly machines: readonly string[];
  readonly advertisementMs: number;
}

export interface Underlay {
  readonly networks: ReadonlyMap<string, UnderlayNetwork>;
  readonly switches: ReadonlyMap<string, UnderlaySwitch>;
  readonly links: ReadonlyMap<string, UnderlayLink>;
  readonly machines: ReadonlyMap<string, UnderlayMachine>;
  readonly virtualAddresses: readonly VirtualAddress[];
}

/** An address of its own for whoever has been given none: the same in every run. */
function macFor(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return formatMac(macOf(0x525400000000 + (hash & 0xffffff)));
}

const impairmentOf = (text: string): Impairment => {
  const result = changeImpairment(unimpaired, text.split(/\s+/).filter((w) => w !== ""));
  return "wrong" in result ? unimpaired : result;
};

const placeOf = (text: string): CableEndPlace => {
  const [machine = "", on = ""] = text.split("/");
  return { machine, interface: on };
};

const mapped = <A, B>(record: Readonly<Record<string, A>>, make: (name: string, value: A) => B): Map<string, B> => new Map(Object.entries(record).map(([key, value]) => [key, make(key, value)]));

export function underlayOf(file: UnderlayFile): Underlay {
  const networks = mapped(file.networks, (_, n): UnderlayNetwork => ({ cidr: n.cidr, vlan: n.vlan, roles: new Set(n.roles) }));
  return {
    networks,
    switches: mapped(file.switches, (name, s) => ({ name, on: s.on, mac: s.mac ?? macFor(`${s.on}/${name}`), ageingMs: s.ageing * 1000, ports: s.ports, isVlanAware: s["vlan-filtering"] })),
    links: mapped(file.links, (name, link) => ({ name, ends: [placeOf(link.between[0]), placeOf(link.between[1])], impairment: impairmentOf(link.impairment) })),
    machines: mapped(file.machines, (machine, m) => ({
      name: machine,
      kind: m.kind,
      interfaces: mapped(m.interfaces, (name, i) => interfaceOf(machine, name, withSwitchMac(file, machine, name, i), m.interfaces, networks)),
      routes: m.routes,
      sysctl: new Map(Object.entries(m.sysctl).map(([key, value]) => [key, String(value)])),
      bfd: m.bfd.map((b) => ({ peer: b.peer, interfaceName: b.interface, minRxMs: b["min-rx"], minTxMs: b["min-tx"], multiplier: b.multiplier })),
      frr: m.frr,
    })),
    virtualAddresses: file["virtual-addresses"].map((v) => ({ address: v.address, interfaceName: v.interface, machines: v.machines, advertisementMs: v.advertisement })),
  };
}

type InterfaceEntry = UnderlayFile["machines"][string]["interfaces"][string];

/** The machine's own end of a switch has the switch's address. */
function withSwitchMac(file: UnderlayFile, machine: string, name: string, i: InterfaceEntry): InterfaceEntry {
  const own = file.switches[name];
  return own?.on === machine && i.plug === undefined ? { ...i, mac: own.mac ?? macFor(`${machine}/${name}`) } : i;
}

function interfaceOf(machine: string, name: string, i: InterfaceEntry, all: Readonly<Record<string, InterfaceEntry>>, networks: ReadonlyMap<string, UnderlayNetwork>): UnderlayInterface {
  const [switchName, port] = i.plug?.split("/") ?? [];
  return {
    name,
    // A VLAN has its card's address, unless it is given one.
    mac: i.mac ?? (i.of === undefined ? macFor(`${machine}/${name}`) : (all[i.of]?.mac ?? macFor(`${machine}/${i.of}`))),
    mtu: i.mtu,
    plug: switchName === undefined ? undefined : { switch: switchName, port: port ?? `${machine}-${name}`, access: i.access, trunk: i.trunk },
    of: i.of,
    bridge: i.bridge,
    vlan: i.vlan ?? (i.network === undefined ? undefined : networks.get(i.network)?.vlan),
    network: i.network,
    addresses: i.addresses,
    impairment: impairmentOf(i.impairment),
  };
}

/** An interface with a cable of its own. */
export const isCard = (i: UnderlayInterface, isLinked: boolean): boolean => i.plug !== undefined || isLinked;

/** The address that tunnels of a machine end at: the one it has on a network for tunnels. */
export function tunnelAddressOf(underlay: Underlay, machine: string): string | undefined {
  for (const i of underlay.machines.get(machine)?.interfaces.values() ?? []) {
    const network = i.network === undefined ? undefined : underlay.networks.get(i.network);
    if (network?.roles.has("tunnel") === true) return i.addresses[0]?.split("/")[0];
  }
  return undefined;
}

/** Names that must exist, cables with one end each, addresses where they belong. */
export function* underlayMisfits(underlay: Underlay, nodes: TopologyNodes, hosts: ReadonlySet<string>): Generator<Misfit> {
  const { machines, switches, links } = underlay;
  const linked = new Map<string, string>();
  for (const link of links.values()) {
    for (const [n, end] of link.ends.entries()) {
      const path = ["underlay", "links", link.name, "between", n];
      if (machines.get(end.machine)?.interfaces.get(end.interface) === undefined) {
        yield { path, message: machines.has(end.machine) ? `${end.machine} has no interface ${end.interface}` : `no such machine; there are ${known(machines.keys())}` };
      }
      const place = `${end.machine}/${end.interface}`;
      if (linked.has(place)) yield { path, message: `${place} is at the end of link ${linked.get(place) ?? ""} already` };
      linked.set(place, link.name);
    }
  }
  const plugged = new Map<string, string>();
  for (const machine of machines.values()) {
    for (const { name, plug } of machine.interfaces.values()) {
      const port = plug === undefined ? undefined : `${plug.switch}/${plug.port}`;
      const twin = port === undefined ? undefined : plugged.get(port);
      if (twin !== undefined || (plug !== undefined && switches.get(plug.switch)?.ports.includes(plug.port))) {
        yield { path: ["underlay", "machines", machine.name, "interfaces", name, "plug"], message: `port ${port ?? ""} is ${twin ?? "the switch's own"} already` };
      }
      if (port !== undefined) plugged.set(port, `${machine.name}/${name}'s`);
    }
  }
  for (const s of switches.values()) {
    if (!machines.has(s.on) && nodes.has(s.on)) yield { path: ["underlay", "switches", s.name, "on"], message: `${s.on} has no place in the underlay: name it under "machines"` };
    if (machines.has(s.name) || nodes.has(s.name)) yield { path: ["underlay", "switches", s.name], message: `${s.name} is a machine's name already` };
  }
  for (const machine of machines.values()) {
    if (hosts.has(machine.name)) yield { path: ["underlay", "machines", machine.name], message: `${machine.name} is a host's name already` };
    for (const i of machine.interfaces.values()) yield* interfaceMisfits(underlay, machine, i, linked, nodes);
    if (machine.frr !== undefined && machine.kind !== "netns") yield { path: ["underlay", "machines", machine.name, "frr"], message: `FRR runs on machines of kind netns` };
    for (const [n, { interfaceName }] of machine.bfd.entries()) {
      if (!machine.interfaces.has(interfaceName)) yield { path: ["underlay", "machines", machine.name, "bfd", n, "interface"], message: `no such interface; there are ${known(machine.interfaces.keys())}` };
    }
  }
  for (const [n, virtual] of underlay.virtualAddresses.entries()) {
    for (const [m, machine] of virtual.machines.entries()) {
      const has = machines.get(machine)?.interfaces.has(virtual.interfaceName);
      if (has !== true) yield { path: ["underlay", "virtual-addresses", n, "machines", m], message: has === undefined ? `no such machine; there are ${known(machines.keys())}` : `${machine} has no interface ${virtual.interfaceName}` };
    }
  }
}

function* interfaceMisfits({ networks, switches }: Underlay, machine: UnderlayMachine, i: UnderlayInterface, linked: ReadonlyMap<string, string>, nodes: TopologyNodes): Generator<Misfit> {
  const path = ["underlay", "machines", machine.name, "interfaces", i.name];
  const isLinked = linked.has(`${machine.name}/${i.name}`);
  const node = nodes.get(machine.name);
  if (i.plug !== undefined && !switches.has(i.plug.switch)) yield { path: [...path, "plug"], message: `no such switch; there are ${known(switches.keys())}` };
  if (i.plug !== undefined && isLinked) yield { path: [...path, "plug"], message: `a card has one cable, and this one's is link ${linked.get(`${machine.name}/${i.name}`) ?? ""}` };
  if (i.of !== undefined && !machine.interfaces.has(i.of)) yield { path: [...path, "of"], message: `no such interface; there are ${known(machine.interfaces.keys())}` };
  if (i.of !== undefined && i.vlan === undefined) yield { path, message: `a VLAN of ${i.of} needs "vlan", or a "network" that has one` };
  if (i.of !== undefined && (i.plug !== undefined || isLinked || i.bridge !== undefined)) yield { path: [...path, "of"], message: `a VLAN of ${i.of} has neither a cable nor a bridge of its own` };
  if (i.bridge !== undefined && (node === undefined || !isChassis(node))) yield { path: [...path, "bridge"], message: `${machine.name} runs no Open vSwitch: bridges are for nodes with role chassis or gateway` };
  const isOwnEnd = switches.get(i.name)?.on === machine.name || i.name === "lo";
  if (i.plug === undefined && !isLinked && i.of === undefined && i.bridge === undefined && !isOwnEnd) yield { path, message: `leads nowhere: it needs "plug", "of", "bridge", a link, or the name of a switch on ${machine.name}` };
  if (i.bridge !== undefined && isCard(i, isLinked) && i.addresses.length > 0) yield { path: [...path, "addresses"], message: `a card in a bridge has no addresses: give them to the bridge's own port, or to an internal one` };
  if (i.network === undefined) return;
  const network = networks.get(i.network);
  const cidr = network === undefined ? undefined : parsePrefix(network.cidr);
  if (cidr === undefined) yield { path: [...path, "network"], message: `no such network; there are ${known(networks.keys())}` };
  for (const [n, address] of i.addresses.entries()) {
    const own = parseIp(address.split("/")[0] ?? "");
    if (cidr !== undefined && own !== undefined && !contains(cidr, own)) yield { path: [...path, "addresses", n], message: `${address} is not in ${i.network}, ${network?.cidr ?? ""}` };
  }
}
