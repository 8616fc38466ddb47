/**
 * ovn-enable-flow-based-tunnels: one tunnel port of each type, `ovn-geneve` and `ovn-vxlan`, for all other chassis, instead of one
 * for each pair of addresses. The flows say between which addresses a packet travels (ovn-controller(8)).
 */
import { rule } from "../engine/index.ts";
import { encapIpOf, encapsOf, preferredType } from "./chassis-encaps.ts";
import type { Node } from "./node.ts";
import { ourChassis } from "./ports.ts";
import { booleanSetting, encapAddresses, setting } from "./settings.ts";
import { sharedTunnelId, type Tunnel } from "./tunnel.ts";
import { WishedTunnel } from "./wished-tunnel.ts";

export const usesSharedTunnels = (node: Node): boolean => booleanSetting(node, "ovn-enable-flow-based-tunnels", false);

export const wishedSharedTunnels = rule("wished-shared-tunnels", (node: Node) => node.self, function* (node) {
  const own = ourChassis(node);
  if (own === undefined || !usesSharedTunnels(node)) return;
  for (const { ipsec } of node.sb.tables.SB_Global) {
    if (ipsec) node.host.log.module("encaps").warn("IPsec is not supported for flow-based tunnels. Ignoring IPsec settings.");
  }
  for (const type of new Set(encapsOf(node, own).map((e) => e.type))) {
    yield WishedTunnel({ id: sharedTunnelId, oldId: sharedTunnelId, chassis: undefined, type, options: sharedOptions(node), isVtep: false });
  }
});

function sharedOptions(node: Node): ReadonlyMap<string, string> {
  const options = new Map([["remote_ip", "flow"], ["local_ip", "flow"], ["key", "flow"]]);
  const tos = setting(node, "ovn-encap-tos");
  if (tos !== undefined && tos !== "none") options.set("tos", tos);
  const fragment = setting(node, "ovn-encap-df_default");
  if (fragment !== undefined) options.set("df_default", fragment);
  return options;
}

/** The shared port as the way to the chassis. */
export function sharedTunnelTo(node: Node, name: string, wantedRemoteIp?: string, wantedLocalIp?: string): Tunnel | undefined {
  const [own, chassis] = [ourChassis(node), node.chassisByName.first(name)];
  const type = own && chassis && preferredType(node, own, chassis);
  if (chassis === undefined || type === undefined) return undefined;
  const remoteIp = encapIpOf(node, chassis, type, wantedRemoteIp);
  const localIp = wantedLocalIp ?? encapAddresses(node)[0];
  if (remoteIp === undefined || localIp === undefined) return undefined;
  for (const tunnel of node.tunnelsByChassis.get(anyChassis)) {
    if (tunnel.type === type) return { ...tunnel, chassis: name, remoteIp, localIp };
  }
  return undefined;
}

/** Whom a shared port leads to by itself. */
export const anyChassis = "";
