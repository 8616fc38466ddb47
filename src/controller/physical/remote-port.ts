/** Flows of a port that is elsewhere: into the tunnel to its chassis, or onto the physical network that leads there. */
import type { Yield } from "../../engine/index.ts";
import { logicalRegisters, openflowTables } from "../../logical/index.ts";
import { type Action, field } from "../../openflow/index.ts";
import { parseMac } from "../../net/index.ts";
import { datapathField, Flow, forgetInPort, load, outportField, resubmit, toPort } from "../flow.ts";
import { localnetPortOf, peerPortsOf } from "../local-datapaths.ts";
import type { Node } from "../node.ts";
import { candidatesOf, datapathOf, haGroupOf, kindOf, ourChassis } from "../ports.ts";
import { cookieOf, type PortBinding } from "../rows.ts";
import { encapAddresses } from "../settings.ts";
import type { Tunnel } from "../tunnel.ts";
import { tunnelTo } from "../tunnels.ts";
import { encapsulate, send } from "./encapsulation.ts";
import type { Keys } from "./local-port.ts";

/** The tunnels to every chassis that has the port, for packets that are to leave by `localIp` if that is given. */
export function tunnelsTowards(node: Node, port: PortBinding, localIp?: string): readonly Tunnel[] {
  const own = ourChassis(node)?._uuid;
  const tunnels: Tunnel[] = [];
  if (port.chassis !== undefined && port.chassis !== own) {
    const remoteIp = node.sb.tables.Encap.get(port.encap)?.ip;
    const tunnel = tunnelToChassis(node, port.chassis, remoteIp, localIp);
    if (tunnel !== undefined) tunnels.push(tunnel);
  }
  for (const chassis of port.additional_chassis) {
    const tunnel = chassis === own ? undefined : tunnelToChassis(node, chassis, undefined, localIp);
    if (tunnel !== undefined) tunnels.push(tunnel);
  }
  return tunnels;
}

function tunnelToChassis(node: Node, uuid: PortBinding["chassis"], remoteIp: string | undefined, localIp: string | undefined): Tunnel | undefined {
  const chassis = node.sb.tables.Chassis.get(uuid);
  return chassis && (tunnelTo(node, chassis.name, remoteIp, localIp) ?? tunnelTo(node, chassis.name));
}

/** One flow for each address that packets may leave by. */
export function* overlayFlows(node: Node, port: PortBinding, keys: Keys): Iterable<Yield> {
  const isVtep = kindOf(port) === "vtep";
  for (const [encapId, localIp] of encapAddresses(node).entries()) {
    const tunnels = tunnelsTowards(node, port, localIp);
    if (tunnels.length === 0) continue;
    const actions: Action[] = isVtep ? [forgetInPort] : [];
    for (const tunnel of tunnels) actions.push(...encapsulate(node, tunnel, keys.datapath, keys.port, isVtep), ...send(tunnel));
    actions.push(resubmit(openflowTables.remoteVtepOutput));
    yield Flow({
      table: openflowTables.remoteOutput, priority: 100, cookie: cookieOf(port),
      match: toPort(keys.datapath, keys.port).with(field(logicalRegisters.encapId), encapId * 0x10000, 0xffff0000), actions,
    });
  }
}

/** A port that one of several gateways serves: whichever of their tunnels is alive, the most preferred first. */
export function* highAvailabilityFlows(node: Node, port: PortBinding, keys: Keys): Iterable<Yield> {
  const group = haGroupOf(node, port);
  if (group === undefined) return;
  const tunnels = candidatesOf(node, group).flatMap((chassis) => tunnelTo(node, chassis.name) ?? []);
  const [first] = tunnels;
  if (first === undefined || tunnels.some((t) => t.type !== first.type)) return;
  if (first.isShared) {
    // Whether a chassis lives is known of ports only: packets go where the port is bound.
    yield* overlayFlows(node, port, keys);
    return;
  }
  yield Flow({
    table: openflowTables.remoteOutput, priority: 100, cookie: cookieOf(port), match: toPort(keys.datapath, keys.port),
    actions: [
      ...encapsulate(node, first, keys.datapath, keys.port, kindOf(port) === "vtep"),
      { kind: "bundle", fields: "eth_src", basis: 0, algorithm: "active_backup", members: tunnels.map((t) => t.ofport) },
    ],
  });
}

/** Where a physical network joins the chassis of a switch, packets for ports elsewhere go out by it. */
export const viaLocalnetFlow = (port: PortBinding, keys: Keys, localnet: PortBinding): Yield => Flow({
  table: openflowTables.localOutput, priority: 100, cookie: cookieOf(port), match: toPort(keys.datapath, keys.port),
  actions: [load(outportField, localnet.tunnel_key), resubmit(openflowTables.localOutput)],
});

/** redirect-type=bridged: packets reach the gateway over the physical network instead of a tunnel. */
export function* bridgedRedirectFlows(node: Node, port: PortBinding, keys: Keys): Iterable<Yield> {
  if (kindOf(port) !== "chassisredirect") return;
  const [address] = port.mac;
  const mac = parseMac(address?.split(" ")[0] ?? "");
  const distributed = port.options.get("distributed-port");
  const pair = peerPortsOf(node, port.datapath).find(({ remote }) => remote.options.get("peer") === distributed);
  const datapath = pair && datapathOf(node, pair.remote);
  const localnet = datapath && localnetPortOf(node, datapath._uuid);
  if (mac === undefined || datapath === undefined || localnet === undefined) return;
  yield Flow({
    table: openflowTables.localOutput, priority: 100, cookie: cookieOf(port), match: toPort(keys.datapath, keys.port),
    actions: [
      load("eth_src", mac), load(datapathField, datapath.tunnel_key), load(outportField, localnet.tunnel_key),
      resubmit(openflowTables.logToPhy),
    ],
  });
}
