/** Which switches and routers have which load balancers: by themselves, by way of groups, or of the routers beside them. */
import { type Relation, relation, rule } from "../../engine/index.ts";
import { type Direct, type GroupMember, type GroupUse, JoinedPairs } from "../topology/joined-pairs.ts";
import { perZone } from "../topology/per-zone.ts";
import { isRouterEnabled, routerOf } from "../topology/router-ports.ts";
import { takesBalancersFromRouters } from "../topology/settings.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { Datapath, LoadBalancer, LogicalRouter, LogicalSwitch, NbRow, Topology } from "../topology/topology.ts";

type BalancerGroup = NbRow<"Load_Balancer_Group">;

const key = (owner: Datapath, { _uuid }: { readonly _uuid: string }): string => `${owner.row._uuid} ${_uuid}`;
const direct = <Owner extends Datapath>(name: string) => relation<Direct<Owner, LoadBalancer>>(name, ({ owner, item }) => key(owner, item.row));
const used = <Owner extends Datapath>(name: string) => relation<GroupUse<Owner, BalancerGroup>>(name, ({ owner, group }) => key(owner, group));
const ofSwitches = { direct: direct<LogicalSwitch>("load balancers of switches"), used: used<LogicalSwitch>("load balancer groups of switches") };
const ofRouters = { direct: direct<LogicalRouter>("load balancers of routers"), used: used<LogicalRouter>("load balancer groups of routers") };
const GroupedBalancer = relation<GroupMember<BalancerGroup, LoadBalancer>>("load balancers of groups", ({ group, item }) => `${group._uuid} ${item.row._uuid}`);

/** One load balancer on one switch or router. */
export class BalancerUse<Owner extends Datapath> {
  readonly owner: Owner;
  readonly balancer: LoadBalancer;
  constructor(owner: Owner, balancer: LoadBalancer) {
    this.owner = owner;
    this.balancer = balancer;
  }
  toString(): string {
    return `${String(this.balancer)} on ${String(this.owner)}`;
  }
}

export type BalancerUses<Owner extends Datapath> = JoinedPairs<Owner, BalancerGroup, LoadBalancer, BalancerUse<Owner>>;

export const switchBalancers = perZone(({ engine }: Topology): BalancerUses<LogicalSwitch> => {
  const sources = { direct: engine.facts(ofSwitches.direct), uses: engine.facts(ofSwitches.used), members: engine.facts(GroupedBalancer) };
  return new JoinedPairs("load balancers on switches", sources, (owner, balancer) => new BalancerUse(owner, balancer));
});

export const routerBalancers = perZone(({ engine }: Topology): BalancerUses<LogicalRouter> => {
  const sources = { direct: engine.facts(ofRouters.direct), uses: engine.facts(ofRouters.used), members: engine.facts(GroupedBalancer) };
  return new JoinedPairs("load balancers on routers", sources, (owner, balancer) => new BalancerUse(owner, balancer));
});

export const balancersOfGroups = rule("load-balancers-of-groups", (t: Topology) => t.nb.Load_Balancer_Group, function* (t, group) {
  for (const uuid of group.load_balancer) {
    const item = t.loadBalancer(t.nb.Load_Balancer.get(uuid));
    if (item !== undefined) yield GroupedBalancer({ group, item });
  }
});

export const balancersOfSwitches = rule("load-balancers-of-switches", (t: Topology) => t.switches, function* (t, owner) {
  yield* usesOf(owner, owner, ofSwitches);
  if (!takesBalancersFromRouters(t)) return;
  for (const port of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(port);
    const router = peer === undefined ? undefined : routerOf(peer);
    if (router !== undefined) yield* usesOf(owner, router, ofSwitches);
  }
});

export const balancersOfRouters = rule("load-balancers-of-routers", (t: Topology) => t.routers, function* (_, router) {
  if (isRouterEnabled(router)) yield* usesOf(router, router, ofRouters);
});

interface UseRelations<Owner> {
  readonly direct: Relation<Direct<Owner, LoadBalancer>>;
  readonly used: Relation<GroupUse<Owner, BalancerGroup>>;
}

/** `owner` has what `source` names. */
function* usesOf<Owner extends Datapath>(owner: Owner, { row, topology: t }: Datapath, relations: UseRelations<Owner>) {
  for (const uuid of row.load_balancer) {
    const item = t.loadBalancer(t.nb.Load_Balancer.get(uuid));
    if (item !== undefined) yield relations.direct({ owner, item });
  }
  for (const uuid of row.load_balancer_group) {
    const group = t.nb.Load_Balancer_Group.get(uuid);
    if (group !== undefined) yield relations.used({ owner, group });
  }
}
