/** Mirrors of switch ports (Mirror of ovn-nb(5)). One of type "lport" copies to another logical port, by way of a port that stands for that on the switch. */
import { derived } from "../../engine/index.ts";
import { compareBytes } from "../port-addresses.ts";
import { switchOf } from "../topology/port-membership.ts";
import { routerOf } from "../topology/router-ports.ts";
import type { LogicalSwitch, NbRow, SwitchPort, Topology } from "../topology/topology.ts";

export type Mirror = NbRow<"Mirror">;

export const mirrorsOf = derived("mirrors of port", ({ row, topology: t }: SwitchPort): readonly Mirror[] =>
  [...row.mirror_rules].sort(compareBytes).flatMap((uuid) => t.nb.Mirror.get(uuid) ?? []));

/** Mirrors to logical ports that exist. */
export const portMirrorsOf = derived("mirrors to ports", (port: SwitchPort): readonly Mirror[] =>
  mirrorsOf(port).filter((mirror) => mirror.type === "lport" && exists(port.topology, mirror.sink)));

function exists(t: Topology, name: string): boolean {
  const port = t.switchPortsByName.first(name);
  if (port !== undefined && switchOf(port) !== undefined) return true;
  const routerPort = t.routerPortsByName.first(name);
  return routerPort !== undefined && routerOf(routerPort) !== undefined;
}

/** The port on the switch that stands for the one that gets the copies. */
export const mirrorPortName = (owner: LogicalSwitch, { sink }: Mirror): string => `mp-${owner.row.name}-${sink}`;
