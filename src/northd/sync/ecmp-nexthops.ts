/**
 * ECMP_Nexthop: next hops of routes with symmetric replies, with their MACs as they become known, for chassis to watch: connections
 * of a next hop whose MAC is another one now are forgotten (NB_Global options:ecmp_nexthop_monitor_enable).
 */
import { derived, rule, type Rule } from "../../engine/index.ts";
import { wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { formatIp } from "../../net/index.ts";
import { boolOption } from "../options.ts";
import { perZone } from "../topology/per-zone.ts";
import { routerOf } from "../topology/router-ports.ts";
import { parsedRoute } from "../topology/routes.ts";
import { globalOptions } from "../topology/settings.ts";
import type { SbRow, Topology } from "../topology/topology.ts";
import { identifyBinding, wishedPort } from "./port-bindings.ts";

export const WishedNexthop = wishRelation(southbound, "ECMP_Nexthop");

const monitors = derived("ecmp_nexthop_monitor_enable", (t: Topology): boolean => boolOption(globalOptions(t), "ecmp_nexthop_monitor_enable", false));

const macsByAddress = perZone((t: Topology) => t.engine.index("MAC bindings by address", t.sb.MAC_Binding, (row: SbRow<"MAC_Binding">) => [`${row.logical_port} ${row.ip}`]));

const nexthops = rule("ecmp-nexthops", (t: Topology) => {
  macsByAddress(t);
  return t.staticRoutes;
}, function* (t, route) {
  if (!monitors(t)) return;
  const { isSymmetric = false, outPort, nextHop } = parsedRoute(route) ?? {};
  const router = outPort === undefined ? undefined : routerOf(outPort);
  if (!isSymmetric || outPort === undefined || nextHop === undefined || router === undefined) return;
  const nexthop = formatIp(nextHop);
  const port = wishedPort(router, outPort);
  const mac = macsByAddress(t).first(`${outPort.row.name} ${nexthop}`)?.mac;
  yield WishedNexthop({
    key: `${nexthop} ${port.key}`,
    columns: { nexthop, port, datapath: wished("Datapath_Binding", router.row._uuid), ...(mac === undefined ? {} : { mac }) },
  });
});

export function identifyNexthop(t: Topology, row: SbRow<"ECMP_Nexthop">): string {
  const binding = t.sb.Port_Binding.get(row.port);
  return `${row.nexthop} ${binding === undefined ? "" : identifyBinding(t, binding)}`;
}

export const nexthopRules: readonly Rule<Topology>[] = [nexthops];
