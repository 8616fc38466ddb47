/**
 * A cable from a port of a node's switch to a device of a machine. Either end may be exchanged while the other stays.
 *
 * Frames that bear the device's own address as their source do not reach it: with routing-protocol-redirect the device shares
 * its address with a router port, and FRR would take that port's router advertisements for those of its neighbor.
 */
import type { DeviceEnd, Machine } from "../../host/index.ts";
import { parseMac, readMac } from "../../net/index.ts";
import type { AttachedPort } from "../../switch/index.ts";
import type { LaunchedDaemon } from "../launcher.ts";
import type { TopologyDevice } from "../topology/speakers.ts";

/** Where the source address of an Ethernet header ends. */
const sourceEnd = 12;

export class Cable {
  readonly node: string;
  readonly vrf: string | undefined;
  readonly #machine: Machine;
  readonly #device: TopologyDevice;
  readonly #isOff: () => boolean;
  #port: AttachedPort | undefined;
  #end: DeviceEnd | undefined;
  /** It was open, and its VRF has gone. */
  isUnplugged = false;

  constructor(machine: Machine, node: string, device: TopologyDevice, vrf: string | undefined, isOff: () => boolean) {
    this.#machine = machine;
    this.node = node;
    this.#device = device;
    this.vrf = vrf;
    this.#isOff = isOff;
  }

  plugInto(theSwitch: Pick<LaunchedDaemon, "attachPort">): void {
    this.#port?.close();
    const own = parseMac(this.#device.mac);
    this.#port = theSwitch.attachPort(this.#device.name, (frame) => {
      if (!this.#isOff() && frame.length >= sourceEnd && readMac(frame, sourceEnd - 6) !== own) this.#end?.send(frame);
    });
  }

  /** Makes the device, in its VRF. */
  async open(): Promise<void> {
    const { name, mac, mtu } = this.#device;
    const kind = this.vrf === undefined ? undefined : await this.#machine.routing.vrfKind(this.vrf);
    const namespace = kind === "namespace" ? this.vrf : undefined;
    this.#end = await this.#machine.openDevice({ name, mac, mtu, namespace }, (frame) => {
      if (!this.#isOff()) this.#port?.send(frame);
    });
    if (kind === "device" && this.vrf !== undefined) await this.#machine.execute(["ip", "link", "set", "dev", name, "master", this.vrf]);
    this.isUnplugged = false;
  }

  /** Its VRF goes. */
  async unplug(): Promise<void> {
    const end = this.#end;
    if (end === undefined) return;
    this.#end = undefined;
    this.isUnplugged = true;
    end.close();
    await end.ended;
  }

  close(): void {
    this.#port?.close();
    this.#end?.close();
  }
}
