/** What stands behind interfaces, by name: simulated hosts, mostly. A frame goes straight from one to the other. */
export interface Device {
  receive(frame: Uint8Array): void;
}

export class Devices {
  readonly #byName = new Map<string, Device>();
  /** Told of each name whose device has come or gone. */
  changed: (name: string) => void = () => undefined;

  get(name: string): Device | undefined {
    return this.#byName.get(name);
  }

  /** The latest to come under a name has it. Returns how to take it away. */
  attach(name: string, device: Device): () => void {
    this.#byName.set(name, device);
    this.changed(name);
    return () => {
      if (this.#byName.get(name) !== device) return;
      this.#byName.delete(name);
      this.changed(name);
    };
  }
}
