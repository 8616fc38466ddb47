/**
 * The machine's own network devices as ports: a packet socket for each interface of type "system" whose device is there, a TAP
 * device for each internal port, as the user-space datapath of ovs-vswitchd has them (netdev-linux, netdev-bsd).
 *
 * A device may go and come, or come long after its row: the kernel tells, and the port is looked at again. A TAP device takes a
 * moment to appear; its port is there meanwhile, with nothing known of its link.
 */
import type { DeviceError, DeviceFacts, FrameDevice, FrameDevices, Log } from "../../host/index.ts";
import { formatMac, type Mac } from "../../net/index.ts";
import type { LinkRequest, PortLink, PortLinks } from "./port-links.ts";

interface KernelLink extends PortLink {
  readonly device: FrameDevice;
}

type KernelPortType = "system" | "internal";

interface Held {
  readonly type: KernelPortType;
  link: KernelLink | undefined;
  /** Why there is none. */
  error: string | undefined;
  /** It was tried, and this process may not. */
  isForbidden: boolean;
}

export class KernelLinks implements PortLinks {
  readonly #devices: FrameDevices;
  readonly #log: Log;
  readonly #stopWatching: () => void;
  readonly #held = new Map<string, Held>();
  #isStopped = false;
  /** Told of each interface name whose device came, went, or changed. */
  changed: (name: string) => void = () => undefined;

  constructor(devices: FrameDevices, log: Log) {
    this.#devices = devices;
    this.#log = log;
    this.#stopWatching = devices.watch(() => void this.#look());
  }

  /**
   * The device behind the interface; text: why there is none (an error of the row); undefined: an internal port that this
   * process may make no device for, and which is then a port with nothing behind it.
   */
  open(request: LinkRequest): KernelLink | string | undefined {
    const { name, type } = request;
    if (type === "dummy") return undefined;
    const held = this.#held.get(name) ?? { type, link: undefined, error: undefined, isForbidden: false };
    if (held.type !== type) {
      this.close(name);
      return this.open(request);
    }
    this.#held.set(name, held);
    if (held.link !== undefined || held.isForbidden) return held.link;
    if (held.error !== undefined) return held.error;
    const facts = this.#devices.look(name);
    if (type === "system" && facts === undefined) return noSuchDevice(name);
    if (type === "internal" && facts !== undefined) return `could not open network device ${name} (Device or resource busy)`;
    const device = type === "system" ? this.#devices.openPacketSocket(name) : this.#devices.openTap(name, formatMac(request.mac ?? request.fallbackMac));
    held.link = { device, facts };
    void device.ended.then((error) => {
      if (error !== undefined && held.link?.device === device) this.#lost(name, held, error);
    });
    return held.link;
  }

  #lost(name: string, held: Held, { code, text }: DeviceError): void {
    held.link = undefined;
    if (held.type === "internal" && ["EPERM", "EACCES", "ENOENT"].includes(code)) {
      held.isForbidden = true;
      this.#log.info(`${name}: no TAP device without privileges (${text}): the port has nothing behind it`);
    } else held.error = `could not open network device ${name} (${text})`;
    this.changed(name);
  }

  factsOf(name: string): DeviceFacts | undefined {
    return this.#held.get(name)?.link?.facts;
  }

  setMac(name: string, mac: Mac): void {
    if (this.factsOf(name) !== undefined) void this.#devices.setMac(name, formatMac(mac)).then((error) => this.#complain(error));
  }

  setMtu(name: string, mtu: number): void {
    if (this.factsOf(name) !== undefined) void this.#devices.setMtu(name, mtu).then((error) => this.#complain(error));
  }

  #complain(error: string | undefined): void {
    if (error !== undefined) this.#log.warn(error);
  }

  close(name: string): void {
    this.#held.get(name)?.link?.device.close();
    this.#held.delete(name);
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopWatching();
    for (const name of [...this.#held.keys()]) this.close(name);
  }

  async #look(): Promise<void> {
    const all = await this.#devices.list();
    for (const [name, held] of this.#isStopped ? [] : this.#held) {
      const facts = all.get(name);
      if (factsText(facts) === factsText(held.link?.facts)) continue;
      // A TAP device appears when it is open; what has another index is another device.
      if (held.link !== undefined && facts !== undefined && (held.link.facts === undefined || held.link.facts.index === facts.index)) held.link = { device: held.link.device, facts };
      else if (held.link?.facts !== undefined) {
        held.link.device.close();
        held.link = undefined;
      }
      held.error = undefined;
      this.changed(name);
    }
  }
}

const factsText = (facts: DeviceFacts | undefined): string =>
  facts === undefined ? "" : `${facts.index} ${facts.mtu} ${facts.isUp} ${facts.isRunning} ${facts.mac}`;

const noSuchDevice = (name: string): string => `could not open network device ${name} (No such device)`;
