/** All the doors together: what a daemon is given when it starts. */
import type { Clock } from "./clock.ts";
import type { Datagrams } from "./datagram.ts";
import type { Disk } from "./disk.ts";
import type { KernelRouting } from "./kernel-routing.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import type { Streams } from "./stream.ts";

export interface Host {
  readonly clock: Clock;
  readonly random: Random;
  readonly streams: Streams;
  readonly datagrams: Datagrams;
  readonly disk: Disk;
  readonly log: Log;
  /** The routing tables of this machine; absent where nobody is to touch them. */
  readonly routing?: KernelRouting | undefined;
}
