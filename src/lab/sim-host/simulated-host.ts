/**
 * A machine for the lab: network devices, a network stack, and the programs to try it with. It stands behind a port of a switch
 * and sees nothing but Ethernet frames. All of it runs on the clock and randomness it is given.
 *
 * A host has one device, which takes addresses from routers and DHCP servers; a machine of the underlay gets more of them
 * (`addDevice`), may forward, and takes nothing from others (`isConfiguredByHand`).
 */
import type { Clock, Random } from "../../host/index.ts";
import { formatPrefix, type Ip, linkLocalOf, type Mac, parseIp, type Prefix } from "../../net/index.ts";
import { icmpv4Message, icmpv6Message, ipProtocol, writeU16 } from "../../packet/index.ts";
import type { Command } from "./command/command.ts";
import { runCommand, type RunningCommand } from "./command/run-command.ts";
import type { Device, DeviceOptions } from "./device.ts";
import { Dhcpv4Client } from "./dhcpv4-client.ts";
import { Dhcpv6Client } from "./dhcpv6-client.ts";
import { Echo } from "./echo.ts";
import type { HostServices } from "./host-services.ts";
import { IpLayer } from "./ip-layer.ts";
import { isLoopback, NetworkState, oneHop } from "./network-state.ts";
import { RouterDiscovery } from "./router-discovery.ts";
import { TcpLayer } from "./tcp-layer.ts";
import { UdpLayer } from "./udp-layer.ts";

export interface SimulatedHostOptions {
  readonly name: string;
  readonly interfaceName: string;
  readonly mac: Mac;
  readonly mtu: number;
  readonly addresses: readonly Prefix[];
  /** Next hops of default routes, one for each family. */
  readonly gateways: readonly Ip[];
  readonly dhcp: boolean;
  readonly dhcpv6: boolean;
  /** Its addresses and routes are given; it neither asks routers nor listens to them. */
  readonly isConfiguredByHand?: boolean;
  /** Programs that only this machine has. */
  readonly commands?: ReadonlyMap<string, Command>;
  /** Names that programs may use for addresses. */
  resolve?(name: string, family: 4 | 6 | undefined): Ip | undefined;
}

export class SimulatedHost {
  readonly options: SimulatedHostOptions;
  readonly #services: HostServices;
  readonly #discovery: RouterDiscovery;
  readonly #clock: Clock;
  #hearDhcp: ((line: string) => void) | undefined;
  /** Hops that nobody is behind any more (see `hopKey`), as BFD has found. */
  readonly deadHops = new Set<string>();
  readonly #running = new Set<RunningCommand>();
  #lastProbe = 0;

