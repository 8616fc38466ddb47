/** The switch as others see it. */
import type { Daemon } from "../daemon/index.ts";
import type { FrameDevices } from "../host/index.ts";
import type { DummyLevel } from "./dummy/dummy-links.ts";
import type { CapturedFrame } from "./port/port-taps.ts";

/** Where the switch finds its database and leaves its sockets. */
export interface SwitchOptions {
  /** The Open_vSwitch database: `unix:/run/openvswitch/db.sock`, as on ovs-vswitchd's command line. */
  readonly database: string;
  /** The folder of `BRIDGE.mgmt` and `BRIDGE.snoop`. */
  readonly runFolder: string;
  /** The machine's network devices, for interfaces of type "system" and "internal"; absent: they get only what is attached to them. */
  readonly devices?: FrameDevices;
  /** Dummy devices, for tests without a kernel: what they stand in for. */
  readonly dummies?: DummyLevel;
  /** Written to Open_vSwitch.ovs_version; absent: this release's. */
  readonly version?: string;
  /** Ends the program that the switch is; absent: it is a part of one. */
  readonly exit?: () => void;
}

/** A host's end of a system, internal or dummy interface. */
export interface AttachedPort {
  readonly name: string;
  /** Hands an Ethernet frame to the switch. The switch may keep `frame`; do not write to it afterwards. */
  send(frame: Uint8Array): void;
  close(): void;
}

/** `ready`: the first configuration read from the database is in force, and its sockets listen. */
export interface Switch extends Daemon {
  /**
   * Gives the interface called `name` something behind it, now or when it appears in the database: frames sent out of it
   * come to `receive`. Without one, a system interface has no device and gets no OpenFlow port number.
   */
  attachPort(name: string, receive: (frame: Uint8Array) => void): AttachedPort;
  /** Shows every frame through port `name`, or through all tunnels ("tunnel"), until the returned function is called. */
  tap(name: string, see: (frame: CapturedFrame) => void): () => void;
}
