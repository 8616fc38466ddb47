/**
 * The machines of a lab that are more than a switch with simulated hosts: nodes and routers where FRR runs. Each has network
 * namespaces of its own; its devices are plugged into the node's switch like any host's, and the node's controller exchanges
 * routes with its kernel. All other nodes have routing tables in memory.
 */
import { type Host, type KernelRouting, type Machine, type Machines, memoryRouting, type MemoryRouting } from "../../host/index.ts";
import { present } from "../../std/index.ts";
import type { LaunchedDaemon } from "../launcher.ts";
import type { TopologyNode } from "../topology/nodes.ts";
import type { RouterUplink, TopologyRouter } from "../topology/routers.ts";
import type { NodeDevice } from "../topology/speakers.ts";
import type { Topology } from "../topology/topology.ts";
import { Cable } from "./cable.ts";
import { RouterLink } from "./router-link.ts";
import { frrFolders, frrObstacle, startFrr } from "./frr.ts";

export interface LabMachinesPlace {
  readonly host: Host;
  readonly topology: Topology;
  /** Undefined: this lab is to do without. */
  readonly machines: Machines | undefined;
  /** A command line on the node: ovs-vsctl. */
  command(node: TopologyNode, argv: readonly string[]): Promise<void>;
  switchOf(node: string): LaunchedDaemon;
  progress(step: string): void;
}

/** How long a VRF may take to appear that the controller is to make, and how often it is looked for. */
const vrfLimitMs = 20_000;
const vrfPollMs = 50;

export class LabMachines {
  readonly #place: LabMachinesPlace;
  readonly #machines = new Map<string, Machine>();
  readonly #memories = new Map<string, MemoryRouting>();
  readonly #cables: Cable[] = [];
  readonly #links: RouterLink[] = [];
  /** Routers without power. */
  readonly #off = new Set<string>();

  constructor(place: LabMachinesPlace) {
    this.#place = place;
    for (const node of place.topology.nodes.keys()) this.#memories.set(node, memoryRouting());
  }

  /** Starts the machines, so that there is a kernel for each controller to talk to; what cannot be had is said. */
  async start(): Promise<void> {
    const { topology, host, machines, progress } = this.#place;
    const speakers = speakersOf(topology);
    if (speakers.size === 0) return;
    const names = [...speakers.keys()].join(", ");
    const obstacle = machines === undefined ? "machines of their own are not to be had" : (frrObstacle(host.disk) ?? (await machines.obstacle()));
    if (obstacle !== undefined || machines === undefined) return progress(`no BGP on ${names}: ${obstacle ?? ""}`);
    await Promise.all([...speakers].map(async ([name, configuration]) => {
      const machine = await machines.start({ name, emptyFolders: frrFolders });
      this.#machines.set(name, machine);
      await startFrr(machine, host.disk, configuration, topology.nodes.has(name));
    }));
    progress(`FRR on ${names}`);
  }

  has(name: string): boolean {
    return this.#machines.has(name);
  }

