/** What passes between the lab and a thread that runs some of its nodes. */
import type { AddressMap } from "../../host/index.ts";
import type { DaemonPlan } from "../daemon-plan.ts";
import type { CommandResult } from "../script/run.ts";
import type { TopologyNode } from "../topology/nodes.ts";

/** `id` is the request's number, which its answer bears. A thread is told `begin` once, before anything else. */
export type ThreadRequest =
  | { readonly kind: "begin"; readonly folder: string; readonly pid: number; readonly carriers: AddressMap }
  | { readonly kind: "launch"; readonly id: number; readonly node: TopologyNode; readonly plan: DaemonPlan }
  | { readonly kind: "stop" | "kill"; readonly id: number; readonly node: string; readonly daemon: string }
  | { readonly kind: "run"; readonly id: number; readonly node: TopologyNode; readonly environment: ReadonlyMap<string, string>; readonly argv: readonly string[] };

export type ThreadAnswer =
  | { readonly kind: "done"; readonly id: number; readonly result: CommandResult | undefined }
  | { readonly kind: "failed"; readonly id: number; readonly message: string }
  /** Not asked for: a daemon has ended, told to by somebody else. */
  | { readonly kind: "ended"; readonly node: string; readonly daemon: string };
