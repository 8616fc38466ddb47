/** Network devices of the machine's kernel: a TAP that this process makes, or a packet socket on a device that is there (veth, NIC). */
export interface FrameDevice {
  readonly name: string;
  /** Frames are the receiver's to keep; their checksums are complete, VLAN tags in place, and none is larger than the device's MTU allows. */
  attach(receive: (frame: Uint8Array) => void): void;
  /** Sends or drops (and counts), as a network card does. The frame may be written to afterwards. */
  send(frame: Uint8Array): void;
  /** Frames that were not sent since too many waited, or that came malformed. */
  readonly dropped: number;
  /** Resolves when frames come and go no more: why, or undefined after `close`. */
  readonly ended: Promise<DeviceError | undefined>;
  close(): void;
}

export interface DeviceError {
  /** The system's name for it: EPERM, EBUSY, ENODEV. */
  readonly code: string;
  /** As strerror(3) puts it. */
  readonly text: string;
}

/** What the kernel says of a device. */
export interface DeviceFacts {
  readonly index: number;
  /** `02:00:00:00:00:01`. */
  readonly mac: string;
  readonly mtu: number;
  readonly isUp: boolean;
  /** Up, and with a carrier. */
  readonly isRunning: boolean;
}

export interface FrameDevices {
  /** Why there can be none here, in words for the user; undefined: there can. */
  obstacle(): string | undefined;
  /** Makes a TAP device, which lives as long as it is open. */
  openTap(name: string, mac: string): FrameDevice;
  /** A packet socket on a device: gets all that arrives there, beside whoever else listens. */
  openPacketSocket(name: string): FrameDevice;
  /** All devices, by name. */
  list(): Promise<ReadonlyMap<string, DeviceFacts>>;
  /** One device, at once; undefined: there is none of that name. */
  look(name: string): DeviceFacts | undefined;
  /** Resolves with the system's words if it cannot be. */
  setMac(name: string, mac: string): Promise<string | undefined>;
  setMtu(name: string, mtu: number): Promise<string | undefined>;
  /** Calls `changed` soon after a device came, went or changed. Returns how to stop that. */
  watch(changed: () => void): () => void;
}
