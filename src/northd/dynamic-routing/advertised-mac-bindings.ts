/**
 * Advertised_MAC_Binding: who has which address on a switch that is stretched over an EVPN, told to the other ends of it
 * (other_config:dynamic-routing-redistribute of the switch: "ip" for its ports, "nat" for distributed translations of routers
 * that have their gateway there).
 */
import { derived, rule, type Rule } from "../../engine/index.ts";
import { isLinkLocalIpv6 } from "../../net/index.ts";
import { wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { identifyBinding, wishedPort } from "../sync/port-bindings.ts";
import { switchOf } from "../topology/port-membership.ts";
import { networksOf, switchPeerOf } from "../topology/router-ports.ts";
import { addressesOf, routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { hasEvpn, switchOption } from "../topology/switches.ts";
import type { LogicalSwitch, SbRow, SwitchPort, Topology } from "../topology/topology.ts";
import { routersOf, translationOf, translations } from "../topology/translations.ts";
import { isAdvertisable } from "./redistribution.ts";

export const WishedAdvertisedMac = wishRelation(southbound, "Advertised_MAC_Binding");

type Told = "fdb" | "ip" | "nat";

const tellsOf = derived("evpn redistribution", (owner: LogicalSwitch, kind: Told): boolean =>
  hasEvpn(owner) && (switchOption(owner, "dynamic-routing-redistribute") ?? "").split(",").includes(kind));

function* bindings(owner: LogicalSwitch, port: SwitchPort, { ipv4, ipv6 }: TextAddresses, mac: string) {
  const logicalPort = wishedPort(owner, port);
  const ips = [...ipv4.map((n) => n.text), ...ipv6.filter((n) => !isLinkLocalIpv6(n.address)).map((n) => n.text)];
  for (const ip of ips) {
    yield WishedAdvertisedMac({
      key: `${logicalPort.key} ${ip} ${mac}`,
      columns: { datapath: wished("Datapath_Binding", owner.row._uuid), logical_port: logicalPort, ip, mac },
    });
  }
}

type TextAddresses = Pick<ReturnType<typeof networksOf>, "ipv4" | "ipv6">;

const advertisedPorts = rule("advertised-macs-of-port", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined || !tellsOf(owner, "ip") || !isAdvertisable(port.row)) return;
  const behind = routerPortBehind(port);
  if (behind !== undefined) yield* bindings(owner, port, networksOf(behind), networksOf(behind).macText);
  // Of several entries only the first is told of.
  const [first] = typeOf(port) === "" ? addressesOf(port) : [];
  if (first !== undefined) yield* bindings(owner, port, first, first.macText);
});

const advertisedNats = rule("advertised-macs-of-nat", translations, function* (_, nat) {
  for (const router of routersOf(nat)) {
    const parsed = translationOf(nat, router);
    const mac = nat.row.external_mac;
    if (parsed?.gateway === undefined || !parsed.isDistributed || parsed.type !== "dnat_and_snat" || mac === undefined || !isAdvertisable(nat.row)) continue;
    const peer = switchPeerOf(parsed.gateway);
    const owner = peer === undefined ? undefined : switchOf(peer);
    if (peer === undefined || owner === undefined || !tellsOf(owner, "nat")) continue;
    const { external } = parsed;
    yield* bindings(owner, peer, "solicitedNodeText" in external ? { ipv4: [], ipv6: [external] } : { ipv4: [external], ipv6: [] }, mac);
  }
});

export function identifyAdvertisedMac(t: Topology, row: SbRow<"Advertised_MAC_Binding">): string {
  const binding = t.sb.Port_Binding.get(row.logical_port);
  return `${binding === undefined ? "" : identifyBinding(t, binding)} ${row.ip} ${row.mac}`;
}

export const advertisedMacRules: readonly Rule<Topology>[] = [advertisedPorts, advertisedNats];
