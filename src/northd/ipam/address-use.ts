/** Who uses and who wants which addresses: the facts that the address management works on. */
import { relation, rule } from "../../engine/index.ts";
import type { Mac } from "../../net/index.ts";
import { isDynamicAddress } from "../port-addresses.ts";
import { switchOf } from "../topology/port-membership.ts";
import { networksOf, routerOf } from "../topology/router-ports.ts";
import { macPrefix } from "../topology/settings.ts";
import { routerPortBehind, staticAddressesOf } from "../topology/switch-ports.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";
import { type AddressPlan, addressPlanOf } from "./subnet.ts";

export interface AddressUse {
  /** Undefined for a router port, which has a MAC and nothing else here. */
  readonly port: SwitchPort | undefined;
  readonly owner: LogicalSwitch | undefined;
  /** Undefined where northd gives out nothing. */
  readonly plan: AddressPlan | undefined;
  /** The entry of `addresses` that asks for an address. */
  readonly asks: string | undefined;
  /** IPv4 addresses that are taken. */
  readonly ips: readonly number[];
  /** What MACs begin with that northd gives out: with another one, ports get other MACs. */
  readonly prefix: string;
  /** MACs with that prefix that are taken. */
  readonly macs: readonly Mac[];
  readonly name: string;
}

export const AddressUse = relation<AddressUse>("address use", ({ port, owner, plan, asks, ips, prefix, macs, name }) =>
  [port?.row._uuid, owner?.row._uuid, planText(plan), asks, ips.join(), prefix, macs.join(), name].join("\n"));

const planText = (plan: AddressPlan | undefined): string =>
  plan === undefined ? "" : `${plan.ipv4?.start}+${plan.ipv4?.size} ${plan.ipv4?.excluded.join(";")} ${plan.ipv6Prefix}`;

const suffixes = 0x100_0000;
const isOurs = (mac: Mac, prefix: string): boolean => Math.floor(mac / suffixes).toString(16).padStart(6, "0") === prefix.replaceAll(":", "");

export const addressUseOfPort = rule("address-use", (t: Topology) => t.switchPorts, function* (t, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  const plan = addressPlanOf(owner);
  const hasPlan = plan !== undefined;
  const prefix = macPrefix(t);
  const given = staticAddressesOf(port);
  const dynamic = [...port.row.addresses].filter(isDynamicAddress);
  if (hasPlan && dynamic.length > 1) t.warn(`More than one dynamic address configured for logical switch port '${port.row.name}'`);
  const peer = hasPlan ? routerPortBehind(port) : undefined;
  const ips = hasPlan ? [...given, ...(peer === undefined ? [] : [networksOf(peer)])].flatMap((a) => a.ipv4.map((n) => n.address)) : [];
  const macs = given.map((a) => a.mac).filter((mac) => isOurs(mac, prefix));
  const asks = hasPlan ? dynamic[0] : undefined;
  if (asks !== undefined || ips.length + macs.length > 0) yield AddressUse({ port, owner, plan, asks, ips, prefix, macs, name: port.row.name });
});

export const macUseOfRouterPort = rule("mac-use", (t: Topology) => t.routerPorts, function* (t, port) {
  if (routerOf(port) === undefined) return;
  const { mac } = networksOf(port);
  const prefix = macPrefix(t);
  if (isOurs(mac, prefix)) yield AddressUse({ port: undefined, owner: undefined, plan: undefined, asks: undefined, ips: [], prefix, macs: [mac], name: port.row.name });
});
