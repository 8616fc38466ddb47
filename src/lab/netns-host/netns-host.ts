/**
 * A host of kind `netns`: a real Linux machine as far as the network goes, with the kernel's own stack and whatever tools this
 * machine has. Its one interface is a device whose far end is here; frames go between it and the switch as they do for a
 * simulated host, so that everything from the switch on is the same.
 */
import type { DeviceEnd, Host, Machine, Machines } from "../../host/index.ts";
import type { AttachedPort } from "../../switch/index.ts";
import type { LabHost, Socket } from "../lab-host.ts";
import type { RunningCommand } from "../sim-host/index.ts";
import type { TopologyHost, TopologyHosts } from "../topology/hosts.ts";
import { dhclient } from "./dhclient.ts";
import { parseAddresses } from "./ip-json.ts";
import { realMachine } from "./real-machine.ts";

/** How long the first answer may take before it is asked for again. */
const pingDeadlineS = 60;

export class NetnsHost implements LabHost {
  readonly topology: TopologyHost;
  readonly #host: Host;
  readonly #machine: Machine;
  #device: DeviceEnd | undefined;
  #port: AttachedPort | undefined;
  #addresses: readonly string[] = [];

  private constructor(host: Host, topology: TopologyHost, machine: Machine) {
    this.#host = host;
    this.topology = topology;
    this.#machine = machine;
  }

  /** `hosts`: all of the lab's, which know one another by name. Rejects with words for the user. */
  static async start(host: Host, machines: Machines, topology: TopologyHost, hosts: TopologyHosts): Promise<NetnsHost> {
    const machine = await machines.start(realMachine(topology.name, hosts));
    const netns = new NetnsHost(host, topology, machine);
    try {
      const { interfaceName, mac, mtu } = topology;
      netns.#device = await machine.openDevice({ name: interfaceName, mac, mtu }, (frame) => netns.#port?.send(frame));
    } catch (error) {
      await machine.stop();
      throw error;
    }
    return netns;
  }

  get entry(): readonly string[] {
    return this.#machine.entry;
  }

  plugInto(theSwitch: Socket): void {
    this.#port?.close();
    this.#port = theSwitch.attachPort(this.topology.interfaceName, (frame) => this.#device?.send(frame));
  }

  async configure(): Promise<void> {
    const { interfaceName, addresses, gateways, dhcp, dhcpv6 } = this.topology;
    // Addresses are ours by the topology's word: no need to wait for others to object to one.
    for (const address of addresses) await this.#must(["ip", "addr", "replace", address, "dev", interfaceName, ...(isIpv6(address) ? ["nodad"] : [])]);
    for (const gateway of gateways) await this.#must(["ip", ...(isIpv6(gateway) ? ["-6"] : []), "route", "replace", "default", "via", gateway, "dev", interfaceName]);
    if (dhcp) await this.#must(dhclient(4, interfaceName));
    if (dhcpv6) await this.#must(dhclient(6, interfaceName));
    await this.refresh();
  }

  async #must(argv: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#machine.execute(argv);
    if (code === 0) return;
    const [program = ""] = argv;
    const why = code === 126 || code === 127 ? `this machine has no ${program}: install it` : stderr.trim().split("\n").at(-1);
    throw new Error(`host ${this.topology.name}: ${argv.join(" ")}: ${why}`);
  }

  addresses(): readonly string[] {
    return this.#addresses;
  }

  async refresh(): Promise<void> {
    const { code, stdout } = await this.#machine.execute(["ip", "-j", "addr", "show", "dev", this.topology.interfaceName]);
    if (code === 0) this.#addresses = parseAddresses(stdout);
  }

  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand {
    return this.#machine.start(argv, output);
  }

  async firstReply(to: string): Promise<void> {
    for (;;) {
      const { code } = await this.#machine.execute(["ping", "-n", "-q", "-c", "1", "-i", "0.2", "-w", String(pingDeadlineS), to]);
      if (code === 0) return;
      if (code === 126 || code === 127) throw new Error("this machine has no ping: install iputils-ping");
      // It failed at once: a network that is not there yet.
      await new Promise<void>((resolve) => void this.#host.clock.after(200, resolve));
    }
  }

  async stop(): Promise<void> {
    this.#port?.close();
    this.#device?.close();
    await this.#machine.stop();
  }
}

const isIpv6 = (text: string): boolean => text.includes(":");
