/** Address_Set rows of a router's VIPs: a set by name, so that flows stay as they are when load balancers come and go. */
import { rule } from "../../engine/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { isRouterEnabled } from "../topology/router-ports.ts";
import type { LogicalRouter, Topology } from "../topology/topology.ts";
import { WishedAddressSet } from "./address-sets.ts";

/** Undefined while the router has no key. */
export function vipAddressSet(router: LogicalRouter, family: 4 | 6): string | undefined {
  const key = router.topology.datapathKeys.get(router.row._uuid);
  return key === undefined ? undefined : `_rtr_lb_${key}_ip${family}`;
}

export const vipAddressSets = rule("vip-address-sets", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  const { reachable4, reachable6 } = vipsOf(router);
  for (const [family, addresses] of [[4, reachable4], [6, reachable6]] as const) {
    const name = addresses.size === 0 ? undefined : vipAddressSet(router, family);
    if (name !== undefined) yield WishedAddressSet({ key: name, columns: { name, addresses } });
  }
});
