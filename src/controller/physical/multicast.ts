/** Flows of multicast groups: to each member on this chassis, and one copy to each chassis that has others. */
import { rule } from "../../engine/index.ts";
import { openflowTables } from "../../logical/index.ts";
import type { Action } from "../../openflow/index.ts";
import { interfaceOf } from "../claims.ts";
import { Flow, load, outportField, resubmit, toPort, withFlags } from "../flow.ts";
import { localnetPortOf } from "../local-datapaths.ts";
import type { Node } from "../node.ts";
import { isAdditionalChassis, isTransitSwitch, kindOf, ourChassis, portNamed } from "../ports.ts";
import { type Chassis, cookieOf, type DatapathBinding, type MulticastGroup, type PortBinding } from "../rows.ts";
import { asBoolean } from "../settings.ts";
import type { TunnelType } from "../tunnel.ts";
import { tunnelTo } from "../tunnels.ts";
import { patchOfport } from "./attachment.ts";
import { encapsulate, endpoints, send } from "./encapsulation.ts";

/** The copies of a group's packet, while they are gathered. */
class Copies {
  readonly local: Action[] = [];
  readonly remote: Action[] = [];
  /** For packets from a ramp, which has none of the patch ports. */
  readonly ramp: Action[] = [];
  readonly chassis = new Set<string>();
  readonly vteps = new Set<string>();
}

const copyTo = (key: number, zone = 0): readonly Action[] => [
  ...(zone === 0 ? [] : [load("reg13", zone, 0, 16)]), load(outportField, key), resubmit(openflowTables.checkLoopback),
];

export const multicastFlows = rule("multicast-flows", (node: Node) => node.sb.tables.Multicast_Group, function* (node, group) {
  if (ourChassis(node) === undefined || !node.isLocalDatapath(group.datapath)) return;
  const datapath = node.sb.tables.Datapath_Binding.get(group.datapath);
  if (datapath === undefined) return;
  const copies = new Copies();
  for (const port of membersOf(node, group)) addCopy(node, datapath, port, copies);
  const key = group.tunnel_key;
  const out = toPort(datapath.tunnel_key, key);
  const cookie = cookieOf(group);
  const { local, remote, ramp } = copies;
  if (local.length > 0) {
    yield Flow({ table: openflowTables.localOutput, priority: 100, cookie, match: out, actions: [...local, load(outportField, key)] });
  }
  if (remote.length > 0) remote.push(load(outportField, key));
  remote.push(...fanOut(node, copies.chassis, datapath, key, false), ...fanOut(node, copies.vteps, datapath, key, true));
  const onwards = resubmit(openflowTables.remoteVtepOutput);
  if (remote.length > 0) {
    yield Flow({
      table: openflowTables.remoteOutput, priority: 100, cookie, match: withFlags(out, [], ["rcvFromRamp"]), actions: [...remote, onwards],
    });
  }
  if (ramp.length > 0) {
    yield Flow({
      table: openflowTables.remoteOutput, priority: 120, cookie, match: withFlags(out, ["rcvFromRamp", "allowLoopback"]),
      actions: [...ramp, load(outportField, key), onwards],
    });
  }
});

/** In the order of their UUIDs, whatever order they came in. */
function membersOf(node: Node, group: MulticastGroup): readonly PortBinding[] {
  return [...group.ports].sort().flatMap((uuid) => {
    const port = node.sb.tables.Port_Binding.get(uuid);
    return port === undefined || port.datapath !== group.datapath ? [] : [port];
  });
}

function addCopy(node: Node, datapath: DatapathBinding, port: PortBinding, copies: Copies): void {
  const zone = node.zones.zoneOf(port.logical_port);
  const own = ourChassis(node);
  const kind = kindOf(port);
  if (kind === "patch") {
    // On every chassis a copy would pass into the router; only the sender's does. Beyond a transit switch it is the receiver's.
    if (isTransitSwitch(datapath)) copies.local.push(...copyTo(port.tunnel_key, zone));
    else {
      copies.remote.push(...copyTo(port.tunnel_key));
      copies.ramp.push(...copyTo(port.tunnel_key));
    }
  } else if (kind === "remote") {
    const chassis = node.sb.tables.Chassis.get(port.chassis);
    if (chassis === undefined) return;
    copies.remote.push(load(outportField, port.tunnel_key));
    const tunnel = tunnelTo(node, chassis.name);
    if (tunnel !== undefined) {
      copies.remote.push(...encapsulate(node, tunnel, datapath.tunnel_key, port.tunnel_key, false), ...send(tunnel));
    }
  } else if (kind === "localport") copies.remote.push(...copyTo(port.tunnel_key));
  else if (own !== undefined && isHere(node, port, own)) copies.local.push(...copyTo(port.tunnel_key, zone));
  else if (patchOfport(node, port.logical_port) !== undefined) copies.local.push(...copyTo(port.tunnel_key, zone));
  else if (kind === "chassisredirect" && own !== undefined && port.chassis === own._uuid) {
    const distributed = portNamed(node, port.options.get("distributed-port") ?? "");
    if (distributed?.datapath === port.datapath) copies.local.push(...copyTo(distributed.tunnel_key, zone));
  } else if (localnetPortOf(node, datapath._uuid) === undefined) addChassis(node, port, copies);
}

function isHere(node: Node, port: PortBinding, own: Chassis): boolean {
  if (port.chassis !== own._uuid && !isAdditionalChassis(port, own)) return false;
  return port.type === "l3gateway" || interfaceOf(node, port.parent_port || port.logical_port) !== undefined;
}

function addChassis(node: Node, port: PortBinding, copies: Copies): void {
  for (const uuid of [port.chassis, ...port.additional_chassis]) {
    const chassis = node.sb.tables.Chassis.get(uuid);
    if (chassis === undefined) continue;
    (asBoolean(chassis.other_config.get("is-vtep"), false) ? copies.vteps : copies.chassis).add(chassis.name);
  }
}

/** One copy to each chassis; the tunnel's fields are set anew only where the type of tunnel changes. */
function fanOut(node: Node, names: ReadonlySet<string>, datapath: DatapathBinding, key: number, isRamp: boolean): readonly Action[] {
  const actions: Action[] = [];
  let before: TunnelType | undefined;
  for (const name of [...names].sort()) {
    const tunnel = tunnelTo(node, name);
    if (tunnel === undefined) continue;
    actions.push(...(tunnel.type === before ? endpoints(tunnel) : encapsulate(node, tunnel, datapath.tunnel_key, key, isRamp)), ...send(tunnel));
    before = tunnel.type;
  }
  return actions;
}
