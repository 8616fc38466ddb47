/** Multicast_Group, IP_Multicast: where broadcast, multicast and frames to unknown destinations go. */
import { derived, rule, type Yield } from "../../engine/index.ts";
import { type Wished, wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { floodsMulticast, isGatewayPort, isPortEnabled, redirectName, routerPortsOf } from "../topology/router-ports.ts";
import { flag, hasRedirectPort, portsWithRole, typeOf } from "../topology/switch-ports.ts";
import { multicastSettingsOf } from "../topology/switches.ts";
import type { Datapath, LogicalSwitch, Port, SwitchPort, Topology } from "../topology/topology.ts";
import { mirrorPortName, portMirrorsOf } from "../mirroring/attached-mirrors.ts";
import { learnedMrouters } from "../multicast/memberships.ts";
import { bindingKey, wishedPort } from "./port-bindings.ts";

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

function group(datapath: Datapath, { name, key }: (typeof groups)[number], ports: readonly Wished<"Port_Binding">[]): Yield {
  const { _uuid: uuid } = datapath.row;
  return WishedMulticastGroup({
    key: multicastGroupKey(uuid, name, key),
    columns: { datapath: wished("Datapath_Binding", uuid), name, tunnel_key: key, ports },
  });
}

/** What is meant for a port with a stand-in on a gateway chassis must be carried there. */
export const memberName = (port: Port): string => {
  const isElsewhere = port.kind === "switch-port" ? hasRedirectPort(port) : isGatewayPort(port);
  return isElsewhere ? redirectName(port.row.name) : port.row.name;
};

/** The ports that stand for those that get copies are members where the ports are whose packets are copied. */
const mirrorPortsOf = derived("mirror ports of switch", (owner: LogicalSwitch, role: string): readonly Wished<"Port_Binding">[] => {
  const names = new Set<string>();
  for (const port of portsWithRole(owner, "port-mirror")) {
    if (takesCopies(port, role)) for (const mirror of portMirrorsOf(port)) names.add(mirrorPortName(owner, mirror));
  }
  return [...names].map((name) => wished("Port_Binding", bindingKey(owner.row._uuid, name, "mirror", undefined)));
});

function takesCopies(port: SwitchPort, role: string): boolean {
  if (!isPortEnabled(port) || !flag(port, "receive_multicast", true)) return false;
  switch (role) {
    case "mc-flood": return true;
    case "mc-flood-l2": return typeOf(port) !== "router";
    case "mc-static": return flag(port, "mcast_flood", false);
    case "mc-mrouter": return flag(port, "mcast_flood_reports", false);
    default: return false;
  }
}

export const switchGroups = rule("multicast-groups-of-switch", (t: Topology) => t.switches, function* (t, owner) {
  // A row of a group can be only where its datapath's is.
  if (t.datapathKeys.get(owner.row._uuid) === undefined) return;
  for (const kind of groups) {
    const members = [...portsWithRole(owner, kind.role)].map((port) => wishedPort(owner, port, memberName(port)));
    const learned = kind.role === "mc-mrouter" ? learnedMrouters(owner).map((port) => wishedPort(owner, port)) : [];
    const all = [...members, ...learned, ...mirrorPortsOf(owner, kind.role)];
    if (all.length > 0) yield group(owner, kind, all);
  }
});

export const routerGroups = rule("multicast-groups-of-router", (t: Topology) => t.routers, function* (t, router) {
  if (t.datapathKeys.get(router.row._uuid) === undefined) return;
  const members = routerPortsOf(router).filter((port) => isPortEnabled(port) && floodsMulticast(port));
  if (members.length > 0) yield group(router, staticGroup, members.map((port) => wishedPort(router, port, memberName(port))));
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
