/** Which switches and routers have which load balancers: by themselves, by way of groups, or of the routers beside them. */
import { type Index, relation, rule } from "../../engine/index.ts";
import { type Direct, type GroupMember, type GroupUse, JoinedPairs } from "../topology/joined-pairs.ts";
import { perZone } from "../topology/per-zone.ts";
import { isRouterEnabled, routerOf } from "../topology/router-ports.ts";
import { takesBalancersFromRouters } from "../topology/settings.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { Datapath, LoadBalancer, LogicalRouter, LogicalSwitch, NbRow, Topology } from "../topology/topology.ts";

type BalancerGroup = NbRow<"Load_Balancer_Group">;

const DirectBalancer = relation<Direct<Datapath, LoadBalancer>>("load balancers of datapaths", ({ owner, item }) => `${owner.row._uuid} ${item.row._uuid}`);
const UsedGroup = relation<GroupUse<Datapath, BalancerGroup>>("load balancer groups of datapaths", ({ owner, group }) => `${owner.row._uuid} ${group._uuid}`);
const GroupedBalancer = relation<GroupMember<BalancerGroup, LoadBalancer>>("load balancers of groups", ({ group, item }) => `${group._uuid} ${item.row._uuid}`);

/** One load balancer on one switch. */
export interface SwitchBalancer {
  readonly owner: LogicalSwitch;
  readonly balancer: LoadBalancer;
}

/** One load balancer on one router. */
export interface RouterBalancer {
  readonly owner: LogicalRouter;
  readonly balancer: LoadBalancer;
}

export type BalancerUse = SwitchBalancer | RouterBalancer;

export interface BalancerUses {
  readonly pairs: JoinedPairs<Datapath, BalancerGroup, LoadBalancer, BalancerUse>;
  /** By the UUID of the switch or router. */
  readonly ofDatapath: Index<string, BalancerUse>;
  /** By the UUID of the load balancer. */
  readonly ofBalancer: Index<string, BalancerUse>;
}

class Use {
  readonly owner: Datapath;
  readonly balancer: LoadBalancer;
  constructor(owner: Datapath, balancer: LoadBalancer) {
    this.owner = owner;
    this.balancer = balancer;
  }
  toString(): string {
    return `${String(this.balancer)} on ${String(this.owner)}`;
  }
}

export const balancerUses = perZone(({ engine }: Topology): BalancerUses => {
  const sources = { direct: engine.facts(DirectBalancer), uses: engine.facts(UsedGroup), members: engine.facts(GroupedBalancer) };
  const pairs = new JoinedPairs("load balancers on datapaths", sources, (owner, balancer): BalancerUse => new Use(owner, balancer) as BalancerUse);
  return {
    pairs,
    ofDatapath: engine.index("load balancers of datapath", pairs, (use) => [use.owner.row._uuid as string]),
    ofBalancer: engine.index("datapaths of load balancer", pairs, (use) => [use.balancer.row._uuid as string]),
  };
});

export const balancersOfGroups = rule("load-balancers-of-groups", (t: Topology) => t.nb.Load_Balancer_Group, function* (t, group) {
  for (const uuid of group.load_balancer) {
    const item = t.loadBalancer(t.nb.Load_Balancer.get(uuid));
    if (item !== undefined) yield GroupedBalancer({ group, item });
  }
});

export const balancersOfSwitches = rule("load-balancers-of-switches", (t: Topology) => t.switches, function* (t, owner) {
  yield* usesOf(owner, owner);
  if (!takesBalancersFromRouters(t)) return;
  for (const port of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(port);
    const router = peer === undefined ? undefined : routerOf(peer);
    if (router !== undefined) yield* usesOf(owner, router);
  }
});

export const balancersOfRouters = rule("load-balancers-of-routers", (t: Topology) => t.routers, function* (_, router) {
  if (isRouterEnabled(router)) yield* usesOf(router, router);
});

/** `owner` has what `source` names. */
function* usesOf(owner: Datapath, { row, topology: t }: Datapath) {
  for (const uuid of row.load_balancer) {
    const item = t.loadBalancer(t.nb.Load_Balancer.get(uuid));
    if (item !== undefined) yield DirectBalancer({ owner, item });
  }
  for (const uuid of row.load_balancer_group) {
    const group = t.nb.Load_Balancer_Group.get(uuid);
    if (group !== undefined) yield UsedGroup({ owner, group });
  }
}
