/** Tables of the northbound database whose rows no rule is built for yet: their presence is said once, so that nobody looks for the error elsewhere. */
import type { Log } from "../host/index.ts";
import type { ReplicaTables } from "../ovsdb/index.ts";
import type { Nb } from "./topology/topology.ts";

const features = {
  Network_Function: "network functions",
} as const;

export function warnOfUnbuilt(tables: ReplicaTables<Nb>, log: Log): void {
  for (const [table, feature] of Object.entries(features)) {
    let isSaid = false;
    tables[table as keyof typeof features].watch({
      added: () => {
        if (!isSaid) log.warn(`the northbound table ${table} has rows, but ${feature} are not built yet: they have no effect`);
        isSaid = true;
      },
      removed: () => undefined,
    });
  }
}
