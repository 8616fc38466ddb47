/** Address_Set: names for many addresses, as matches use them. */
import { rule } from "../../engine/index.ts";
import { wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { isDynamicAddress, parseMacAndIps } from "../port-addresses.ts";
import { switchOf } from "../topology/port-membership.ts";
import { serviceMonitorMac, serviceMonitorTargetMac } from "../topology/settings.ts";
import type { SwitchPort, Topology } from "../topology/topology.ts";

export const WishedAddressSet = wishRelation(southbound, "Address_Set");

export const addressSets = rule("address-sets", (t: Topology) => t.nb.Address_Set, function* (_, { name, addresses, options }) {
  yield WishedAddressSet({ key: name, columns: { name, addresses, options } });
});

export const monitorAddressSet = rule("svc-monitor-address-set", (t: Topology) => t.zone, function* (t) {
  const name = "svc_monitor_mac";
  yield WishedAddressSet({ key: name, columns: { name, addresses: [serviceMonitorMac(t), serviceMonitorTargetMac(t)] } });
});

/** `NAME_ip4` and `NAME_ip6`: all addresses of the group's ports. A set of that name that somebody made himself comes first. */
export const portGroupAddressSets = rule("port-group-address-sets", (t: Topology) => t.nb.Port_Group, function* (t, group) {
  const families = { ip4: new Set<string>(), ip6: new Set<string>() };
  for (const uuid of group.ports) {
    const port = t.switchPort(t.nb.Logical_Switch_Port.get(uuid));
    if (port !== undefined) collect(port, families);
  }
  for (const [suffix, addresses] of Object.entries(families)) {
    const name = `${group.name}_${suffix}`;
    if (!hasAddressSet(t, name)) yield WishedAddressSet({ key: name, columns: { name, addresses } });
  }
});

function hasAddressSet(t: Topology, name: string): boolean {
  for (const own of t.nb.Address_Set) if (own.name === name) return true;
  return false;
}

function collect(port: SwitchPort, { ip4, ip6 }: { readonly ip4: Set<string>; readonly ip6: Set<string> }): void {
  const { row, topology } = port;
  // A port that has been taken out of its switch keeps what it was given.
  const dynamic = switchOf(port) === undefined ? row.dynamic_addresses : topology.dynamicAddresses.get(row._uuid);
  for (const text of [...[...row.addresses].filter((a) => !isDynamicAddress(a)), ...(dynamic === undefined ? [] : [dynamic])]) {
    const addresses = parseMacAndIps(text)?.addresses;
    for (const ip of addresses?.ipv4 ?? []) ip4.add(ip.text);
    for (const ip of addresses?.ipv6 ?? []) ip6.add(ip.text);
  }
}
