/**
 * Who wants which multicast, as chassis have learned it from IGMP and MLD (IGMP_Group of ovn-sb(5)): the ports of a switch that
 * have joined a group, and the routers that relay multicast from there to elsewhere. "mrouters" stands for ports behind which
 * there are multicast routers.
 */
import { derived, type Index, relation, rule, type Rule } from "../../engine/index.ts";
import { formatIp, type Ip, parseIp } from "../../net/index.ts";
import { KeyAllocator, keyRequests } from "../sync/key-allocator.ts";
import { perZone } from "../topology/per-zone.ts";
import { switchOf } from "../topology/port-membership.ts";
import { floodsMulticast, relaysMulticast, routerOf } from "../topology/router-ports.ts";
import { flag, routerPortBehind } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import { type Datapath, type LogicalSwitch, northboundUuidOf, type Port, type SbRow, type SwitchPort, type Topology } from "../topology/topology.ts";

export const mrouters = "mrouters";

export interface Membership {
  readonly datapath: Datapath;
  /** The group's address as text, or `mrouters`. */
  readonly name: string;
  readonly port: Port;
}

export const groupKey = ({ datapath, name }: { readonly datapath: Datapath; readonly name: string }): string => `${datapath.row._uuid} ${name}`;

const Membership = relation<Membership>("multicast memberships", (m) => `${groupKey(m)} ${m.port.row._uuid}`);

/** Numbers of groups, above those of the groups that each switch has. */
export const GroupKeyRequest = keyRequests("multicast group keys");
export const firstGroupKey = 32773;
const lastGroupKey = 65535;

/** Multicast goes to such a port in any case. */
function isFlooded(port: SwitchPort): boolean {
  if (flag(port, "mcast_flood", false) || flag(port, "mcast_flood_reports", false)) return true;
  const peer = routerPortBehind(port);
  const router = peer === undefined ? undefined : routerOf(peer);
  return router !== undefined && relaysMulticast(router);
}

function switchOfGroup(t: Topology, row: SbRow<"IGMP_Group">): LogicalSwitch | undefined {
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  const owner = datapath === undefined ? undefined : t.nb.Logical_Switch.get(northboundUuidOf(datapath) as SbRow<"Datapath_Binding">["nb_uuid"]);
  return owner === undefined || row.chassis === undefined ? undefined : t.switches.of(owner);
}

/** IPv4, or of an IPv6 scope larger than a link (RFC 4291, section 2.7). */
function isRoutable(ip: Ip): boolean {
  if (ip.family === 4) return true;
  const scope = (ip.address >> 112n) & 0xfn;
  return ip.address >> 120n === 0xffn && scope > 3n && scope < 0xfn;
}

const memberships = rule("multicast-memberships", (t: Topology) => t.sb.IGMP_Group, function* (t, row) {
  const owner = switchOfGroup(t, row);
  const ip = row.address === mrouters ? undefined : parseIp(row.address);
  if (owner === undefined || (ip === undefined && row.address !== mrouters)) return;
  const name = ip === undefined ? mrouters : formatIp(ip);
  let hasMembers = false;
  for (const uuid of row.ports) {
    const binding = t.sb.Port_Binding.get(uuid);
    const port = binding === undefined ? undefined : t.switchPortsByName.first(binding.logical_port);
    if (port === undefined || switchOf(port) === undefined || isFlooded(port)) continue;
    hasMembers = true;
    yield Membership({ datapath: owner, name, port });
  }
  if (!hasMembers || ip === undefined || !isRoutable(ip)) return;
  for (const facing of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(facing);
    const router = peer === undefined ? undefined : routerOf(peer);
    if (peer !== undefined && router !== undefined && relaysMulticast(router) && !floodsMulticast(peer)) yield Membership({ datapath: router, name, port: peer });
  }
});

export const membershipsByGroup = perZone((t: Topology): Index<string, Membership> =>
  t.engine.index("multicast memberships by group", t.engine.facts(Membership), (m: Membership) => [groupKey(m)]));

/** Ports of a switch behind which there are multicast routers. */
export const learnedMrouters = derived("learned mrouters", (owner: LogicalSwitch): readonly Port[] =>
  [...membershipsByGroup(owner.topology).get(groupKey({ datapath: owner, name: mrouters }))].map(({ port }) => port));

const groupKeyRequests = rule("multicast-group-keys", (t: Topology) => membershipsByGroup(t).keys, function* (t, key) {
  const first = membershipsByGroup(t).first(key);
  if (first !== undefined && first.name !== mrouters) yield GroupKeyRequest({ scope: first.datapath.row._uuid, key, requested: 0, max: lastGroupKey });
});

export function allocateGroupKeys(t: Topology, existing: (key: string) => number | undefined): void {
  const keys = new KeyAllocator({
    what: "multicast group", min: firstGroupKey, policy: "next", warn: (text) => t.warn(text), conflict: () => undefined, existing: (_, key) => existing(key),
  });
  t.engine.sink(GroupKeyRequest, keys);
  t.multicastKeys = keys;
}

export const membershipRules: readonly Rule<Topology>[] = [memberships, groupKeyRequests];
