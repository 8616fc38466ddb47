/** The switches here on which IGMP and MLD are listened to: table IP_Multicast says which, and how (ovn-sb(5)). */
import { rule } from "../../engine/index.ts";
import { parseIpv4, parseIpv6, parseMac } from "../../net/index.ts";
import type { Node } from "../node.ts";
import type { IpMulticast } from "../rows.ts";
import { type Querier, SnoopedSwitch } from "./snooped-switch.ts";

const defaults = { tableSize: 2048, idleTimeout: 300, queryMaxResponse: 1 } as const;

export const snoopedSwitches = rule("snooped-switches", (node: Node) => node.sb.tables.IP_Multicast, function* (node, row) {
  const datapath = node.isLocalDatapath(row.datapath) ? node.sb.tables.Datapath_Binding.get(row.datapath) : undefined;
  if (datapath === undefined || row.enabled !== true) return;
  const idleSeconds = row.idle_timeout ?? defaults.idleTimeout;
  yield SnoopedSwitch({
    datapath, tableSize: row.table_size ?? defaults.tableSize, idleMs: 1000 * idleSeconds,
    queryIntervalMs: 1000 * (row.query_interval ?? Math.max(1, Math.floor(idleSeconds / 2))),
    queryMaxResponseSeconds: row.query_max_resp ?? defaults.queryMaxResponse, sequence: row.seq_no, querier: querierOf(node, row),
  });
});

function querierOf(node: Node, row: IpMulticast): Querier | undefined {
  if (row.querier !== true) return undefined;
  const log = node.host.log.module("pinctrl");
  const [mac, ip4, ip6] = [parseMac(row.eth_src), parseIpv4(row.ip4_src), parseIpv6(row.ip6_src)];
  if (row.ip4_src !== "" && ip4 === undefined) log.warn("IGMP Querier enabled with invalid IPv4 src address");
  if (row.ip6_src !== "" && ip6 === undefined) log.warn("MLD Querier enabled with invalid IPv6 src address");
  if (ip4 === undefined && ip6 === undefined) log.warn("IGMP Querier enabled without a valid IPv4 or IPv6 address");
  if (mac === undefined) log.warn("IGMP Querier enabled with invalid ETH src address");
  return mac === undefined || (ip4 === undefined && ip6 === undefined) ? undefined : { mac, ip4, ip6 };
}
