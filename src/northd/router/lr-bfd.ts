/** lr_in_ip_input for BFD: packets of sessions of the router's own ports go to the controller (RFC 5881). */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { runsBfd } from "../bfd/sessions.ts";
import { actions, match, oneOrSet } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { networksOf, routerOf } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";

export const bfdPort = 3784;

export const bfdPackets = rule("lr-bfd", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined || !runsBfd(port)) return;
  const { ipv4, ipv6 } = networksOf(port);
  const hint = port.row;
  for (const [family, networks] of [[4, ipv4], [6, ipv6]] as const) {
    if (networks.length === 0) continue;
    const own = oneOrSet(networks.map((n) => n.text));
    yield lflow(router, lrIn.ipInput, 110, match`ip${family}.src == ${own} && udp.dst == ${bfdPort}`, actions`next; `, { hint });
    yield lflow(router, lrIn.ipInput, 110, match`ip${family}.dst == ${own} && udp.dst == ${bfdPort}`, actions`handle_bfd_msg(); `, { hint, protocol: "bfd" });
  }
});
