/**
 * Tunnels to the other chassis: a port of the integration bridge for each pair of addresses, named ovn-CHASSIS-N and known
 * by external_ids:ovn-chassis-id `CHASSIS@REMOTE%LOCAL` (ovn-controller(8)); or shared ones (shared-tunnels.ts).
 */
import { derived, rule, sameValue } from "../engine/index.ts";
import { encapsOf, preferredType } from "./chassis-encaps.ts";
import { chassisIndexOf } from "./chassis-index.ts";
import { integrationBridge, isPortOfIntegrationBridge } from "./claims.ts";
import type { Node } from "./node.ts";
import { ourChassis } from "./ports.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Bridge, Chassis, Encap, Interface, OpenVswitchTransaction, Port } from "./rows.ts";
import { asBoolean, setting, systemIdOf } from "./settings.ts";
import { anyChassis, sharedTunnelTo, usesSharedTunnels } from "./shared-tunnels.ts";
import { parseTunnelId, sharedTunnelId, type Tunnel, type TunnelId, tunnelIdKey, tunnelTypeKey, TunnelUp } from "./tunnel.ts";
import { externalIdsOf, keyOfPort, tunnelKeyOf, WishedTunnel } from "./wished-tunnel.ts";

const largestPort = 0xff00;

/** The tunnels on the integration bridge that have their number from the switch. */
export const tunnelOf = derived("tunnel", (node: Node, port: Port): Tunnel | undefined => {
  const id = port.external_ids.get(tunnelIdKey);
  const isShared = id === sharedTunnelId && port.external_ids.has(tunnelTypeKey);
  const parsed: TunnelId | undefined = id === undefined ? undefined : isShared ? { chassis: anyChassis, remoteIp: "", localIp: undefined } : parseTunnelId(id);
  if (id === undefined || parsed === undefined || parsed.chassis === systemIdOf(node)) return undefined;
  if (!isPortOfIntegrationBridge(node, port)) return undefined;
  for (const uuid of port.interfaces) {
    const iface = node.ovs.tables.Interface.get(uuid);
    if (iface === undefined || (iface.type !== "geneve" && iface.type !== "vxlan")) continue;
    const ofport = iface.ofport ?? 0;
    if (ofport < 1 || ofport >= largestPort) continue;
    return { id, ...parsed, type: iface.type, ofport, isRamp: asBoolean(iface.other_config.get("is-vtep"), false), isShared };
  }
  return undefined;
});

export const tunnelsUp = rule("tunnels-up", (node: Node) => node.ovs.tables.Port, function* (node, port) {
  const tunnel = tunnelOf(node, port);
  if (tunnel !== undefined) yield TunnelUp(tunnel);
});

/** A tunnel to the chassis; with addresses given, one between these. */
export function tunnelTo(node: Node, chassis: string, remoteIp?: string, localIp?: string): Tunnel | undefined {
  if (usesSharedTunnels(node)) return sharedTunnelTo(node, chassis, remoteIp, localIp);
  for (const tunnel of node.tunnelsByChassis.get(chassis)) {
    if (remoteIp !== undefined && tunnel.remoteIp !== remoteIp) continue;
    if (localIp !== undefined && tunnel.localIp !== undefined && tunnel.localIp !== localIp) continue;
    return tunnel;
  }
  return undefined;
}

export const wishedTunnels = rule("wished-tunnels", (node: Node) => node.sb.tables.Chassis, function* (node, chassis) {
  const own = ourChassis(node);
  if (own === undefined || own === chassis || usesSharedTunnels(node) || !shareTransportZone(own, chassis)) return;
  // Only gateways talk to the gateways of other zones.
  if (asBoolean(chassis.other_config.get("is-remote"), false) && !asBoolean(own.other_config.get("is-interconn"), false)) return;
  const type = preferredType(node, own, chassis);
  if (type === undefined) return;
  for (const remote of encapsOf(node, chassis)) {
    for (const local of encapsOf(node, own)) {
      if (remote.type !== type || local.type !== type) continue;
      yield WishedTunnel({
        id: `${chassis.name}@${remote.ip}%${local.ip}`, oldId: `${chassis.name}@${remote.ip}`, chassis: chassis.name, type,
        options: tunnelOptions(node, chassis, remote, local.ip), isVtep: asBoolean(chassis.other_config.get("is-vtep"), false),
      });
    }
  }
});

function shareTransportZone(a: Chassis, b: Chassis): boolean {
  if (a.transport_zones.size === 0 && b.transport_zones.size === 0) return true;
  return [...b.transport_zones].some((zone) => a.transport_zones.has(zone));
}

function tunnelOptions(node: Node, chassis: Chassis, remote: Encap, localIp: string): ReadonlyMap<string, string> {
  const options = new Map([["remote_ip", remote.ip], ["local_ip", localIp], ["key", "flow"]]);
  const csum = remote.options.get("csum");
  if (csum === "true" || csum === "false") options.set("csum", csum);
  const port = remote.options.get("dst_port");
  if (port !== undefined) options.set("dst_port", port);
  const tos = setting(node, "ovn-encap-tos");
  if (tos !== undefined && tos !== "none") options.set("tos", tos);
  const fragment = setting(node, "ovn-encap-df_default");
  if (fragment !== undefined) options.set("df_default", fragment);
  for (const global of node.sb.tables.SB_Global) if (global.ipsec) options.set("remote_name", chassis.name);
  return options;
}

