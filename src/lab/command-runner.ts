/** Runs the command lines of set-up scripts inside this process: the same code as the programs in `bin/`, without their start. */
import type { Host } from "../host/index.ts";
import type { CommandResult } from "./script/run.ts";
import type { TopologyNode } from "./topology/nodes.ts";

export interface CommandPlace {
  readonly node: TopologyNode;
  readonly host: Host;
  readonly environment: ReadonlyMap<string, string>;
}

export interface CommandRunner {
  run(place: CommandPlace, argv: readonly string[]): Promise<CommandResult>;
}
