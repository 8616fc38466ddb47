/** Where a logical port meets this chassis' switch: the OpenFlow port, and the VLAN tag that tells it from others there. */
import { derived } from "../../engine/index.ts";
import { claimOf, interfaceOf, isPortOfIntegrationBridge } from "../claims.ts";
import type { Node } from "../node.ts";
import { kindOf } from "../ports.ts";
import type { PortBinding } from "../rows.ts";

export interface Attachment {
  readonly ofport: number;
  /** 0: untagged. */
  readonly tag: number;
  /** The port whose interface this nested one shares. */
  readonly parent: PortBinding | undefined;
}

/** Undefined: the port is not on this chassis. */
export const attachmentOf = derived("attachment", (node: Node, port: PortBinding): Attachment | undefined => {
  switch (kindOf(port)) {
    case "container":
    case "mirror": {
      const claim = claimOf(node, port);
      return claim?.iface === undefined ? undefined : attachment(claim.iface.ofport, port.tag, claim.parent);
    }
    case "localnet":
    case "l2gateway":
      return attachment(patchOfport(node, port.logical_port), port.tag);
    case "localport":
      return attachment(interfaceOf(node, port.logical_port)?.ofport);
    case "vif":
    case "virtual":
      return attachment(claimOf(node, port)?.iface?.ofport);
    default:
      return undefined;
  }
});

const attachment = (ofport: number | undefined, tag?: number | undefined, parent?: PortBinding): Attachment | undefined =>
  ofport === undefined || ofport <= 0 ? undefined : { ofport, tag: tag ?? 0, parent };

/** The OpenFlow port of the patch port that joins a physical network to the integration bridge. */
export function patchOfport(node: Node, logicalPort: string): number | undefined {
  for (const port of node.patchPortsByLogicalPort.get(logicalPort)) {
    if (!isPortOfIntegrationBridge(node, port)) continue;
    for (const uuid of port.interfaces) {
      const iface = node.ovs.tables.Interface.get(uuid);
      if (iface?.type === "patch" && (iface.ofport ?? 0) > 0) return iface.ofport;
    }
  }
  return undefined;
}
