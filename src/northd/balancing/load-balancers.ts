/** Load balancers: their services and options (ovn-nb(5), Load_Balancer), and what routers and switches have of them. */
import { derived } from "../../engine/index.ts";
import { parseIp } from "../../net/index.ts";
import { boolOption, uintOption } from "../options.ts";
import { memberAddress } from "../port-addresses.ts";
import { networksOf, routerPortsOf } from "../topology/router-ports.ts";
import type { Datapath, LoadBalancer, LogicalRouter } from "../topology/topology.ts";
import { routerBalancers } from "./balancer-use.ts";
import { parseVip, type Vip } from "./vips.ts";

export type BalancedProtocol = "tcp" | "udp" | "sctp";
/** Which neighbours' questions for a VIP a router answers: those on its own networks, all, or none. */
export type NeighborResponder = "reachable" | "all" | "none";

/** As IP has them (RFC 791, RFC 8200). */
export const protocolNumber: { readonly [protocol in BalancedProtocol]: number } = { tcp: 6, udp: 17, sctp: 132 };

export interface BalancerSettings {
  readonly protocol: BalancedProtocol;
  readonly isTemplate: boolean;
  /** Other routers on the switch get routes to the VIPs (add_route). */
  readonly isRoutable: boolean;
  readonly isAdvertised: boolean;
  readonly skipsSnat: boolean;
  readonly neighborResponder: NeighborResponder;
  /** 0: none. */
  readonly affinitySeconds: number;
  readonly isStateless: boolean;
  readonly hairpinSnatIp: string | undefined;
  /** Each chassis balances between the backends that live on it. */
  readonly isDistributed: boolean;
  /** An event tells of a packet to a VIP without backends. */
  readonly tellsOfEmpty: boolean;
  /** A packet to a VIP without backends is rejected. */
  readonly rejectsEmpty: boolean;
  /** As the action has them: `ip_src,tcp_dst`. */
  readonly selectionFields: string | undefined;
}

const maxAffinitySeconds = 0xffff;

export const balancerSettings = derived("load balancer settings", (balancer: LoadBalancer): BalancerSettings => {
  const { row, topology: t } = balancer;
  const { options, protocol } = row;
  const flag = (key: string, missing = false): boolean => boolOption(options, key, missing);
  const isTemplate = flag("template");
  if (isTemplate && flag("add_route")) {
    t.warn(`Template load balancer ${row._uuid} does not suport option 'add_route'.  Forcing it to disabled.`);
  }
  const affinity = uintOption(options, "affinity_timeout", 0);
  if (affinity > maxAffinitySeconds) t.warn(`max affinity_timeout timeout value is ${maxAffinitySeconds}`);
  const hairpin = options.get("hairpin_snat_ip");
  const fields = [...row.selection_fields].sort().map((field) => (protocol === undefined ? field : field.replace(/^tp_/, `${protocol}_`)));
  return {
    protocol: protocol === "udp" || protocol === "sctp" ? protocol : "tcp",
    isTemplate,
    isRoutable: flag("add_route") && !isTemplate,
    isAdvertised: flag("dynamic-routing-advertise", true),
    skipsSnat: flag("skip_snat"),
    neighborResponder: neighborResponder(balancer, isTemplate),
    affinitySeconds: Math.min(affinity, maxAffinitySeconds),
    isStateless: flag("use_stateless_nat"),
    hairpinSnatIp: hairpin !== undefined && parseIp(hairpin)?.family === 4 ? hairpin : undefined,
    isDistributed: flag("distributed"),
    tellsOfEmpty: flag("event"),
    rejectsEmpty: flag("reject"),
    selectionFields: fields.length === 0 ? undefined : fields.join(","),
  };
});

function neighborResponder({ row, topology }: LoadBalancer, isTemplate: boolean): NeighborResponder {
  const missing = isTemplate ? "none" : "reachable";
  const mode = row.options.get("neighbor_responder") ?? missing;
  if (mode === "all" || mode === "none" || (mode === "reachable" && !isTemplate)) return mode;
  topology.warn(`Invalid neighbor responder mode ${mode} for load balancer ${row._uuid}, forcing it to ${missing}`);
  return missing;
}

