/** A DHCPv6 client for one address (RFC 8415, section 18.2): solicit, request, renew; stateless information where no address is given. */
import type { Timer } from "../../host/index.ts";
import { formatIpv6, type Ip, type Ipv6, linkLocalOf, writeMac } from "../../net/index.ts";
import {
  type Dhcpv6, dhcpv6Message, dhcpv6Option, type Dhcpv6Option, duidOfMac, emitDhcpv6, emitIaAddress, emitIdentityAssociation, findDhcpv6Option,
  type IaAddress, ip6, parseDhcpv6, parseIaAddress, parseIdentityAssociation, sizeofDhcpv6,
} from "../../packet/index.ts";
import type { DhcpEnvironment } from "./dhcpv4-client.ts";
import type { UdpMessage, UdpSocket } from "./udp-layer.ts";

const servers = 0xff020000000000000000000000010002n as Ipv6;
const maxAttempts = 8;

export class Dhcpv6Client {
  readonly #env: DhcpEnvironment;
  readonly #say: (line: string) => void;
  #socket: UdpSocket | undefined;
  #timer: Timer | undefined;
  #transactionId = 0;
  #state: "idle" | "soliciting" | "requesting" | "bound" | "renewing" = "idle";
  #server: Uint8Array | undefined;
  #offered: IaAddress | undefined;
  #address: Ipv6 | undefined;
  #attempts = 0;
  #settle: ((address: Ipv6 | undefined) => void) | undefined;

  constructor(env: DhcpEnvironment, say: (line: string) => void = () => {}) {
    this.#env = env;
    this.#say = say;
  }

  /** Resolves with the address; with undefined once nobody has answered for long enough, or when stopped. */
  start(): Promise<Ipv6 | undefined> {
    this.stop();
    this.#socket = this.#env.udp.open(546, (message) => this.#receive(message));
    if (this.#socket === undefined) return Promise.resolve(undefined);
    this.#state = "soliciting";
    this.#attempts = 0;
    this.#transactionId = this.#env.random.next32() & 0xffffff;
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#transmit();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#socket?.close();
    this.#socket = undefined;
    this.#state = "idle";
    this.#finish(undefined);
  }

  #finish(address: Ipv6 | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(address);
  }

  #identity(): number {
    return this.#env.device.mac % 0x100000000;
  }

  #transmit(): void {
    if (this.#attempts >= maxAttempts) {
      this.#say("No DHCPv6 server has answered.");
      this.stop();
      return;
    }
    const intervalMs = Math.min(1000 * 2 ** this.#attempts, 30_000);
    this.#attempts++;
    const mac = new Uint8Array(6);
    writeMac(this.#env.device.mac, mac, 0);
    const [type, word] = this.#state === "soliciting" ? [dhcpv6Message.solicit, "Solicit"] as const : this.#state === "renewing" ? [dhcpv6Message.renew, "Renew"] as const : [dhcpv6Message.request, "Request"] as const;
    this.#say(`XMT: ${word} on ${this.#env.device.name}, interval ${intervalMs}ms.`);
    const held = this.#offered === undefined ? [] : [{ code: dhcpv6Option.iaAddress, data: emitIaAddress(this.#offered) }];
    const options: Dhcpv6Option[] = [
      { code: dhcpv6Option.clientId, data: duidOfMac(mac) },
      ...(this.#server === undefined || this.#state === "soliciting" ? [] : [{ code: dhcpv6Option.serverId, data: this.#server }]),
      { code: dhcpv6Option.optionRequest, data: Uint8Array.of(0, 23, 0, 24, 0, 39) },
      { code: dhcpv6Option.elapsedTime, data: Uint8Array.of(0, 0) },
      { code: dhcpv6Option.iaNa, data: emitIdentityAssociation({ id: this.#identity(), t1: 3600, t2: 5400, options: held }) },
    ];
    const message: Dhcpv6 = { type, transactionId: this.#transactionId, options };
    const payload = new Uint8Array(sizeofDhcpv6(message));
    emitDhcpv6(message, payload);
    this.#socket?.send(ip6(servers), 547, payload, { src: ip6(linkLocalOf(this.#env.device.mac)), ttl: 1 });
    this.#timer?.cancel();
    this.#timer = this.#env.clock.after(intervalMs, () => this.#transmit());
  }

  #receive({ src, payload }: UdpMessage): void {
    const m = parseDhcpv6(payload);
    if (m === undefined || m.transactionId !== this.#transactionId) return;
    const server = findDhcpv6Option(m.options, dhcpv6Option.serverId);
    const identity = parseIdentityAssociation(findDhcpv6Option(m.options, dhcpv6Option.iaNa) ?? new Uint8Array(0));
    const address = parseIaAddress(findDhcpv6Option(identity?.options ?? [], dhcpv6Option.iaAddress) ?? new Uint8Array(0));
    if (server === undefined) return;
    if (m.type === dhcpv6Message.advertise && this.#state === "soliciting" && address !== undefined) {
      this.#say(`RCV: Advertise message on ${this.#env.device.name} from ${formatFrom(src)}.`);
      this.#server = server;
      this.#offered = address;
      this.#state = "requesting";
      this.#attempts = 0;
      this.#transactionId = this.#env.random.next32() & 0xffffff;
      this.#transmit();
    } else if (m.type === dhcpv6Message.reply && (this.#state === "requesting" || this.#state === "renewing") && address !== undefined) {
      this.#say(`RCV: Reply message on ${this.#env.device.name} from ${formatFrom(src)}.`);
      this.#bind(address, identity?.t1 ?? 0);
    }
  }

  #bind(a: IaAddress, t1: number): void {
    const { clock, network } = this.#env;
    const until = (seconds: number): number | undefined => (seconds === 0xffffffff ? undefined : clock.now() + seconds * 1000);
    if (this.#address !== undefined && this.#address !== a.address) network.removeAddress(ip6(this.#address));
    // DHCPv6 gives an address without a network: what is on the link, routers say.
    network.setAddress({ prefix: { family: 6, address: a.address, length: 128 }, device: this.#env.device.name, origin: "dhcp", validUntil: until(a.validLifetime), preferredUntil: until(a.preferredLifetime) });
    this.#address = a.address;
    this.#offered = a;
    this.#state = "bound";
    this.#attempts = 0;
    this.#env.ip.resolution.announce(this.#env.device, ip6(a.address));
    this.#timer?.cancel();
    const renewal = t1 !== 0 && t1 !== 0xffffffff ? t1 : Math.floor(a.preferredLifetime / 2);
    if (renewal > 0 && renewal < 2_000_000) {
      this.#timer = clock.after(renewal * 1000, () => {
        this.#state = "renewing";
        this.#transactionId = this.#env.random.next32() & 0xffffff;
        this.#transmit();
      });
    }
    this.#say(`bound to ${formatIpv6(a.address)}`);
    this.#finish(a.address);
  }
}

const formatFrom = (ip: Ip): string => (ip.family === 6 ? formatIpv6(ip.address) : "");
