/** `setup:` shell lines to run on nodes, once the databases of every node are up. */
import * as z from "zod";
import { known, type Misfit } from "./complaint.ts";
import { name } from "./names.ts";
import type { TopologyNodes } from "./nodes.ts";

export const setupSchema = z.strictObject({ on: name, run: z.string().min(1) });

export interface SetupStep {
  readonly on: string;
  readonly run: string;
  /** Line of the file where the text begins, for messages. */
  readonly line: number;
}

export function* setupMisfits(setup: readonly SetupStep[], nodes: TopologyNodes): Generator<Misfit> {
  for (const [i, step] of setup.entries()) {
    if (!nodes.has(step.on)) yield { path: ["setup", i, "on"], message: `no such node; there are ${known(nodes.keys())}` };
  }
}
