/**
 * Rules of address translation (NAT of ovn-nb(5)), parsed for the router that they belong to: whether they hold together, at
 * which gateway port they work, and whether that is done wherever the translated port is ("distributed") or on one chassis.
 */
import { derived, type Index } from "../../engine/index.ts";
import { formatMac, isLinkLocalIpv6, parseMac } from "../../net/index.ts";
import { boolOption } from "../options.ts";
import { compareBytes, type Ipv4Network, type Ipv6Network, memberAddress, parseCidr, parseIpsAlone } from "../port-addresses.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { perZone } from "./per-zone.ts";
import { gatewayPortsOf, isGatewayPort, isGatewayRouter, isRouterEnabled, networksOf, peerOf, routerOf, routerPortsOf } from "./router-ports.ts";
import { hasRedirectPort } from "./switch-ports.ts";
import type { LogicalRouter, Nat, NbRow, RouterPort, Topology } from "./topology.ts";

export type TranslationType = "snat" | "dnat" | "dnat_and_snat";

export interface Translation {
  readonly nat: Nat;
  readonly router: LogicalRouter;
  readonly type: TranslationType;
  /** Of both addresses. */
  readonly family: 4 | 6;
  readonly external: Ipv4Network | Ipv6Network;
  /** As written: what matches and actions say. */
  readonly externalIp: string;
  readonly logicalIp: string;
  readonly logicalLength: number;
  /** external_mac, normalized. */
  readonly mac: string | undefined;
  /** Where the external address is; undefined on a gateway router, and on a router without gateways, which translates nothing. */
  readonly gateway: RouterPort | undefined;
  readonly isDistributed: boolean;
}

export const translatesSource = ({ type }: Translation): boolean => type !== "dnat";
export const translatesDestination = ({ type }: Translation): boolean => type !== "snat";

/** Done by rewriting alone, without connection tracking. */
export const isStateless = (row: NbRow<"NAT">): boolean => row.type === "dnat_and_snat" && boolOption(row.options, "stateless", false);

/** The enabled routers that have the rule: one, as a rule. */
export function* routersOf(nat: Nat): Iterable<LogicalRouter> {
  for (const router of nat.topology.routersOfNat.get(nat.row._uuid)) if (isRouterEnabled(router)) yield router;
}

export const translationOf = derived("translation", (nat: Nat, router: LogicalRouter): Translation | undefined => {
  const { row, topology: t } = nat;
  const refuse = (why: string): undefined => {
    t.warn(`${why} in NAT ${row._uuid} of router ${router.row.name}`);
    return undefined;
  };
  const addresses = parseIpsAlone(row.external_ip);
  if (addresses === undefined) return refuse(`bad external_ip ${row.external_ip}`);
  const mac = externalMacOf(row);
  if (row.external_mac !== undefined && mac === undefined) return refuse(`bad external_mac ${row.external_mac}`);
  const [external, another] = [...addresses.ipv4, ...addresses.ipv6];
  if (external === undefined || another !== undefined) return refuse(`bad external_ip ${row.external_ip}`);
  if (row.allowed_ext_ips !== undefined && row.exempted_ext_ips !== undefined) return refuse("both allowed and exempted external addresses");
  const family = addresses.ipv4.length > 0 ? 4 : 6;
  const logicalLength = logicalLengthOf(row.logical_ip, family);
  if (logicalLength === undefined) return refuse(`bad logical_ip ${row.logical_ip}`);
  const isWhole = logicalLength === (family === 4 ? 32 : 128);
  if (row.type !== "snat" && !isWhole) return refuse(`logical_ip ${row.logical_ip} must be one address`);
  const gateway = gatewayFor(nat, router);
  if (gateway === "none") return refuse(`no gateway port for external_ip ${row.external_ip}`);
  return {
    nat, router, type: row.type, family, external, externalIp: row.external_ip, logicalIp: row.logical_ip, logicalLength, mac, gateway,
    isDistributed: gateway !== undefined && !hasRedirectedPeer(gateway) && asksForDistribution(row),
  };
});

/** external_mac, normalized; undefined also where it is no MAC. */
export function externalMacOf({ external_mac }: NbRow<"NAT">): string | undefined {
  const mac = external_mac === undefined ? undefined : parseMac(external_mac);
  return mac === undefined ? undefined : formatMac(mac);
}

