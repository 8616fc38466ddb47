/** What stands behind ports of the types "system", "internal" and "dummy" besides what is attached to them: the kernel's devices, or dummies. */
import type { DeviceFacts } from "../../host/index.ts";
import type { Mac } from "../../net/index.ts";

export interface PortLink {
  readonly device: {
    attach(receive: (frame: Uint8Array) => void): void;
    send(frame: Uint8Array): void;
  };
  /** As they were when last looked at; undefined: not there yet. */
  readonly facts: DeviceFacts | undefined;
}

export interface LinkRequest {
  readonly name: string;
  readonly type: "system" | "internal" | "dummy";
  /** What its address is to be; undefined: the device's own, or one made of `fallbackMac`. */
  readonly mac: Mac | undefined;
  readonly fallbackMac: Mac;
  readonly options: ReadonlyMap<string, string>;
}

export interface PortLinks {
  /**
   * The device behind the interface; text: why there is none (an error of the row); undefined: a port with nothing behind it.
   * Asked again with other options, it brings the device into line.
   */
  open(request: LinkRequest): PortLink | string | undefined;
  factsOf(name: string): DeviceFacts | undefined;
  setMac(name: string, mac: Mac): void;
  setMtu(name: string, mtu: number): void;
  close(name: string): void;
}
