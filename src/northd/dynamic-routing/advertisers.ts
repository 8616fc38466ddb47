/** Who tells of what a router translates or balances: the router's own ports, and those of its neighbours that lead to it. */
import { derived } from "../../engine/index.ts";
import { switchOf } from "../topology/port-membership.ts";
import { routerPeerOf, routerPortsOf, switchPeerOf } from "../topology/router-ports.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { LogicalRouter, RouterPort } from "../topology/topology.ts";
import { redistributes } from "./redistribution.ts";

export interface Advertiser {
  readonly port: RouterPort;
  /** The router's port by which it is reached; undefined for the router's own ports. */
  readonly neighbour: RouterPort | undefined;
}

export const advertisersOf = derived("advertisers", (router: LogicalRouter, kind: "nat" | "lb"): readonly Advertiser[] => {
  const found: Advertiser[] = [];
  for (const own of routerPortsOf(router)) {
    if (redistributes(own, kind)) found.push({ port: own, neighbour: undefined });
    for (const port of neighboursOf(own)) if (redistributes(port, kind)) found.push({ port, neighbour: own });
  }
  return found;
});

/** The router ports on the other side of a direct link, or on the same switch. */
function* neighboursOf(port: RouterPort): Iterable<RouterPort> {
  const peer = routerPeerOf(port);
  if (peer !== undefined) yield peer;
  for (const facing of facingPorts(port)) {
    const owner = switchOf(facing);
    if (owner === undefined) continue;
    for (const other of routerFacingPortsOf(owner)) {
      const behind = routerPortBehind(other);
      if (behind !== undefined && behind !== port && switchPeerOf(behind) === other) yield behind;
    }
  }
}

/** The switch port that the router port is connected to. */
function* facingPorts(port: RouterPort) {
  const facing = switchPeerOf(port);
  if (facing !== undefined && routerPortBehind(facing) === port) yield facing;
}