/** Those that can be used. */
export const servicesOf = derived("services", (balancer: LoadBalancer): readonly Vip[] => {
  const { row, topology: t } = balancer;
  const family = balancerSettings(balancer).isTemplate ? ((row.options.get("address-family") ?? "ipv4") === "ipv4" ? 4 : 6) : undefined;
  const vips: Vip[] = [];
  for (const [key, value] of row.vips) {
    const parsed = parseVip(key, value, family);
    if (parsed.kind === "vip") vips.push(parsed.vip);
    else t.warn(`Failed to initialize LB VIP: ${parsed.reason}`);
  }
  return vips;
});

/** Whether it has any VIP at all, if only an unusable one. */
const hasService = derived("has vips", (balancer: LoadBalancer): boolean => balancer.row.vips.size > 0);

/** Whether the switch or router itself (not a router beside it) has a load balancer with a VIP. */
export const hasVips = derived("datapath has vips", ({ row, topology: t }: Datapath): boolean => {
  const has = (uuid: LoadBalancer["uuid"]): boolean => {
    const balancer = t.loadBalancer(t.nb.Load_Balancer.get(uuid));
    return balancer !== undefined && hasService(balancer);
  };
  for (const uuid of row.load_balancer) if (has(uuid)) return true;
  for (const uuid of row.load_balancer_group) {
    for (const member of t.nb.Load_Balancer_Group.get(uuid)?.load_balancer ?? []) if (has(member)) return true;
  }
  return false;
});

/** The VIPs of a router, as text, each once. */
export interface RouterVips {
  readonly ipv4: ReadonlySet<string>;
  readonly ipv6: ReadonlySet<string>;
  /** Those whose neighbours' questions the router answers. */
  readonly reachable4: ReadonlySet<string>;
  readonly reachable6: ReadonlySet<string>;
  /** Those that other routers are to have routes to. */
  readonly routable4: ReadonlySet<string>;
  readonly routable6: ReadonlySet<string>;
  /** Those that are announced by dynamic routing. */
  readonly advertised4: ReadonlySet<string>;
  readonly advertised6: ReadonlySet<string>;
}

export const vipsOf = derived("vips of router", (router: LogicalRouter): RouterVips => {
  const vips = {
    ipv4: new Set<string>(), ipv6: new Set<string>(), reachable4: new Set<string>(), reachable6: new Set<string>(),
    routable4: new Set<string>(), routable6: new Set<string>(), advertised4: new Set<string>(), advertised6: new Set<string>(),
  };
  for (const { balancer } of routerBalancers(router.topology).of(router)) {
    const { isRoutable, isAdvertised, neighborResponder: mode } = balancerSettings(balancer);
    for (const { ip, isIpv4 } of servicesOf(balancer)) {
      (isIpv4 ? vips.ipv4 : vips.ipv6).add(ip);
      if (isRoutable) (isIpv4 ? vips.routable4 : vips.routable6).add(ip);
      if (isAdvertised) (isIpv4 ? vips.advertised4 : vips.advertised6).add(ip);
      if (mode === "all" || (mode === "reachable" && isOnNetworkOf(router, ip))) (isIpv4 ? vips.reachable4 : vips.reachable6).add(ip);
    }
  }
  return vips;
});

/** Whether the address lies in a network of one of the router's ports. */
const isOnNetworkOf = (router: LogicalRouter, ip: string): boolean =>
  routerPortsOf(router).some((port) => memberAddress(networksOf(port), ip) !== undefined);

/** Whether a load balancer that the router itself names leaves balancing to the chassis of the backends. */
export const hasDistributedBalancer = derived("has distributed load balancer", ({ row, topology: t }: LogicalRouter): boolean => {
  for (const uuid of row.load_balancer) {
    const balancer = t.loadBalancer(t.nb.Load_Balancer.get(uuid));
    if (balancer !== undefined && balancerSettings(balancer).isDistributed) return true;
  }
  return false;
});
