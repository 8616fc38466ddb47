/** lr_in_network_id: which of the port's networks the next hop is in, for address translation. */
import { rule } from "../../engine/index.ts";
import { lrIn, maxNetworkId } from "../../logical/index.ts";
import { actions, everything, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { reg } from "../registers.ts";
import { configuredIpv6, isRouterEnabled, networksOf, routerOf } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";

export const networkIdDefaults = rule("lr-network-id-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield lflow(router, lrIn.networkId, 105, everything, actions`flags.network_id = 0; next;`);
  // For chassis too old to know flags.network_id.
  yield passByDefault(router, lrIn.networkId);
});

export const networkIds = rule("lr-network-id", (t: Topology) => t.routerPorts, function* (t, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const families = [
    { ip: "ip4", register: reg.nextHop4, networks: networksOf(port).ipv4 },
    { ip: "ip6", register: reg.nextHop6, networks: configuredIpv6(port) },
  ];
  for (const { ip, register, networks } of families) {
    for (const [i, n] of networks.entries()) {
      if (i > maxNetworkId) {
        t.warn(
          `Logical router port ${quoted(port.row.name)} already has the max of ${maxNetworkId + 1} networks configured, so network "${n.text}/${n.length}" is assigned flags.network_id = 0.`,
        );
      }
      const hop = match`outport == ${quoted(port.row.name)} && ${ip} && ${register} == ${n.text}/${n.length}`;
      yield lflow(router, lrIn.networkId, 110, hop, actions`flags.network_id = ${i > maxNetworkId ? 0 : i}; next;`);
    }
  }
});
