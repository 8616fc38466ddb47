/**
 * Network devices of the machine's kernel: a TAP that this process makes, or a packet socket on a device that is there (veth, NIC).
 *
 * A network namespace is named by its file (`/proc/PID/ns/net`, `/run/netns/NAME`); undefined is the one the process lives in.
 */
export interface FrameDevice {
  readonly name: string;
  /** Frames are the receiver's to keep; their checksums are complete, VLAN tags in place, and none is larger than the device's MTU allows. */
  attach(receive: (frame: Uint8Array) => void): void;
  /** Sends or drops (and counts), as a network card does. The frame may be written to afterwards. */
  send(frame: Uint8Array): void;
  /** Frames that the kernel did not take, or that came malformed. */
  readonly dropped: number;
  close(): void;
}

/** What the kernel says of a device. */
export interface DeviceFacts {
  readonly index: number;
  /** Six bytes. */
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly isUp: boolean;
  /** Up, and with a carrier. */
  readonly isRunning: boolean;
}

export interface FrameDevices {
  /** Makes a TAP device, which lives as long as it is open. Throws an Error with the system's code (EPERM, EBUSY, ENODEV). */
  openTap(name: string, namespace?: string): FrameDevice;
  /** A packet socket on a device: gets all that arrives there, beside whoever else listens. Throws as `openTap` does. */
  openPacketSocket(name: string, namespace?: string): FrameDevice;
  /** undefined: there is no such device. */
  facts(name: string, namespace?: string): DeviceFacts | undefined;
  setMac(name: string, mac: Uint8Array, namespace?: string): void;
  setMtu(name: string, mtu: number, namespace?: string): void;
  /** Has the kernel finish checksums and cut large segments itself, for receivers that expect frames as they stand on a wire. */
  turnOffloadsOff(name: string, namespace?: string): void;
  /** Calls `changed` whenever a device comes, goes or changes. Returns how to stop that. */
  watch(changed: () => void, namespace?: string): () => void;
}
