/** What every daemon looks like from outside, whether a program of its own or one of many inside the lab's process. */
import type { UnixctlCommand } from "./unixctl-command.ts";

export interface Daemon {
  /** Beyond those that every daemon has (see builtin-commands.ts). */
  readonly commands: readonly UnixctlCommand[];
  /** Resolves when whoever started it may rely on it: sockets listen, the first configuration is in force. */
  readonly ready: Promise<void>;
  /** Lets go of everything; resolves when nothing of it is left. */
  stop(): Promise<void>;
}
