/** What `ip` prints about addresses, routes, neighbors and links. */
import { formatIp, formatMac, formatPrefix, type Ip, isLinkLocalIpv6, type Prefix } from "../../../net/index.ts";
import type { Device } from "../device.ts";
import { pairHash } from "../flow-hash.ts";
import type { HostServices } from "../host-services.ts";
import { type Address, broadcastOf, type Hop, type Route } from "../network-state.ts";

const loopbackLink = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN";
const forever = "       valid_lft forever preferred_lft forever\n";

/** The devices that are meant: the one named, else all. */
const devicesOf = (host: HostServices, name: string | undefined): Device[] => [...host.ip.devices.values()].filter((d) => name === undefined || d.name === name);

/** A VLAN's device is shown with the card it is on: `vlan20@ens3`. */
function linkLine(device: Device): string {
  const flags = device.isUp ? "BROADCAST,MULTICAST,UP,LOWER_UP" : "BROADCAST,MULTICAST";
  const name = device.vlan === undefined ? device.name : `${device.name}@${device.vlan.of.name}`;
  return `${device.index}: ${name}: <${flags}> mtu ${device.mtu} qdisc ${device.isUp ? "noqueue" : "noop"} state ${device.isUp ? "UP" : "DOWN"}`;
}

const etherLine = (device: Device): string => `    link/ether ${formatMac(device.mac)} brd ff:ff:ff:ff:ff:ff\n`;
const loopbackEther = "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n";

export function showLinks(host: HostServices, device: string | undefined): string {
  const lo = `${loopbackLink} mode DEFAULT group default qlen 1000\n${loopbackEther}`;
  const own = devicesOf(host, device).map((d) => `${linkLine(d)} mode DEFAULT group default qlen 1000\n${etherLine(d)}`).join("");
  return device === "lo" ? lo : device === undefined ? lo + own : own;
}

export function showAddresses(host: HostServices, family: 4 | 6 | undefined, device: string | undefined): string {
  const isShown = (f: 4 | 6): boolean => family === undefined || family === f;
  let lo = `${loopbackLink} group default qlen 1000\n${family === undefined ? loopbackEther : ""}`;
  if (isShown(4)) lo += `    inet 127.0.0.1/8 scope host lo\n${forever}`;
  lo += addressesOf(host, "lo", isShown).filter((a) => a.prefix.family === 4).map((a) => addressLines(host, a)).join("");
  if (isShown(6)) lo += `    inet6 ::1/128 scope host \n${forever}`;
  lo += addressesOf(host, "lo", isShown).filter((a) => a.prefix.family === 6).map((a) => addressLines(host, a)).join("");
  const own = devicesOf(host, device).map((d) => {
    const lines = addressesOf(host, d.name, isShown).map((a) => addressLines(host, a));
    return `${linkLine(d)} group default qlen 1000\n${family === undefined ? etherLine(d) : ""}${lines.join("")}`;
  });
  return device === "lo" ? lo : device === undefined ? lo + own.join("") : own.join("");
}

function addressesOf(host: HostServices, device: string, isShown: (family: 4 | 6) => boolean): Address[] {
  const own = host.network.addresses.filter((a) => a.device === device && isShown(a.prefix.family));
  return own.sort((a, b) => a.prefix.family - b.prefix.family || scopeRank(a) - scopeRank(b));
}

const isLinkLocal = ({ prefix }: Address): boolean => prefix.family === 6 && isLinkLocalIpv6(prefix.address);
const scopeRank = (a: Address): number => (isLinkLocal(a) ? 1 : 0);

function addressLines(host: HostServices, a: Address): string {
  const seconds = (until: number | undefined): string => (until === undefined ? "forever" : `${Math.max(0, Math.round((until - host.clock.now()) / 1000))}sec`);
  const scope = isLinkLocal(a) ? "link" : "global";
  const times = `       valid_lft ${seconds(a.validUntil)} preferred_lft ${seconds(a.preferredUntil)}\n`;
  if (a.prefix.family === 6) return `    inet6 ${formatPrefix(a.prefix)} scope ${scope} ${a.origin === "slaac" ? "dynamic mngtmpaddr " : a.validUntil === undefined ? "" : "dynamic "}\n${times}`;
  const broadcast = a.broadcast !== undefined ? ` brd ${formatIp(a.broadcast)}` : a.origin === "dhcp" ? ` brd ${formatIp(broadcastOf(a.prefix))}` : "";
  return `    inet ${formatPrefix(a.prefix)}${broadcast} scope global ${a.validUntil === undefined ? "" : "dynamic "}${a.device}\n${times}`;
}

