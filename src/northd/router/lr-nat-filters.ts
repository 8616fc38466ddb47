/**
 * lr_in_gw_redirect, for stateless translations with allowed_ext_ips or exempted_ext_ips. The first match of these flows is that
 * of whatever was the router's last in OVN's own northd (which means to say "leaves by the gateway port", but does not): nobody
 * who compares the two shall find a difference.
 */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { type Actions, actions, type Match, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { parseIpsAlone } from "../port-addresses.ts";
import { bit } from "../registers.ts";
import { gatewayPortsOf, isRouterEnabled, redirectKey } from "../topology/router-ports.ts";
import { chassisFeatures, dropActions, usesCommonZone } from "../topology/settings.ts";
import type { LogicalRouter, Topology } from "../topology/topology.ts";
import { commitsAll, filteredStatelessNats, lastValidNat, translationOf } from "../topology/translations.ts";
import { leadsToVtep } from "./lr-admission.ts";
import { hasState } from "./lr-commit-all.ts";
import { loopActions, loopMatch } from "./lr-egr-loop.ts";

export const filteredRedirects = rule("lr-nat-filters", (t: Topology) => t.routers, function* (t, router) {
  if (!isRouterEnabled(router)) return;
  const nats = filteredStatelessNats(router);
  const before = nats.length === 0 ? undefined : lastOf(router);
  if (before === undefined) return;
  const drop = dropActions(t);
  for (const gateway of gatewayPortsOf(router)) {
    if (leadsToVtep(gateway)) continue;
    const hint = gateway.row;
    let isFirst = true;
    for (const { row } of nats) {
      const family = (parseIpsAlone(row.external_ip)?.ipv6.length ?? 0) > 0 ? 6 : 4;
      const allowed = t.nb.Address_Set.get(row.allowed_ext_ips);
      const addresses = allowed ?? t.nb.Address_Set.get(row.exempted_ext_ips);
      if (addresses === undefined) continue;
      const packets = match`${before.match} && ip${family}.src == $${addresses.name}`;
      yield lflow(router, lrIn.gwRedirect, 75, packets, allowed === undefined ? drop : before.actions, { hint });
      if (allowed === undefined || !isFirst) continue;
      isFirst = false;
      yield lflow(router, lrIn.gwRedirect, 70, match`ip && ip${family}.dst == ${row.external_ip}`, drop);
    }
  }
});

function lastOf(router: LogicalRouter): { readonly match: Match; readonly actions: Actions } | undefined {
  const { topology: t } = router;
  if (usesCommonZone(t)) return { match: match`ip && ct_mark.natted == 1`, actions: actions`${bit.dnatLocal} = 1; next;` };
  const nat = lastValidNat(router);
  const last = nat === undefined ? undefined : translationOf(nat, router);
  if (last === undefined) return undefined;
  const loop = { match: loopMatch(last), actions: loopActions(t) };
  const gateway = gatewayPortsOf(router).at(-1);
  const { ct_commit_to_zone, ct_next_zone } = chassisFeatures(t);
  if (gateway === undefined || !commitsAll(router) || !hasState(router) || !ct_commit_to_zone || !ct_next_zone) return loop;
  return { ...loop, match: match`ip && ct.new && outport == ${quoted(gateway.row.name)} && is_chassis_resident(${redirectKey(gateway)})` };
}
