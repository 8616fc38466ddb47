/** ls_in_pre_acl, ls_out_pre_acl: what goes to the connection tracker, for access control lists that are stateful. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { type Acl, hasStatefulAcls } from "../access/acl-use.ts";
import { actions, asMatch, match, next, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, tooBig } from "../registers.ts";
import { isGatewayPort, switchPeerOf } from "../topology/router-ports.ts";
import { matchesTrackedPorts } from "../topology/settings.ts";
import { flag, portsWithRole, routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { hasEvpn, localnetPortsOf, routerFacingPortsOf } from "../topology/switches.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";

/** The numbers that access control lists may have begin after this one. */
export const aclPriorityOffset = 1000;

/** Forgets what the connection tracker said. */
export const forget = actions`flags.pkt_sampled = 0; ct_clear; next;`;

const untrackable = match`nd || nd_rs || nd_ra || mldv1 || mldv2 || (udp && udp.src == 546 && udp.dst == 547)`;

export const preAcl = rule("ls-pre-acl", (t: Topology) => t.switches, function* (t, owner) {
  for (const stages of [lsIn, lsOut]) {
    yield passByDefault(owner, stages.preAcl);
    yield lflow(owner, stages.preAcl, 110, match`eth.${stages === lsIn ? "dst" : "src"} == $svc_monitor_mac`, next);
  }
  if (!hasStatefulAcls(owner)) return;
  for (const port of routerFacingPortsOf(owner)) if (!filtersForRouter(port)) yield* untracked(owner, port);
  for (const port of portsWithRole(owner, "switch")) yield* untracked(owner, port);
  for (const port of localnetPortsOf(owner)) yield* untracked(owner, port);
  if (hasEvpn(owner)) {
    yield lflow(owner, lsIn.preAcl, 110, match`from_evpn_vtep`, next);
    yield lflow(owner, lsOut.preAcl, 110, match`to_evpn_vtep`, next);
  }
  for (const stages of [lsIn, lsOut]) {
    yield lflow(owner, stages.preAcl, 110, untrackable, next);
    // With matches on tracked ports, untracked multicast would match none of them.
    if (!matchesTrackedPorts(t)) yield lflow(owner, stages.preAcl, 110, match`eth.mcast`, next);
    yield lflow(owner, stages.preAcl, 100, match`ip`, actions`${bit.conntrackDefrag} = 1; next;`);
  }
  yield lflow(owner, lsIn.preAcl, 110, match`${tooBig.spaced} && flags.tunnel_rx == 1`, next);
});

/** Access control lists apply to what passes between the switch and the gateway port of a router, too (enable_router_port_acl). */
function filtersForRouter(port: SwitchPort): boolean {
  const peer = routerPortBehind(port);
  return peer !== undefined && isGatewayPort(peer) && switchPeerOf(peer) === port && flag(port, "enable_router_port_acl", false);
}

/** Zones are by chassis: what a router or a neighbouring switch sends was tracked elsewhere, if at all. */
function* untracked(owner: LogicalSwitch, port: SwitchPort) {
  const details = { ioPort: port.row.name, hint: port.row };
  yield lflow(owner, lsIn.preAcl, 110, match`ip && inport == ${quoted(port.row.name)}`, next, details);
  yield lflow(owner, lsOut.preAcl, 110, match`ip && outport == ${quoted(port.row.name)}`, typeOf(port) === "localnet" ? forget : next, details);
}

/** What a list allows without state is not tracked, whatever stateful ones there are. */
export function leftUntracked(owner: LogicalSwitch, acl: Acl) {
  const stage = acl.direction === "from-lport" ? lsIn.preAcl : lsOut.preAcl;
  return lflow(owner, stage, acl.priority + aclPriorityOffset, asMatch(acl.match), actions`${bit.aclStateless} = 1; next;`, { hint: acl });
}
