/**
 * The underlay of a running lab: switches, cables and machines put together as the topology file says, and the nodes' switches
 * plugged into it.
 *
 * A node's network stack lends its UDP sockets to the node's embedded switch. A tunnel's packet is therefore routed like any other
 * packet of that machine: to a neighbor that ARP finds, out of the interface that has the endpoint's address. Where that is
 * an internal port of a bridge, the bridge tags it and sends it out of its card, as ovs-vswitchd's native tunnelling does.
 */
import { Cable, changeImpairment, Courier, formatImpairment, type Impairment, LearningBridge, unimpaired } from "../../fabric/index.ts";
import type { Datagrams, Host, Machines } from "../../host/index.ts";
import { formatMac, type Ip, type Mac, macOf, parseIp, parseMac } from "../../net/index.ts";
import { present } from "../../std/index.ts";
import type { AttachedPort, CapturedFrame } from "../../switch/index.ts";
import type { Command } from "../sim-host/index.ts";
import type { Underlay, UnderlayInterface, UnderlayMachine } from "../topology/underlay.ts";
import { bridgeCommands } from "./bridge-commands.ts";
import type { FabricMachine } from "./fabric-machine.ts";
import { NetnsMachine } from "./netns-machine.ts";
import { type SharedAddress, SimulatedMachine } from "./simulated-machine.ts";

/** What a node's cards and internal ports are plugged into. */
interface PortOwner {
  attachPort(name: string, receive: (frame: Uint8Array) => void): AttachedPort;
}

type Resolve = (name: string, family: 4 | 6 | undefined) => Ip | undefined;

export interface LinkReport {
  readonly name: string;
  readonly ends: readonly [string, string];
  /** In tc's words, from the first end to the second and back; empty: nothing is wrong. */
  readonly impairment: readonly [string, string];
  readonly lost: number;
}

interface LabCable {
  readonly cable: Cable;
  readonly ends: readonly [string, string];
}

export class LabUnderlay {
  readonly #host: Host;
  readonly #underlay: Underlay;
  readonly #courier: Courier;
  readonly #bridges = new Map<string, LearningBridge>();
  readonly #machines = new Map<string, FabricMachine>();
  readonly #cables = new Map<string, LabCable>();
  /** The cable end of each card, by MACHINE/INTERFACE. */
  readonly #cardEnds = new Map<string, { readonly cable: Cable; readonly side: 0 | 1 }>();
  readonly #ports = new Map<string, AttachedPort[]>();

  private constructor(host: Host, underlay: Underlay) {
    this.#host = host;
    this.#underlay = underlay;
    this.#courier = new Courier(host.clock);
  }

