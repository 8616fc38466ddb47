/** The flows of each port of the local datapaths: by where the port is, one of the files beside this one. */
import { rule, type Yield } from "../../engine/index.ts";
import { localnetPortOf } from "../local-datapaths.ts";
import type { Node } from "../node.ts";
import { candidatesOf, datapathOf, haGroupOf, isElected, kindOf, ourChassis, peerOf, portNamed } from "../ports.ts";
import type { PortBinding } from "../rows.ts";
import { asBoolean } from "../settings.ts";
import { activationFlows } from "./activation.ts";
import { attachmentOf, patchOfport } from "./attachment.ts";
import { attachedFlows, type Keys, keysOf, patchFlows, redirectFlow, zoneLookupFlow } from "./local-port.ts";
import { localnetFlows } from "./localnet.ts";
import { multichassisFlows } from "./multichassis.ts";
import { bridgedRedirectFlows, highAvailabilityFlows, overlayFlows, tunnelsTowards, viaLocalnetFlow } from "./remote-port.ts";

export const portFlows = rule("port-flows", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  if (ourChassis(node) === undefined || !node.isLocalDatapath(port.datapath)) return;
  const datapath = datapathOf(node, port);
  if (datapath === undefined) return;
  const keys = keysOf(datapath, port);
  const kind = kindOf(port);
  if (kind === "vif") yield zoneLookupFlow(node, port, keys);
  if (kind === "patch" || (kind === "l3gateway" && port.chassis === ourChassis(node)?._uuid)) {
    const peer = matchingPeerOf(node, port);
    const peerDatapath = peer && datapathOf(node, peer);
    if (peer !== undefined && peerDatapath !== undefined) yield* patchFlows(node, port, keys, peer, keysOf(peerDatapath, peer));
    return;
  }
  if (kind === "chassisredirect" && (port.chassis === ourChassis(node)?._uuid || isElected(node, port))) {
    yield redirectFlow(node, port, keys, distributedPortOf(node, port));
    return;
  }
  yield* flowsByAccess(node, port, keys);
});

function* flowsByAccess(node: Node, port: PortBinding, keys: Keys): Iterable<Yield> {
  const kind = kindOf(port);
  // A nested port without a tag cannot be told from its parent.
  if (kind === "container" && port.tag === undefined) return;
  const attachment = attachmentOf(node, port);
  const localnet = localnetPortOf(node, port.datapath);
  if (attachment !== undefined) {
    yield* activationFlows(node, port, keys, attachment.ofport);
    yield* attachedFlows(node, port, keys, attachment, localnet);
    if (kind === "localnet") yield* localnetFlows(node, port, keys, attachment);
  } else if (localnet !== undefined && port.additional_chassis.size === 0) {
    if (patchOfport(node, localnet.logical_port) === undefined) return;
    if (!alwaysTunnels(node)) {
      yield viaLocalnetFlow(port, keys, localnet);
      yield* multichassisFlows(node, port, keys, tunnelsTowards(node, port));
      return;
    }
  }
  const group = haGroupOf(node, port);
  if (port.options.get("redirect-type")?.toLowerCase() === "bridged") yield* bridgedRedirectFlows(node, port, keys);
  else if (attachment === undefined && localnet === undefined && group !== undefined && candidatesOf(node, group).length >= 2) {
    yield* highAvailabilityFlows(node, port, keys);
  } else yield* overlayFlows(node, port, keys);
}

function alwaysTunnels(node: Node): boolean {
  for (const global of node.sb.tables.SB_Global) return asBoolean(global.options.get("always_tunnel"), false);
  return false;
}

/** Peers name each other, and are of kinds that go together. */
function matchingPeerOf(node: Node, port: PortBinding): PortBinding | undefined {
  const peer = peerOf(node, port);
  return peer !== undefined && (peer.type === "patch" || peer.type === "l3gateway") && peer.options.get("peer") === port.logical_port ? peer : undefined;
}

function distributedPortOf(node: Node, port: PortBinding): PortBinding | undefined {
  const distributed = portNamed(node, port.options.get("distributed-port") ?? "");
  if (distributed === undefined) {
    node.host.log.module("physical").warn(
      `No port binding record for distributed port ${port.options.get("distributed-port") ?? ""} referred by chassisredirect port ${port.logical_port}`);
  }
  return distributed?.datapath === port.datapath ? distributed : undefined;
}

