/**
 * options:ecmp_symmetric_reply: replies leave by the port, and to the MAC, that the connection's first packet came from. Both
 * are kept with the connection (ct_mark.ecmp_reply_port, ct_label.ecmp_reply_eth).
 */
import { lrIn } from "../../logical/index.ts";
import { formatIp, type Ip, networkOf, type Prefix } from "../../net/index.ts";
import { actions, type Match, match, next, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { reg } from "../registers.ts";
import { isGatewayRouter, networksOf } from "../topology/router-ports.ts";
import type { ParsedRoute } from "../topology/routes.ts";
import type { RouterPort } from "../topology/topology.ts";

export function* symmetricReplies(member: ParsedRoute, outPort: RouterPort, nextHop: Ip, routeMatches: Match) {
  const { router, prefix, isSource, route } = member;
  const portKey = router.topology.portKeys.get(outPort.row.name);
  // Only where all traffic of the router passes one chassis does its connection tracker know the connection.
  if (!isGatewayRouter(router) || portKey === undefined) return;
  const hint = route.row;
  const arrives = match`inport == ${quoted(outPort.row.name)} && ip${prefix.family}.${isSource ? "dst" : "src"} == ${normalized(prefix)}`;
  yield lflow(router, lrIn.defrag, 100, arrives, actions`ct_next;`, { hint });
  yield lflow(router, lrIn.defrag, 100, routeMatches, actions`ct_next;`, { hint });
  const commit = actions`ct_commit { ct_label.ecmp_reply_eth = eth.src; ct_mark.ecmp_reply_port = ${portKey};}; next;`;
  yield lflow(router, lrIn.ecmpStateful, 100, match`${arrives} && (ct.new || ct.est)`, commit, { hint });
  const isReply = match`ct_mark.ecmp_reply_port == ${portKey}`;
  const from = member.ownAddress === undefined ? "" : `${nextHop.family === 4 ? reg.source4 : reg.source6} = ${member.ownAddress}; `;
  const back = actions`ip.ttl--; flags.loopback = 1; eth.src = ${networksOf(outPort).macText}; ${from}outport = ${quoted(outPort.row.name)}; next;`;
  yield lflow(router, lrIn.ipRouting, 10300, match`${isReply} && ${routeMatches}`, back, { hint });
  yield lflow(router, lrIn.policy, 65535, isReply, next, { hint });
  // By way of a register, since masked access to ct_label keeps some cards from taking the flow over.
  const resolve = actions`push(xxreg1); xxreg1 = ct_label; eth.dst = xxreg1[32..79]; pop(xxreg1); next;`;
  yield lflow(router, lrIn.arpResolve, 200, isReply, resolve, { hint });
}

/** A prefix of full length is written as the address alone. */
function normalized(prefix: Prefix): string {
  const network = networkOf(prefix);
  return prefix.length === (prefix.family === 4 ? 32 : 128) ? formatIp(network) : `${formatIp(network)}/${prefix.length}`;
}
