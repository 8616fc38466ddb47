/** lr_in_dnat: from an external address to the logical one behind it. */
import { lrIn } from "../../logical/index.ts";
import { actions, match } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { boolOption } from "../options.ts";
import { isGatewayRouter } from "../topology/router-ports.ts";
import { forcedSourceForDnat, isStateless, type Translation, translatesDestination } from "../topology/translations.ts";
import { alsoMatching, destinationPriority, filtered, fromOutside, hasCommonZone, withPorts } from "./translation-match.ts";

export function* translatedDestination(x: Translation) {
  if (!translatesDestination(x)) return;
  const { router, nat: { row }, family, logicalIp } = x;
  const hint = row;
  const packets = filtered(x, "src", fromOutside(x));
  yield* packets.exemption;
  const priority = destinationPriority(x);
  if (isStateless(row) && family === 4 && boolOption(row.options, "stateless_icmp_helper", true)) {
    // An error quotes the packet it is about: without its source translated too, the switch's connection tracking would not know it.
    const error = match`${packets.match} && icmp4 && icmp4.type == {3, 11, 12}`;
    yield lflow(router, lrIn.dnat, priority + 1, error, actions`ip4.dst=${logicalIp}; icmp4.inner_ip4.src = ${logicalIp}; next;`, { hint, protocol: "icmp4-error" });
  }
  const rewrite = isStateless(row) ? `ip${family}.dst=${logicalIp}; next;` : `${hasCommonZone(router) ? "ct_dnat_in_czone" : "ct_dnat"}(${withPorts(x, logicalIp)});`;
  yield lflow(router, lrIn.dnat, priority, alsoMatching(x, packets.match), actions`${flagsBefore(x)}${rewrite}`, { hint });
}

/** A gateway router may have to send it back by the port that it came in by. */
function flagsBefore({ router }: Translation): string {
  if (!isGatewayRouter(router)) return "";
  return `${forcedSourceForDnat(router) === undefined ? "" : "flags.force_snat_for_dnat = 1; "}flags.loopback = 1; `;
}
