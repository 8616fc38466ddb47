/** Port_Binding of router ports, and of the chassisredirect ports of gateways. */
import { derived, rule } from "../../engine/index.ts";
import { wished } from "../../ovsdb/index.ts";
import { hasDistributedBalancer } from "../balancing/load-balancers.ts";
import { boolOption } from "../options.ts";
import { routerPortText } from "../port-addresses.ts";
import { leadsToVtep } from "../router/lr-admission.ts";
import { advertisedOptions } from "./ra-options.ts";
import { chassisOf, isGatewayPort, networksOf, peerOf, redirectName, routerOf } from "../topology/router-ports.ts";
import { chassisNamed, isRemoteChassis } from "../topology/settings.ts";
import type { LogicalRouter, RouterPort, SbRow, Topology } from "../topology/topology.ts";
import { hasDistributedNat } from "../topology/translations.ts";
import { gatewayGroupName } from "./ha-chassis-groups.ts";
import { type BindingColumns, bindingOf, bindPort, requestedEncap } from "./port-bindings.ts";

export const routerPortBindings = rule("port-binding-of-router-port", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  yield* bindPort(router, port, () => ({ ...common(port), ...itself(router, port) }));
  if (isGatewayPort(port)) yield* bindPort(router, port, () => ({ ...common(port), ...redirecting(router, port) }), redirectName(port.row.name));
});

const common = (port: RouterPort): BindingColumns => ({
  parent_port: undefined, tag: undefined, mac: [routerPortText(networksOf(port))], external_ids: port.row.external_ids,
});

/** A port of a transit router that is on a chassis of another zone. */
const remoteChassisOf = derived("remote chassis", (port: RouterPort): SbRow<"Chassis"> | undefined => {
  const name = port.row.options.get("requested-chassis");
  const chassis = name === undefined ? undefined : chassisNamed(port.topology, name);
  return chassis !== undefined && isRemoteChassis(chassis) ? chassis : undefined;
});

function itself(router: LogicalRouter, port: RouterPort): BindingColumns {
  const chassis = chassisOf(router);
  const remote = chassis === undefined ? remoteChassisOf(port) : undefined;
  const options = new Map<string, string>();
  const peer = peerOf(port);
  if (peer !== undefined) {
    options.set("peer", peer.port.row.name);
    if (isGatewayPort(port)) options.set("chassis-redirect-port", redirectName(port.row.name));
  }
  if (chassis !== undefined) options.set("l3gateway-chassis", chassis);
  if (chassis !== undefined) dynamicRouting(router, port, options);
  dynamicRoutingEverywhere(router, port, options);
  const delegated = delegatedPrefixes(router, port);
  if (delegated !== undefined) options.set("ipv6_ra_pd_list", delegated);
  for (const [key, value] of advertisedOptions(port)) options.set(key, value);
  return {
    type: chassis !== undefined ? "l3gateway" : remote !== undefined ? "remote" : "patch",
    ...requestedEncap(port, remote, bindingOf(port.topology, router, port.row.name)),
    options,
    requested_chassis: remote?._uuid,
    ...placement(port, remote),
  };
}

const boundChassis = derived("chassis of router port", (port: RouterPort): SbRow<"Chassis"> | undefined => {
  const router = routerOf(port);
  return router === undefined ? undefined : port.topology.sb.Chassis.get(bindingOf(port.topology, router, port.row.name)?.chassis);
});

/** On behalf of chassis of other zones northd binds ports, and lets go of them. */
function placement(port: RouterPort, remote: SbRow<"Chassis"> | undefined): BindingColumns {
  if (remote !== undefined) return { chassis: remote._uuid };
  const bound = boundChassis(port);
  return bound !== undefined && isRemoteChassis(bound) ? { chassis: undefined } : {};
}

/** Prefixes that the controller was delegated by DHCPv6: it keeps them in the row. */
function delegatedPrefixes(router: LogicalRouter, port: RouterPort): string | undefined {
  return boolOption(port.row.options, "prefix_delegation", false) || boolOption(port.row.options, "prefix", false)
    ? bindingOf(port.topology, router, port.row.name)?.options.get("ipv6_ra_pd_list")
    : undefined;
}

function redirecting(router: LogicalRouter, port: RouterPort): BindingColumns {
  const options = new Map([["distributed-port", port.row.name]]);
  const redirectType = port.row.options.get("redirect-type");
  if (redirectType !== undefined) options.set("redirect-type", redirectType);
  if (redirectType !== "bridged" && !leadsToVtep(port) && !hasDistributedNat(router) && !hasDistributedBalancer(router)) options.set("always-redirect", "true");
  dynamicRouting(router, port, options);
  dynamicRoutingEverywhere(router, port, options);
  const group = gatewayGroupName(port);
  return {
    type: "chassisredirect",
    options,
    requested_chassis: undefined,
    ha_chassis_group: group === undefined ? undefined : wished("HA_Chassis_Group", group),
    gateway_chassis: [],
  };
}

/** Dynamic routing runs where the router's traffic passes one chassis. */
function dynamicRouting(router: LogicalRouter, port: RouterPort, options: Map<string, string>): void {
  if (!boolOption(router.row.options, "dynamic-routing", false)) return;
  options.set("dynamic-routing", "true");
  if (boolOption(port.row.options, "dynamic-routing-maintain-vrf", false)) options.set("dynamic-routing-maintain-vrf", "true");
  const copies = [
    [router.row.options, "dynamic-routing-vrf-name"],
    [port.row.options, "dynamic-routing-port-name"],
    [port.row.options, "routing-protocol-redirect"],
  ] as const;
  for (const [from, key] of copies) {
    const value = from.get(key);
    if (value !== undefined) options.set(key, value);
  }
}

function dynamicRoutingEverywhere(router: LogicalRouter, port: RouterPort, options: Map<string, string>): void {
  if (!boolOption(router.row.options, "dynamic-routing", false)) return;
  for (const key of ["dynamic-routing-redistribute-local-only", "dynamic-routing-no-learning"]) {
    if (boolOption(port.row.options, key, boolOption(router.row.options, key, false))) options.set(key, "true");
  }
}
