/** A machine of the underlay: a network stack, simulated or the kernel's, whose network devices have their far ends here. */
import type { Datagrams } from "../../host/index.ts";
import type { RunningCommand } from "../sim-host/index.ts";

/** The far end of a device: what is sent here arrives at the machine. */
export interface DevicePlug {
  /** Says where the frames go that the machine sends; undefined: nowhere. */
  attach(take: ((frame: Uint8Array) => void) | undefined): void;
  send(frame: Uint8Array): void;
}

export interface FabricMachine {
  readonly name: string;
  /** Of an interface that is no VLAN of another; undefined: it has none of that name. */
  plug(interfaceName: string): DevicePlug | undefined;
  /** Its UDP sockets; undefined: this machine cannot lend them to a switch. */
  readonly datagrams: Datagrams | undefined;
  /** See LabHost.entry. */
  readonly entry: readonly string[] | undefined;
  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand;
  /** Shows every frame through a device; undefined: there is none of that name here. */
  tap(interfaceName: string, see: (frame: Uint8Array, direction: "in" | "out") => void): (() => void) | undefined;
  /** Gives it its addresses, settings and routes. Rejects with words for the user. */
  configure(): Promise<void>;
  /** Off, nothing of it reacts to anything; on again, it starts as it did at first. */
  power(isOn: boolean): Promise<void>;
  stop(): Promise<void>;
}
