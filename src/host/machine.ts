/**
 * Machines inside this machine: each has network devices, routing tables, file systems under /run and processes of its own, and
 * shares everything else. On Linux these are namespaces (namespaces(7)); all of it ends with the machine, and the machine at
 * the latest with the process that started it.
 */
import type { ChildResult } from "./children.ts";
import type { KernelRouting } from "./kernel-routing.ts";

export interface MachineOptions {
  readonly name: string;
  /** Folders that are to be empty, and to be written to, there. */
  readonly emptyFolders: readonly string[];
  /** Files of its own, by path; what stands in this machine's place of that name is not touched. */
  readonly files?: ReadonlyMap<string, string>;
}

export interface MachineDevice {
  readonly name: string;
  /** `02:00:00:00:00:01`. */
  readonly mac: string;
  readonly mtu: number;
  /** A network namespace within the machine (ip-netns(8)) that it is to appear in. */
  readonly namespace?: string | undefined;
}

/** The far end of a network device: what the machine's kernel sends comes here, and what is sent here it receives. */
export interface DeviceEnd {
  send(frame: Uint8Array): void;
  /** Frames that were not sent since too many waited. */
  readonly dropped: number;
  /** Resolves when the device has gone, whoever took it away. */
  readonly ended: Promise<void>;
  close(): void;
}

export interface MachineCommand {
  readonly exitCode: Promise<number>;
  interrupt(): void;
}

/** How a VRF is there: as a device, or as a network namespace that stands in for one. */
export type VrfKind = "device" | "namespace";

export interface MachineRouting extends KernelRouting {
  vrfKind(vrf: string): Promise<VrfKind | undefined>;
}

export interface Machine {
  readonly name: string;
  readonly routing: MachineRouting;
  /** What to put before a command so that it runs there: for whoever has a terminal of its own to run it in. */
  readonly entry: readonly string[];
  /** Runs a program there to its end; 126 or 127 if there is none of that name. */
  execute(argv: readonly string[], input?: string): Promise<ChildResult>;
  /** Starts a program there; what it prints comes as it is printed. */
  start(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): MachineCommand;
  /** Rejects with the system's words. */
  openDevice(device: MachineDevice, receive: (frame: Uint8Array) => void): Promise<DeviceEnd>;
  stop(): Promise<void>;
}

export interface Machines {
  /** Why there can be none here, in words for the user; undefined: there can. */
  obstacle(): Promise<string | undefined>;
  start(options: MachineOptions): Promise<Machine>;
}
