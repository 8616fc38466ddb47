/** ls_in_l2_lkup, for the external addresses of routers: frames to their MACs, and requests for them, go to the router that has them. */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { gatewayPortsOf, isPortEnabled, routerPortsOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import { switchPortsFacing } from "../topology/switch-ports.ts";
import type { LogicalRouter, Nat } from "../topology/topology.ts";
import { answersFor, externalMacOf, isReachableVip, isRouterAddress, namedGateway, routersOf, translationOf, translations } from "../topology/translations.ts";
import { requestFor } from "./ls-l2-lkup.ts";

export const translatedAddresses = rule("ls-nat", translations, function* (_, nat) {
  for (const router of routersOf(nat)) {
    yield* framesTo(nat, router);
    yield* requestsFor(nat, router);
  }
});

function* framesTo({ row, topology }: Nat, router: LogicalRouter) {
  const mac = externalMacOf(row);
  if (row.type !== "dnat_and_snat" || row.logical_port === undefined || mac === undefined) return;
  for (const gateway of gatewayPortsOf(router)) {
    for (const { port, owner } of switchPortsFacing(gateway)) {
      const deliver = isPortEnabled(port) ? actions`outport = ${quoted(port.row.name)}; output;` : dropActions(topology);
      yield lflow(owner, lsIn.l2Lkup, 50, match`eth.dst == ${mac} && is_chassis_resident("${row.logical_port}")`, deliver, { hint: port.row });
    }
  }
}

function* requestsFor(nat: Nat, router: LogicalRouter) {
  const parsed = translationOf(nat, router);
  if (parsed === undefined) return;
  const { externalIp, family, external } = parsed;
  // Requests for the router's own addresses go to it anyway.
  if (parsed.type === "snat" && (isRouterAddress(router, externalIp) || !answersFor(nat, router, external.text))) return;
  if (isReachableVip(router, externalIp)) return;
  const named = namedGateway(nat);
  for (const peer of routerPortsOf(router)) {
    if (!isPortEnabled(peer) || (named !== undefined && named !== peer)) continue;
    for (const { port, owner } of switchPortsFacing(peer)) yield* requestFor(owner, port, externalIp, family);
  }
}
