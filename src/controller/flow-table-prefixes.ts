/**
 * The integration bridge's flow tables are searched by prefixes of all four kinds of addresses: flows that differ in an address then
 * need no more of it in the datapath's flows than tells them apart (ovs-vswitchd.conf.db(5), Flow_Table.prefixes).
 */
import { rule, sameValue } from "../engine/index.ts";
import { bridgeNamed, type Ground } from "./bridge.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import { bridgeName } from "./settings.ts";

const wanted = ["ip_src", "ip_dst", "ipv6_src", "ipv6_dst"];
/** All but the one that the switch keeps for itself. */
const tables = 255;

export const flowTablePrefixes = rule("flow-table-prefixes", (ground: Ground) => ground.self, function* (ground) {
  const bridge = bridgeNamed(ground, bridgeName(ground));
  // Releases before 3.3 have room for three.
  const prefixes = ground.ovs.status.isSynced ? wanted.slice(0, ground.ovs.maxMembers("Flow_Table", "prefixes")) : [];
  if (bridge === undefined || prefixes.length === 0) return;
  const rows = new Set(bridge.flow_tables.values());
  const [uuid] = rows;
  const shared = bridge.flow_tables.size === tables && rows.size === 1 ? ground.ovs.tables.Flow_Table.get(uuid) : undefined;
  if (shared !== undefined && sameValue(shared.prefixes, new Set(prefixes))) return;
  yield OpenVswitchRepair({
    key: `prefixes of ${bridge._uuid} ${shared?._uuid ?? ""} ${prefixes.join()}`,
    apply: (txn) => {
      ground.host.log.module("main").info(`Setting flow table prefixes: ${prefixes.join(", ")}.`);
      if (shared !== undefined) {
        txn.update(shared, { prefixes });
        return;
      }
      const row = txn.insert("Flow_Table", { prefixes });
      txn.update(bridge, { flow_tables: new Map(Array.from({ length: tables }, (_, table) => [table, row])) });
    },
  });
});
