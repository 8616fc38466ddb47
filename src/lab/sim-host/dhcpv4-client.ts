/**
 * A DHCP client (RFC 2131, section 4.4): discovers, requests, and renews at half of the lease and again at seven eighths.
 * It says what it does in dhclient's words.
 */
import type { Clock, Random, Timer } from "../../host/index.ts";
import { contains, formatIpv4, type Ip, type Ipv4, ipv4MaskLength, ipv4Of } from "../../net/index.ts";
import {
  dhcpIps, dhcpMessage, dhcpMessageType, dhcpOption, type DhcpOption, type Dhcpv4, emitDhcpv4, findDhcpOption, ip4, ipProtocol, ipv4Packet,
  parseClasslessRoutes, parseDhcpv4, readU32, sizeofDhcpv4, udpDatagram, writeU32,
} from "../../packet/index.ts";
import type { Device } from "./device.ts";
import type { IpLayer } from "./ip-layer.ts";
import { type NetworkState, oneHop } from "./network-state.ts";
import type { UdpLayer, UdpSocket } from "./udp-layer.ts";

export interface DhcpEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly ip: IpLayer;
  readonly udp: UdpLayer;
  readonly network: NetworkState;
  readonly device: Device;
}

export interface Dhcpv4Lease {
  readonly address: Ipv4;
  readonly length: number;
  readonly server: Ipv4;
  readonly seconds: number;
}

const nobody = ipv4Of(0);
const everyone = ipv4Of(0xffffffff);
const firstIntervalMs = 3_000;
const maxIntervalMs = 30_000;
const maxAttempts = 8;

export class Dhcpv4Client {
  readonly #env: DhcpEnvironment;
  readonly #say: (line: string) => void;
  #socket: UdpSocket | undefined;
  #timer: Timer | undefined;
  #xid = 0;
  #state: "idle" | "selecting" | "requesting" | "bound" | "renewing" = "idle";
  #offer: { address: Ipv4; server: Ipv4 } | undefined;
  #lease: Dhcpv4Lease | undefined;
  #attempts = 0;
  #settle: ((lease: Dhcpv4Lease | undefined) => void) | undefined;

  constructor(env: DhcpEnvironment, say: (line: string) => void = () => {}) {
    this.#env = env;
    this.#say = say;
  }

  get lease(): Dhcpv4Lease | undefined {
    return this.#lease;
  }

