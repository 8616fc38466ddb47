/**
 * An address that several machines share, one at a time: the virtual router of VRRP (RFC 5798, section 6.4), as keepalived runs
 * it, with the machine's own MAC address. Who holds it advertises; who hears nothing for three intervals takes over, the one with
 * the highest priority first.
 */
import type { Timer } from "../../host/index.ts";
import { contains, type Ipv4, ipv4Of, networkOf, type Prefix } from "../../net/index.ts";
import { emitVrrp, ip4, parseVrrp, sizeofVrrp, type Vrrp, vrrpProtocol } from "../../packet/index.ts";
import type { Device } from "./device.ts";
import type { HostServices } from "./host-services.ts";
import type { Inbound } from "./ip-core.ts";
import { broadcastOf } from "./network-state.ts";

export interface VirtualAddressOptions {
  readonly device: Device;
  /** Tells one group of machines on a link from another. */
  readonly group: number;
  readonly priority: number;
  readonly address: Prefix & { readonly family: 4 };
  readonly intervalMs: number;
}

const everyRouter = ipv4Of(0xe0000012);

export class VirtualAddress {
  readonly #host: HostServices;
  readonly #options: VirtualAddressOptions;
  #isHolder = false;
  #timer: Timer | undefined;

  constructor(host: HostServices, options: VirtualAddressOptions) {
    this.#host = host;
    this.#options = options;
  }

  get isHolder(): boolean {
    return this.#isHolder;
  }

  start(): void {
    if (this.#options.priority === 255) this.#take();
    else this.#wait();
  }

  /** Without a word, as when the power fails. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#drop();
  }

  receive(inbound: Inbound): void {
    const { device, group, priority } = this.#options;
    const { src, dst, ttl, payload } = inbound;
    if (this.#timer === undefined || inbound.device !== device || ttl !== 255 || src.family !== 4 || dst.family !== 4) return;
    const advert = parseVrrp(payload, src.address, dst.address);
    if (advert?.group !== group) return;
    const isStronger = advert.priority > priority || (advert.priority === priority && src.address > this.#source);
    if (!this.#isHolder) {
      // Who gives up asks the next to take over at once; a weaker holder is let be until its time has come.
      if (advert.priority === 0) this.#wait(this.#skewMs);
      else if (isStronger) this.#wait();
    } else if (advert.priority !== 0 && isStronger) {
      this.#drop();
      this.#wait();
    } else this.#advertise();
  }

  get #skewMs(): number {
    return ((256 - this.#options.priority) * this.#options.intervalMs) / 256;
  }

  get #source(): Ipv4 {
    const { device, address } = this.#options;
    const own = this.#host.network.addresses.find((a) => a.device === device.name && a.prefix.family === 4 && a.prefix.address !== address.address);
    return own?.prefix.family === 4 ? own.prefix.address : ipv4Of(0);
  }

  #wait(ms = 3 * this.#options.intervalMs + this.#skewMs): void {
    this.#timer?.cancel();
    this.#timer = this.#host.clock.after(ms, () => this.#take());
  }

  #take(): void {
    const { device, address } = this.#options;
    this.#isHolder = true;
    const network = this.#host.network.addresses.find((a) => a.device === device.name && contains(networkOf(a.prefix), address));
    const broadcast = network === undefined ? {} : { broadcast: broadcastOf(network.prefix) };
    this.#host.network.setAddress({ prefix: address, device: device.name, origin: "static", validUntil: undefined, preferredUntil: undefined, ...broadcast });
    this.#host.ip.resolution.announce(device, address);
    this.#advertise();
  }

  #drop(): void {
    if (this.#isHolder) this.#host.network.removeAddress(this.#options.address, this.#options.device.name);
    this.#isHolder = false;
  }

  #advertise(): void {
    const { device, group, priority, address, intervalMs } = this.#options;
    const advert: Vrrp = { group, priority, interval: Math.round(intervalMs / 10), addresses: [address.address] };
    const message = new Uint8Array(sizeofVrrp(advert));
    emitVrrp(advert, this.#source, everyRouter, message);
    this.#host.ip.send(ip4(everyRouter), vrrpProtocol, message, { src: ip4(this.#source), ttl: 255, device: device.name, dontFragment: false });
    this.#timer?.cancel();
    this.#timer = this.#host.clock.after(intervalMs, () => this.#advertise());
  }
}
