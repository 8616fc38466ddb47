/** What the parts of a machine's network layer know of one another, and what comes out of it. */
import type { Ip, Mac } from "../../net/index.ts";
import type { Device } from "./device.ts";

/** What has arrived for this machine. */
export interface Inbound {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: number;
  readonly ttl: number;
  readonly payload: Uint8Array;
  /** The IP packet as it came, for errors about it. */
  readonly packet: Uint8Array;
  readonly srcMac: Mac;
  readonly device: Device;
}

/** Something said that a packet of ours did not arrive: a router or host by ICMP, or this machine itself. */
export interface DeliveryError {
  readonly from: Ip;
  readonly type: number;
  readonly code: number;
  /** ICMP's second word: the MTU where a packet was too big. */
  readonly word: number;
  /** The beginning of our IP packet. */
  readonly original: Uint8Array;
}

export interface SendOptions {
  readonly src?: Ip;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
  /** Leave by this device and no other. */
  readonly device?: string;
}

export type SendResult = "sent" | "unreachable" | "too-big";

/** What sysctl(8) sets for the whole machine. */
export interface IpSettings {
  /** `net.ipv4.ip_forward` and `net.ipv6.conf.all.forwarding`. */
  forwards: boolean;
  /** `net.ipv4.ip_default_ttl`. */
  defaultTtl: number;
  /** `net.ipv4.fib_multipath_hash_seed`: machines with different seeds spread flows differently. */
  hashSeed: number;
}

/** The network layer, as those see it that answer for it. */
export interface IpCore {
  readonly settings: IpSettings;
  readonly devices: ReadonlyMap<string, Device>;
  send(dst: Ip, protocol: number, payload: Uint8Array, options?: SendOptions): SendResult;
  /** To a neighbor on the device's link, once it is known where it is. */
  sendTo(device: Device, neighbor: Ip, packet: Uint8Array, fail?: () => void): void;
  transmit(device: Device, dst: Mac, type: number, payload: Uint8Array): void;
  /** To whoever registered for the protocol. */
  handOn(protocol: number, inbound: Inbound): void;
}
