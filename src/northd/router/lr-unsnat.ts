/** lr_in_unsnat: replies to translated sources find back. Before lr_in_dnat, since a packet may have been translated both ways. */
import { lrIn } from "../../logical/index.ts";
import { actions, match, next } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { isGatewayRouter } from "../topology/router-ports.ts";
import { isStateless, type Translation, translatesSource } from "../topology/translations.ts";
import { fromOutside, hasCommonZone } from "./translation-match.ts";

export function* untranslatedSource(x: Translation) {
  if (!translatesSource(x)) return;
  const { router, nat: { row } } = x;
  const hint = row;
  const packets = fromOutside(x);
  if (!isStateless(row) && hasCommonZone(router)) {
    yield lflow(router, lrIn.unsnat, 100, match`${packets} && flags.loopback == 0`, actions`ct_snat_in_czone;`, { hint });
    // What has turned round in the router was translated in the zone for sources.
    yield lflow(router, lrIn.unsnat, 100, match`${packets} && flags.loopback == 1 && flags.use_snat_zone == 1`, actions`ct_snat;`, { hint });
    return;
  }
  yield lflow(router, lrIn.unsnat, isGatewayRouter(router) ? 90 : 100, packets, isStateless(row) ? next : actions`ct_snat;`, { hint });
}
