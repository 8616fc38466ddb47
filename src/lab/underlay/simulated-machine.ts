/** A machine of the underlay on a simulated network stack: a node's kernel, a router, a hypervisor, the world outside. */
import type { Clock, Datagrams, Random } from "../../host/index.ts";
import { type Ip, type Mac, parseIp, parseMac, parsePrefix } from "../../net/index.ts";
import { vrrpProtocol } from "../../packet/index.ts";
import { present } from "../../std/index.ts";
import { type Command, type Device, hopKey, NextHopBfd, type RunningCommand, setSysctl, SimulatedHost, VirtualAddress } from "../sim-host/index.ts";
import type { UnderlayInterface, UnderlayMachine } from "../topology/underlay.ts";
import type { DevicePlug, FabricMachine } from "./fabric-machine.ts";
import { nodeDatagrams } from "./node-datagrams.ts";

/** A shared address that this machine may come to hold. */
export interface SharedAddress {
  readonly interfaceName: string;
  readonly address: string;
  readonly group: number;
  readonly priority: number;
  readonly intervalMs: number;
}

export interface SimulatedMachineOptions {
  readonly machine: UnderlayMachine;
  /** Interfaces that its network stack has: not the cards that belong to a bridge. */
  readonly interfaces: readonly UnderlayInterface[];
  readonly sharedAddresses: readonly SharedAddress[];
  readonly commands: ReadonlyMap<string, Command>;
  resolve(name: string, family: 4 | 6 | undefined): Ip | undefined;
}

const macOfText = (text: string): Mac => present(parseMac(text), `MAC address ${text}`);

export class SimulatedMachine implements FabricMachine {
  readonly name: string;
  readonly entry = undefined;
  readonly datagrams: Datagrams;
  readonly #environment: { readonly clock: Clock; readonly random: Random };
  readonly #options: SimulatedMachineOptions;
  #host: SimulatedHost;
  readonly #takers = new Map<string, (frame: Uint8Array) => void>();
  #shared: VirtualAddress[] = [];
  #bfd: NextHopBfd | undefined;

  constructor(environment: { readonly clock: Clock; readonly random: Random }, options: SimulatedMachineOptions) {
    this.name = options.machine.name;
    this.#environment = environment;
    this.#options = options;
    this.#host = this.#build();
    // A machine that was off and on again has another stack: sockets are opened on the one there is.
    this.datagrams = { bind: (address, port) => nodeDatagrams(this.#host.services).bind(address, port) };
  }

  #build(): SimulatedHost {
    const { interfaces, commands, machine } = this.#options;
    const cards = interfaces.filter((i) => i.of === undefined && i.name !== "lo");
    const [first, ...others] = cards;
    const host = new SimulatedHost(this.#environment, {
      name: machine.name, interfaceName: first?.name ?? "eth0", mac: macOfText(first?.mac ?? "02:00:00:00:00:01"), mtu: first?.mtu ?? 1500, addresses: [], gateways: [],
      dhcp: false, dhcpv6: false, isConfiguredByHand: true, commands: new Map([...commands, ["bfd", this.#bfdCommand()]]), resolve: (name, family) => this.#options.resolve(name, family),
    });
    for (const card of others) host.addDevice({ name: card.name, mac: macOfText(card.mac), mtu: card.mtu });
    for (const i of interfaces) {
      const of = i.of === undefined ? undefined : host.services.ip.devices.get(i.of);
      if (of !== undefined && i.vlan !== undefined) host.addDevice({ name: i.name, mac: macOfText(i.mac), mtu: i.mtu, vlan: { of, id: i.vlan } });
    }
    return host;
  }

  #device(name: string): Device | undefined {
    return this.#host.services.ip.devices.get(name);
  }

  plug(interfaceName: string): DevicePlug | undefined {
    if (this.#device(interfaceName) === undefined) return undefined;
    return {
      attach: (take) => {
        if (take === undefined) this.#takers.delete(interfaceName);
        else this.#takers.set(interfaceName, take);
        this.#device(interfaceName)?.attach(take);
      },
      send: (frame) => this.#device(interfaceName)?.receive(frame),
    };
  }

  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand {
    return this.#host.exec(argv[0] === "sudo" ? argv.slice(1) : argv, output);
  }

  tap(interfaceName: string, see: (frame: Uint8Array, direction: "in" | "out") => void): (() => void) | undefined {
    return this.#device(interfaceName)?.tap(see);
  }

  async configure(): Promise<void> {
    const { machine, interfaces, sharedAddresses } = this.#options;
    const { services } = this.#host;
    this.#host.start();
    for (const i of interfaces) {
      const device = this.#device(i.name);
      for (const text of i.addresses) {
        const prefix = present(parsePrefix(text), `address ${text}`);
        services.network.setAddress({ prefix, device: i.name, origin: "static", validUntil: undefined, preferredUntil: undefined });
        if (device !== undefined) services.ip.resolution.announce(device, prefix);
      }
    }
    for (const [key, value] of machine.sysctl) {
      const wrong = setSysctl(services, key, value);
      if (wrong !== undefined) throw new Error(`${this.name}: ${wrong}`);
    }
    for (const route of machine.routes) await this.#must(["ip", "route", "add", ...route.split(/\s+/).filter((w) => w !== "")]);
    this.#startBfd();
    this.#shared = sharedAddresses.map((shared) => this.#shares(shared));
    services.ip.onProtocol(vrrpProtocol, (inbound) => {
      for (const shared of this.#shared) shared.receive(inbound);
      return true;
    });
    for (const shared of this.#shared) shared.start();
  }

  #startBfd(): void {
    const peers = this.#options.machine.bfd.map((b) => ({ ...b, device: b.interfaceName, peer: present(parseIp(b.peer), `BFD peer ${b.peer}`) }));
    const { deadHops } = this.#host;
    this.#bfd = new NextHopBfd(this.#host.services, peers, ({ device, peer }, isDead) => {
      if (isDead) deadHops.add(hopKey(device, peer));
      else deadHops.delete(hopKey(device, peer));
    });
    this.#bfd.start();
  }

  #shares({ interfaceName, address, group, priority, intervalMs }: SharedAddress): VirtualAddress {
    const prefix = present(parsePrefix(address), `address ${address}`);
    if (prefix.family !== 4) throw new Error(`${address}: virtual addresses are of IPv4`);
    return new VirtualAddress(this.#host.services, { device: present(this.#device(interfaceName)), group, priority, address: prefix, intervalMs });
  }

  async #must(argv: readonly string[]): Promise<void> {
    let text = "";
    const code = await this.#host.exec(argv, (_, bytes) => (text += new TextDecoder().decode(bytes))).exitCode;
    if (code !== 0) throw new Error(`${this.name}: ${argv.join(" ")}: ${text.trim()}`);
  }

  #bfdCommand(): Command {
    return {
      name: "bfd",
      summary: "bfd (the sessions towards next hops)",
      run: (context) => {
        context.out(this.#bfd?.describe() ?? "");
        return Promise.resolve(0);
      },
    };
  }

  async power(isOn: boolean): Promise<void> {
    await this.stop();
    if (!isOn) return;
    this.#host = this.#build();
    for (const [name, take] of this.#takers) this.#device(name)?.attach(take);
    await this.configure();
  }

  async stop(): Promise<void> {
    for (const shared of this.#shared) shared.stop();
    this.#shared = [];
    this.#bfd?.stop();
    this.#host.stop();
  }
}
