/**
 * Advertised_Route rows as the routes the kernel is to have: for a routing daemon to redistribute, not to forward by. So they
 * are blackholes, unless the router names a next hop for its prefixes; routes to what is bound here are preferred (ovn-sb(5)).
 */
import { relation, rule } from "../../engine/index.ts";
import { formatIp, formatPrefix, type Ip, networkOf, parseIp, parsePrefix } from "../../net/index.ts";
import { type DatapathUuid, type Node } from "../node.ts";
import { datapathOf, ourChassis, portOption, redirectPortOf } from "../ports.ts";
import type { PortBinding } from "../rows.ts";

export interface WantedRoute {
  readonly datapath: DatapathUuid;
  readonly destination: string;
  readonly metric: number;
  /** Undefined: a blackhole. */
  readonly nextHop: string | undefined;
}

export const WantedRoute = relation<WantedRoute>("WantedRoute", (r) => `${r.datapath} ${r.destination} ${r.metric} ${r.nextHop ?? ""}`);

/** rtm_protocol of routes that OVN put there (RTPROT_OVN). */
export const ovnProtocol = 84;
const defaultMetric = 1000;
const localMetric = 100;

export const wantedRoutes = rule("wanted-routes", (node: Node) => node.sb.tables.Advertised_Route, function* (node, route) {
  if (!node.isLocalDatapath(route.datapath)) return;
  const prefix = parsePrefix(route.ip_prefix);
  if (prefix === undefined) {
    node.host.log.module("exchange").warn(`bad 'ip_prefix' ${route.ip_prefix} in route ${route._uuid}`);
    return;
  }
  const port = node.sb.tables.Port_Binding.get(route.logical_port);
  if (port === undefined || !isHere(node, port)) return;
  const tracked = node.sb.tables.Port_Binding.get(route.tracked_port);
  const isLocal = tracked !== undefined && isHere(node, tracked);
  if (route.tracked_port !== undefined && !isLocal && portOption(port, "dynamic-routing-redistribute-local-only")) return;
  yield WantedRoute({
    datapath: route.datapath,
    destination: formatPrefix(networkOf(prefix)),
    metric: isLocal ? localMetric : defaultMetric,
    nextHop: nextHopOf(node, port, prefix.family),
  });
});

/** Bound here, by itself or by its chassis-redirect port; ports of distributed routers are everywhere. */
function isHere(node: Node, port: PortBinding): boolean {
  const own = ourChassis(node)?._uuid;
  if (own === undefined) return false;
  if (port.chassis === own) return true;
  const redirect = redirectPortOf(node, port);
  return redirect === undefined ? port.type === "patch" : redirect.chassis === own;
}

/** dynamic-routing-v4-prefix-nexthop, which may be an IPv6 address, and dynamic-routing-v6-prefix-nexthop, which is one. */
function nextHopOf(node: Node, port: PortBinding, family: 4 | 6): string | undefined {
  const text = datapathOf(node, port)?.external_ids.get(`dynamic-routing-v${family}-prefix-nexthop`);
  if (text === undefined) return undefined;
  const ip: Ip | undefined = parseIp(text);
  if (ip !== undefined && (family === 4 || ip.family === 6)) return formatIp(ip);
  node.host.log.module("exchange").warn(`Couldn't parse IPv${family} prefix nexthop ${text}, routes will be installed as blackhole.`);
  return undefined;
}
