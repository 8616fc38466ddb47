/** lr_in_ip_input: answers ARP and neighbour solicitations for VIPs, all of a router's at once by the name of their set. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { reg } from "../registers.ts";
import { vipAddressSet } from "../sync/vip-address-sets.ts";
import { isGatewayPort, redirectKey, routerOf } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";

export const vipNeighbours = rule("lr-vip-neighbours", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const here = isGatewayPort(port) ? ` && is_chassis_resident(${redirectKey(port)})` : "";
  const inport = `inport == ${quoted(port.row.name)}`;
  const { reachable4, reachable6 } = vipsOf(router);
  const set4 = reachable4.size === 0 ? undefined : vipAddressSet(router, 4);
  if (set4 !== undefined) {
    const reply = actions`eth.dst = eth.src; eth.src = ${reg.inportMac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${reg.inportMac}; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;`;
    yield lflow(router, lrIn.ipInput, 90, match`${inport} && arp.op == 1 && arp.tpa == $${set4}${here}`, reply);
  }
  const set6 = reachable6.size === 0 ? undefined : vipAddressSet(router, 6);
  if (set6 !== undefined) {
    const advertise = actions`nd_na { eth.src = ${reg.inportMac}; ip6.src = nd.target; nd.tll = ${reg.inportMac}; outport = inport; flags.loopback = 1; output; };`;
    yield lflow(router, lrIn.ipInput, 90, match`${inport} && nd_ns && nd.target == $${set6}${here}`, advertise, { protocol: "nd-na" });
  }
});
