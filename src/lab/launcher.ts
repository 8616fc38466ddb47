/** Starting the daemons of a plan, in this process or in processes of their own: the lab does not care which. */
import type { Host } from "../host/index.ts";
import type { AttachedPort, CapturedFrame, DistantTap } from "../switch/index.ts";
import type { DaemonPlan } from "./daemon-plan.ts";
import type { TopologyNode } from "./topology/nodes.ts";

export interface LaunchedDaemon {
  readonly plan: DaemonPlan;
  readonly node: string;
  readonly pid: number;
  /** False once it has ended, by itself or by being told to. */
  readonly isRunning: boolean;
  stop(): Promise<void>;
  /** Ends it without a word, as SIGKILL does: nothing it holds in the databases is given back. */
  kill(): void;
  /** For a switch: see Switch.attachPort and Switch.tap. */
  attachPort(name: string, receive: (frame: Uint8Array) => void): AttachedPort;
  tap(port: string, see: (frame: CapturedFrame) => void): DistantTap;
}

export interface DaemonLauncher {
  /** Resolves when the daemon is ready to be relied upon. */
  launch(host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon>;
}
