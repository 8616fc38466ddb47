/**
 * The roles that a port plays in its switch, as keys of an index: so that "the localnet ports of this switch" or "where
 * broadcasts go" are read without looking at the other ports, and one more port wakes only who reads its roles.
 */
import { typeOf } from "./switch-ports.ts";
import { flag, hasUnknown, proxiedAddressesOf, routerPortBehind } from "./switch-ports.ts";
import { isPortEnabled, relaysMulticast, routerOf } from "./router-ports.ts";
import { switchOf } from "./port-membership.ts";
import type { SwitchPort } from "./topology.ts";

export function* rolesOf(port: SwitchPort): Iterable<string> {
  const owner = switchOf(port);
  if (owner === undefined) return;
  for (const role of roles(port)) yield `${owner.row._uuid} ${role}`;
}

function* roles(port: SwitchPort): Iterable<string> {
  const type = typeOf(port);
  if (type === "localnet" || type === "switch" || type === "vtep" || type === "remote") yield type;
  const peer = routerPortBehind(port);
  if (peer !== undefined) yield "router";
  const router = peer === undefined ? undefined : routerOf(peer);
  const relays = router !== undefined && relaysMulticast(router);
  // The switch passes multicast on to routers that relay it.
  if (relays) yield "relay";
  if (port.row.mirror_rules.size > 0) yield "port-mirror";
  if (hasUnknown(port)) yield "unknown";
  if (proxiedAddressesOf(port) !== undefined) yield "arp-proxy";
  if (isPortEnabled(port) && flag(port, "receive_multicast", true)) yield* multicastRoles(port, relays);
}

/** Members of the multicast groups: see sync/multicast-groups.ts. */
function* multicastRoles(port: SwitchPort, relays: boolean): Iterable<string> {
  yield "mc-flood";
  if (typeOf(port) !== "router") yield "mc-flood-l2";
  if (hasUnknown(port)) yield "mc-unknown";
  if (flag(port, "mcast_flood", false)) yield "mc-static";
  if (relays || flag(port, "mcast_flood_reports", false)) yield "mc-mrouter";
}
