/** ls_in_pre_lb, ls_out_pre_lb: what goes to the connection tracker, for load balancers. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { hasStatefulAcls } from "../access/acl-use.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { actions, match, next, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, tooBig } from "../registers.ts";
import { portsWithRole } from "../topology/switch-ports.ts";
import { hasEvpn, localnetPortsOf, multicastSettingsOf, routerFacingPortsOf, switchOption } from "../topology/switches.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";
import { forget } from "./ls-pre-acl.ts";

/** What never goes to the connection tracker. */
export const preLb = rule("ls-pre-lb", (t: Topology) => t.switches, function* (_, owner) {
  for (const stages of [lsIn, lsOut]) {
    yield lflow(owner, stages.preLb, 110, match`eth.mcast`, next);
    yield lflow(owner, stages.preLb, 110, match`nd || nd_rs || nd_ra || mldv1 || mldv2`, next);
    yield lflow(owner, stages.preLb, 110, match`eth.${stages === lsIn ? "dst" : "src"} == $svc_monitor_mac`, next);
    yield lflow(owner, stages.preLb, 110, match`${bit.aclStateless} == 1`, next);
    yield passByDefault(owner, stages.preLb);
  }
  yield lflow(owner, lsIn.preLb, 110, match`${tooBig.tight} && flags.tunnel_rx == 1`, next);
  // Zones are by chassis: what a router or a neighbouring switch sends was tracked elsewhere, if at all.
  const outward = hasStatefulAcls(owner) ? next : forget;
  for (const port of routerFacingPortsOf(owner)) yield* untracked(owner, port, outward);
  for (const port of portsWithRole(owner, "switch")) yield* untracked(owner, port, next);
  // With a load balancer what comes from outside is balanced, too.
  const isBalanced = hasVips(owner);
  if (!isBalanced) for (const port of localnetPortsOf(owner)) yield* untracked(owner, port, forget);
  if (hasEvpn(owner)) {
    yield lflow(owner, lsIn.preLb, 110, match`from_evpn_vtep`, next);
    yield lflow(owner, lsOut.preLb, 110, match`to_evpn_vtep`, outward);
  }
  // All of it, not only what is for a VIP: replies must be told from what belongs to no connection.
  if (isBalanced) for (const stage of [lsIn.preLb, lsOut.preLb]) yield lflow(owner, stage, 100, match`ip`, actions`${bit.conntrackNat} = 1; next;`);
  yield* snoopedFromOtherZones(owner);
});

function* untracked(owner: LogicalSwitch, port: SwitchPort, outward: typeof next) {
  const details = { ioPort: port.row.name, hint: port.row };
  yield lflow(owner, lsIn.preLb, 110, match`ip && inport == ${quoted(port.row.name)}`, next, details);
  yield lflow(owner, lsOut.preLb, 110, match`ip && outport == ${quoted(port.row.name)}`, outward, details);
}

/** On a transit switch that snoops, what other zones' hosts join is learned from the egress pipeline. */
function* snoopedFromOtherZones(owner: LogicalSwitch) {
  if (!multicastSettingsOf(owner).snoops || switchOption(owner, "interconn-ts") === undefined) return;
  for (const port of portsWithRole(owner, "remote")) {
    for (const report of ["igmp", "(mldv1 || mldv2)"]) {
      const incoming = match`inport == ${quoted(port.row.name)} && ${report} && flags.igmp_loopback == 0`;
      yield lflow(owner, lsOut.preLb, 120, incoming, actions`clone { igmp; }; next;`, { protocol: "igmp" });
    }
  }
}
