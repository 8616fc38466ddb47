/**
 * Local datapaths: those whose flows this chassis needs. A datapath with a port of ours is local, and whatever a packet
 * reaches from it through patch ports, up to distributed gateway ports that are served elsewhere.
 */
import { derived, rule } from "../engine/index.ts";
import { type DatapathUuid, LocalDatapath, type Node } from "./node.ts";
import { datapathOf, isCandidate, isSwitch, ourChassis, peerOf, redirectPortOf } from "./ports.ts";
import type { PortBinding } from "./rows.ts";
import { asBoolean, mappings, setting } from "./settings.ts";

export const localDatapaths = rule("local-datapaths", (node: Node) => node.self, function* (node) {
  const reached = new Set<DatapathUuid>(node.roots.keys);
  // A set is walked in order of insertion, what is added meanwhile included.
  for (const uuid of reached) {
    const datapath = node.sb.tables.Datapath_Binding.get(uuid);
    if (datapath === undefined) continue;
    yield LocalDatapath({ datapath });
    for (const next of reachableFrom(node, uuid)) reached.add(next);
  }
});

/** Datapaths that packets may go on to from this one. */
const reachableFrom = derived("reachable-from", (node: Node, datapath: DatapathUuid): readonly DatapathUuid[] => {
  const reached = new Set<DatapathUuid>();
  for (const port of node.connectorsByDatapath.get(datapath)) {
    const peer = peerOf(node, port);
    if (peer !== undefined && leadsOn(node, port, peer)) reached.add(peer.datapath);
  }
  return [...reached];
});

/** Whether a packet that leaves through `port` is worked on here when it arrives at `peer`. */
function leadsOn(node: Node, port: PortBinding, peer: PortBinding): boolean {
  if (port.type === "l3gateway") {
    const chassis = ourChassis(node)?._uuid;
    return chassis !== undefined && port.chassis === chassis && (peer.chassis === chassis || peer.type === "patch");
  }
  if (port.type !== "patch") return false;
  if (!port.options.has("chassis-redirect-port") && !peer.options.has("chassis-redirect-port")) return true;
  const redirect = redirectPortOf(node, port);
  const peerRedirect = redirectPortOf(node, peer);
  if (redirect === undefined && peerRedirect === undefined) return false;
  const [here, there] = [datapathOf(node, port), datapathOf(node, peer)];
  // From a switch into a router by its gateway port: only where that port is served.
  if (peerRedirect !== undefined && here !== undefined && there !== undefined && isSwitch(here) && !isSwitch(there)) {
    return isCandidate(node, peerRedirect);
  }
  if (redirect === undefined) return false;
  if (!asBoolean(redirect.options.get("always-redirect"), false)) return true;
  return isCandidate(node, redirect);
}

export interface PeerPorts {
  readonly local: PortBinding;
  readonly remote: PortBinding;
}

/** The patch ports by which this local datapath hangs together with others, each with its peer. */
export const peerPortsOf = derived("peer-ports", (node: Node, datapath: DatapathUuid): readonly PeerPorts[] => {
  const pairs: PeerPorts[] = [];
  for (const local of node.connectorsByDatapath.get(datapath)) {
    const remote = peerOf(node, local);
    if (remote === undefined) continue;
    if (leadsOn(node, local, remote) || (node.isLocalDatapath(remote.datapath) && leadsOn(node, remote, local))) pairs.push({ local, remote });
  }
  return pairs;
});

/** Physical network to bridge, as far as the bridges exist. */
export const bridgeMappings = derived("bridge-mappings", (node: Node): ReadonlyMap<string, string> =>
  new Map([...mappings(setting(node, "ovn-bridge-mappings") ?? "")].filter(([, bridge]) => node.bridgesByName.first(bridge) !== undefined)));

/** The port by which a local datapath is joined to a physical network that is plugged in here. */
export const localnetPortOf = derived("localnet-port", (node: Node, datapath: DatapathUuid): PortBinding | undefined => {
  for (const port of node.localnetPortsByDatapath.get(datapath)) {
    const network = port.options.get("network_name");
    if (network !== undefined && bridgeMappings(node).has(network)) return port;
  }
  return undefined;
});
