/** A cable between two routers: what the one's device sends, the other's receives, unless one of them is without power. */
import type { DeviceEnd, Machine } from "../../host/index.ts";
import type { RouterLink as WantedLink } from "../topology/routers.ts";

export class RouterLink {
  readonly #ends: DeviceEnd[] = [];
  readonly #machines: readonly [Machine, Machine];
  readonly #wanted: WantedLink;
  readonly #isOff: (machine: string) => boolean;

  constructor(near: Machine, far: Machine, wanted: WantedLink, isOff: (machine: string) => boolean) {
    this.#machines = [near, far];
    this.#wanted = wanted;
    this.#isOff = isOff;
  }

  async open(): Promise<void> {
    const [near, far] = this.#machines;
    const pass = (to: 0 | 1) => (frame: Uint8Array): void => {
      if (!this.#isOff(near.name) && !this.#isOff(far.name)) this.#ends[to]?.send(frame);
    };
    this.#ends[0] = await near.openDevice(this.#wanted.device, pass(1));
    this.#ends[1] = await far.openDevice(this.#wanted.peerDevice, pass(0));
  }

  close(): void {
    for (const end of this.#ends) end.close();
  }
}
