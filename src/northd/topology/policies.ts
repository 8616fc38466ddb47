/** Routing policies, parsed: which of their next hops can be used, and the numbers of chains and ECMP groups. */
import { derived, type Index, rule, type Rule } from "../../engine/index.ts";
import { isReachable, sessionKey } from "../bfd/sessions.ts";
import { BfdUse } from "../bfd/users.ts";
import { compareBytes, memberAddress } from "../port-addresses.ts";
import { perZone } from "./per-zone.ts";
import { Routed } from "./route-order.ts";
import { isRouterEnabled, networksOf, routerOf, routerPortsOf } from "./router-ports.ts";
import type { LogicalRouter, NbRow, Policy, RouterPort, Topology } from "./topology.ts";

interface PolicyIndexes {
  readonly routers: Index<string, LogicalRouter>;
  /** By router: policies that are part of a named chain. */
  readonly chained: Index<string, Policy>;
  readonly withChains: Index<"", LogicalRouter>;
}

const chainOf = ({ row }: Policy): string => row.chain ?? "";

const indexes = perZone((t: Topology): PolicyIndexes => {
  const { engine } = t;
  const routers = engine.index("routers of policy", t.routers, (router: LogicalRouter): Iterable<string> => router.row.policies);
  const enabled = (policy: Policy): readonly LogicalRouter[] => [...routers.get(policy.row._uuid)].filter((router) => isRouterEnabled(router));
  const chained = engine.index("chained policies", t.policies, (policy: Policy) => (chainOf(policy) === "" ? [] : enabled(policy).map((router) => router.row._uuid)));
  return {
    routers, chained,
    withChains: engine.index("routers with chains", t.routers, (router: LogicalRouter): "" [] => (chained.first(router.row._uuid) === undefined ? [] : [""])),
  };
});

/** By router: valid policies with several next hops. */
const ecmpPolicies = perZone((t: Topology): Index<string, Policy> => t.engine.index("ecmp policies", t.policies, (policy: Policy) =>
  isEcmpPolicy(policy.row) ? routersOfPolicy(policy).filter((router) => policyOf(policy, router) !== undefined).map((router) => router.row._uuid) : []));

/** The source of rules about single policies. */
export const policies = (t: Topology) => {
  indexes(t);
  ecmpPolicies(t);
  return t.policies;
};

/** The enabled routers that have the policy: one, as a rule. */
export const routersOfPolicy = (policy: Policy): readonly LogicalRouter[] =>
  [...indexes(policy.topology).routers.get(policy.row._uuid)].filter((router) => isRouterEnabled(router));

interface Chain {
  readonly id: number;
  /** The router that mentions it first. */
  readonly since: string;
}

/** Chains are numbered zone-wide, in the order in which routers are met (route-order.ts), and known from then on. */
const chains = derived("chains", (t: Topology): ReadonlyMap<string, Chain> => {
  const { withChains, chained } = indexes(t);
  const routers = [...withChains.get("")].map((router) => router.row._uuid).sort((a, b) => t.routeOrder.compareRouters(a, b));
  const known = new Map<string, Chain>();
  for (const since of routers) {
    for (const policy of [...chained.get(since)].sort((a, b) => compareBytes(a.row._uuid, b.row._uuid))) {
      if (!known.has(chainOf(policy))) known.set(chainOf(policy), { id: known.size + 1, since });
    }
  }
  return known;
});

const isKnownTo = ({ row, topology: t }: LogicalRouter, { since }: Chain): boolean => t.routeOrder.compareRouters(since, row._uuid) <= 0;

const chainId = derived("chain id", (router: LogicalRouter, name: string): number => {
  const chain = chains(router.topology).get(name);
  return chain !== undefined && isKnownTo(router, chain) ? chain.id : 0;
});

const knowsChains = derived("knows chains", (router: LogicalRouter): boolean => {
  const [first] = chains(router.topology).values();
  return first !== undefined && isKnownTo(router, first);
});

export interface NextHop {
  readonly ip: string;
  readonly port: RouterPort;
  readonly ownAddress: string;
}

export interface ParsedPolicy extends PolicyChains {
  readonly nextHops: readonly NextHop[];
}

export const isEcmpPolicy = (row: NbRow<"Logical_Router_Policy">): boolean => row.action === "reroute" && row.nexthops.size > 1;

interface PolicyChains {
  /** Undefined where there are no chains. */
  readonly chain: number | undefined;
  readonly jump: number;
}