export function showAddressesBriefly(host: HostServices, family: 4 | 6 | undefined, device: string | undefined): string {
  const isShown = (f: 4 | 6): boolean => family === undefined || family === f;
  const line = (name: string, state: string, prefixes: readonly string[]): string => `${name.padEnd(16)} ${state.padEnd(14)} ${prefixes.map((p) => `${p} `).join("")}\n`;
  const prefixesOf = (name: string): string[] => addressesOf(host, name, isShown).map((a) => formatPrefix(a.prefix));
  const lo = line("lo", "UNKNOWN", [...["127.0.0.1/8", "::1/128"].filter((_, i) => family === undefined || family === (i === 0 ? 4 : 6)), ...prefixesOf("lo")]);
  const own = devicesOf(host, device).map((d) => line(d.vlan === undefined ? d.name : `${d.name}@${d.vlan.of.name}`, d.isUp ? "UP" : "DOWN", prefixesOf(d.name)));
  return device === undefined ? lo + own.join("") : device === "lo" ? lo : own.join("");
}

const originWords = { kernel: "kernel", static: "static", dhcp: "dhcp", ra: "ra" } as const;

const viaText = ({ via }: Hop, family: 4 | 6): string => (via === undefined ? "" : `via ${via.family === family ? "" : "inet6 "}${formatIp(via)} `);
const deadText = (host: HostServices, hop: Hop): string => (host.network.isUsable(hop) ? "" : "dead ");

function routeText(host: HostServices, route: Route): string {
  const { destination, hops, metric } = route;
  const full = destination.family === 4 ? 32 : 128;
  const to = destination.length === 0 ? "default" : destination.length === full ? formatIp(destination) : formatPrefix(destination);
  const [hop] = hops;
  let text = hop === undefined ? `blackhole ${to} ` : hops.length > 1 ? `${to} ` : `${to} ${viaText(hop, destination.family)}dev ${hop.device} `;
  if (route.origin !== "static") text += `proto ${originWords[route.origin]} `;
  if (destination.family === 4 && hops.length === 1 && hop?.via === undefined) text += "scope link ";
  const src = route.source ?? (route.origin === "kernel" && hop !== undefined ? ownAddressOn(host, hop.device, destination) : undefined);
  if (destination.family === 4 && src !== undefined && (route.source !== undefined || hop?.via === undefined)) text += `src ${formatIp(src)} `;
  if (metric !== 0) text += `metric ${metric} `;
  if (hops.length > 1) {
    const lines = hops.map((h) => `\tnexthop ${viaText(h, destination.family)}dev ${h.device} weight ${h.weight} ${deadText(host, h)}\n`);
    return `${text}\n${lines.join("")}`;
  }
  if (hop !== undefined) text += deadText(host, hop);
  if (destination.family === 6) text += "pref medium ";
  return `${text.trimEnd()} \n`;
}

const ownAddressOn = (host: HostServices, device: string, destination: Prefix): Ip | undefined => host.network.sourceFor(destination, { device });

export function showRoutes(host: HostServices, family: 4 | 6, to?: Prefix): string {
  const isWanted = (r: Route): boolean => r.destination.family === family && !(family === 6 && r.destination.length === 8);
  const isSame = (r: Route): boolean => to === undefined || (r.destination.length === to.length && r.destination.address === to.address);
  // Defaults first in IPv4, last in IPv6, else by address.
  const rank = (r: Route): number => (r.destination.length === 0 ? (family === 4 ? -1 : 1) : 0);
  const order = (a: Route, b: Route): number => rank(a) - rank(b) || (a.destination.address < b.destination.address ? -1 : a.destination.address > b.destination.address ? 1 : a.metric - b.metric);
  return host.network.routes.filter((r) => isWanted(r) && isSame(r)).sort(order).map((r) => routeText(host, r)).join("");
}

export function showRoute(host: HostServices, to: Ip): string | undefined {
  if (host.network.isOwn(to)) return `local ${formatIp(to)} dev lo src ${formatIp(to)} uid 0 \n    cache <local> \n`;
  const src = host.network.sourceFor(to);
  const next = src === undefined ? undefined : host.network.routeTo(to, { hash: pairHash(src, to, host.ip.settings.hashSeed) });
  if (next === undefined || src === undefined) return undefined;
  const via = next.via === undefined ? "" : `via ${formatIp(next.via)} `;
  return to.family === 4
    ? `${formatIp(to)} ${via}dev ${next.device} src ${formatIp(src)} uid 0 \n    cache \n`
    : `${formatIp(to)} from :: ${via}dev ${next.device} src ${formatIp(src)} metric ${next.route.metric} pref medium\n`;
}

export function showNeighbors(host: HostServices, family: 4 | 6 | undefined, device: string | undefined): string {
  return devicesOf(host, device)
    .flatMap((d) =>
      d.neighbors
        .list()
        .filter((n) => family === undefined || n.ip.family === family)
        .map((n) => {
          const mac = n.mac === undefined ? "" : `lladdr ${formatMac(n.mac)} `;
          return `${formatIp(n.ip)} dev ${d.name} ${mac}${n.isRouter ? "router " : ""}${n.state.toUpperCase()} \n`;
        }),
    )
    .join("");
}
