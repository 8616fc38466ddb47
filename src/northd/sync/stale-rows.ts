/** What chassis have learned about datapaths and ports that are no more: MAC_Binding, FDB, IGMP_Group; and whatever else has to go. */
import { relation, rule } from "../../engine/index.ts";
import type { RowRef } from "../../ovsdb/index.ts";
import { routerOf } from "../topology/router-ports.ts";
import { northboundUuidOf, type SbRow, type Topology } from "../topology/topology.ts";

type Learned = SbRow<"MAC_Binding"> | SbRow<"FDB"> | SbRow<"IGMP_Group">;

/** To be deleted. */
export const Stale = relation<RowRef<"MAC_Binding" | "FDB" | "IGMP_Group" | "Learned_Route">>("stale rows", (row) => `${row._table} ${row._uuid}`);

export interface StaleContext {
  readonly topology: Topology;
  /** Whether a datapath and a port have these keys. A tracked read. */
  isPort(datapathKey: number, portKey: number): boolean;
}

export const staleMacBindings = rule("stale-mac-bindings", (c: StaleContext) => c.topology.sb.MAC_Binding, function* ({ topology: t }, row) {
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  const port = t.routerPortsByName.first(row.logical_port);
  const router = datapath === undefined ? undefined : t.nb.Logical_Router.get(northboundUuidOf(datapath) as SbRow<"Datapath_Binding">["nb_uuid"]);
  if (router === undefined || port === undefined || routerOf(port) === undefined) yield Stale(row as Learned);
});

export const staleFdb = rule("stale-fdb", (c: StaleContext) => c.topology.sb.FDB, function* (c, row) {
  if (!c.isPort(row.dp_key, row.port_key)) yield Stale(row as Learned);
});

export const staleIgmpGroups = rule("stale-igmp-groups", (c: StaleContext) => c.topology.sb.IGMP_Group, function* ({ topology: t }, row) {
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  const owner = datapath === undefined ? undefined : t.nb.Logical_Switch.get(northboundUuidOf(datapath) as SbRow<"Datapath_Binding">["nb_uuid"]);
  if (row.chassis === undefined || owner === undefined) yield Stale(row as Learned);
});
