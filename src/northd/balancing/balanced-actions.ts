/** What becomes of a new connection to a VIP: it goes to one of the backends, or is rejected or dropped where there is none. */
import { derived } from "../../engine/index.ts";
import { lrOut, lsOut } from "../../logical/index.ts";
import { type Actions, actions } from "../flow-text.ts";
import { reg } from "../registers.ts";
import { dropActions } from "../topology/settings.ts";
import type { LoadBalancer } from "../topology/topology.ts";
import { balancerSettings } from "./load-balancers.ts";
import { backendIsUp, monitoredBackends } from "./monitored-backends.ts";
import type { Vip } from "./vips.ts";

export interface BalancedActions {
  readonly kind: "balance" | "reject" | "drop";
  readonly text: Actions;
  /** On a router: with the source left as it is, or replaced, whatever else is done to it. */
  readonly skippingSnat: Actions;
  readonly forcingSnat: Actions;
}

/** Notes what the packet was sent to, for hairpins and for sessions. */
export const rememberVip = (vip: Vip): string =>
  `${vip.family === 4 ? reg.lbIpv4 : reg.lbIpv6} = ${vip.ip}; ${vip.port === undefined ? "" : `${reg.lbPort} = ${vip.port}; `}`;

/** Kept by service, so that hundreds of switches with one load balancer share the text. */
export const balancedActions = derived("balanced actions", (balancer: LoadBalancer, vip: Vip, where: "switch" | "router"): BalancedActions => {
  const { selectionFields, affinitySeconds, rejectsEmpty, isDistributed } = balancerSettings(balancer);
  const backends = backendText(balancer, vip);
  if (backends === undefined) {
    if (!rejectsEmpty) {
      const drop = dropActions(balancer.topology);
      return { kind: "drop", text: drop, skippingSnat: drop, forcingSnat: drop };
    }
    const table = where === "switch" ? lsOut.qos.table : lrOut.snat.table;
    const text = actions`reg0 = 0; reject { outport <-> inport; next(pipeline=egress,table=${table});};`;
    return { kind: "reject", text, skippingSnat: actions`flags.skip_snat_for_lb = 1; ${text}`, forcingSnat: actions`flags.force_snat_for_lb = 1; ${text}` };
  }
  const remember = where === "switch" || affinitySeconds > 0 ? rememberVip(vip) : "";
  const fields = selectionFields === undefined ? "" : `; hash_fields="${selectionFields}"`;
  const open = `${remember}${isDistributed ? "ct_lb_mark_local" : "ct_lb_mark"}(backends=${backends}${fields}`;
  return {
    kind: "balance", text: actions`${open});`,
    skippingSnat: actions`flags.skip_snat_for_lb = 1; ${open}; skip_snat);`, forcingSnat: actions`flags.force_snat_for_lb = 1; ${open}; force_snat);`,
  };
});

/** Those that are up, as the action has them; undefined where there is none. */
function backendText(balancer: LoadBalancer, vip: Vip): string | undefined {
  const { isDistributed } = balancerSettings(balancer);
  const { hasCheck, backends } = monitoredBackends(balancer, vip);
  if (!hasCheck && !isDistributed) return vip.backends.length === 0 ? undefined : vip.value;
  const texts = backends.flatMap((known) => {
    if (known.port === undefined || (hasCheck && !backendIsUp(balancer, known))) return [];
    const { ip, port, isIpv4 } = known.backend;
    return [`${isDistributed ? `"${known.port}":` : ""}${isIpv4 ? `${ip}:${port}` : `[${ip}]:${port}`}`];
  });
  return texts.length === 0 ? undefined : texts.join(",");
}
