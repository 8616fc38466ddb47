/**
 * Stateless address autoconfiguration (RFC 4862): asks routers, takes the prefixes that they announce, and the default
 * route. Addresses can be used while they are still being checked for duplicates (optimistic, RFC 4429).
 */
import type { Clock, Timer } from "../../host/index.ts";
import { eui64, type Ip, type Ipv6, linkLocalOf, solicitedNode } from "../../net/index.ts";
import { ip6, type Nd } from "../../packet/index.ts";
import type { Device } from "./device.ts";
import type { IpLayer } from "./ip-layer.ts";
import { type NetworkState, oneHop, type Route } from "./network-state.ts";

const allRouters = 0xff020000000000000000000000000002n as Ipv6;
const unspecified = 0n as Ipv6;
const maxSolicitations = 3;
const solicitationIntervalMs = 4_000;
const duplicateCheckMs = 1_000;
const never = 0xffffffff;

export class RouterDiscovery {
  readonly #clock: Clock;
  readonly #ip: IpLayer;
  readonly #network: NetworkState;
  readonly #device: Device;
  #timer: Timer | undefined;
  #sent = 0;
  readonly #expiries = new Map<string, Timer>();
  /** Addresses that someone else may turn out to have. */
  readonly #checking = new Map<Ipv6, Timer>();

  constructor(clock: Clock, ip: IpLayer, network: NetworkState, device: Device) {
    this.#clock = clock;
    this.#ip = ip;
    this.#network = network;
    this.#device = device;
    ip.onDiscovery((nd, src, srcMac, on) => {
      if (on !== device) return;
      if (nd.kind === "neighbor-advert" && srcMac !== device.mac && this.#checking.has(nd.target)) this.#giveUp(nd.target);
      this.#heard(nd, src);
    });
  }

  start(): void {
    const linkLocal = linkLocalOf(this.#device.mac);
    this.#network.setAddress({ prefix: { family: 6, address: linkLocal, length: 64 }, device: this.#device.name, origin: "kernel", validUntil: undefined, preferredUntil: undefined });
    this.#network.addRoute({ destination: { family: 6, address: 0xff000000000000000000000000000000n as Ipv6, length: 8 }, hops: oneHop(undefined, this.#device.name), origin: "kernel", metric: 256 });
    this.#checkDuplicate(linkLocal);
    this.#sent = 0;
    this.#solicit();
  }

  stop(): void {
    this.#timer?.cancel();
    for (const timer of this.#expiries.values()) timer.cancel();
    this.#expiries.clear();
    for (const timer of this.#checking.values()) timer.cancel();
    this.#checking.clear();
  }

  /** Whether a router has announced itself and stays. */
  get hasRouter(): boolean {
    return this.#network.routes.some((r) => r.origin === "ra" && r.destination.length === 0 && r.hops[0]?.device === this.#device.name);
  }

  /** Asks again at once, on top of the questions that the standard allows for, if no router has answered. */
  hurry(): void {
    if (!this.hasRouter) this.#ask();
  }

  #ask(): void {
    this.#ip.resolution.sendNd(this.#device, { kind: "router-solicit", options: [{ kind: "source-mac", mac: this.#device.mac }] }, linkLocalOf(this.#device.mac), allRouters);
  }

  #solicit(): void {
    if (this.#sent >= maxSolicitations) return;
    this.#sent++;
    this.#ask();
    this.#timer = this.#clock.after(solicitationIntervalMs, () => this.#solicit());
  }

  /** Asks whether anyone has `address`; an answer takes it away. */
  #checkDuplicate(address: Ipv6): void {
    this.#ip.resolution.sendNd(this.#device, { kind: "neighbor-solicit", target: address, options: [] }, unspecified, solicitedNode(address));
    this.#checking.get(address)?.cancel();
    this.#checking.set(address, this.#clock.after(duplicateCheckMs, () => this.#checking.delete(address)));
  }

  #giveUp(address: Ipv6): void {
    this.#checking.get(address)?.cancel();
    this.#checking.delete(address);
    this.#network.removeAddress(ip6(address));
  }

  #heard(nd: Nd, src: Ipv6): void {
    if (nd.kind !== "router-advert") return;
    this.#timer?.cancel();
    this.#sent = maxSolicitations;
    const via: Ip = ip6(src);
    const isFrom = (r: Route, router: Ipv6): boolean => r.origin === "ra" && r.hops.some((hop) => hop.device === this.#device.name && hop.via?.address === router);
    this.#network.removeRoute((r) => isFrom(r, src) && r.destination.length === 0);
    if (nd.lifetime > 0) {
      this.#network.addRoute({ destination: { family: 6, address: unspecified, length: 0 }, hops: oneHop(via, this.#device.name), origin: "ra", metric: 1024 });
      this.#expire(`route ${src}`, nd.lifetime, () => this.#network.removeRoute((r) => isFrom(r, src)));
    }
    for (const option of nd.options) {
      if (option.kind !== "prefix" || option.length !== 64) continue;
      if (option.autonomous && option.validLifetime > 0) this.#addAddress(option.prefix, option.validLifetime, option.preferredLifetime);
      else if (option.onLink) {
        this.#network.addRoute({ destination: { family: 6, address: option.prefix, length: 64 }, hops: oneHop(undefined, this.#device.name), origin: "ra", metric: 256 });
      }
    }
  }

  #addAddress(prefix: Ipv6, validLifetime: number, preferredLifetime: number): void {
    const address = eui64(prefix, this.#device.mac);
    const isNew = !this.#network.isOwn(ip6(address));
    const until = (seconds: number): number | undefined => (seconds === never ? undefined : this.#clock.now() + seconds * 1000);
    this.#network.setAddress({ prefix: { family: 6, address, length: 64 }, device: this.#device.name, origin: "slaac", validUntil: until(validLifetime), preferredUntil: until(preferredLifetime) });
    if (isNew) this.#checkDuplicate(address);
    this.#expire(`address ${address}`, validLifetime, () => this.#network.removeAddress(ip6(address)));
  }

  #expire(key: string, seconds: number, action: () => void): void {
    this.#expiries.get(key)?.cancel();
    this.#expiries.delete(key);
    // Timers of more than 24 days wrap; what lasts that long outlives the lab.
    if (seconds !== never && seconds < 2_000_000) this.#expiries.set(key, this.#clock.after(seconds * 1000, action));
  }
}