  /** Builds it; rejects with words for the user. */
  static async start(host: Host, machines: Machines, underlay: Underlay, resolve: Resolve): Promise<LabUnderlay> {
    const built = new LabUnderlay(host, underlay);
    built.#buildBridges();
    try {
      await built.#buildMachines(machines, resolve);
      built.#buildCables();
      await Promise.all([...built.#machines.values()].map((machine) => machine.configure()));
    } catch (error) {
      await built.stop();
      throw error;
    }
    return built;
  }

  machineNames(): ReadonlySet<string> {
    return new Set([...this.#underlay.machines.keys(), ...[...this.#underlay.switches.values()].map((s) => s.on)]);
  }

  machine(name: string): FabricMachine | undefined {
    return this.#machines.get(name);
  }

  /** UDP sockets on a node: on its network stack for the addresses that the underlay gives it, else as `others` has them. */
  datagramsOf(node: string, others: Datagrams): Datagrams {
    const datagrams = this.#machines.get(node)?.datagrams;
    const own = new Set([...(this.#underlay.machines.get(node)?.interfaces.values() ?? [])].flatMap((i) => i.addresses.map((text) => text.split("/")[0] ?? "")));
    return datagrams === undefined ? others : { bind: (address, port) => (own.has(address) ? datagrams : others).bind(address, port) };
  }

  /** An address of the machine, for those who call it by its name: `controller-1`, or `controller-1.internalapi.local` for a network's. */
  addressOf(name: string, family: 4 | 6 | undefined): Ip | undefined {
    const [machine = "", network, domain] = this.#underlay.machines.has(name) ? [name] : name.split(".");
    if (network !== undefined && domain !== "local" && domain !== undefined) return undefined;
    const isMeant = (i: UnderlayInterface): boolean => network === undefined || i.network?.replaceAll("_", "").toLowerCase() === network.toLowerCase();
    const interfaces = [...(this.#underlay.machines.get(machine)?.interfaces.values() ?? [])].filter(isMeant);
    const addresses = interfaces.flatMap((i) => i.addresses.map((text) => parseIp(text.split("/")[0] ?? "")));
    return addresses.find((ip) => ip !== undefined && (family === undefined || ip.family === family));
  }

  #buildBridges(): void {
    for (const { name, mac, ageingMs, isVlanAware, ports } of this.#underlay.switches.values()) {
      const bridge = new LearningBridge(this.#host.clock, { name, mac: macOfText(mac), ageingMs, isVlanAware });
      // The bridge's own card, whose address the bridge has taken.
      for (const port of ports) bridge.addPort(port, macOfText(mac));
      this.#bridges.set(name, bridge);
    }
  }

  /** All at once; where one cannot be had, those that can are known all the same, so that they can be stopped. */
  async #buildMachines(machines: Machines, resolve: Resolve): Promise<void> {
    const made = await Promise.allSettled([...this.machineNames()].map((name) => this.#buildMachine(name, machines, resolve)));
    for (const result of made) if (result.status === "fulfilled") this.#machines.set(result.value.name, result.value);
    for (const result of made) if (result.status === "rejected") throw result.reason;
  }

  async #buildMachine(name: string, machines: Machines, resolve: Resolve): Promise<FabricMachine> {
    const machine: UnderlayMachine = this.#underlay.machines.get(name) ?? { name, kind: "simulated", interfaces: new Map(), routes: [], sysctl: new Map(), bfd: [] };
    const own = [...this.#underlay.switches.values()].filter((s) => s.on === name);
    // A switch is a device of its machine too: the machine's own end of it.
    const ownEnds = own.map((s): UnderlayInterface => ({ ...(machine.interfaces.get(s.name) ?? bareInterface), name: s.name, mac: s.mac }));
    const isOwnEnd = (i: UnderlayInterface): boolean => own.some((s) => s.name === i.name);
    const interfaces = [...machine.interfaces.values()].filter((i) => !isOwnEnd(i) && (i.bridge === undefined || !this.#isCard(name, i))).concat(ownEnds);
    if (machine.kind === "netns") return NetnsMachine.start(this.#host.disk, machines, machine, interfaces);
    const commands: ReadonlyMap<string, Command> = own.length === 0 ? new Map() : bridgeCommands(new Map(own.map((s) => [s.name, present(this.#bridges.get(s.name))])), this.#underlay);
    return new SimulatedMachine(this.#host, { machine, interfaces, commands, sharedAddresses: this.#sharedAddressesOf(name), resolve });
  }

  #sharedAddressesOf(machine: string): SharedAddress[] {
    return this.#underlay.virtualAddresses.flatMap((v, i) => {
      const place = v.machines.indexOf(machine);
      return place < 0 ? [] : [{ interfaceName: v.interfaceName, address: v.address, group: i + 1, priority: Math.max(1, 255 - place), intervalMs: v.advertisementMs }];
    });
  }

  #isCard(machine: string, i: UnderlayInterface): boolean {
    return i.plug !== undefined || [...this.#underlay.links.values()].some((link) => link.ends.some((end) => end.machine === machine && end.interface === i.name));
  }

  #buildCables(): void {
    for (const { name, ends, impairment } of this.#underlay.links.values()) {
      const [one, other] = ends.map((end) => `${end.machine}/${end.interface}`);
      const cable = this.#cable(name, [present(one), present(other)], impairment);
      this.#cardEnds.set(present(one), { cable, side: 0 });
      this.#cardEnds.set(present(other), { cable, side: 1 });
    }
    for (const [name, bridge] of this.#bridges) this.#plugOwnEnd(name, bridge);
    for (const machine of this.#underlay.machines.values()) {
      for (const i of machine.interfaces.values()) if (i.plug !== undefined) this.#plugCard(machine.name, i, i.plug);
    }
    for (const [place, { cable, side }] of this.#cardEnds) {
      const [machine = "", card = ""] = place.split("/");
      const plug = this.#machines.get(machine)?.plug(card);
      const end = cable.ends[side];
      plug?.attach((frame) => end.send(frame));
      if (plug !== undefined) end.attach((frame) => plug.send(frame));
    }
  }

  #cable(name: string, ends: readonly [string, string], impairment: Impairment): Cable {
    const cable = new Cable(this.#host.clock, this.#courier, this.#host.random);
    for (const end of cable.ends) end.impairment = impairment;
    this.#cables.set(name, { cable, ends });
    return cable;
  }

  /** A card's cable goes into a port of a switch; the cable's name is the card's. */
  #plugCard(machine: string, i: UnderlayInterface, plug: NonNullable<UnderlayInterface["plug"]>): void {
    const place = `${machine}/${i.name}`;
    const bridge = present(this.#bridges.get(plug.switch), `switch ${plug.switch}`);
    const cable = this.#cable(place, [place, `${plug.switch}/${plug.port}`], i.impairment);
    const vlans = { untagged: plug.access ?? (plug.trunk === undefined ? 1 : undefined), tagged: plug.trunk === undefined ? (plug.access === undefined ? undefined : new Set<number>()) : new Set(plug.trunk) };
    const port = bridge.addPort(plug.port, tapMacOf(i.mac), vlans);
    const end = cable.ends[1];
    port.transmit = (frame) => end.send(frame);
    end.attach((frame) => bridge.receive(port, frame));
    this.#cardEnds.set(place, { cable, side: 0 });
  }

  /** What the machine that holds a switch sends into it and hears from it: a port without a number in its tables. */
  #plugOwnEnd(name: string, bridge: LearningBridge): void {
    const on = present(this.#underlay.switches.get(name)).on;
    const plug = this.#machines.get(on)?.plug(name);
    if (plug === undefined) return;
    const port = bridge.addOwnEnd();
    port.transmit = (frame) => plug.send(frame);
    plug.attach((frame) => this.#courier.carry(() => bridge.receive(port, frame)));
  }

  /** What ovs-vsctl sets on a node before its switch starts: its bridges, their cards and internal ports. */
  bridgeCommandsOf(node: string): string[][] {
    const commands: string[][] = [];
    const interfaces = [...(this.#underlay.machines.get(node)?.interfaces.values() ?? [])].filter((i) => i.bridge !== undefined);
    for (const bridge of new Set(interfaces.map((i) => i.bridge ?? ""))) {
      const own = interfaces.find((i) => i.name === bridge);
      commands.push(["--may-exist", "add-br", bridge, ...(own === undefined ? [] : ["--", "set", "Bridge", bridge, `other-config:hwaddr="${own.mac}"`])]);
    }
    for (const i of interfaces.filter((each) => each.name !== each.bridge)) {
      const isCard = this.#isCard(node, i);
      const tag = i.vlan === undefined || isCard ? [] : [`tag=${i.vlan}`];
      const kind = isCard ? [] : ["--", "set", "Interface", i.name, "type=internal", `mac="${i.mac}"`];
      commands.push(["--may-exist", "add-port", i.bridge ?? "", i.name, ...tag, ...kind]);
    }
    return commands.map((command) => ["ovs-vsctl", "--no-wait", ...command]);
  }

  /** Plugs the cards and internal ports of the node's bridges into its switch, which may be a new one. */
  plugInto(node: string, theSwitch: PortOwner): void {
    for (const port of this.#ports.get(node) ?? []) port.close();
    const ports: AttachedPort[] = [];
    for (const i of this.#underlay.machines.get(node)?.interfaces.values() ?? []) {
      if (i.bridge === undefined) continue;
      const card = this.#cardEnds.get(`${node}/${i.name}`);
      if (card !== undefined) {
        const end = card.cable.ends[card.side];
        const port = theSwitch.attachPort(i.name, (frame) => end.send(frame));
        end.attach((frame) => port.send(frame));
        ports.push(port);
        continue;
      }
      const plug = present(this.#machines.get(node)?.plug(i.name), `interface ${i.name} of ${node}`);
      const port = theSwitch.attachPort(i.name, (frame) => plug.send(frame));
      plug.attach((frame) => port.send(frame));
      ports.push(port);
    }
    this.#ports.set(node, ports);
  }

  /** Whether the node has a network stack to be switched off. */
  async power(node: string, isOn: boolean): Promise<void> {
    await this.#machines.get(node)?.power(isOn);
  }

  links(): LinkReport[] {
    return [...this.#cables].map(([name, { cable, ends }]) => ({
      name, ends, impairment: [formatImpairment(cable.ends[0].impairment), formatImpairment(cable.ends[1].impairment)], lost: cable.ends[0].counters.lost + cable.ends[1].counters.lost,
    }));
  }

  /** `words`: see changeImpairment. What was wrong with the call, if anything. */
  changeLink(name: string, direction: "both" | "out" | "in", words: readonly string[]): string | undefined {
    const link = this.#cables.get(name);
    if (link === undefined) return `no link ${name}; there are ${[...this.#cables.keys()].join(", ") || "none"}`;
    const [out, into] = link.cable.ends;
    for (const end of direction === "both" ? [out, into] : direction === "out" ? [out] : [into]) {
      const changed = changeImpairment(end.impairment, words);
      if ("wrong" in changed) return changed.wrong;
      end.impairment = changed;
    }
    return undefined;
  }

  /** Shows the frames of a switch (`on` its machine or the switch itself) or of a machine's interface; undefined: neither is there. */
  tap(on: string, port: string, see: (frame: CapturedFrame) => void): (() => void) | undefined {
    const wallMs = (): number => this.#host.clock.wall();
    const bridgeName = this.#bridges.has(on) ? on : this.#underlay.switches.get(port)?.on === on ? port : undefined;
    const bridge = bridgeName === undefined ? undefined : this.#bridges.get(bridgeName);
    if (bridge !== undefined) return bridge.tap((bytes, from) => see({ bytes, direction: "in", port: from.name, wallMs: wallMs() }));
    const machine = this.#machines.get(on);
    return machine?.tap(port, (bytes, direction) => see({ bytes, direction, port, wallMs: wallMs() }));
  }

  async stop(): Promise<void> {
    for (const ports of this.#ports.values()) for (const port of ports) port.close();
    for (const { cable } of this.#cables.values()) cable.close();
    await Promise.all([...this.#machines.values()].map((machine) => machine.stop()));
  }
}

const bareInterface: UnderlayInterface = {
  name: "", mac: "", mtu: 1500, plug: undefined, of: undefined, bridge: undefined, vlan: undefined, network: undefined, addresses: [],
  impairment: unimpaired,
};

const macOfText = (text: string): Mac => present(parseMac(text), `MAC address ${text}`);

/** A hypervisor's end of a virtual machine's card: the same address, beginning with fe, as libvirt makes it. */
const tapMacOf = (text: string): Mac => macOf(parseMac(`fe${formatMac(macOfText(text)).slice(2)}`) ?? 0);
