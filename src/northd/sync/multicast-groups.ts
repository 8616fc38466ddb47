/** Multicast_Group, IP_Multicast: where broadcast, multicast and frames to unknown destinations go. */
import { rule, type Yield } from "../../engine/index.ts";
import { wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { floodsMulticast, isGatewayPort, isPortEnabled, redirectName, routerPortsOf } from "../topology/router-ports.ts";
import { hasRedirectPort, portsWithRole } from "../topology/switch-ports.ts";
import { multicastSettingsOf } from "../topology/switches.ts";
import type { Datapath, Port, Topology } from "../topology/topology.ts";
import { wishedPort } from "./port-bindings.ts";

export const WishedMulticastGroup = wishRelation(southbound, "Multicast_Group");
export const WishedIpMulticast = wishRelation(southbound, "IP_Multicast");

/** Keys above those of ports (lib/mcast-group-index.h). */
const groups = [
  { role: "mc-flood", name: "_MC_flood", key: 32768 },
  { role: "mc-unknown", name: "_MC_unknown", key: 32769 },
  { role: "mc-mrouter", name: "_MC_mrouter_flood", key: 32770 },
  { role: "mc-static", name: "_MC_static", key: 32771 },
  { role: "mc-flood-l2", name: "_MC_flood_l2", key: 32772 },
] as const;

const [, , , staticGroup] = groups;

export const multicastGroupKey = (datapath: string, name: string, key: number): string => `${datapath} ${name} ${key}`;

function group(datapath: Datapath, { name, key }: (typeof groups)[number], members: readonly Port[]): Yield {
  const { _uuid: uuid } = datapath.row;
  const ports = members.map((member) => wishedPort(datapath, member, memberName(member)));
  return WishedMulticastGroup({
    key: multicastGroupKey(uuid, name, key),
    columns: { datapath: wished("Datapath_Binding", uuid), name, tunnel_key: key, ports },
  });
}

/** What is meant for a port with a stand-in on a gateway chassis must be carried there. */
const memberName = (port: Port): string => {
  const isElsewhere = port.kind === "switch-port" ? hasRedirectPort(port) : isGatewayPort(port);
  return isElsewhere ? redirectName(port.row.name) : port.row.name;
};

export const switchGroups = rule("multicast-groups-of-switch", (t: Topology) => t.switches, function* (t, owner) {
  // A row of a group can be only where its datapath's is.
  if (t.datapathKeys.get(owner.row._uuid) === undefined) return;
  for (const kind of groups) {
    const members = [...portsWithRole(owner, kind.role)];
    if (members.length > 0) yield group(owner, kind, members);
  }
});

export const routerGroups = rule("multicast-groups-of-router", (t: Topology) => t.routers, function* (t, router) {
  if (t.datapathKeys.get(router.row._uuid) === undefined) return;
  const members = routerPortsOf(router).filter((port) => isPortEnabled(port) && floodsMulticast(port));
  if (members.length > 0) yield group(router, staticGroup, members);
});

export const ipMulticast = rule("ip-multicast", (t: Topology) => t.switches, function* (t, owner) {
  const { _uuid: uuid } = owner.row;
  if (t.datapathKeys.get(uuid) === undefined) return;
  const settings = multicastSettingsOf(owner);
  yield WishedIpMulticast({
    key: uuid,
    columns: {
      datapath: wished("Datapath_Binding", uuid), enabled: settings.snoops, querier: settings.querier, table_size: settings.tableSize,
      idle_timeout: settings.idleTimeoutSeconds, query_interval: settings.queryIntervalSeconds, query_max_resp: settings.queryMaxResponseSeconds,
      ...(settings.ethSrc === undefined ? {} : { eth_src: settings.ethSrc }),
      ...(settings.ip4Src === undefined ? {} : { ip4_src: settings.ip4Src }),
      ...(settings.ip6Src === undefined ? {} : { ip6_src: settings.ip6Src }),
    },
  });
});