/** The length of the prefix that `logical_ip` is; undefined where it is none of that family. */
function logicalLengthOf(text: string, family: 4 | 6): number | undefined {
  const cidr = parseCidr(text);
  return cidr?.family === family ? cidr.length : undefined;
}

const asksForDistribution = (row: NbRow<"NAT">): boolean => row.type === "dnat_and_snat" && row.logical_port !== undefined && row.external_mac !== undefined;

/** Routing of the gateway port's networks is left to the gateway chassis: the other side of its link has a redirect port too. */
export const hasRedirectedPeer = derived("has redirected peer", (port: RouterPort): boolean => {
  const peer = peerOf(port);
  if (peer === undefined) return false;
  return peer.kind === "switch" ? hasRedirectPort(peer.port) : isGatewayPort(peer.port);
});

/** The port that the rule names, of any router. */
export const namedGateway = derived("gateway_port", ({ row, topology: t }: Nat): RouterPort | undefined => t.routerPort(t.nb.Logical_Router_Port.get(row.gateway_port)));

/** The gateway port that the rule names, or of several the one in whose networks the external address is. */
function gatewayFor(nat: Nat, router: LogicalRouter): RouterPort | undefined | "none" {
  const named = namedGateway(nat);
  if (named !== undefined) return routerOf(named) === router && isGatewayPort(named) ? named : "none";
  const gateways = gatewayPortsOf(router);
  if (gateways.length < 2) return gateways[0];
  return gateways.find((port) => memberAddress(networksOf(port), nat.row.external_ip) !== undefined) ?? "none";
}

/** Whether the external address of the rule is behind this gateway port. */
export function isBehind(nat: Nat, port: RouterPort, gateways: readonly RouterPort[]): boolean {
  if (gateways.length < 2) return true;
  const named = namedGateway(nat);
  return named === undefined ? memberAddress(networksOf(port), nat.row.external_ip) !== undefined : named === port;
}

/** What a router asks about its rules is asked of those with a role alone. */
type Role = "distributed" | "stateful" | "mac" | "valid" | "filtered stateless" | `external ${string}` | `source ${string}`;

function* rolesOf(nat: Nat, router: LogicalRouter): Iterable<Role> {
  const { row } = nat;
  if (isStateless(row) && (row.allowed_ext_ips !== undefined || row.exempted_ext_ips !== undefined)) yield "filtered stateless";
  const parsed = translationOf(nat, router);
  if (parsed === undefined) return;
  yield "valid";
  yield `external ${parsed.externalIp}`;
  if (asksForDistribution(row)) yield "distributed";
  if (!isStateless(row)) yield "stateful";
  if (parsed.type === "snat") yield `source ${parsed.external.text}`;
  else if (parsed.mac !== undefined) yield "mac";
}

const natsByRole = perZone((t: Topology): Index<string, Nat> => t.engine.index("translations by role", t.nats, function* (nat: Nat) {
  for (const router of routersOf(nat)) for (const role of rolesOf(nat, router)) yield `${router.row._uuid} ${role}`;
}));

/** The source of rules about single translations. */
export const translations = (t: Topology) => {
  natsByRole(t);
  return t.nats;
};

const natsWith = (router: LogicalRouter, role: Role): ReadonlySet<Nat> => natsByRole(router.topology).get(`${router.row._uuid} ${role}`);

const has = derived("has translations", (router: LogicalRouter, role: Role): boolean => natsWith(router, role).size > 0);

/** In the order of the database, as for all that asks for "the first". */
export const inOrder = (nats: Iterable<Nat>): readonly Nat[] => [...nats].sort((a, b) => compareBytes(a.row._uuid, b.row._uuid));

export const hasDistributedNat = (router: LogicalRouter): boolean => has(router, "distributed");
export const hasStatefulNat = (router: LogicalRouter): boolean => has(router, "stateful");
export const hasNat = derived("has NAT", (router: LogicalRouter): boolean => router.row.nat.size > 0);

/** Of several rules with one external address the first speaks for it. */
export const speaksFor = derived("first with external address", (nat: Nat, router: LogicalRouter, externalIp: string): boolean =>
  inOrder(natsWith(router, `external ${externalIp}`))[0] === nat);

/** Of several source translations to one address the first answers for it. */
export const answersFor = derived("first with source address", (nat: Nat, router: LogicalRouter, address: string): boolean =>
  inOrder(natsWith(router, `source ${address}`))[0] === nat);

