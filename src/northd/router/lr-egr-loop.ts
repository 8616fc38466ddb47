/** lr_out_egr_loop: what leaves for an external address of the router itself comes in again, to be translated to whom it is for. */
import { lrIn, lrOut } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import { usesCommonZone } from "../topology/settings.ts";
import type { Topology } from "../topology/topology.ts";
import type { Translation } from "../topology/translations.ts";
import { residentOf } from "./translation-match.ts";

const noRegisters = Array.from({ length: 10 }, (_, i) => `reg${i} = 0; `).join("");

export const loopMatch = (x: Translation) => match`ip${x.family}.dst == ${x.externalIp} && outport == ${quoted(x.gateway?.row.name ?? "")}${residentOf(x)}`;

export function loopActions(t: Topology) {
  const zone = usesCommonZone(t) ? `flags.use_snat_zone = ${bit.dnatLocal}; ` : "";
  return actions`clone { ct_clear; inport = outport; outport = ""; eth.dst <-> eth.src; flags = 0; flags.loopback = 1; ${zone}${noRegisters}${bit.egressLoopback} = 1; next(pipeline=ingress, table=${lrIn.admission.table}); };`;
}

export function* egressLoop(x: Translation) {
  if (x.gateway === undefined) return;
  yield lflow(x.router, lrOut.egrLoop, 100, loopMatch(x), loopActions(x.router.topology), { hint: x.nat.row });
}