  machine(name: string): Machine {
    return present(this.#machines.get(name), `machine ${name}`);
  }

  /** The tables of a node without a kernel of its own. */
  memory(name: string): MemoryRouting | undefined {
    return this.has(name) ? undefined : this.#memories.get(name);
  }

  /** What the node's controller sees of its kernel. A VRF that it makes anew gets its devices back. */
  routing(node: string): KernelRouting {
    const memory = this.memory(node);
    if (memory !== undefined) return memory;
    const { routing } = this.machine(node);
    const cablesOf = (vrf: string): readonly Cable[] => this.#cables.filter((cable) => cable.node === node && cable.vrf === vrf);
    return {
      entry: routing.entry,
      routes: (table) => routing.routes(table),
      change: (table, remove, add) => routing.change(table, remove, add),
      watch: (table, changed) => routing.watch(table, changed),
      deviceName: (index) => routing.deviceName(index),
      async createVrf(table) {
        await routing.createVrf(table);
        await Promise.all(cablesOf(table.vrf).filter((cable) => cable.isUnplugged).map((cable) => cable.open()));
      },
      async deleteVrf(table) {
        await Promise.all(cablesOf(table.vrf).map((cable) => cable.unplug()));
        await routing.deleteVrf(table);
      },
    };
  }

  /** Plugs every device in. Those of a VRF come when the controller has made it. */
  async plug(): Promise<void> {
    const { topology } = this.#place;
    const routers = [...topology.routers.values()].filter((router) => this.has(router.name)).map((router) => this.#plugRouter(router));
    const nodes = [...topology.nodes.values()].filter((node) => this.has(node.name));
    await Promise.all([...routers, ...nodes.flatMap((node) => node.devices.map((device) => this.#plugNode(node, device)))]);
  }

  async #plugRouter(router: TopologyRouter): Promise<void> {
    const machine = this.machine(router.name);
    await machine.execute(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"]);
    for (const link of router.links) {
      const cable = new RouterLink(machine, this.machine(link.peer), link, (name) => this.#off.has(name));
      this.#links.push(cable);
      await cable.open();
    }
    const { uplink } = router;
    if (uplink !== undefined) await this.#plugUplink(machine, uplink);
    for (const address of router.addresses) await machine.execute(["ip", "address", "add", address, "dev", uplink?.device.name ?? "lo"]);
  }

  async #plugUplink(machine: Machine, { node: nodeName, bridge, device }: RouterUplink): Promise<void> {
    const node = present(this.#place.topology.nodes.get(nodeName));
    await this.#place.command(node, [
      "ovs-vsctl", "--no-wait", "--may-exist", "add-br", bridge, "--", "add-port", bridge, device.name, "--", "set", "Interface", device.name, "type=internal",
    ]);
    const cable = new Cable(machine, node.name, device, undefined, () => this.#off.has(machine.name));
    this.#cables.push(cable);
    cable.plugInto(this.#place.switchOf(node.name));
    await cable.open();
  }

  async #plugNode(node: TopologyNode, device: NodeDevice): Promise<void> {
    const machine = this.machine(node.name);
    await this.#place.command(node, [
      "ovs-vsctl", "--no-wait", "--timeout=10", "wait-until", "Bridge", "br-int", "name=br-int", "--", "add-port", "br-int", device.name,
      "--", "set", "Interface", device.name, "type=internal", `mac="${device.mac}"`, `external-ids:iface-id=${device.ifaceId}`,
    ]);
    const cable = new Cable(machine, node.name, device, device.vrf, () => false);
    this.#cables.push(cable);
    cable.plugInto(this.#place.switchOf(node.name));
    if (device.vrf === undefined || (await this.#untilVrf(machine, device.vrf))) await cable.open();
    else this.#place.progress(`${device.name} of ${node.name} stays out: no VRF ${device.vrf} in ${vrfLimitMs / 1000} s`);
  }

  async #untilVrf(machine: Machine, vrf: string): Promise<boolean> {
    const { clock } = this.#place.host;
    for (const deadline = clock.now() + vrfLimitMs; clock.now() < deadline; ) {
      if ((await machine.routing.vrfKind(vrf)) !== undefined) return true;
      await new Promise<void>((resolve) => void clock.after(vrfPollMs, resolve));
    }
    return false;
  }

  /** The node's switch is another one now. */
  replug(node: string, daemon: LaunchedDaemon): void {
    for (const cable of this.#cables) if (cable.node === node) cable.plugInto(daemon);
  }

  /** Without power a router is, as far as anyone else can tell, cut off from all others; with it, it goes on where it was. */
  power(router: string, isOn: boolean): void {
    if (isOn) this.#off.delete(router);
    else this.#off.add(router);
  }

  async stop(): Promise<void> {
    for (const cable of [...this.#cables, ...this.#links]) cable.close();
    await Promise.all([...this.#machines.values()].map((machine) => machine.stop()));
  }
}

/** The nodes and routers where FRR runs, and its configuration there. */
const speakersOf = ({ nodes, routers }: Topology): ReadonlyMap<string, string> => new Map([
  ...[...nodes.values()].flatMap(({ name, frr }) => (frr === undefined ? [] : [[name, frr] as const])),
  ...[...routers.values()].map(({ name, frr }) => [name, frr] as const),
]);