  constructor(environment: { readonly clock: Clock; readonly random: Random }, options: SimulatedHostOptions) {
    const { clock, random } = environment;
    this.options = options;
    this.#clock = clock;
    const network = new NetworkState((hop) => ip.devices.get(hop.device)?.isUp === true && !this.deadHops.has(hopKey(hop.device, hop.via)));
    const ip: IpLayer = new IpLayer(clock, network);
    const device = ip.addDevice({ name: options.interfaceName, mac: options.mac, mtu: options.mtu });
    const udp = new UdpLayer(ip, network, random.next32());
    const say = (line: string): void => this.#hearDhcp?.(line);
    const dhcp = { clock, random, ip, udp, network, device };
    const dhcpv4 = new Dhcpv4Client(dhcp, say);
    const clients = new Map([[device, dhcpv4]]);
    const dhcpv4On = (on: Device): Dhcpv4Client => {
      const client = clients.get(on) ?? new Dhcpv4Client({ ...dhcp, device: on }, say);
      clients.set(on, client);
      return client;
    };
    this.#services = {
      name: options.name, device, clock, random, network, ip, udp,
      tcp: new TcpLayer(clock, random, ip, network), echo: new Echo(ip), dhcpv4, dhcpv4On, dhcpv6: new Dhcpv6Client(dhcp, say),
      resolve: (name, family) => {
        if (name === "localhost") return parseIp(family === 6 ? "::1" : "127.0.0.1");
        return name === options.name ? this.#ownIp(family) : options.resolve?.(name, family);
      },
      listenToDhcp: (listen) => {
        this.#hearDhcp = listen;
      },
    };
    this.#discovery = new RouterDiscovery(clock, ip, network, device);
  }

  #ownIp(family: 4 | 6 | undefined): Ip | undefined {
    return this.#services.network.addresses.map((a) => a.prefix).find((p) => (family === undefined || p.family === family) && !isLoopback(p));
  }

  get services(): HostServices {
    return this.#services;
  }

  /** One more network device. */
  addDevice(options: DeviceOptions): Device {
    return this.#services.ip.addDevice(options);
  }

  /** Says where frames of the first device go; those that come are handed to `receive`. */
  attach(transmit: (frame: Uint8Array) => void): void {
    this.#services.device.attach(transmit);
  }

  readonly receive = (frame: Uint8Array): void => this.#services.device.receive(frame);

  /** Takes its addresses: the given ones at once, then what routers announce and DHCP gives, in the background. */
  start(): void {
    const { network, ip, device, dhcpv4, dhcpv6 } = this.#services;
    for (const prefix of this.options.addresses) network.setAddress({ prefix, device: device.name, origin: "static", validUntil: undefined, preferredUntil: undefined });
    for (const via of this.options.gateways) {
      const destination: Prefix = via.family === 4 ? { ...zero4, length: 0 } : { ...zero6, length: 0 };
      network.addRoute({ destination, hops: oneHop(via, device.name), origin: "static", metric: via.family === 4 ? 0 : 1024 });
    }
    if (this.options.isConfiguredByHand === true) for (const each of ip.devices.values()) this.#takeLinkLocal(each);
    else this.#discovery.start();
    for (const prefix of this.options.addresses) ip.resolution.announce(device, prefix);
    if (this.options.dhcp) void dhcpv4.start();
    if (this.options.dhcpv6) void dhcpv6.start();
  }

  #takeLinkLocal({ name, mac }: Device): void {
    const { network } = this.#services;
    network.setAddress({ prefix: { family: 6, address: linkLocalOf(mac), length: 64 }, device: name, origin: "kernel", validUntil: undefined, preferredUntil: undefined });
  }

  /** Ends what runs on it, and takes its links down. */
  stop(): void {
    for (const command of [...this.#running]) command.interrupt();
    this.#services.tcp.stop();
    this.#discovery.stop();
    this.#services.dhcpv4.stop();
    this.#services.dhcpv6.stop();
    for (const device of this.#services.ip.devices.values()) device.isUp = false;
  }

  /** With their lengths, in the order they came. */
  addresses(): string[] {
    return this.#services.network.addresses.map((a) => formatPrefix(a.prefix));
  }

  /** Whether it has an address of each kind that it was told to get. */
  get isConfigured(): boolean {
    const { addresses } = this.#services.network;
    const has = (family: 4 | 6): boolean => addresses.some((a) => a.origin === "dhcp" && a.prefix.family === family);
    return (!this.options.dhcp || has(4)) && (!this.options.dhcpv6 || has(6));
  }

  /** Whether it has to learn its IPv6 router, which DHCPv6 does not tell, and has not yet. */
  get awaitsRouter(): boolean {
    return this.options.dhcpv6 && !this.#discovery.hasRouter;
  }

  /** Asks for addresses and routers at once again, if it still lacks one: for labs that have just become able to answer. */
  hurry(): void {
    if (this.options.dhcp && this.#services.dhcpv4.lease === undefined) void this.#services.dhcpv4.start();
    if (this.options.dhcpv6 && !this.isConfigured) void this.#services.dhcpv6.start();
    if (this.awaitsRouter) this.#discovery.hurry();
  }

  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void, input: Uint8Array = new Uint8Array(0)): RunningCommand {
    const command = runCommand(this.#services, argv, output, input, this.options.commands);
    this.#running.add(command);
    void command.exitCode.finally(() => this.#running.delete(command));
    return command;
  }

  /**
   * Sends an echo request every `intervalMs` until one is answered; the answer's TTL. Asks for the next hop as often, so
   * that nothing waits for the second that ARP gives its questions. undefined if `giveUpMs` have passed.
   */
  firstReply(to: Ip, intervalMs = 10, giveUpMs = 60_000): Promise<number | undefined> {
    const { ip, network, echo, random } = this.#services;
    const identifier = random.next32() & 0xffff;
    const endsAt = this.#clock.now() + giveUpMs;
    return new Promise((resolve) => {
      let isOver = false;
      const stop = echo.onReply(identifier, ({ ttl }) => finish(ttl));
      const finish = (ttl: number | undefined): void => {
        if (isOver) return;
        isOver = true;
        stop();
        resolve(ttl);
      };
      const probe = (): void => {
        if (isOver) return;
        if (this.#clock.now() >= endsAt) return finish(undefined);
        const next = network.routeTo(to);
        ip.devices.get(next?.device ?? "")?.neighbors.hurry(next?.via ?? to);
        const sequence = (this.#lastProbe = (this.#lastProbe + 1) & 0xffff);
        const src = network.sourceFor(to);
        if (to.family === 4) ip.send(to, ipProtocol.icmp, icmpv4Message({ type: 8, code: 0, word: ((identifier << 16) | sequence) >>> 0, data: new Uint8Array(56) }));
        else if (src?.family === 6) {
          const body = new Uint8Array(60);
          writeU16(body, 0, identifier);
          writeU16(body, 2, sequence);
          ip.send(to, ipProtocol.icmpv6, icmpv6Message({ type: 128, code: 0, body }, src.address, to.address));
        }
        this.#clock.after(intervalMs, probe);
      };
      probe();
    });
  }
}

/** How `deadHops` names a hop. */
export const hopKey = (device: string, via: Ip | undefined): string => `${device} ${via?.address ?? ""}`;

const zero4 = { family: 4, address: 0 as Extract<Ip, { family: 4 }>["address"] } as const;
const zero6 = { family: 6, address: 0n as Extract<Ip, { family: 6 }>["address"] } as const;
