/** The flows of sessions that switches and routers have alike: a new one is learned, a known one goes where it went before. */
import { type Actions, actions, type Match, match } from "../flow-text.ts";
import { bit, reg } from "../registers.ts";
import type { LoadBalancer } from "../topology/topology.ts";
import { balancerSettings } from "./load-balancers.ts";
import type { Backend, Vip } from "./vips.ts";

export interface AffinityFlow {
  readonly match: Match;
  readonly actions: Actions;
}

/** `[IP]:PORT` for IPv6, where there is a port. */
const endpoint = (ip: string, port: string | undefined, family: 4 | 6): string =>
  port === undefined ? ip : family === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;

const portOf = ({ port }: Backend): string | undefined => (port === 0 ? undefined : String(port));

const vipRegister = (family: 4 | 6): string => (family === 6 ? reg.lbIpv6 : reg.lbIpv4);

/** The first packet to a backend that was chosen. `family`: which the registers are for. */
export function learnedSession(balancer: LoadBalancer, vip: Vip, backend: Backend, family: 4 | 6): AffinityFlow {
  const { protocol, affinitySeconds } = balancerSettings(balancer);
  const ip = `ip${family}`;
  const port = portOf(backend);
  const vipPort = vip.port === undefined ? "" : `${reg.lbPort} == ${vip.port} && `;
  const toBackend = `${ip}.dst == ${backend.ip}${port === undefined ? "" : ` && ${protocol}.dst == ${port}`}`;
  const commit = `commit_lb_aff(vip = "${endpoint(vip.ip, vip.port, family)}", backend = "${endpoint(backend.ip, port, family)}"`;
  return {
    match: match`${bit.knownBalancerSession} == 0 && ct.new && ${ip} && ${vipRegister(family)} == ${vip.ip} && ${vipPort}${toBackend}`,
    actions: actions`${commit}${vip.port === undefined ? "" : `, proto = ${protocol}`}, timeout = ${affinitySeconds}); /* drop */`,
  };
}

/** A session that has been seen within the time, and the backend it had. */
export function usedBackend(vip: Vip, backend: Backend, family: 4 | 6, { before, flag }: { readonly before: string; readonly flag: string }): AffinityFlow {
  const ip = `ip${family}`;
  const port = portOf(backend);
  const chosen = `${vipRegister(family)} == ${backend.ip}${port === undefined ? "" : ` && ${reg.lbPort} == ${port}`}`;
  return {
    match: match`${bit.knownBalancerSession} == 1 && ct.new && ${ip}.dst == ${vip.ip} && ${chosen}`,
    actions: actions`${before}ct_lb_mark(backends=${endpoint(backend.ip, port, family)}${flag});`,
  };
}
