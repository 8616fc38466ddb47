/** The external addresses of a router as they are known behind one of its ports: MAC and addresses, and on which chassis. */
import { derived } from "../../engine/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { parseCidr } from "../port-addresses.ts";
import { boolOption } from "../options.ts";
import { gatewayPortsOf, isGatewayPort, networksOf, redirectKey, routerOf } from "./router-ports.ts";
import type { NbRow, RouterPort } from "./topology.ts";
import { externalMacOf, isBehind, natsOf } from "./translations.ts";

export interface AnnouncedAddresses {
  readonly mac: string;
  readonly ips: readonly string[];
  /** `MAC IP ...`. */
  readonly text: string;
  /** Empty, or ` is_chassis_resident(...)`. */
  readonly condition: string;
}

const announced = (mac: string, ips: readonly string[], condition: string): AnnouncedAddresses => ({ mac, ips, text: [mac, ...ips].join(" "), condition });

/** options:add_route of a translation to another destination: the other routers on the switch learn of the address. */
const isRoutable = ({ type, options }: NbRow<"NAT">): boolean => type !== "snat" && boolOption(options, "add_route", false);

const isWholeIpv4 = (text: string): boolean => {
  const cidr = parseCidr(text);
  return cidr?.family === 4 && cidr.length === 32;
};

/** Distributed ones each by itself, the others together with the port's MAC. IPv6 is not announced. */
function announcedOf(port: RouterPort, isMeant: (row: NbRow<"NAT">) => boolean, vips: Iterable<string>): readonly AnnouncedAddresses[] {
  const router = routerOf(port);
  if (router === undefined) return [];
  const found: AnnouncedAddresses[] = [];
  const central: string[] = [];
  const gateways = gatewayPortsOf(router);
  const { macText, ipv4, ipv6 } = networksOf(port);
  const own = new Set([...ipv4, ...ipv6].map((n) => n.text));
  for (const nat of natsOf(router)) {
    const { row } = nat;
    if (!isMeant(row) || !isWholeIpv4(row.external_ip) || !isBehind(nat, port, gateways)) continue;
    if (gateways.length > 0 && row.type === "dnat_and_snat" && row.logical_port !== undefined && row.external_mac !== undefined) {
      const mac = externalMacOf(row);
      if (mac !== undefined) found.push(announced(mac, [row.external_ip], ` is_chassis_resident("${row.logical_port}")`));
    } else if (!own.has(row.external_ip)) central.push(row.external_ip);
  }
  central.push(...vips);
  if (central.length > 0) found.push(announced(macText, central, isGatewayPort(port) ? ` is_chassis_resident(${redirectKey(port)})` : ""));
  return found;
}

/** With the VIPs of load balancers, unless they are not wanted. */
export const announcedAddresses = derived("announced addresses", (port: RouterPort, withVips: boolean) => {
  const router = withVips ? routerOf(port) : undefined;
  return announcedOf(port, () => true, router === undefined ? [] : [...vipsOf(router).ipv4, ...vipsOf(router).ipv6]);
});

export const routableAddresses = derived("routable addresses", (port: RouterPort) => {
  const router = routerOf(port);
  return announcedOf(port, isRoutable, router === undefined ? [] : [...vipsOf(router).routable4, ...vipsOf(router).routable6]);
});
