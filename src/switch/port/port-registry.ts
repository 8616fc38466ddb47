/** All ports of all bridges: by the numbers in the cache's keys, by name, and patch ports by their pairs. */
import type { Bridge } from "../bridge.ts";
import type { SwitchPort } from "./switch-port.ts";

export interface PlacedPort {
  readonly port: SwitchPort;
  readonly bridge: Bridge;
}

/** `p7`: 7; `br1`: 101. */
function numberInName(name: string): number | undefined {
  const digits = /\d+/.exec(name)?.[0];
  const number = Number(digits ?? Number.NaN) + (name.startsWith("br") ? 100 : 0);
  return number > 0 && number < 0xffff_ffff ? number : undefined;
}

export class PortRegistry {
  readonly #byNumber = new Map<number, PlacedPort>();
  readonly #byName = new Map<string, SwitchPort>();
  readonly #patches = new Map<string, PlacedPort>();
  #lastNumber = 0;

  /** One that no port has had; where devices are dummies, what OVS's dummy datapath would choose by the name, if that is free. */
  nextNumber(name?: string): number {
    const wanted = name === undefined ? undefined : numberInName(name);
    if (wanted !== undefined && !this.#byNumber.has(wanted)) return wanted;
    do this.#lastNumber++;
    while (this.#byNumber.has(this.#lastNumber));
    return this.#lastNumber;
  }

  add(bridge: Bridge, port: SwitchPort): void {
    this.#byNumber.set(port.datapathNumber, { port, bridge });
    this.#byName.set(port.name, port);
    if (port.kind.type === "patch") this.#patches.set(port.name, { port, bridge });
    bridge.addPort(port);
    this.#patchesChanged(port);
  }

  remove(bridge: Bridge, port: SwitchPort): void {
    this.#byNumber.delete(port.datapathNumber);
    if (this.#byName.get(port.name) === port) this.#byName.delete(port.name);
    if (this.#patches.get(port.name)?.port === port) this.#patches.delete(port.name);
    bridge.removePort(port);
    this.#patchesChanged(port);
  }

  get(datapathNumber: number): PlacedPort | undefined {
    return this.#byNumber.get(datapathNumber);
  }

  named(name: string): SwitchPort | undefined {
    return this.#byName.get(name);
  }

  placedNamed(name: string): PlacedPort | undefined {
    return this.#byNumber.get(this.#byName.get(name)?.datapathNumber ?? 0);
  }

  [Symbol.iterator](): Iterator<PlacedPort> {
    return this.#byNumber.values();
  }

  /** The other end of a patch port, if the two name each other. */
  peerOf(bridge: Bridge, port: SwitchPort): PlacedPort | undefined {
    if (port.kind.type !== "patch") return undefined;
    const peer = this.#patches.get(port.kind.peer);
    return peer?.port.kind.type === "patch" && peer.port.kind.peer === port.name && peer.bridge !== bridge ? peer : undefined;
  }

  /** Walks through patch ports depend on both bridges' ports. */
  #patchesChanged(port: SwitchPort): void {
    if (port.kind.type !== "patch") return;
    for (const { bridge } of this.#byNumber.values()) bridge.generation++;
  }
}
