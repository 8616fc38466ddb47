/** What the steps of `validate:` stand on: a lab in which commands run, frames are seen and daemons die. */
import type { Clock } from "../../host/index.ts";
import type { CommandResult } from "../script/run.ts";

export interface SeenFrames {
  /** One text for each frame so far, as `tcpdump -vvnee` would have it, headers and payload on one line. */
  readonly frames: readonly string[];
  stop(): Promise<void>;
}

export interface Ground {
  readonly clock: Clock;
  /** On a node: in a shell there, all of OVN's programs at hand. On a host: as a command line of that host. */
  run(on: string, text: string): Promise<CommandResult>;
  /** Resolves when it listens. */
  capture(on: string, port: string): Promise<SeenFrames>;
  kill(node: string, daemon: string | undefined): Promise<void>;
  restart(node: string, daemon: string | undefined): Promise<void>;
  /** See `isthmus link`. */
  changeLink(name: string, words: readonly string[]): Promise<void>;
}