  /** Resolves with the lease; with undefined once nobody has answered for long enough, or when stopped. */
  start(): Promise<Dhcpv4Lease | undefined> {
    this.stop();
    this.#socket = this.#env.udp.open(68, (message) => this.#receive(message.payload));
    if (this.#socket === undefined) return Promise.resolve(undefined);
    this.#state = "selecting";
    this.#attempts = 0;
    this.#xid = this.#env.random.next32();
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#transmit();
    });
  }

  /** Keeps the address, stops renewing. */
  stop(): void {
    this.#timer?.cancel();
    this.#socket?.close();
    this.#socket = undefined;
    this.#state = "idle";
    this.#finish(undefined);
  }

  /** Tells the server that the address is free again, and takes it down. */
  release(): void {
    const lease = this.#lease;
    if (lease !== undefined) {
      this.#say(`DHCPRELEASE of ${formatIpv4(lease.address)} on ${this.#env.device.name} to ${formatIpv4(lease.server)} port 67`);
      this.#send(dhcpMessage.release, [{ code: dhcpOption.serverId, data: bytesOf(lease.server) }], lease.address, lease.server);
      this.#env.network.removeRoute((r) => r.origin === "dhcp" && r.destination.family === 4);
      this.#env.network.removeAddress(ip4(lease.address));
      this.#lease = undefined;
    }
    this.stop();
  }

  #finish(lease: Dhcpv4Lease | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(lease);
  }

  #transmit(): void {
    if (this.#attempts >= maxAttempts && this.#state !== "renewing") {
      this.#say("No DHCPOFFERS received.");
      this.#say("No working leases in persistent database - sleeping.");
      this.stop();
      return;
    }
    const interval = Math.min(firstIntervalMs * 2 ** this.#attempts, maxIntervalMs);
    this.#attempts++;
    const wanted: DhcpOption = { code: dhcpOption.parameterRequest, data: Uint8Array.of(1, 28, 2, 121, 3, 15, 6, 119, 12, 26, 42) };
    const name = this.#env.device.name;
    if (this.#state === "selecting") {
      this.#say(`DHCPDISCOVER on ${name} to 255.255.255.255 port 67 interval ${interval / 1000}`);
      this.#send(dhcpMessage.discover, [wanted], nobody, everyone);
    } else if (this.#state === "requesting" && this.#offer !== undefined) {
      const { address, server } = this.#offer;
      this.#say(`DHCPREQUEST for ${formatIpv4(address)} on ${name} to 255.255.255.255 port 67`);
      const options = [{ code: dhcpOption.serverId, data: bytesOf(server) }, { code: dhcpOption.requestedIp, data: bytesOf(address) }, wanted];
      this.#send(dhcpMessage.request, options, nobody, everyone);
    } else if (this.#state === "renewing" && this.#lease !== undefined) {
      const { address, server } = this.#lease;
      this.#say(`DHCPREQUEST for ${formatIpv4(address)} on ${name} to ${formatIpv4(server)} port 67`);
      this.#send(dhcpMessage.request, [wanted], address, server);
    }
    this.#timer?.cancel();
    this.#timer = this.#env.clock.after(interval, () => this.#transmit());
  }

  #send(messageType: number, options: readonly DhcpOption[], clientIp: Ipv4, to: Ipv4): void {
    const message: Dhcpv4 = {
      op: 1, hops: 0, xid: this.#xid, seconds: 0, broadcast: false, clientIp, yourIp: nobody, serverIp: nobody, relayIp: nobody, clientMac: this.#env.device.mac,
      serverName: "", bootFile: "", options: [{ code: dhcpOption.messageType, data: Uint8Array.of(messageType) }, ...options],
    };
    // BOOTP relays take nothing shorter than 300 bytes.
    const payload = new Uint8Array(Math.max(300, sizeofDhcpv4(message)));
    emitDhcpv4(message, payload);
    if (to === everyone) {
      const datagram = udpDatagram(ip4(nobody), ip4(everyone), 68, 67, payload);
      this.#env.ip.broadcast(this.#env.device, ipv4Packet({ src: nobody, dst: everyone, protocol: ipProtocol.udp, ttl: 128 }, datagram));
    } else this.#socket?.send(ip4(to), 67, payload, { src: ip4(clientIp) });
  }

  #receive(payload: Uint8Array): void {
    const m = parseDhcpv4(payload);
    if (m === undefined || m.op !== 2 || m.xid !== this.#xid || m.clientMac !== this.#env.device.mac) return;
    const [server] = dhcpIps(findDhcpOption(m, dhcpOption.serverId));
    const kind = dhcpMessageType(m);
    if (kind === dhcpMessage.offer && this.#state === "selecting" && server !== undefined) {
      this.#say(`DHCPOFFER of ${formatIpv4(m.yourIp)} from ${formatIpv4(server)}`);
      this.#offer = { address: m.yourIp, server };
      this.#state = "requesting";
      this.#attempts = 0;
      this.#transmit();
    } else if (kind === dhcpMessage.ack && (this.#state === "requesting" || this.#state === "renewing")) {
      this.#bind(m, server ?? this.#offer?.server ?? nobody);
    } else if (kind === dhcpMessage.nak && this.#state !== "selecting") {
      this.#say(`DHCPNAK from ${formatIpv4(server ?? nobody)}`);
      if (this.#lease !== undefined) this.#env.network.removeAddress(ip4(this.#lease.address));
      this.#lease = undefined;
      this.#state = "selecting";
      this.#attempts = 0;
      this.#transmit();
    }
  }

  #bind(m: Dhcpv4, server: Ipv4): void {
    const { network, clock } = this.#env;
    const [mask] = dhcpIps(findDhcpOption(m, dhcpOption.netmask));
    const leaseData = findDhcpOption(m, dhcpOption.leaseTime);
    const seconds = leaseData?.length === 4 ? readU32(leaseData, 0) : 3600;
    const length = mask === undefined ? 24 : (ipv4MaskLength(mask) ?? 24);
    const until = clock.now() + seconds * 1000;
    if (this.#lease !== undefined && this.#lease.address !== m.yourIp) network.removeAddress(ip4(this.#lease.address));
    this.#say(`DHCPACK of ${formatIpv4(m.yourIp)} from ${formatIpv4(server)}`);
    network.setAddress({ prefix: { family: 4, address: m.yourIp, length }, device: this.#env.device.name, origin: "dhcp", validUntil: until, preferredUntil: until });
    this.#setRoutes(m, length);
    this.#lease = { address: m.yourIp, length, server, seconds };
    this.#state = "bound";
    this.#attempts = 0;
    this.#env.ip.resolution.announce(this.#env.device, ip4(m.yourIp));
    const renewal = Math.max(1, Math.floor(seconds / 2));
    this.#say(`bound to ${formatIpv4(m.yourIp)} -- renewal in ${renewal} seconds.`);
    this.#timer?.cancel();
    if (renewal < 2_000_000) {
      this.#timer = clock.after(renewal * 1000, () => {
        this.#state = "renewing";
        this.#xid = this.#env.random.next32();
        this.#transmit();
      });
    }
    this.#finish(this.#lease);
  }

  /** Classless routes, if there are any, are all the routes there are (RFC 3442). */
  #setRoutes(m: Dhcpv4, length: number): void {
    const { network, device } = this.#env;
    network.removeRoute((r) => r.origin === "dhcp" && r.destination.family === 4);
    const classless = parseClasslessRoutes(findDhcpOption(m, dhcpOption.classlessRoutes) ?? new Uint8Array(0)) ?? [];
    const [router] = dhcpIps(findDhcpOption(m, dhcpOption.router));
    const own = { family: 4, address: m.yourIp, length } as const;
    const add = (network4: Ipv4, prefixLength: number, gateway: Ipv4): void => {
      const via: Ip | undefined = gateway === 0 ? undefined : ip4(gateway);
      if (via !== undefined && !contains(own, via)) network.addRoute({ destination: { family: 4, address: gateway, length: 32 }, hops: oneHop(undefined, device.name), origin: "dhcp", metric: 0 });
      network.addRoute({ destination: { family: 4, address: network4, length: prefixLength }, hops: oneHop(via, device.name), origin: "dhcp", metric: 0 });
    };
    if (classless.length > 0) for (const route of classless) add(route.network, route.length, route.gateway);
    else if (router !== undefined) add(nobody, 0, router);
  }
}

function bytesOf(ip: Ipv4): Uint8Array {
  const b = new Uint8Array(4);
  writeU32(b, 0, ip);
  return b;
}
