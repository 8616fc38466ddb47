/** What in the northbound database makes a route: a translation, a balanced address, a static route, a router's own network. */
import { contains, formatIp, type Prefix, parseIp, parsePrefix } from "../../net/index.ts";
import type { Northbound } from "./route-place.ts";

type RouterRow = Northbound["Logical_Router"] extends Iterable<infer R> ? R : never;

export interface RouteWish {
  readonly what: string;
  /** A command that shows it. */
  readonly command: readonly string[];
}

export function* wishesFor(nb: Northbound, target: Prefix): Generator<RouteWish> {
  const routerOf = (holds: (router: RouterRow) => boolean): string =>
    [...nb.Logical_Router].find(holds)?.name ?? "no router";
  const isHost = target.length === (target.family === 4 ? 32 : 128);
  const address = formatIp(target);
  if (isHost) {
    for (const nat of nb.NAT) {
      const ip = parseIp(nat.external_ip);
      if (ip === undefined || formatIp(ip) !== address) continue;
      yield {
        what: `NAT: ${routerOf((r) => r.nat.has(nat._uuid))} translates ${nat.external_ip}, ${nat.type}${nat.options.get("add_route") === "true" ? ", with a route to it (add_route)" : ""}`,
        command: ["ovn-nbctl", "--columns=type,external_ip,logical_ip,gateway_port,options", "find", "NAT", `external_ip="${nat.external_ip}"`],
      };
    }
    for (const balancer of nb.Load_Balancer) {
      if (![...balancer.vips.keys()].some((vip) => vip === address || vip.startsWith(`${address}:`) || vip.startsWith(`[${address}]`))) continue;
      yield { what: `Load balancer: ${balancer.name} answers at ${address}`, command: ["ovn-nbctl", "--columns=name,vips,protocol", "find", "Load_Balancer", `name="${balancer.name}"`] };
    }
  }
  for (const route of nb.Logical_Router_Static_Route) {
    const prefix = parsePrefix(route.ip_prefix);
    if (prefix === undefined || prefix.length === 0 || !contains(prefix, target)) continue;
    yield {
      what: `Static route of ${routerOf((r) => r.static_routes.has(route._uuid))}: ${route.ip_prefix} by way of ${route.nexthop}`,
      command: ["ovn-nbctl", "--columns=ip_prefix,nexthop,output_port,options", "find", "Logical_Router_Static_Route", `ip_prefix="${route.ip_prefix}"`],
    };
  }
  for (const port of nb.Logical_Router_Port) {
    const network = [...port.networks].find((text) => {
      const prefix = parsePrefix(text);
      return prefix !== undefined && contains(prefix, target) && prefix.length <= target.length;
    });
    if (network === undefined) continue;
    yield { what: `Network of ${routerOf((r) => r.ports.has(port._uuid))}: ${network} at ${port.name}`, command: ["ovn-nbctl", "--columns=name,networks,options", "find", "Logical_Router_Port", `name="${port.name}"`] };
  }
}
