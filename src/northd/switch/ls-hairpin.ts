/**
 * ls_in_pre_hairpin, ls_in_nat_hairpin, ls_in_hairpin: a client that is balanced to itself. Its packet goes back to where it came
 * from, with the VIP for its source, so that the answer comes by here too.
 */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { hasVips } from "../balancing/load-balancers.ts";
import { actions, match, next } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import { isGatewayPort, redirectKey } from "../topology/router-ports.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import { hasVtep, routerFacingPortsOf } from "../topology/switches.ts";
import type { Topology } from "../topology/topology.ts";

export const hairpins = rule("ls-hairpin", (t: Topology) => t.switches, function* (_, owner) {
  for (const stage of [lsIn.preHairpin, lsIn.natHairpin, lsIn.hairpin]) yield passByDefault(owner, stage);
  if (!hasVips(owner)) return;
  const details = { hint: owner.row };
  const check = actions`${bit.hairpin} = chk_lb_hairpin(); ${bit.hairpinReply} = chk_lb_hairpin_reply(); next;`;
  yield lflow(owner, lsIn.preHairpin, 100, match`ip && ct.trk`, check, details);
  yield lflow(owner, lsIn.natHairpin, 100, match`ip && ct.new && ct.trk && ${bit.hairpin} == 1`, actions`ct_snat_to_vip; next;`, details);
  yield lflow(owner, lsIn.natHairpin, 100, match`ip && ct.est && ct.trk && ${bit.hairpin} == 1`, actions`ct_snat;`, details);
  yield lflow(owner, lsIn.natHairpin, 90, match`ip && ${bit.hairpinReply} == 1`, actions`ct_snat;`, details);
  const back = actions`eth.dst <-> eth.src; outport = inport; flags.loopback = 1; output;`;
  yield lflow(owner, lsIn.hairpin, 1, match`(${bit.hairpin} == 1 || ${bit.hairpinReply} == 1)`, back);
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
