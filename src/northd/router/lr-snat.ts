/** lr_out_post_undnat, lr_out_snat, lr_out_post_snat: from a logical source to its external address. */
import { lrOut } from "../../logical/index.ts";
import { actions, type Match, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import { chassisFeatures } from "../topology/settings.ts";
import { commitsAll, isStateless, type Translation, translatesSource } from "../topology/translations.ts";
import { alsoMatching, type Filtered, filtered, hasCommonZone, residentOf, sentAs, sourcePriority, withPorts } from "./translation-match.ts";

const notReply = "(!ct.trk || !ct.rpl)";

export function* translatedSource(x: Translation) {
  if (!translatesSource(x)) return;
  const { router, nat: { row }, family, externalIp } = x;
  const hint = row;
  const priority = sourcePriority(x);
  const packets = leaving(x);
  yield* packets.exemption;
  if (isStateless(row)) {
    yield lflow(router, lrOut.snat, priority, packets.match, actions`${sentAs(x)}ip${family}.src=${externalIp}; next;`, { hint });
    return;
  }
  const requests = match`${packets.match} && ${notReply}`;
  const address = withPorts(x, externalIp);
  if (hasCommonZone(router)) {
    yield lflow(router, lrOut.snat, priority, requests, actions`${sentAs(x)}ct_snat_in_czone(${address});`, { hint });
    const local = match`${requests} && ${bit.dnatLocal} == 1`;
    yield lflow(router, lrOut.snat, priority + 1, local, actions`${sentAs(x)}${bit.dnatLocal} = 0; ct_snat(${address});`, { hint });
    return;
  }
  yield lflow(router, lrOut.snat, priority, requests, actions`${sentAs(x)}ct_snat(${address});`, { hint });
  yield* tracked(x, requests, priority);
}

/** What the logical address sends out; `back`: what comes in for it untranslated. */
function direction(x: Translation, isBack: boolean): Filtered {
  const { family, logicalIp, gateway } = x;
  const port = gateway === undefined ? "" : ` && ${isBack ? "inport" : "outport"} == ${quoted(gateway.row.name)}${residentOf(x)}`;
  const packets = filtered(x, isBack ? "src" : "dst", match`ip && ip${family}.${isBack ? "dst" : "src"} == ${logicalIp}${port}`);
  return { match: alsoMatching(x, packets.match), exemption: packets.exemption };
}

const leaving = (x: Translation): Filtered => direction(x, false);

/**
 * Replies to connections that came in untranslated must not be translated either: so these are tracked, for source
 * translation in the zone for sources, for the others in the one for destinations.
 */
function* tracked(x: Translation, requests: Match, priority: number) {
  const { router, gateway } = x;
  const features = chassisFeatures(router.topology);
  if (!features.ct_commit_to_zone || !features.ct_next_zone || gateway === undefined || commitsAll(router)) return;
  const zone = x.type === "snat" ? "snat" : "dnat";
  const raise = x.type === "snat" ? 0 : 5;
  yield lflow(router, lrOut.postUndnat, 70 + raise, requests, actions`ct_next(${zone});`);
  const back = direction(x, true);
  yield* back.exemption;
  yield lflow(router, lrOut.snat, priority + raise, match`${back.match} && ${notReply}`, actions`ct_${zone};`);
  yield lflow(router, lrOut.postSnat, priority + raise, match`${back.match} && ct.new`, actions`ct_commit_to_zone(${zone});`);
}