/** Undefined where the policy has no effect, whatever its next hops. */
const chainsOfPolicy = derived("chains of policy", (policy: Policy, router: LogicalRouter): PolicyChains | undefined => {
  const { row, topology: t } = policy;
  const refuse = (why: string): undefined => {
    t.warn(`Logical router: ${router.row.name}, policy ${why}`);
    return undefined;
  };
  if ((row.nexthop ?? "") !== "") return refuse('uses deprecated column "nexthop", this column is ignored. Pleaseuse "nexthops" column instead.');
  const chain = chainOf(policy);
  if (chain !== "" && chainId(router, chain) === 0) return undefined;
  let jump = 0;
  if (row.action === "jump") {
    const target = row.jump_chain ?? "";
    if (target === "") return refuse("action 'jump' has empty target");
    jump = chainId(router, target);
    if (jump === 0) return refuse(`action 'jump' follows to non-existent chain ${target}`);
  }
  return { chain: knowsChains(router) ? (chain === "" ? 0 : chainId(router, chain)) : undefined, jump };
});

export const policyOf = derived("policy", (policy: Policy, router: LogicalRouter): ParsedPolicy | undefined => {
  const chains = chainsOfPolicy(policy, router);
  const isReroute = policy.row.action === "reroute";
  const nextHops = chains !== undefined && isReroute ? usableHops(policy, router) : [];
  return chains === undefined || (isReroute && nextHops.length === 0) ? undefined : { ...chains, nextHops };
});

const describe = (row: NbRow<"Logical_Router_Policy">): string => `(chain: '${row.chain ?? "<Default>"}', match: '${row.match}', priority ${row.priority})`;

function usableHops(policy: Policy, router: LogicalRouter): readonly NextHop[] {
  const { row, topology: t } = policy;
  if (row.output_port !== undefined && row.nexthops.size !== 1) {
    t.warn(`Logical router: ${router.row.name}, policy ${describe(row)}: output_port only supported on non-ECMP reroute policies`);
    return [];
  }
  return nextHopsOf(policy, router).filter((hop) => {
    const session = sessionOfHop(policy, hop);
    return session === undefined || isReachable(t, sessionKey(session));
  });
}

/** All that can be reached by one of the router's ports. */
const nextHopsOf = derived("next hops", (policy: Policy, router: LogicalRouter): readonly NextHop[] =>
  [...policy.row.nexthops].filter((ip) => ip !== "").sort(compareBytes).flatMap((ip) => {
    const hop = nextHop(policy, router, ip);
    if (hop === undefined) policy.topology.warn(`Logical Router: ${router.row.name}, policy ${describe(policy.row)}: no path for next hop ${ip}`);
    return hop ?? [];
  }));

function nextHop({ row, topology: t }: Policy, router: LogicalRouter, ip: string): NextHop | undefined {
  if (row.output_port !== undefined) {
    const port = t.routerPort(t.nb.Logical_Router_Port.get(row.output_port));
    if (port === undefined || routerOf(port) === undefined) return undefined;
    const networks = networksOf(port);
    const ownAddress = memberAddress(networks, ip) ?? (ip.includes(".") ? networks.ipv4 : networks.ipv6)[0]?.text;
    return ownAddress === undefined ? undefined : { ip, port, ownAddress };
  }
  for (const port of routerPortsOf(router)) {
    const ownAddress = memberAddress(networksOf(port), ip);
    if (ownAddress !== undefined) return { ip, port, ownAddress };
  }
  return undefined;
}

/** The BFD session that the policy has with a next hop. */
function sessionOfHop({ row, topology: t }: Policy, { ip, port }: NextHop): NbRow<"BFD"> | undefined {
  for (const uuid of [...row.bfd_sessions].sort(compareBytes)) {
    const session = t.nb.BFD.get(uuid);
    if (session?.dst_ip === ip && session.logical_port === port.row.name) return session;
  }
  return undefined;
}

const ecmpIds = derived("ecmp policies of router", (router: LogicalRouter): ReadonlyMap<string, number> => {
  const { topology: t, row: { _uuid: uuid } } = router;
  const numbered = [...ecmpPolicies(t).get(uuid)].map((policy) => policy.row._uuid).sort((a, b) => t.routeOrder.comparePolicies(uuid, a, b));
  return new Map(numbered.map((policy, i) => [policy, i + 1]));
});

export const ecmpPolicyId = derived("ecmp policy id", (router: LogicalRouter, policy: Policy): number => ecmpIds(router).get(policy.row._uuid) ?? 0);

const usersAmongPolicies = rule("bfd-of-policy", policies, function* (_, policy) {
  if (policy.row.action !== "reroute" || (policy.row.output_port !== undefined && policy.row.nexthops.size !== 1)) return;
  for (const router of routersOfPolicy(policy)) {
    if (chainsOfPolicy(policy, router) === undefined) continue;
    for (const hop of nextHopsOf(policy, router)) {
      const session = sessionOfHop(policy, hop);
      if (session !== undefined) yield BfdUse({ session: session._uuid, user: policy.row._uuid });
    }
  }
});

const routedByPolicy = rule("routed-by-policy", policies, function* (_, policy) {
  for (const router of routersOfPolicy(policy)) {
    if (policyOf(policy, router) !== undefined) yield Routed({ kind: "policy", router: router.row._uuid, policy: policy.row._uuid });
  }
});

export const policyFacts: readonly Rule<Topology>[] = [usersAmongPolicies, routedByPolicy];
