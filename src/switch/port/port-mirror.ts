/** A mirror as the walk needs it: whose packets, and by which port the copies leave. */
import type { SwitchPort } from "./switch-port.ts";

export interface PortMirror {
  readonly name: string;
  /** Every port's packets, both ways; the two sets count otherwise. */
  readonly selectsAll: boolean;
  readonly sources: ReadonlySet<SwitchPort>;
  readonly destinations: ReadonlySet<SwitchPort>;
  /** Of packets in these VLANs; empty: of all. */
  readonly vlans: ReadonlySet<number>;
  readonly output: SwitchPort;
  readonly maxLength: number;
}
