/**
 * A router's port on a transit switch, as routes need it: the announcement in IC-SB, the router, its port, and the addresses
 * that other zones see, which are the next hops of whatever the router advertises there.
 */
import { derived, type Index } from "../engine/index.ts";
import { contains, type Ip, isLinkLocalIpv4, isLinkLocalIpv6, parseMac, parsePrefix, type Prefix } from "../net/index.ts";
import { type IcSb, isOwn, isRouterBinding, type Nb, type Zone } from "./zone.ts";

export interface TransitPort {
  readonly transitSwitch: string;
  readonly router: Nb<"Logical_Router">;
  /** Undefined while NB has no port of the name that the switch port points to. */
  readonly routerPort: Nb<"Logical_Router_Port"> | undefined;
  readonly routerPortName: string;
  /** As announced; empty while the router is disabled or its port is missing. */
  readonly address: string;
  readonly routeTable: string;
}

export interface TransitPorts {
  readonly ofRouter: Index<string, IcSb<"Port_Binding">>;
  readonly ofSwitch: Index<string, IcSb<"Port_Binding">>;
}

/** Indexes of this zone's own ports. */
export function indexTransitPorts(zone: Zone): TransitPorts {
  const own = (row: IcSb<"Port_Binding">): boolean => isOwn(zone, row) && !isRouterBinding(row);
  const bindings = zone.icSb.tables.Port_Binding;
  return {
    ofRouter: zone.engine.index("transit ports of router", bindings, (row) => {
      const router = row.external_ids.get("router-id");
      return router === undefined || !own(row) ? [] : [router];
    }),
    ofSwitch: zone.engine.index("own ports of transit switch", bindings, (row) => (own(row) ? [row.transit_switch] : [])),
  };
}

/** Undefined for a port that takes no part in routing. */
export const transitPort = derived("transit port", (binding: IcSb<"Port_Binding">, zone: Zone): TransitPort | undefined => {
  const port = zone.switchPortByName.first(binding.logical_port);
  const routerPortName = port?.options.get("router-port");
  if (port === undefined || port.type === "switch" || port.type === "" || routerPortName === undefined) return undefined;
  const id = binding.external_ids.get("router-id");
  const router = id === undefined ? undefined : findRouter(zone, id);
  if (router === undefined || zone.transitSwitchByName.first(binding.transit_switch) === undefined) return undefined;
  const routerPort = zone.routerPortByName.first(routerPortName);
  const routeTable = routerPort?.options.get("route_table") ?? "";
  return { transitSwitch: binding.transit_switch, router, routerPort, routerPortName, address: binding.address, routeTable };
});

function findRouter(zone: Zone, id: string): Nb<"Logical_Router"> | undefined {
  // What a zone writes there is the UUID of one of its routers.
  const router: unknown = zone.nb.tables.Logical_Router.get(id as Nb<"Logical_Router">["_uuid"]);
  return router as Nb<"Logical_Router"> | undefined;
}

/** The addresses after the MAC of `MAC IP[/LENGTH]...`; undefined if it does not begin with a MAC. */
export function addressesOf(address: string): readonly Prefix[] | undefined {
  const [mac, ...ips] = address.split(/\s+/);
  if (mac === undefined || parseMac(mac) === undefined) return undefined;
  const result: Prefix[] = [];
  for (const text of ips) {
    const prefix = text === "" ? undefined : parsePrefix(text);
    if (text !== "" && prefix === undefined) break;
    if (prefix !== undefined) result.push(prefix);
  }
  return result;
}

/** Whether one of the router port's own networks holds `ip`. */
export function isOnLink(port: Nb<"Logical_Router_Port">, ip: Ip): boolean {
  for (const network of port.networks) {
    const prefix = parsePrefix(network);
    if (prefix !== undefined && contains(prefix, ip)) return true;
  }
  return false;
}

/** 169.254.0.0/16 and fe80::/10, and what lies within. */
export const isLinkLocal = (prefix: Prefix): boolean =>
  prefix.family === 4 ? prefix.length >= 16 && isLinkLocalIpv4(prefix.address) : prefix.length >= 10 && isLinkLocalIpv6(prefix.address);

/** fe80::/64, the addresses that a router makes for itself: as next hops they mean nothing to another router. */
export const isOwnMakingIpv6 = (ip: Ip): boolean => ip.family === 6 && ip.address >> 64n === 0xfe80_0000_0000_0000n;
