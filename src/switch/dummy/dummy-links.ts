/**
 * Dummy devices behind ports, for tests without a kernel (ovs-vswitchd --enable-dummy). Which ports they stand behind depends on the
 * level: always those of type "dummy" and the internal ports of bridges with datapath_type=dummy; at "system" and "override" also
 * those of type "system" and all internal ones.
 */
import type { Host } from "../../host/index.ts";
import { type Mac, macOf, type Prefix } from "../../net/index.ts";
import type { LinkRequest, PortLink, PortLinks } from "../port/port-links.ts";
import { DummyDevice } from "./dummy-device.ts";

export const dummyLevels = ["none", "system", "override"] as const;
export type DummyLevel = (typeof dummyLevels)[number];

/** aa:55:aa:55:00:00 and upward, in the order in which devices are made. */
const firstMac = 0xaa55_aa55_0000;

export class DummyLinks implements PortLinks {
  readonly #host: Host;
  readonly #level: DummyLevel;
  readonly #byName = new Map<string, DummyDevice>();
  #count = 0;
  /** Told of each interface name whose device has changed. */
  changed: (name: string) => void = () => undefined;

  constructor(host: Host, level: DummyLevel) {
    this.#host = host;
    this.#level = level;
  }

  serves(type: LinkRequest["type"], datapathType: string): boolean {
    return type === "dummy" || this.#level !== "none" || (type === "internal" && datapathType === "dummy");
  }

  open({ name, mac, options }: LinkRequest): PortLink {
    let device = this.#byName.get(name);
    if (device === undefined) {
      device = new DummyDevice(this.#host, name, macOf(firstMac + this.#count++));
      this.#byName.set(name, device);
    }
    if (mac !== undefined) device.mac = mac;
    device.apply(options);
    return device;
  }

  get(name: string): DummyDevice | undefined {
    return this.#byName.get(name);
  }

  [Symbol.iterator](): Iterator<DummyDevice> {
    return this.#byName.values();
  }

  addressesOf(name: string): readonly Prefix[] {
    return this.#byName.get(name)?.addresses ?? [];
  }

  factsOf(name: string): DummyDevice["facts"] | undefined {
    return this.#byName.get(name)?.facts;
  }

  setMac(name: string, mac: Mac): void {
    const device = this.#byName.get(name);
    if (device !== undefined) device.mac = mac;
  }

  setMtu(name: string, mtu: number): void {
    const device = this.#byName.get(name);
    if (device !== undefined) device.mtu = mtu;
  }

  setUp(device: DummyDevice, isUp: boolean): void {
    if (device.isUp === isUp) return;
    device.isUp = isUp;
    this.changed(device.name);
  }

  /** OVS opens all capture files anew with every configuration, and tests count on it when they remove them. */
  configured(): void {
    for (const device of this.#byName.values()) device.reopenCaptures();
  }

  close(name: string): void {
    this.#byName.get(name)?.close();
    this.#byName.delete(name);
  }

  stop(): void {
    for (const name of [...this.#byName.keys()]) this.close(name);
  }
}
