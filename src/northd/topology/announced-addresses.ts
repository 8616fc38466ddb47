/** The external addresses of a router as they are known behind one of its ports: MAC and addresses, and on which chassis. */
import { derived } from "../../engine/index.ts";
import { vipsOf } from "../balancing/load-balancers.ts";
import { boolOption } from "../options.ts";
import { parseCidr } from "../port-addresses.ts";
import { gatewayPortsOf, isGatewayPort, networksOf, redirectKey, routerOf } from "./router-ports.ts";
import type { Nat, NbRow, RouterPort } from "./topology.ts";
import { externalMacOf, isBehind, natsOf } from "./translations.ts";

/** Distributed ones have a MAC and a chassis of their own, the others those of the port. IPv6 is not announced. */
export type Announcement =
  | { readonly kind: "distributed"; readonly ip: string; readonly mac: string; readonly logicalPort: string }
  | { readonly kind: "central"; readonly ip: string };

export const announcementOf = derived("announcement", (nat: Nat, port: RouterPort): Announcement | undefined => {
  const { row } = nat;
  const router = routerOf(port);
  if (router === undefined || !isWholeIpv4(row.external_ip)) return undefined;
  const gateways = gatewayPortsOf(router);
  if (!isBehind(nat, port, gateways)) return undefined;
  const ip = row.external_ip;
  if (gateways.length > 0 && row.type === "dnat_and_snat" && row.logical_port !== undefined && row.external_mac !== undefined) {
    const mac = externalMacOf(row);
    return mac === undefined ? undefined : { kind: "distributed", ip, mac, logicalPort: row.logical_port };
  }
  // The port's own addresses are announced as such.
  const { ipv4, ipv6 } = networksOf(port);
  return [...ipv4, ...ipv6].some((n) => n.text === ip) ? undefined : { kind: "central", ip };
});

function isWholeIpv4(text: string): boolean {
  const cidr = parseCidr(text);
  return cidr?.family === 4 && cidr.length === 32;
}

/** options:add_route of a translation to another destination: the other routers on the switch get a route to the address. */
export const isRoutable = ({ type, options }: NbRow<"NAT">): boolean => type !== "snat" && boolOption(options, "add_route", false);

/** Those of the translations that the gateway does, in order. */
export const centralRoutable = derived("routable addresses", (port: RouterPort): readonly string[] => {
  const router = routerOf(port);
  if (router === undefined) return [];
  const nats = natsOf(router).filter((nat) => isRoutable(nat.row)).map((nat) => announcementOf(nat, port));
  return nats.flatMap((a) => (a?.kind === "central" ? [a.ip] : []));
});

/** `MAC IP ... is_chassis_resident(...)`, as Port_Binding.nat_addresses has it; with VIPs, unless they are not wanted. */
export const announcedAddresses = derived("announced addresses", (port: RouterPort, withVips: boolean): readonly string[] => {
  const router = routerOf(port);
  if (router === undefined) return [];
  const found: string[] = [];
  const central: string[] = [];
  for (const nat of natsOf(router)) {
    const announced = announcementOf(nat, port);
    if (announced?.kind === "distributed") found.push(`${announced.mac} ${announced.ip} is_chassis_resident("${announced.logicalPort}")`);
    else if (announced !== undefined) central.push(announced.ip);
  }
  if (withVips) central.push(...vipsOf(router).ipv4, ...vipsOf(router).ipv6);
  if (central.length > 0) found.push(`${[networksOf(port).macText, ...central].join(" ")}${isGatewayPort(port) ? ` is_chassis_resident(${redirectKey(port)})` : ""}`);
  return found;
});
