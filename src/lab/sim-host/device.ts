/**
 * A network device of a machine: an Ethernet card or a VLAN of one (802.1Q), with its own neighbors. What arrives for a VLAN that
 * the machine has a device for goes there without its tag; what that device sends leaves by the card with it.
 */
import { withoutTag, withTag } from "../../fabric/index.ts";
import type { Clock } from "../../host/index.ts";
import type { Ip, Mac } from "../../net/index.ts";
import { ethernetSize, etherType, parseEthernet, readU16 } from "../../packet/index.ts";
import { Neighbors } from "./neighbors.ts";

export interface DeviceOptions {
  readonly name: string;
  readonly mac: Mac;
  readonly mtu: number;
  /** A VLAN of another device. */
  readonly vlan?: { readonly of: Device; readonly id: number };
}

export interface DeviceEvents {
  receive(device: Device, frame: Uint8Array): void;
  /** Asks who has `ip`: everyone on the link, or the owner of `mac` alone. */
  ask(device: Device, ip: Ip, mac: Mac | undefined): void;
}

export class Device {
  readonly name: string;
  /** As in `ip link`; 1 is the loopback's. */
  readonly index: number;
  mac: Mac;
  mtu: number;
  readonly vlan: { readonly of: Device; readonly id: number } | undefined;
  readonly neighbors: Neighbors;
  /** Answers ARP requests for addresses that it has a route to by another device (RFC 1027; sysctl's `proxy_arp`). */
  answersForOthers = false;
  readonly counters = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0 };
  readonly #events: DeviceEvents;
  readonly #vlans = new Map<number, Device>();
  readonly #taps = new Set<(frame: Uint8Array, direction: "in" | "out") => void>();
  #isUp = true;
  #transmit: ((frame: Uint8Array) => void) | undefined;

  constructor(clock: Clock, index: number, options: DeviceOptions, events: DeviceEvents) {
    this.name = options.name;
    this.index = index;
    this.mac = options.mac;
    this.mtu = options.mtu;
    this.vlan = options.vlan;
    this.#events = events;
    this.neighbors = new Neighbors(clock, (ip, mac) => events.ask(this, ip, mac));
    if (this.vlan !== undefined) this.vlan.of.#vlans.set(this.vlan.id, this);
  }

  /** What it was told to be, and its card too. */
  get isUp(): boolean {
    return this.#isUp && this.vlan?.of.isUp !== false;
  }

  set isUp(isUp: boolean) {
    this.#isUp = isUp;
    if (!isUp) this.neighbors.forget();
  }

  /** Says where frames go; those that come are handed to `receive`. */
  attach(transmit: ((frame: Uint8Array) => void) | undefined): void {
    this.#transmit = transmit;
  }

  tap(see: (frame: Uint8Array, direction: "in" | "out") => void): () => void {
    this.#taps.add(see);
    return () => this.#taps.delete(see);
  }

  transmit(frame: Uint8Array): void {
    if (!this.isUp) return;
    this.counters.txPackets++;
    this.counters.txBytes += frame.length;
    for (const see of this.#taps) see(frame, "out");
    if (this.vlan === undefined) this.#transmit?.(frame);
    else this.vlan.of.transmit(withTag(frame, this.vlan.id));
  }

  receive(frame: Uint8Array): void {
    if (!this.isUp) return;
    this.counters.rxPackets++;
    this.counters.rxBytes += frame.length;
    for (const see of this.#taps) see(frame, "in");
    if (this.#vlans.size > 0 && parseEthernet(frame)?.type === etherType.vlan) {
      this.#vlans.get(readU16(frame, ethernetSize) & 0xfff)?.receive(withoutTag(frame));
      return;
    }
    this.#events.receive(this, frame);
  }
}
