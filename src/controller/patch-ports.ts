/**
 * Patch ports between the integration bridge and the bridges of physical networks, for localnet and l2gateway ports of local
 * datapaths: patch-BRIDGE-to-PORT on the one side, patch-PORT-to-BRIDGE on the other (ovn-controller(8), ovn-bridge-mappings).
 */
import { relation, rule } from "../engine/index.ts";
import { integrationBridge } from "./claims.ts";
import { bridgeMappings } from "./local-datapaths.ts";
import type { Node } from "./node.ts";
import { ourChassis } from "./ports.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Bridge, Port } from "./rows.ts";

const keyOfType: ReadonlyMap<string, string> = new Map([["localnet", "ovn-localnet-port"], ["l2gateway", "ovn-l2gateway-port"]]);
/** Those of older controllers too, which made more kinds. */
const patchKeys = [...keyOfType.values(), "ovn-l3gateway-port", "ovn-logical-patch-port"];

interface PatchPort {
  readonly name: string;
  readonly peer: string;
  readonly bridge: Bridge;
  readonly key: string;
  readonly logicalPort: string;
}

const PatchPort = relation<PatchPort>("PatchPort", (p) => `${p.name} ${p.bridge._uuid}`);

export const wishedPatchPorts = rule("wished-patch-ports", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  const key = keyOfType.get(port.type);
  const own = integrationBridge(node);
  if (key === undefined || own === undefined || !node.isLocalDatapath(port.datapath)) return;
  if (port.type === "l2gateway" && port.chassis !== ourChassis(node)?._uuid) return;
  const network = port.options.get("network_name");
  const log = node.host.log.module("patch");
  if (network === undefined) {
    log.err(`${port.type} port '${port.logical_port}' has no network name.`);
    return;
  }
  const outer = node.bridgesByName.first(bridgeMappings(node).get(network) ?? "");
  if (outer === undefined) {
    if (port.type === "l2gateway") log.err(`bridge not found for ${port.type} port '${port.logical_port}' with network name '${network}'`);
    else log.info(`bridge not found for ${port.type} port '${port.logical_port}' with network name '${network}'; skipping`);
    return;
  }
  const [inner, outside] = [`patch-${own.name}-to-${port.logical_port}`, `patch-${port.logical_port}-to-${own.name}`];
  yield PatchPort({ name: inner, peer: outside, bridge: own, key, logicalPort: port.logical_port });
  yield PatchPort({ name: outside, peer: inner, bridge: outer, key, logicalPort: port.logical_port });
});

export const missingPatchPorts = rule("missing-patch-ports", (node: Node) => node.engine.facts(PatchPort), function* (node, wish) {
  for (const port of node.portRowsByName.get(wish.name)) if (node.bridgesByPort.get(port._uuid).has(wish.bridge)) return;
  yield OpenVswitchRepair({
    key: `patch ${wish.name} ${wish.bridge._uuid}`,
    comment: `ovn-controller: creating patch port '${wish.name}' from '${wish.bridge.name}'`,
    apply: (txn) => {
      const iface = txn.insert("Interface", { name: wish.name, type: "patch", options: { peer: wish.peer } });
      const port = txn.insert("Port", { name: wish.name, interfaces: [iface], external_ids: { [wish.key]: wish.logicalPort } });
      txn.mutate(wish.bridge, "ports", "insert", [port]);
    },
  });
});

const isPatchPort = (port: Port): boolean => patchKeys.some((key) => port.external_ids.has(key));

export const stalePatchPorts = rule("stale-patch-ports", (node: Node) => node.ovs.tables.Port, function* (node, port) {
  const own = integrationBridge(node);
  if (own === undefined || !isPatchPort(port) || !node.isGrown.get()) return;
  for (const bridge of node.bridgesByPort.get(port._uuid)) {
    // Another controller on this Open vSwitch has ports of its own.
    if (bridge !== own && !port.name.endsWith(`-to-${own.name}`)) continue;
    // The other end goes along, whatever it is called.
    const ends = [{ port, bridge }, ...(bridge === own ? peersOf(node, port) : [])].filter((end) => !isWished(node, end.port, end.bridge));
    if (ends[0]?.port !== port) continue;
    yield OpenVswitchRepair({
      key: `no patch ${ends.map((end) => `${end.port._uuid} ${end.bridge._uuid}`).join()}`,
      apply: (txn) => {
        for (const end of ends) txn.mutate(end.bridge, "ports", "delete", [end.port._uuid]);
      },
    });
  }
});

const isWished = (node: Node, port: Port, bridge: Bridge): boolean => node.engine.facts(PatchPort).get(`${port.name} ${bridge._uuid}`) !== undefined;

function* peersOf(node: Node, port: Port): Iterable<{ readonly port: Port; readonly bridge: Bridge }> {
  for (const uuid of port.interfaces) {
    const iface = node.ovs.tables.Interface.get(uuid);
    const name = iface?.type === "patch" ? iface.options.get("peer") : undefined;
    if (name === undefined) continue;
    for (const peer of node.portRowsByName.get(name)) for (const bridge of node.bridgesByPort.get(peer._uuid)) yield { port: peer, bridge };
  }
}
