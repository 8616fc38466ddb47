/** The empty databases that a node starts with. */
import type { Disk } from "../host/index.ts";
import { type Database, DatabaseFile } from "../ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, openVSwitch, southbound } from "../schemas/index.ts";
import type { DaemonPlan, DatabasePlan } from "./daemon-plan.ts";

const schemas: Readonly<Record<DatabasePlan["database"], Database>> = {
  OVN_Northbound: northbound,
  OVN_Southbound: southbound,
  OVN_IC_Northbound: icNorthbound,
  OVN_IC_Southbound: icSouthbound,
  Open_vSwitch: openVSwitch,
};

/** Makes the plan's database file unless it is there from before. */
export function createDatabaseFile(disk: Disk, plan: DaemonPlan): void {
  if (plan.kind !== "database" || disk.exists(plan.file)) return;
  // An empty database that a power cut takes away is no loss: the lab goes with it.
  DatabaseFile.create({ ...disk, replace: disk.write }, plan.file, schemas[plan.database]);
}
