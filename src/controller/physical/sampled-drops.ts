/**
 * NB_Global.options:debug_drop_collector_set and debug_drop_domain_id: packets that the physical tables drop are sampled, under
 * the table's number (northd sees to those that logical flows drop). Only if this chassis' switch has such a collector set.
 */
import { derived } from "../../engine/index.ts";
import { type Action, ports } from "../../openflow/index.ts";
import { integrationBridge } from "../claims.ts";
import type { Node } from "../node.ts";

const everyPacket = 0xffff;
const domainShift = 24;

const sampling = derived("drop-sampling", (node: Node): { readonly set: number; readonly domain: number } | undefined => {
  const bridge = integrationBridge(node);
  for (const { options } of node.sb.tables.SB_Global) {
    const set = unsigned(options.get("debug_drop_collector_set"));
    if (set === 0 || bridge === undefined) continue;
    for (const row of node.collectorSets.get(set)) {
      if (row.bridge === bridge._uuid) return { set, domain: ((unsigned(options.get("debug_drop_domain_id")) << domainShift) >>> 0) };
    }
  }
  return undefined;
});

const unsigned = (text = ""): number => (/^\d{1,10}$/.test(text) ? Number(text) >>> 0 : 0);

/** What a flow of this table does that drops its packets. */
export function drop(node: Node, table: number): readonly Action[] {
  const wish = sampling(node);
  return wish === undefined ? [] : [
    { kind: "sample", probability: everyPacket, collectorSet: wish.set, domain: wish.domain, point: table, samplingPort: ports.none },
  ];
}
