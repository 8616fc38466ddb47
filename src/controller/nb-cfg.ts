/**
 * Sequence numbers: SB_Global.nb_cfg says which configuration the database holds; when the switch has confirmed its flows,
 * Chassis_Private.nb_cfg and the bridge's external_ids say so (ovn-nbctl --wait=hv waits for it).
 */
import { rule } from "../engine/index.ts";
import { integrationBridge } from "./claims.ts";
import { setEntries } from "./map-entries.ts";
import type { Node } from "./node.ts";
import { privateRow } from "./registration.ts";
import { OpenVswitchRepair, SouthboundRepair } from "./repairs.ts";
import { asBoolean, systemIdOf } from "./settings.ts";

export const configurationReport = rule("configuration-report", (node: Node) => node.self, function* (node) {
  const { sequence, timestamp, confirmedAt } = node.confirmedConfig.get();
  if (sequence === 0) return;
  const own = privateRow(node, systemIdOf(node) ?? "");
  if (own !== undefined && own.nb_cfg !== sequence && reportsToSouthbound(node)) {
    yield SouthboundRepair({
      key: `nb_cfg ${own._uuid} ${sequence} ${confirmedAt}`,
      apply: (txn) => txn.update(own, { nb_cfg: sequence, nb_cfg_timestamp: confirmedAt }),
    });
  }
  const bridge = integrationBridge(node);
  if (bridge !== undefined && bridge.external_ids.get("ovn-nb-cfg") !== String(sequence)) {
    yield OpenVswitchRepair({
      key: `${bridge._uuid} nb_cfg ${sequence} ${confirmedAt}`,
      apply: (txn) => setEntries(txn, bridge, {
        "ovn-nb-cfg": String(sequence), "ovn-nb-cfg-ts": String(confirmedAt), "ovn-nb-cfg-sb-ts": timestamp === 0 ? undefined : String(timestamp),
      }),
    });
  }
});

function reportsToSouthbound(node: Node): boolean {
  for (const global of node.sb.tables.SB_Global) return asBoolean(global.options.get("enable_chassis_nb_cfg_update"), true);
  return true;
}
