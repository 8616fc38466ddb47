/** lr_in_gw_redirect: traffic for a distributed gateway port goes to the chassis where the gateway is. */
import { rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { isGatewayPort, isRouterEnabled, redirectKey, routerOf } from "../topology/router-ports.ts";
import type { Topology } from "../topology/topology.ts";
import { leadsToVtep } from "./lr-admission.ts";

export const redirectDefaults = rule("lr-gw-redirect-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (isRouterEnabled(router)) yield passByDefault(router, lrIn.gwRedirect);
});

export const gatewayRedirect = rule("lr-gw-redirect", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  if (router === undefined || !isGatewayPort(port) || leadsToVtep(port)) return;
  yield lflow(router, lrIn.gwRedirect, 50, match`outport == ${quoted(port.row.name)}`, actions`outport = ${redirectKey(port)}; next;`, { hint: port.row });
});
