/**
 * Mirrors of logical ports, made by the switch: table Mirror says which ports' packets are copied where, into a GRE or ERSPAN
 * tunnel or to an interface of this chassis (ovn-nb(5), table Mirror). Those of type lport are made by logical flows.
 */
import { relation, rule, sameValue } from "../engine/index.ts";
import { claimOf, integrationBridge, isPortOfIntegrationBridge } from "./claims.ts";
import type { Node } from "./node.ts";
import { kindOf } from "./ports.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Bridge, Mirror, OpenVswitchTransaction, OvsMirror, Port } from "./rows.ts";
import { asBoolean } from "./settings.ts";

const ownership = { "ovn-owned": "true" } as const;

/** A mirror that belongs on this chassis now. */
const WantedMirror = relation<{ readonly name: string }>("WantedMirror", ({ name }) => name);

export const wantedMirrors = rule("wanted-mirrors", (node: Node) => node.sb.tables.Mirror, function* (node, mirror) {
  const bridge = integrationBridge(node);
  const sources = mirror.type === "lport" ? [] : mirroredPorts(node, mirror);
  if (bridge === undefined || sources.length === 0) return;
  const local = mirror.type === "local" ? node.portsByMirrorId.first(mirror.sink) : undefined;
  if (mirror.type === "local" && (local === undefined || !isPortOfIntegrationBridge(node, local))) return;
  yield WantedMirror({ name: mirror.name });
  const existing = [...node.mirrorsByName.get(mirror.name)].find(isOurs);
  const columns = {
    select_src_port: new Set(mirror.filter === "to-lport" ? [] : sources), select_dst_port: new Set(mirror.filter === "from-lport" ? [] : sources),
  };
  const tunnel = local === undefined ? tunnelOf(mirror) : undefined;
  const output = local ?? (existing && node.ovs.tables.Port.get(existing.output_port));
  const isCurrent = existing !== undefined && output !== undefined && existing.output_port === output._uuid &&
    sameValue(existing.select_src_port, columns.select_src_port) && sameValue(existing.select_dst_port, columns.select_dst_port) &&
    (tunnel === undefined || leadsTo(node, output, tunnel));
  if (isCurrent) return;
  yield OpenVswitchRepair({
    key: `mirror ${mirror.name} ${existing?._uuid ?? ""} ${output?._uuid ?? ""} ${JSON.stringify([tunnel?.type, [...(tunnel?.options ?? [])], mirror.filter, sources])}`,
    apply: (txn) => {
      const output_port = tunnel === undefined ? output?._uuid : tunnelPort(node, txn, bridge, mirror, output, tunnel);
      if (existing !== undefined) txn.update(existing, { ...columns, output_port });
      else txn.mutate(bridge, "mirrors", "insert", [txn.insert("Mirror", { name: mirror.name, ...columns, output_port, external_ids: ownership })]);
    },
  });
});

/** The OVS ports of the logical ports here that the mirror is attached to. */
function mirroredPorts(node: Node, mirror: Mirror): readonly Port["_uuid"][] {
  const found: Port["_uuid"][] = [];
  for (const port of node.portsByMirror.get(mirror._uuid)) {
    const iface = kindOf(port) === "vif" ? claimOf(node, port)?.iface : undefined;
    const ovsPort = iface && node.portsByInterface.first(iface._uuid);
    if (ovsPort !== undefined) found.push(ovsPort._uuid);
  }
  return found.sort();
}

interface MirrorTunnel {
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
}

function tunnelOf({ sink, index, type }: Mirror): MirrorTunnel {
  const key = String(index);
  const options = new Map([["remote_ip", sink], ["key", key]]);
  if (type === "erspan") options.set("erspan_idx", key).set("erspan_ver", "1");
  return { type: sink.includes(":") ? `ip6${type}` : type, options };
}

function leadsTo(node: Node, port: Port, { type, options }: MirrorTunnel): boolean {
  for (const uuid of port.interfaces) {
    const iface = node.ovs.tables.Interface.get(uuid);
    if (iface !== undefined && (iface.type !== type || !sameValue(iface.options, options))) return false;
  }
  return true;
}

function tunnelPort(node: Node, txn: OpenVswitchTransaction, bridge: Bridge, mirror: Mirror, existing: Port | undefined, tunnel: MirrorTunnel): Port["_uuid"] {
  if (existing !== undefined) {
    for (const uuid of existing.interfaces) {
      const iface = node.ovs.tables.Interface.get(uuid);
      if (iface !== undefined) txn.update(iface, tunnel);
    }
    return existing._uuid;
  }
  const name = `ovn-${mirror.name}`;
  const port = txn.insert("Port", { name, interfaces: [txn.insert("Interface", { name, ...tunnel })], external_ids: ownership });
  txn.mutate(bridge, "ports", "insert", [port]);
  return port;
}

const isOurs = (row: { readonly external_ids: ReadonlyMap<string, string> }): boolean => asBoolean(row.external_ids.get("ovn-owned"), false);

export const staleMirrors = rule("stale-mirrors", (node: Node) => node.ovs.tables.Mirror, function* (node, mirror: OvsMirror) {
  const bridge = integrationBridge(node);
  if (bridge === undefined || !isOurs(mirror) || !bridge.mirrors.has(mirror._uuid) || !node.isGrown.get()) return;
  if (node.engine.facts(WantedMirror).get(mirror.name) !== undefined) return;
  const output = node.ovs.tables.Port.get(mirror.output_port);
  yield OpenVswitchRepair({
    key: `no mirror ${mirror._uuid}`,
    apply: (txn) => {
      txn.mutate(bridge, "mirrors", "delete", [mirror._uuid]);
      if (output !== undefined && isOurs(output)) txn.mutate(bridge, "ports", "delete", [output._uuid]);
    },
  });
});
