/** What `ip` prints about addresses, routes, neighbors and links. */
import { formatIp, formatMac, formatPrefix, type Ip, isLinkLocalIpv6, type Prefix } from "../../../net/index.ts";
import type { HostServices } from "../host-services.ts";
import type { Address, Route } from "../network-state.ts";

const loopbackLink = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN";

function linkLine(host: HostServices): string {
  const flags = host.isUp ? "BROADCAST,MULTICAST,UP,LOWER_UP" : "BROADCAST,MULTICAST";
  return `2: ${host.interfaceName}: <${flags}> mtu ${host.ip.mtu} qdisc ${host.isUp ? "noqueue" : "noop"} state ${host.isUp ? "UP" : "DOWN"}`;
}

const etherLine = (host: HostServices): string => `    link/ether ${formatMac(host.mac)} brd ff:ff:ff:ff:ff:ff\n`;
const loopbackEther = "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n";

export function showLinks(host: HostServices, device: string | undefined): string {
  const lo = `${loopbackLink} mode DEFAULT group default qlen 1000\n${loopbackEther}`;
  const own = `${linkLine(host)} mode DEFAULT group default qlen 1000\n${etherLine(host)}`;
  return device === "lo" ? lo : device === undefined ? lo + own : own;
}

export function showAddresses(host: HostServices, family: 4 | 6 | undefined, device: string | undefined): string {
  const isShown = (f: 4 | 6): boolean => family === undefined || family === f;
  const forever = "       valid_lft forever preferred_lft forever\n";
  let lo = `${loopbackLink} group default qlen 1000\n${family === undefined ? loopbackEther : ""}`;
  if (isShown(4)) lo += `    inet 127.0.0.1/8 scope host lo\n${forever}`;
  if (isShown(6)) lo += `    inet6 ::1/128 scope host \n${forever}`;
  const addresses = [...host.network.addresses].sort((a, b) => a.prefix.family - b.prefix.family || scopeRank(a) - scopeRank(b)).filter((a) => isShown(a.prefix.family));
  const own = `${linkLine(host)} group default qlen 1000\n${family === undefined ? etherLine(host) : ""}${addresses.map((a) => addressLines(host, a)).join("")}`;
  return device === "lo" ? lo : device === undefined ? lo + own : own;
}

const isLinkLocal = ({ prefix }: Address): boolean => prefix.family === 6 && isLinkLocalIpv6(prefix.address);
const scopeRank = (a: Address): number => (isLinkLocal(a) ? 1 : 0);

function addressLines(host: HostServices, a: Address): string {
  const seconds = (until: number | undefined): string => (until === undefined ? "forever" : `${Math.max(0, Math.round((until - host.clock.now()) / 1000))}sec`);
  const scope = isLinkLocal(a) ? "link" : "global";
  const times = `       valid_lft ${seconds(a.validUntil)} preferred_lft ${seconds(a.preferredUntil)}\n`;
  if (a.prefix.family === 6) return `    inet6 ${formatPrefix(a.prefix)} scope ${scope} ${a.origin === "slaac" ? "dynamic mngtmpaddr " : a.validUntil === undefined ? "" : "dynamic "}\n${times}`;
  const broadcast = a.origin === "dhcp" ? ` brd ${broadcastOf(a.prefix)}` : "";
  return `    inet ${formatPrefix(a.prefix)}${broadcast} scope global ${a.validUntil === undefined ? "" : "dynamic "}${host.interfaceName}\n${times}`;
}

function broadcastOf(prefix: Prefix): string {
  if (prefix.family !== 4) return "";
  const hostBits = prefix.length === 32 ? 0 : 0xffffffff >>> prefix.length;
  return formatIp({ family: 4, address: ((prefix.address | hostBits) >>> 0) as typeof prefix.address });
}

export function showAddressesBriefly(host: HostServices, family: 4 | 6 | undefined, device: string | undefined): string {
  const list = (prefixes: readonly string[]): string => prefixes.map((p) => `${p} `).join("");
  const lo = ["127.0.0.1/8", "::1/128"].filter((_, i) => family === undefined || family === (i === 0 ? 4 : 6));
  const own = [...host.network.addresses].sort((a, b) => a.prefix.family - b.prefix.family).filter((a) => family === undefined || a.prefix.family === family);
  const line = (name: string, state: string, prefixes: readonly string[]): string => `${name.padEnd(16)} ${state.padEnd(14)} ${list(prefixes)}\n`;
  const ownLine = line(host.interfaceName, host.isUp ? "UP" : "DOWN", own.map((a) => formatPrefix(a.prefix)));
  return device === undefined ? line("lo", "UNKNOWN", lo) + ownLine : device === "lo" ? line("lo", "UNKNOWN", lo) : ownLine;
}

const originWords = { kernel: "kernel", static: "static", dhcp: "dhcp", ra: "ra" } as const;

function routeText(host: HostServices, route: Route): string {
  const { destination, via, metric } = route;
  const full = destination.family === 4 ? 32 : 128;
  const to = destination.length === 0 ? "default" : destination.length === full ? formatIp(destination) : formatPrefix(destination);
  const parts = [to, via === undefined ? "" : `via ${formatIp(via)}`, `dev ${host.interfaceName}`];
  if (route.origin !== "static") parts.push(`proto ${originWords[route.origin]}`);
  if (destination.family === 4 && via === undefined) {
    parts.push("scope link");
    const src = host.network.sourceFor(destination);
    if (src !== undefined && route.origin === "kernel") parts.push(`src ${formatIp(src)}`);
  }
  if (metric !== 0) parts.push(`metric ${metric}`);
  if (destination.family === 6) parts.push("pref medium");
  return `${parts.filter((p) => p !== "").join(" ")} \n`;
}

export function showRoutes(host: HostServices, family: 4 | 6): string {
  const routes = host.network.routes.filter((r) => r.destination.family === family && !(family === 6 && r.destination.length === 8));
  // Defaults first in IPv4, last in IPv6, else by address.
  const rank = (r: Route): number => (r.destination.length === 0 ? (family === 4 ? -1 : 1) : 0);
  return [...routes].sort((a, b) => rank(a) - rank(b) || (a.destination.address < b.destination.address ? -1 : 1)).map((r) => routeText(host, r)).join("");
}

export function showRoute(host: HostServices, to: Ip): string | undefined {
  if (host.network.isOwn(to)) return `local ${formatIp(to)} dev lo src ${formatIp(to)} uid 0 \n    cache <local> \n`;
  const route = host.network.routeTo(to);
  const src = host.network.sourceFor(to);
  if (route === undefined || src === undefined) return undefined;
  const via = route.via === undefined ? "" : `via ${formatIp(route.via)} `;
  return to.family === 4
    ? `${formatIp(to)} ${via}dev ${host.interfaceName} src ${formatIp(src)} uid 0 \n    cache \n`
    : `${formatIp(to)} from :: ${via}dev ${host.interfaceName} src ${formatIp(src)} metric ${route.metric} pref medium\n`;
}

export function showNeighbors(host: HostServices, family: 4 | 6 | undefined): string {
  return host.ip.neighbors
    .list()
    .filter((n) => family === undefined || n.ip.family === family)
    .map((n) => {
      const mac = n.mac === undefined ? "" : `lladdr ${formatMac(n.mac)} `;
      return `${formatIp(n.ip)} dev ${host.interfaceName} ${mac}${n.isRouter ? "router " : ""}${n.state.toUpperCase()} \n`;
    })
    .join("");
}
