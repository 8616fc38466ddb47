/** The event that tells of a packet to a VIP without backends, so that somebody may start one (ovn-sb(5), Controller_Event). */
import { type Actions, actions, type Match, match } from "../flow-text.ts";
import { tellsOfEmptyVips } from "../topology/settings.ts";
import type { LoadBalancer } from "../topology/topology.ts";
import { balancerSettings } from "./load-balancers.ts";
import type { Vip } from "./vips.ts";

export interface EmptyEvent {
  readonly match: Match;
  readonly actions: Actions;
}

/** Undefined where there is nothing to tell, or nobody to be told. */
export function emptyEvent(balancer: LoadBalancer, vip: Vip): EmptyEvent | undefined {
  const { tellsOfEmpty, rejectsEmpty, protocol } = balancerSettings(balancer);
  if (vip.backends.length > 0 || rejectsEmpty || !(tellsOfEmpty || tellsOfEmptyVips(balancer.topology))) return undefined;
  const address = vip.family === 6 && vip.port !== undefined ? `[${vip.ip}]` : vip.ip;
  const name = vip.port === undefined ? address : `${address}:${vip.port}`;
  return {
    match: match`ip${vip.family}.dst == ${vip.ip} && ${protocol}${vip.port === undefined ? "" : ` && ${protocol}.dst == ${vip.port}`}`,
    actions: actions`trigger_event(event = "empty_lb_backends", vip = "${name}", protocol = "${protocol}", load_balancer = "${balancer.row._uuid}");`,
  };
}
