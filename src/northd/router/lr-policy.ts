/** lr_in_policy, lr_in_policy_ecmp: routing policies (Logical_Router_Policy of ovn-nb(5)), which have the last word on the next hop. */
import { rule, type Rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { type Actions, actions, asMatch, everything, type Match, match, next, quoted } from "../flow-text.ts";
import { dropByDefault, lflow } from "../lflow.ts";
import { uintOption } from "../options.ts";
import { bit, reg } from "../registers.ts";
import { ecmpPolicyId, isEcmpPolicy, type NextHop, type ParsedPolicy, policies, policyOf, routersOfPolicy } from "../topology/policies.ts";
import { isRouterEnabled, networksOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import type { LogicalRouter, Policy, Topology } from "../topology/topology.ts";

const policyDefaults = rule("lr-policy-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield lflow(router, lrIn.policy, 0, everything, actions`${reg.ecmpGroup} = 0; next;`);
  yield lflow(router, lrIn.policyEcmp, 150, match`${reg.ecmpGroup} == 0`, next);
  yield dropByDefault(router, lrIn.policyEcmp);
});

const routingPolicies = rule("lr-policy", policies, function* (_, policy) {
  for (const router of routersOfPolicy(policy)) {
    const parsed = policyOf(policy, router);
    if (parsed === undefined) continue;
    if (isEcmpPolicy(policy.row)) yield* severalHops(router, policy, parsed.nextHops);
    else yield lflow(router, lrIn.policy, policy.row.priority, matchOf(policy, parsed), actionsOf(policy, parsed), { hint: policy.row });
  }
});

function matchOf({ row }: Policy, { chain }: ParsedPolicy): Match {
  return chain === undefined ? asMatch(row.match) : match`${reg.policyChain} == ${chain} && (${row.match})`;
}

function actionsOf(policy: Policy, { jump, nextHops }: ParsedPolicy): Actions {
  switch (policy.row.action) {
    case "jump":
      return actions`${reg.policyChain}=${jump}; next(pipeline=ingress, table=${lrIn.policy.table});`;
    case "drop":
      return dropActions(policy.topology);
    case "allow":
      return actions`${mark(policy)}${reg.ecmpGroup} = 0; next;`;
    case "reroute": {
      const [hop] = nextHops;
      return hop === undefined ? actions`` : reroute(policy, hop, `${reg.ecmpGroup} = 0; `);
    }
  }
}

/** options:pkt_mark. */
function mark({ row }: Policy): string {
  const value = uintOption(row.options, "pkt_mark", 0);
  return value === 0 ? "" : `pkt.mark = ${value}; `;
}

function reroute(policy: Policy, { ip, port, ownAddress }: NextHop, more: string): Actions {
  const isIpv4 = ip.includes(".");
  const [hop, from] = isIpv4 ? [reg.nextHop4, reg.source4] : [reg.nextHop6, reg.source6];
  return actions`${mark(policy)}${hop} = ${ip}; ${from} = ${ownAddress}; eth.src = ${networksOf(port).macText}; outport = ${quoted(port.row.name)}; flags.loopback = 1; ${more}${bit.nextHopIsIpv4} = ${isIpv4 ? 1 : 0}; next;`;
}

/** Connections spread over the next hops. */
function* severalHops(router: LogicalRouter, policy: Policy, nextHops: readonly NextHop[]) {
  const { row, topology: t } = policy;
  const hint = row;
  const [first] = nextHops;
  if (nextHops.some(({ ip }) => ip.includes(".") !== first?.ip.includes("."))) {
    t.warn(`a nexthop of the router policy with the match [${row.match}] does not belong to the same address family as other next hops`);
    return;
  }
  const id = ecmpPolicyId(router, policy);
  for (const [i, hop] of nextHops.entries()) {
    yield lflow(router, lrIn.policyEcmp, 100, match`${reg.ecmpGroup} == ${id} && ${reg.ecmpMember} == ${i + 1}`, reroute(policy, hop, ""), { hint });
  }
  const choice = nextHops.length > 1 ? `select(${nextHops.map((_, i) => i + 1).join(", ")});` : "1; next;";
  yield lflow(router, lrIn.policy, row.priority, asMatch(row.match), actions`${reg.ecmpGroup} = ${id}; ${reg.ecmpMember} = ${choice}`, { hint });
}

export const policyRules: readonly Rule<Topology>[] = [policyDefaults, routingPolicies];
