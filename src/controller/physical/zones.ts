/** The conntrack zones that go with a packet while it is on a logical port. */
import { logicalRegisters } from "../../logical/index.ts";
import type { Action } from "../../openflow/index.ts";
import { load } from "../flow.ts";
import type { Node } from "../node.ts";
import { datapathOf } from "../ports.ts";
import type { DatapathBinding, PortBinding } from "../rows.ts";

/** The name by which a datapath's zones are known; without one it gets none. */
export const zoneName = (datapath: DatapathBinding, kind: "dnat" | "snat"): string | undefined => {
  const name = datapath.external_ids.get("name");
  return name === undefined ? undefined : `${name}_${kind}`;
};

/** Sets the zones of the port and its datapath, as far as there are any. */
export function loadZones(node: Node, port: PortBinding): readonly Action[] {
  const datapath = datapathOf(node, port);
  const zoneOf = (name: string | undefined): number => (name === undefined ? 0 : node.zones.zoneOf(name));
  const [ct, dnat, snat] = [
    zoneOf(port.logical_port), zoneOf(datapath && zoneName(datapath, "dnat")), zoneOf(datapath && zoneName(datapath, "snat")),
  ];
  return [
    ...(ct === 0 ? [] : [load(logicalRegisters.ctZone, ct, 0, 16)]),
    ...(dnat === 0 ? [] : [load(logicalRegisters.dnatZone, dnat)]),
    ...(snat === 0 ? [] : [load(logicalRegisters.snatZone, snat)]),
  ];
}
