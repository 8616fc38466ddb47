/** What the flows of a translation have in common: which packets, at which priority, and whom it leaves out. */
import { lrIn, lrOut } from "../../logical/index.ts";
import { type Match, match, next, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { gatewayPortsOf, isGatewayRouter, redirectKey } from "../topology/router-ports.ts";
import { usesCommonZone } from "../topology/settings.ts";
import type { LogicalRouter } from "../topology/topology.ts";
import type { Translation } from "../topology/translations.ts";

/** The chassis that does it, as a condition: the one with the translated port, or the gateway chassis. */
export function residentOf({ nat, gateway, isDistributed }: Translation): string {
  if (isDistributed) return ` && is_chassis_resident("${nat.row.logical_port ?? ""}")`;
  return gateway === undefined ? "" : ` && is_chassis_resident(${redirectKey(gateway)})`;
}

/** A distributed translation is undone wherever the packet comes in; the others by the gateway chassis alone. */
const centralOf = (x: Translation): string => (x.isDistributed ? "" : residentOf(x));

/** What comes from outside for the external address. */
export function fromOutside(x: Translation): Match {
  const inport = x.gateway === undefined ? "" : ` && inport == ${quoted(x.gateway.row.name)}${centralOf(x)}`;
  return match`ip && ip${x.family}.dst == ${x.externalIp}${inport}`;
}

/** What the logical address sends out by the gateway, for undoing the translation of its requests. */
export const replyToOutside = (x: Translation): Match =>
  match`ip && ip${x.family}.src == ${x.logicalIp}${x.gateway === undefined ? "" : ` && outport == ${quoted(x.gateway.row.name)}${centralOf(x)}`}`;

/** Where both directions use one zone. */
export const hasCommonZone = (router: LogicalRouter): boolean => !isGatewayRouter(router) && usesCommonZone(router.topology);

export const destinationPriority = ({ nat }: Translation): number => (nat.row.match === "" ? 100 : 300 + nat.row.priority);

/** The longest logical prefix wins. */
export function sourcePriority({ nat, router, logicalLength }: Translation): number {
  if (nat.row.match !== "") return 300 + nat.row.priority;
  return logicalLength + 1 + (!isGatewayRouter(router) && gatewayPortsOf(router).length > 0 ? 128 : 0);
}

export interface Filtered {
  readonly match: Match;
  /** Lets what is exempted pass untranslated. */
  readonly exemption: readonly ReturnType<typeof lflow>[];
}

/** allowed_ext_ips narrows the match down, exempted_ext_ips gets a flow above it. `side`: where the address of the other end is. */
export function filtered(x: Translation, side: "src" | "dst", packets: Match): Filtered {
  const { nat: { row, topology }, router } = x;
  const allowed = topology.nb.Address_Set.get(row.allowed_ext_ips);
  if (allowed !== undefined) return { match: match`${packets} && ip${x.family}.${side} == $${allowed.name}`, exemption: [] };
  const exempted = topology.nb.Address_Set.get(row.exempted_ext_ips);
  if (exempted === undefined) return { match: packets, exemption: [] };
  const stage = side === "src" ? lrIn.dnat : lrOut.snat;
  const priority = (side === "src" ? destinationPriority(x) : sourcePriority(x)) + 2;
  return { match: packets, exemption: [lflow(router, stage, priority, match`${packets} && ip${x.family}.${side} == $${exempted.name}`, next, { hint: row })] };
}

/** NAT.match, where there is one. */
export const alsoMatching = ({ nat }: Translation, packets: Match): Match => (nat.row.match === "" ? packets : match`${packets} && (${nat.row.match})`);

/** `ADDRESS` or `ADDRESS,PORTS`. */
export const withPorts = ({ nat }: Translation, address: string): string => (nat.row.external_port_range === "" ? address : `${address},${nat.row.external_port_range}`);

/** On the wire a distributed translation has a MAC of its own. */
export const sentAs = (x: Translation): string => (x.isDistributed ? `eth.src = ${x.mac ?? ""}; ` : "");