/** MACs that translated addresses have on the wire, besides the router's own. */
export const externalMacsOf = derived("external MACs", (router: LogicalRouter): readonly string[] =>
  [...new Set([...natsWith(router, "mac")].map((nat) => nat.row.external_mac ?? ""))].sort(compareBytes));

export const filteredStatelessNats = derived("stateless with filters", (router: LogicalRouter): readonly Nat[] => inOrder(natsWith(router, "filtered stateless")));
export const lastValidNat = derived("last translation", (router: LogicalRouter): Nat | undefined => inOrder(natsWith(router, "valid")).at(-1));

/** All rules of a router, those that do not hold together too. */
export const natsOf = derived("NATs of router", (router: LogicalRouter): readonly Nat[] => {
  const { topology: t } = router;
  return inOrder([...router.row.nat].flatMap((uuid) => {
    const row = t.nb.NAT.get(uuid);
    const nat = row === undefined ? undefined : t.nats.of(row);
    return nat === undefined ? [] : [nat];
  }));
});

/** dnat_force_snat_ip, lb_force_snat_ip: at most one address of either family. */
export interface ForcedSource {
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
}

const forced = derived("force_snat_ip", (router: LogicalRouter, key: "dnat" | "lb"): ForcedSource | undefined => {
  const text = router.row.options.get(`${key}_force_snat_ip`);
  if (text === undefined) return undefined;
  const parsed = parseIpsAlone(text);
  const [ipv4, moreIpv4] = parsed?.ipv4 ?? [];
  const [ipv6, moreIpv6] = parsed?.ipv6 ?? [];
  if (parsed === undefined || moreIpv4 !== undefined || moreIpv6 !== undefined || (ipv4?.length ?? 32) !== 32 || (ipv6?.length ?? 128) !== 128) {
    router.topology.warn(`bad ip ${text} in options of router ${router.row._uuid}`);
    return undefined;
  }
  return { ipv4: ipv4?.text, ipv6: ipv6?.text };
});

/** What has been translated to another destination also gets this source, so that replies come back. */
export const forcedSourceForDnat = (router: LogicalRouter): ForcedSource | undefined => forced(router, "dnat");

/** lb_force_snat_ip=router_ip: the source of what has been load balanced is the port's that it leaves by. */
export const forcesPortAddress = derived("force router_ip", (router: LogicalRouter): boolean =>
  isGatewayRouter(router) && router.row.options.get("lb_force_snat_ip") === "router_ip");

export const forcedSourceForLb = (router: LogicalRouter): ForcedSource | undefined => (forcesPortAddress(router) ? undefined : forced(router, "lb"));

/** Whether what comes to this address may be for somebody behind the router: a translated source, or a load balancer's VIP. */
export const isSharedAddress = derived("is shared address", (router: LogicalRouter, address: string): boolean => {
  const isForced = (source: ForcedSource | undefined): boolean => source?.ipv4 === address || source?.ipv6 === address;
  return natsWith(router, `source ${address}`).size > 0 || isForced(forcedSourceForDnat(router)) || isForced(forcedSourceForLb(router)) || isVip(router, address);
});

const isVip = (router: LogicalRouter, address: string): boolean => vipsOf(router).ipv4.has(address) || vipsOf(router).ipv6.has(address);

/** A load balancer's VIP is answered for as such. */
export const isReachableVip = derived("is reachable vip", (router: LogicalRouter, address: string): boolean =>
  vipsOf(router).reachable4.has(address) || vipsOf(router).reachable6.has(address));

/** Whether one of the router's ports has the address. */
export const isRouterAddress = derived("is router address", (router: LogicalRouter, address: string): boolean => routerAddresses(router).has(address));

const routerAddresses = derived("addresses of router", (router: LogicalRouter): ReadonlySet<string> =>
  new Set(routerPortsOf(router).flatMap((port) => [...networksOf(port).ipv4, ...networksOf(port).ipv6.filter((n) => !isLinkLocalIpv6(n.address))].map((n) => n.text))));

/** options:ct-commit-all: every connection is tracked, translated or not. */
export const commitsAll = derived("ct-commit-all", (router: LogicalRouter): boolean => boolOption(router.row.options, "ct-commit-all", false));
