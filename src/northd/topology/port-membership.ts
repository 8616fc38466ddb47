/** Which switch a switch port is part of. */
import { derived } from "../../engine/index.ts";
import type { LogicalSwitch, SwitchPort } from "./topology.ts";

/** Undefined while there is none, or a router port has the same name: routers come first. */
export const switchOf = derived("switch of", (port: SwitchPort): LogicalSwitch | undefined => {
  const { topology, row } = port;
  const [owner, another] = topology.switchesOfPort.get(row._uuid);
  if (owner === undefined) return undefined;
  if (another !== undefined) topology.warn(`duplicate logical port ${row.name}`);
  for (const other of topology.routerPortsByName.get(row.name)) {
    if (topology.routersOfPort.first(other.row._uuid) === undefined) continue;
    topology.warn(`duplicate logical port ${row.name}`);
    return undefined;
  }
  return owner;
});