/** Makes the bridge's tunnel ports those that are wished for. */
export const tunnelPorts = rule("tunnel-ports", (node: Node) => node.self, function* (node) {
  const bridge = integrationBridge(node);
  if (bridge === undefined || ourChassis(node) === undefined || !node.isSettled.get()) return;
  const existing = new Map<string, Port>();
  const surplus: Port[] = [];
  const strays: Port[] = [];
  for (const id of node.tunnelPortsById.keys) {
    for (const port of node.tunnelPortsById.get(id)) {
      // What another bridge has from when it was the integration bridge; other controllers' tunnels have other names.
      if (!isPortOfIntegrationBridge(node, port)) {
        if (port.name.startsWith(namePrefix(node))) strays.push(port);
      } else if (existing.has(keyOfPort(port))) surplus.push(port);
      else existing.set(keyOfPort(port), port);
    }
  }
  const missing: (readonly [WishedTunnel, Port | undefined])[] = [];
  const renamed: (readonly [WishedTunnel, Port])[] = [];
  for (const wish of node.engine.facts(WishedTunnel)) {
    const id = [wish.id, wish.oldId].map((known) => tunnelKeyOf(known, wish.type)).find((known) => existing.has(known)) ?? wish.id;
    const port = existing.get(id);
    existing.delete(id);
    if (port === undefined || !isAsWished(node, port, wish)) missing.push([wish, port]);
    else if (id !== tunnelKeyOf(wish.id, wish.type)) renamed.push([wish, port]);
  }
  surplus.push(...existing.values());
  for (const [{ id }, port] of renamed) {
    yield OpenVswitchRepair({
      key: `tunnel ${port._uuid} ${id}`, apply: (txn) => txn.update(port, { external_ids: new Map([...port.external_ids, [tunnelIdKey, id]]) }),
    });
  }
  if (missing.length === 0 && surplus.length === 0 && strays.length === 0) return;
  yield OpenVswitchRepair({
    key: `tunnels ${bridge._uuid} ${JSON.stringify([missing.map(([w, port]) => [w.id, w.type, [...w.options], w.isVtep, port?._uuid]), [...surplus, ...strays].map((p) => p._uuid)])}`,
    comment: `ovn-controller: modifying OVS tunnels '${systemIdOf(node) ?? ""}'`,
    apply: (txn) => {
      for (const port of strays) clearStray(node, txn, port);
      changeTunnels(node, txn, bridge, missing, surplus);
    },
  });
});

function clearStray(node: Node, txn: OpenVswitchTransaction, port: Port): void {
  for (const bridge of node.bridgesByPort.get(port._uuid)) {
    node.host.log.module("encaps").dbg(() => `Clearing old tunnel port "${port.name}" (${port.external_ids.get(tunnelIdKey) ?? ""}) from bridge "${bridge.name}".`);
    txn.mutate(bridge, "ports", "delete", [port._uuid]);
  }
}

function isAsWished(node: Node, port: Port, wish: WishedTunnel): boolean {
  const [uuid, ...more] = port.interfaces;
  const iface: Interface | undefined = node.ovs.tables.Interface.get(uuid);
  return more.length === 0 && iface !== undefined && iface.type === wish.type && sameValue(iface.options, wish.options);
}

function changeTunnels(
  node: Node, txn: OpenVswitchTransaction, bridge: Bridge, missing: readonly (readonly [WishedTunnel, Port | undefined])[], surplus: readonly Port[],
): void {
  const names = new Set([...bridge.ports].flatMap((uuid) => node.ovs.tables.Port.get(uuid)?.name ?? []));
  const gone = new Set<string>([...surplus, ...missing.flatMap(([, port]) => port ?? [])].map((p) => p._uuid));
  const added = missing.map(([wish, replaced]) => {
    const name = replaced?.name ?? (wish.chassis === undefined ? `${namePrefix(node)}${wish.type}` : freeName(node, wish.chassis, names));
    names.add(name);
    const iface = txn.insert("Interface", {
      name, type: wish.type, options: wish.options, other_config: wish.isVtep ? { "is-vtep": "true" } : {},
    });
    return txn.insert("Port", { name, interfaces: [iface], external_ids: externalIdsOf(wish) });
  });
  txn.verify(bridge, ["ports"]);
  txn.update(bridge, { ports: [...[...bridge.ports].filter((uuid) => !gone.has(uuid)), ...added] });
}

const namePrefix = (node: Node): string => `ovn${chassisIndexOf(node)}-`;

/** Names of interfaces have 15 characters at most: six of the chassis' name, or five where several controllers share the switch. */
function freeName(node: Node, chassis: string, taken: ReadonlySet<string>): string {
  const prefix = `${namePrefix(node)}${chassis.slice(0, chassisIndexOf(node) === "" ? 6 : 5)}-`;
  for (let n = 0; ; n++) {
    const name = `${prefix}${n.toString(16)}`;
    if (!taken.has(name)) return name;
  }
}
