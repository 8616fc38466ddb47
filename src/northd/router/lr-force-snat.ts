/** dnat_force_snat_ip, lb_force_snat_ip of a gateway router: what was translated to another destination gets another source too. */
import { rule } from "../../engine/index.ts";
import { lrIn, lrOut, maxNetworkId } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { configuredIpv6, isGatewayRouter, isRouterEnabled, networksOf, peerOf, routerOf } from "../topology/router-ports.ts";
import type { LogicalRouter, RouterPort, Topology } from "../topology/topology.ts";
import { forcedSourceForDnat, forcedSourceForLb, forcesPortAddress, type ForcedSource } from "../topology/translations.ts";

const restore = actions`ct_snat;`;

export const forcedSources = rule("lr-force-snat", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router) || !isGatewayRouter(router)) return;
  yield* forced(router, "dnat", forcedSourceForDnat(router));
  yield* forced(router, "lb", forcedSourceForLb(router));
});

function* forced(router: LogicalRouter, cause: "dnat" | "lb", source: ForcedSource | undefined) {
  for (const [family, address] of [[4, source?.ipv4], [6, source?.ipv6]] as const) {
    if (address === undefined) continue;
    yield lflow(router, lrIn.unsnat, 110, match`ip${family} && ip${family}.dst == ${address}`, restore);
    yield lflow(router, lrOut.snat, 100, match`flags.force_snat_for_${cause} == 1 && ip${family}`, actions`ct_snat(${address});`);
  }
}

/** lb_force_snat_ip=router_ip: the address in the network that the packet leaves for. */
export const forcedPortAddresses = rule("lr-force-snat-of-port", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined || !forcesPortAddress(router) || peerOf(port) === undefined) return;
  yield* ofFamily(router, port, 4, networksOf(port).ipv4.map((n) => n.text));
  yield* ofFamily(router, port, 6, configuredIpv6(port).map((n) => n.text));
});

function* ofFamily(router: LogicalRouter, port: RouterPort, family: 4 | 6, addresses: readonly string[]) {
  const name = quoted(port.row.name);
  const [first] = addresses;
  if (first === undefined) return;
  for (const [i, address] of addresses.entries()) {
    yield lflow(router, lrIn.unsnat, 110, match`inport == ${name} && ip${family}.dst == ${address}`, restore);
    const id = i > maxNetworkId ? 0 : i;
    if (i > maxNetworkId) {
      port.topology.warn(`Logical router port ${name} already has the max of ${maxNetworkId + 1} networks configured, so for ${address} the first address ${first} will be the source of what is load balanced.`);
    }
    const leaving = match`flags.force_snat_for_lb == 1 && flags.network_id == ${id} && ip${family} && outport == ${name}`;
    yield lflow(router, lrOut.snat, 110, leaving, actions`ct_snat(${addresses[id] ?? first});`);
  }
  // For chassis too old to know flags.network_id.
  yield lflow(router, lrOut.snat, 105, match`flags.force_snat_for_lb == 1 && ip${family} && outport == ${name}`, actions`ct_snat(${first});`);
}
