/** How many logical flows each stage has: the first thing to look at when there are too many. */
import { type Host, silentLog } from "../../host/index.ts";
import { openReplica } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";

export interface StageCount {
  readonly stage: string;
  readonly flows: number;
}

export interface FlowCounter {
  /** Stages with the most flows first; a flow shared by several datapaths counts once, as it is one row. */
  counts(): readonly StageCount[];
  /** Resolves when northd's answer to the northbound database's `nb_cfg` is in the counts. */
  caughtUp(nbCfg: number): Promise<void>;
  close(): void;
}

/** Follows the southbound database at `remote`; resolves when all of it is there. */
export async function countFlows(host: Host, remote: string): Promise<FlowCounter> {
  let changed = (): void => {};
  const replica = openReplica({ ...host, log: silentLog }, southbound, remote, {
    monitor: { Logical_Flow: { columns: ["external_ids"] }, SB_Global: { columns: ["nb_cfg"] } },
    leaderOnly: false,
    changed: () => changed(),
  });
  await replica.synced;
  const { Logical_Flow, SB_Global } = replica.tables;
  return {
    counts() {
      const byStage = new Map<string, number>();
      for (const { external_ids } of Logical_Flow) {
        const stage = external_ids.get("stage-name") ?? "(no stage)";
        byStage.set(stage, (byStage.get(stage) ?? 0) + 1);
      }
      return [...byStage].map(([stage, flows]) => ({ stage, flows })).sort((a, b) => b.flows - a.flows || (a.stage < b.stage ? -1 : 1));
    },
    caughtUp: (nbCfg) =>
      new Promise((resolve) => {
        changed = () => {
          if ([...SB_Global].some((row) => row.nb_cfg >= nbCfg)) resolve();
        };
        changed();
      }),
    close: () => replica.close(),
  };
}

export const totalOf = (counts: readonly StageCount[]): number => counts.reduce((sum, { flows }) => sum + flows, 0);
