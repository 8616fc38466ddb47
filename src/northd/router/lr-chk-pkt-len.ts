/** lr_in_chk_pkt_len, lr_in_larger_pkts: options:gateway_mtu, and the errors for what is larger (RFC 1191, RFC 8201). */
import { rule } from "../../engine/index.ts";
import { lrIn, lrOut, type Stage } from "../../logical/index.ts";
import { actions, match, next, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { isRouterEnabled, networksOf, routerOf, routerPortsOf } from "../topology/router-ports.ts";
import { chassisFeatures } from "../topology/settings.ts";
import type { LogicalRouter, RouterPort, Topology } from "../topology/topology.ts";
import { gatewayMtuOf, measured } from "./gateway-mtu.ts";

export const packetLengthDefaults = rule("lr-chk-pkt-len-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield passByDefault(router, lrIn.chkPktLen);
  yield passByDefault(router, lrIn.largerPkts);
});

export const packetLengths = rule("lr-chk-pkt-len", (t: Topology) => t.routerPorts, function* (t, port) {
  const router = routerOf(port);
  const mtu = gatewayMtuOf(port);
  if (router === undefined || mtu === 0) return;
  const hint = port.row;
  const features = chassisFeatures(t);
  const check = features.ct_state_save ? actions`${reg.ctState} = ct_state_save(); next;` : next;
  for (const flow of measured(port, match`outport == ${quoted(port.row.name)}`, check)) {
    yield lflow(router, lrIn.chkPktLen, 50 + flow.raise, flow.match, flow.actions, { hint });
  }
  yield* tooBig(router, port, lrIn.ipInput, mtu, "", 150, "", "");
  // What was translated on its way in must be told to the address that the sender knows.
  const translated = features.ct_state_save ? "reg4[5] && reg4[3] && reg4[7]" : "ct.trk && ct.rpl && ct.dnat";
  for (const inport of routerPortsOf(router)) {
    if (inport === port) continue;
    const out = ` && outport == ${quoted(port.row.name)}`;
    yield* tooBig(router, inport, lrIn.largerPkts, mtu, out, 160, ` && ${translated}`, "flags.icmp_snat = 1; ");
    yield* tooBig(router, inport, lrIn.largerPkts, mtu, out, 150, "", "");
  }
  if (features.ct_commit_nat_v2) {
    yield lflow(router, lrOut.postSnat, 100, match`icmp && flags.icmp_snat == 1`, actions`ct_commit_nat(snat);`, { hint });
  }
});

function* tooBig(router: LogicalRouter, inport: RouterPort, stage: Stage, mtu: number, out: string, priority: number, extra: string, first: string) {
  const { macText, ipv4, ipv6 } = networksOf(inport);
  const hint = inport.row;
  const begin = `inport == ${quoted(inport.row.name)}${out}`;
  const larger = `${bit.packetLarger} && ${bit.egressLoopback} == 0${extra}`;
  const again = `${bit.egressLoopback} = 1; ${bit.packetLarger} = 0; `;
  const onward = `next(pipeline=ingress, table=${lrIn.admission.table}); };`;
  const [own4] = ipv4;
  const [own6] = ipv6;
  if (own4 !== undefined) {
    const error = actions`icmp4_error {${first}${again}eth.dst = ${macText}; ip4.dst = ip4.src; ip4.src = ${own4.text}; ip.ttl = 255; icmp4.type = 3; /* Destination Unreachable. */ icmp4.code = 4; /* Frag Needed and DF was Set. */ icmp4.frag_mtu = ${mtu}; ${onward}`;
    yield lflow(router, stage, priority, match`${begin} && ip4 && ${larger}`, error, { hint, protocol: "icmp4-error" });
  }
  if (own6 !== undefined) {
    const error = actions`icmp6_error {${first}${again}eth.dst = ${macText}; ip6.dst = ip6.src; ip6.src = ${own6.text}; ip.ttl = 255; icmp6.type = 2; /* Packet Too Big. */ icmp6.code = 0; icmp6.frag_mtu = ${mtu}; ${onward}`;
    yield lflow(router, stage, priority, match`${begin} && ip6 && ${larger}`, error, { hint, protocol: "icmp6-error" });
  }
}
