/**
 * The machine's own network devices as ports: a packet socket for each interface of type "system" whose device is there, a TAP
 * device for each internal port, as the user-space datapath of ovs-vswitchd has them (netdev-linux, netdev-bsd).
 *
 * A device may go and come, or come long after its row: the kernel tells, and the port is looked at again.
 */
import type { DeviceFacts, FrameDevice, FrameDevices, Log } from "../../host/index.ts";
import { type Mac, writeMac } from "../../net/index.ts";

export interface KernelLink {
  readonly device: FrameDevice;
  /** As they were when last looked at. */
  readonly facts: DeviceFacts;
}

export type KernelPortType = "system" | "internal";

interface Held {
  readonly type: KernelPortType;
  link: KernelLink | undefined;
  /** It was tried, and this process may not. */
  isForbidden: boolean;
}

export class KernelLinks {
  readonly #devices: FrameDevices;
  readonly #log: Log;
  readonly #stopWatching: () => void;
  readonly #held = new Map<string, Held>();
  /** Told of each interface name whose device came, went, or changed. */
  changed: (name: string) => void = () => undefined;

  constructor(devices: FrameDevices, log: Log) {
    this.#devices = devices;
    this.#log = log;
    this.#stopWatching = devices.watch(() => this.#look());
  }

  /**
   * The device behind the interface; text: why there is none (an error of the row); undefined: an internal port that this
   * process may make no device for, and which is then a port with nothing behind it.
   */
  open(name: string, type: KernelPortType, mac: Mac): KernelLink | string | undefined {
    const held = this.#held.get(name) ?? { type, link: undefined, isForbidden: false };
    if (held.type !== type) {
      this.close(name);
      return this.open(name, type, mac);
    }
    this.#held.set(name, held);
    if (held.link !== undefined || held.isForbidden) return held.link;
    try {
      const device = type === "system" ? this.#devices.openPacketSocket(name) : this.#devices.openTap(name);
      if (type === "internal") this.#devices.setMac(name, macBytes(mac));
      const facts = this.#devices.facts(name);
      if (facts === undefined) {
        device.close();
        return noSuchDevice(name);
      }
      held.link = { device, facts };
      return held.link;
    } catch (error) {
      return this.#refused(name, held, error);
    }
  }

  #refused(name: string, held: Held, error: unknown): string | undefined {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENODEV" && held.type === "system") return noSuchDevice(name);
    if (held.type === "internal" && ["EPERM", "EACCES", "ENOENT"].includes(code)) {
      held.isForbidden = true;
      this.#log.info(`${name}: no TAP device without privileges (${code}): the port has nothing behind it`);
      return undefined;
    }
    return `could not open network device ${name} (${systemTexts[code] ?? (error instanceof Error ? error.message : String(error))})`;
  }

  factsOf(name: string): DeviceFacts | undefined {
    return this.#held.get(name)?.link?.facts;
  }

  setMac(name: string, mac: Mac): void {
    this.#attempt(name, () => this.#devices.setMac(name, macBytes(mac)));
  }

  setMtu(name: string, mtu: number): void {
    this.#attempt(name, () => this.#devices.setMtu(name, mtu));
  }

  #attempt(name: string, action: () => void): void {
    if (this.#held.get(name)?.link === undefined) return;
    try {
      action();
    } catch (error) {
      this.#log.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  close(name: string): void {
    this.#held.get(name)?.link?.device.close();
    this.#held.delete(name);
  }

  stop(): void {
    this.#stopWatching();
    for (const name of [...this.#held.keys()]) this.close(name);
  }

  #look(): void {
    for (const [name, held] of this.#held) {
      const facts = this.#devices.facts(name);
      if (factsText(facts) === factsText(held.link?.facts)) continue;
      if (held.link !== undefined && facts?.index === held.link.facts.index) held.link = { device: held.link.device, facts };
      else {
        held.link?.device.close();
        held.link = undefined;
      }
      this.changed(name);
    }
  }
}

function macBytes(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(6);
  writeMac(mac, bytes, 0);
  return bytes;
}

const factsText = (facts: DeviceFacts | undefined): string =>
  facts === undefined ? "" : `${facts.index} ${facts.mtu} ${facts.isUp} ${facts.isRunning} ${facts.mac.join()}`;

const noSuchDevice = (name: string): string => `could not open network device ${name} (No such device)`;

/** As strerror(3) puts them. */
const systemTexts: Readonly<Record<string, string>> = {
  EPERM: "Operation not permitted", EACCES: "Permission denied", EBUSY: "Device or resource busy", ENODEV: "No such device", EINVAL: "Invalid argument",
  ENAMETOOLONG: "File name too long",
};
