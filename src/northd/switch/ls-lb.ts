/**
 * The stages of connection tracking and load balancing, as they are on a switch without load balancers: ls_*_pre_lb,
 * ls_*_pre_stateful, ls_*_stateful, ls_in_ct_extract, ls_in_lb*, ls_in_*hairpin.
 */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, match, next, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg, tooBig } from "../registers.ts";
import { isGatewayPort, redirectKey } from "../topology/router-ports.ts";
import { portsWithRole, routerPortBehind } from "../topology/switch-ports.ts";
import { hasEvpn, hasVtep, localnetPortsOf, multicastSettingsOf, routerFacingPortsOf, switchOption } from "../topology/switches.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";

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
  const forget = actions`flags.pkt_sampled = 0; ct_clear; next;`;
  for (const port of routerFacingPortsOf(owner)) yield* untracked(owner, port, forget);
  for (const port of portsWithRole(owner, "switch")) yield* untracked(owner, port, next);
  for (const port of localnetPortsOf(owner)) yield* untracked(owner, port, forget);
  if (hasEvpn(owner)) {
    yield lflow(owner, lsIn.preLb, 110, match`from_evpn_vtep`, next);
    yield lflow(owner, lsOut.preLb, 110, match`to_evpn_vtep`, forget);
  }
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

export const connectionTracking = rule("ls-connection-tracking", (t: Topology) => t.switches, function* (_, owner) {
  yield lflow(owner, lsIn.preStateful, 115, match`${bit.conntrackNat} == 1 && ip.is_frag`, actions`${bit.ipFragment} = 1; ct_lb_mark;`);
  for (const stages of [lsIn, lsOut]) {
    yield passByDefault(owner, stages.preStateful);
    yield lflow(owner, stages.preStateful, 110, match`${bit.conntrackNat} == 1`, actions`ct_lb_mark;`);
    yield lflow(owner, stages.preStateful, 100, match`${bit.conntrackDefrag} == 1`, actions`ct_next;`);
    yield passByDefault(owner, stages.stateful);
    for (const [priority, asks, commit] of commits) yield lflow(owner, stages.stateful, priority, asks, commit);
  }
});

const labelled = match`${bit.conntrackCommit} == 1 && ${bit.aclLabel} == 1`;
const unlabelled = match`${bit.conntrackCommit} == 1 && ${bit.aclLabel} == 0`;
const observed = `ct_mark.obs_stage = ${reg.obsStage}; ct_mark.obs_collector_id = ${reg.obsCollectorEstablished}; ct_label.obs_point_id = ${reg.obsPointEstablished}; `;

const commits = ([
  [100, labelled, observed, "ct_label.nf = 0; ct_label.nf_id = 0; "],
  [100, unlabelled, "", "ct_label.nf = 0; ct_label.nf_id = 0; "],
  [110, match`${unlabelled} && ${bit.nfEnabled} == 1`, "", `ct_label.nf = 1; ct_label.nf_id = ${reg.nfId}; `],
  [110, match`${labelled} && ${bit.nfEnabled} == 1`, observed, `ct_label.nf = 1; ct_label.nf_id = ${reg.nfId}; `],
] as const).map(([priority, asks, seen, function_]) => [
  priority,
  asks,
  actions`ct_commit { ct_mark.blocked = 0; ct_mark.allow_established = ${bit.aclPersistId}; ${seen}ct_label.acl_id = ${reg.aclId}; ${function_}}; next;`,
] as const);

export const loadBalancingDefaults = rule("ls-lb-defaults", (t: Topology) => t.switches, function* (_, owner) {
  for (const stage of [lsIn.ctExtract, lsIn.lbAffCheck, lsIn.lb, lsIn.lbAffLearn, lsIn.preHairpin, lsIn.natHairpin, lsIn.hairpin]) {
    yield passByDefault(owner, stage);
  }
});

/** What a hardware switch ("ramp") sends goes straight to the destination lookup, or to a router that lives here. */
export const hardwareSwitches = rule("ls-vtep", (t: Topology) => t.switches, function* (_, owner) {
  if (!hasVtep(owner)) return;
  const fromRamp = match`${bit.fromRamp} == 1`;
  yield lflow(owner, lsIn.hairpin, 1000, fromRamp, actions`next(pipeline=ingress, table=${lsIn.l2Lkup.table});`);
  for (const port of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(port);
    if (peer === undefined || !isGatewayPort(peer)) continue;
    yield lflow(owner, lsIn.hairpin, 2000, match`${fromRamp} && is_chassis_resident(${redirectKey(peer)})`, next);
  }
  yield lflow(owner, lsIn.arpRsp, 65535, match`${fromRamp} && (arp || nd_ns)`, actions`flags.loopback = 1; next;`);
});
