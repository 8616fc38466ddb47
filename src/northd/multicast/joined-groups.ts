/** Multicast_Group and the flows of groups that somebody has joined: ls_in_l2_lkup, lr_in_ip_routing (RFC 4541). */
import { rule, type Rule } from "../../engine/index.ts";
import { lrIn, lsIn } from "../../logical/index.ts";
import { wished } from "../../ovsdb/index.ts";
import { isMulticastIpv6, parseIp } from "../../net/index.ts";
import { actions, match } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { compareBytes } from "../port-addresses.ts";
import { group as groupName } from "../registers.ts";
import { memberName, multicastGroupKey, WishedMulticastGroup } from "../sync/multicast-groups.ts";
import { wishedPort } from "../sync/port-bindings.ts";
import { hasStaticFlood } from "../topology/router-ports.ts";
import { floodsStatically, floodsToRelays, localnetPortsOf, multicastSettingsOf } from "../topology/switches.ts";
import type { LogicalRouter, LogicalSwitch, Topology } from "../topology/topology.ts";
import { groupKey, membershipsByGroup, mrouters } from "./memberships.ts";
import { perZone } from "../topology/per-zone.ts";

const joinedGroups = rule("joined-multicast-groups", (t: Topology) => {
  namesOfSwitch(t);
  return membershipsByGroup(t).keys;
}, function* (t, key) {
  const members = [...membershipsByGroup(t).get(key)];
  const [first] = members;
  const tunnelKey = t.multicastKeys.get(key);
  if (first === undefined || first.name === mrouters || tunnelKey === undefined) return;
  const { datapath, name } = first;
  const { _uuid: uuid } = datapath.row;
  const own = members.map(({ port }) => wishedPort(datapath, port, datapath.kind === "router" ? memberName(port) : port.row.name));
  const localnet = datapath.kind === "switch" ? localnetPortsOf(datapath).map((port) => wishedPort(datapath, port)) : [];
  yield WishedMulticastGroup({
    key: multicastGroupKey(uuid, name, tunnelKey),
    columns: { datapath: wished("Datapath_Binding", uuid), name, tunnel_key: tunnelKey, ports: [...own, ...localnet] },
  });
  yield* datapath.kind === "switch" ? switched(datapath, name) : routed(datapath, name);
});

/** The groups of a switch by family, since it has room for so many of either. */
const namesOfSwitch = perZone((t: Topology) => t.engine.index("groups of switch", membershipsByGroup(t).keys, (key: string) => {
  const first = membershipsByGroup(t).first(key);
  const family = first === undefined ? undefined : snoopedFamily(first.name);
  return first === undefined || family === undefined ? [] : [`${first.datapath.row._uuid} ${family}`];
}));

/** Undefined for groups that must reach everybody in any case (RFC 4541, section 2.1.2; RFC 4291, section 2.7.1). */
function snoopedFamily(name: string): 4 | 6 | undefined {
  const ip = parseIp(name);
  if (ip === undefined) return undefined;
  if (ip.family === 4) return ip.address >>> 8 === 0xe00000 ? undefined : 4;
  return !isMulticastIpv6(ip.address) || !["ff02::1", "ff02::2", "ff05::2"].includes(name) ? 6 : undefined;
}

function* switched(owner: LogicalSwitch, name: string) {
  const { topology: t } = owner;
  const family = snoopedFamily(name);
  if (family === undefined) return;
  const others = [...namesOfSwitch(t).get(`${owner.row._uuid} ${family}`)].sort(compareBytes);
  const { tableSize } = multicastSettingsOf(owner);
  if (others.indexOf(groupKey({ datapath: owner, name })) >= tableSize) {
    t.log.info(`Too many active IPv${family} mcast flows: ${tableSize}`);
    return;
  }
  const relayed = floodsToRelays(owner) ? `clone { outport = ${groupName.mrouterFlood}; output; };` : "";
  const flooded = floodsStatically(owner) ? `clone { outport =${groupName.static}; output; };` : "";
  yield lflow(owner, lsIn.l2Lkup, 90, match`eth.mcast && ip${family} && ip${family}.dst == ${name} `, actions`${relayed}${flooded}outport = "${name}"; output; `);
}

function* routed(router: LogicalRouter, name: string) {
  const family = name.includes(":") ? 6 : 4;
  const flooded = hasStaticFlood(router) ? `clone { outport = ${groupName.static}; ip.ttl--; next; };` : "";
  yield lflow(router, lrIn.ipRouting, 10500, match`ip${family} && ip${family}.dst == ${name} `, actions`${flooded}outport = "${name}"; ip.ttl--; next;`);
}

export const joinedGroupRules: readonly Rule<Topology>[] = [joinedGroups];
