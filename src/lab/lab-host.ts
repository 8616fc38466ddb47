/** A host of the topology: a machine, simulated or real, and the switch port it is plugged into. */
import type { Host, Timer } from "../host/index.ts";
import { type Ip, parseIp, parseMac, parsePrefix } from "../net/index.ts";
import { present } from "../std/index.ts";
import type { AttachedPort } from "../switch/index.ts";
import { type RunningCommand, SimulatedHost } from "./sim-host/index.ts";
import type { TopologyHost } from "./topology/hosts.ts";

/** How often a host without its addresses asks again while the lab comes up, and for how long the lab waits for them. */
const hurryMs = 100;
const configurationLimitMs = 15_000;
/** How long a host that has its addresses waits for a router, which its network may well not have. */
const routerLimitMs = 1_000;

/** What a host's cable goes into. */
export interface Socket {
  attachPort(name: string, receive: (frame: Uint8Array) => void): AttachedPort;
}

export interface LabHost {
  readonly topology: TopologyHost;
  plugInto(theSwitch: Socket): void;
  /** Gives it its addresses; resolves when it has them, or has waited long enough for them. */
  configure(): Promise<void>;
  /** With their lengths, as last seen. */
  addresses(): readonly string[];
  /** Looks at the addresses again. */
  refresh(): Promise<void>;
  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand;
  /** What to put before a command so that it runs there with the caller's own terminal; undefined: it has to be asked for by `exec`. */
  readonly entry: readonly string[] | undefined;
  /** Resolves with the first echo reply from `to`. */
  firstReply(to: string): Promise<void>;
  stop(): Promise<void>;
}

export class SimulatedLabHost implements LabHost {
  readonly topology: TopologyHost;
  readonly entry = undefined;
  readonly #host: Host;
  readonly #machine: SimulatedHost;
  #port: AttachedPort | undefined;

  /** `resolve`: the names of the other hosts, as a hosts file would have them. */
  constructor(host: Host, topology: TopologyHost, resolve: (name: string, family: 4 | 6 | undefined) => Ip | undefined) {
    this.#host = host;
    this.topology = topology;
    this.#machine = new SimulatedHost(host, {
      name: topology.name,
      interfaceName: topology.interfaceName,
      mac: present(parseMac(topology.mac)),
      mtu: topology.mtu,
      addresses: topology.addresses.map((text) => present(parsePrefix(text))),
      gateways: topology.gateways.map((text) => present(parseIp(text))),
      dhcp: topology.dhcp,
      dhcpv6: topology.dhcpv6,
      resolve,
    });
  }

  plugInto(theSwitch: Socket): void {
    this.#port?.close();
    const port = theSwitch.attachPort(this.topology.interfaceName, this.#machine.receive);
    this.#port = port;
    this.#machine.attach((frame) => port.send(frame));
  }

  configure(): Promise<void> {
    this.#machine.start();
    const { clock } = this.#host;
    let deadline = clock.now() + configurationLimitMs;
    let hasAddresses = false;
    return new Promise((resolve) => {
      const look = (): Timer | undefined => {
        const { isConfigured, awaitsRouter } = this.#machine;
        if (isConfigured && !hasAddresses) deadline = clock.now() + routerLimitMs;
        hasAddresses ||= isConfigured;
        if ((isConfigured && !awaitsRouter) || clock.now() > deadline) {
          resolve();
          return undefined;
        }
        this.#machine.hurry();
        return clock.after(hurryMs, look);
      };
      look();
    });
  }

  addresses(): readonly string[] {
    return this.#machine.addresses();
  }

  async refresh(): Promise<void> {}

  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand {
    return this.#machine.exec(argv, output);
  }

  async firstReply(to: string): Promise<void> {
    await this.#machine.firstReply(present(parseIp(to), `address ${to}`));
  }

  async stop(): Promise<void> {
    this.#machine.stop();
    this.#port?.close();
  }
}
